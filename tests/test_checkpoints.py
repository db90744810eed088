"""From a name to tensors: where weights are looked for and in which order, and the network that has learnt nothing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generator.checkpoints import CHECKPOINTS
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.checkpoints.spec import Download
from generator.core.errors import AtlasError, UsageError
from generator.network import load
from generator.network.formats import shapes
from generator.network.load import draw_weights, find_weights, load_tensors


@pytest.fixture(scope="module")
def some_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with untrained weights of BVLC's shapes."""
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(draw_weights(BVLC_GOOGLENET, seed=1), path)
    return path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


NAME = "inception5h"


def test_the_order_of_places(isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given, then ATLAS_WEIGHTS, then the cache, then a download: each wins over all that come after it."""
    fetched = tmp_path / "fetched.pth"
    monkeypatch.setattr(load, "fetch", lambda name, sources, folder: fetched)
    assert find_weights(NAME) == fetched
    cached = touch(isolated / "weights" / f"{NAME}.pth")
    assert find_weights(NAME) == cached
    monkeypatch.setenv("ATLAS_WEIGHTS", str(tmp_path / "folder"))
    (tmp_path / "folder").mkdir()
    assert find_weights(NAME) == cached, "a folder that lacks the checkpoint is passed over"
    in_folder = touch(tmp_path / "folder" / f"{NAME}.caffemodel")
    assert find_weights(NAME) == in_folder
    a_file = touch(tmp_path / "any.name")
    monkeypatch.setenv("ATLAS_WEIGHTS", str(a_file))
    assert find_weights(NAME) == a_file
    given = touch(tmp_path / "given.pth")
    assert find_weights(NAME, given) == given
    given_in_folder = touch(tmp_path / "other" / f"{NAME}.pth")
    assert find_weights(NAME, given_in_folder.parent) == given_in_folder


def test_a_folder_prefers_safetensors(tmp_path: Path) -> None:
    for suffix in ("caffemodel", "pt", "pth", "safetensors"):
        best = touch(tmp_path / f"{NAME}.{suffix}")
        assert find_weights(NAME, tmp_path) == best


def test_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = touch(tmp_path / "w.pth")
    assert find_weights(NAME, Path("~/w.pth")) == file
    monkeypatch.setenv("ATLAS_WEIGHTS", "~/w.pth")
    assert find_weights(NAME) == file


@pytest.mark.parametrize("name", ["inception5h", "my-own"])
def test_what_was_named_must_be_there(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download must never stand in for weights that were asked for."""
    monkeypatch.setattr(load, "fetch", lambda *a: pytest.fail("went on to a download"))
    with pytest.raises(UsageError, match=r"no weights file .*gone\.pth"):
        find_weights(name, tmp_path / "gone.pth")
    with pytest.raises(UsageError, match=rf"has no {name} with one of \.safetensors"):
        find_weights(name, tmp_path)
    monkeypatch.setenv("ATLAS_WEIGHTS", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match=r"ATLAS_WEIGHTS=.*gone does not exist"):
        find_weights(name)


def test_an_empty_variable_is_no_variable(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WEIGHTS", "")
    cached = touch(isolated / "weights" / f"{NAME}.pth")
    assert find_weights(NAME) == cached


def test_weights_of_ones_own_have_no_address() -> None:
    with pytest.raises(UsageError, match=r"no weights for mine; .*--weights FILE.*\[checkpoints\.mine\]"):
        find_weights("mine")


def test_a_download_is_tried_in_the_order_of_the_table(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(load, "fetch", lambda *given: asked.append(given) or Path("x"))
    find_weights("bvlc_googlenet")
    assert asked == [("bvlc_googlenet", CHECKPOINTS["bvlc_googlenet"].downloads, isolated / "weights")]


def test_every_address_has_a_digest() -> None:
    """Every checkpoint is downloaded, over https first, and checked; or drawn; or says what to download by hand."""
    for spec in CHECKPOINTS.values():
        assert bool(spec.downloads) + bool(spec.by_hand) + (spec.seed is not None) == 1, spec.name
        for source in spec.downloads:
            assert spec.downloads[0].url.startswith("https://")
            assert len(bytes.fromhex(source.digest)) == (32 if source.algorithm == "sha256" else 20)
            assert source.suffix in (".pth", ".caffemodel")


def test_a_checkpoint_without_a_whole_digest_says_what_to_download() -> None:
    spec = CHECKPOINTS["torchvision_googlenet"]
    with pytest.raises(UsageError, match=f"download {spec.by_hand} and give --weights FILE"):
        find_weights(spec.name)


def test_a_checkpoint_of_ones_own(some_weights: Path) -> None:
    loaded = load_tensors("mine", some_weights, architecture=BVLC_GOOGLENET)
    assert set(loaded.tensors) == set(shapes(BVLC_GOOGLENET))
    assert loaded.fingerprint not in {spec.fingerprint for spec in CHECKPOINTS.values()}
    with pytest.raises(UsageError, match="no checkpoint “mine”"):
        load_tensors("mine", some_weights)


def test_other_weights_do_not_pass_for_a_known_checkpoint(some_weights: Path) -> None:
    """Unit numbers belong to one set of weights; fine-tuned ones need a name of their own."""
    with pytest.raises(AtlasError, match="other weights than bvlc_googlenet") as caught:
        load_tensors("bvlc_googlenet", some_weights)
    assert 'architecture = "bvlc_googlenet"' in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_for_one_checkpoint_given_for_another(some_weights: Path) -> None:
    with pytest.raises(AtlasError, match="type --checkpoint bvlc_googlenet"):
        load_tensors("inception5h", some_weights)


def test_the_real_weights(real_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WEIGHTS", str(real_weights.parent))
    loaded = load_tensors("bvlc_googlenet")
    assert loaded.fingerprint == CHECKPOINTS["bvlc_googlenet"].fingerprint


def test_without_weights_and_network_one_line_says_what_to_do() -> None:
    with pytest.MonkeyPatch.context() as patch:
        nowhere = (Download("http://host.invalid/inception5h.pth", "git", "0" * 40),)
        patch.setitem(CHECKPOINTS, NAME, replace(CHECKPOINTS[NAME], downloads=nowhere))
        patch.setattr("generator.network.fetch.PAUSES", (0.0,))
        with pytest.raises(AtlasError, match=r"host\.invalid: no connection") as caught:
            find_weights(NAME)
    assert "--weights FILE" in str(caught.value)


# --- untrained -----------------------------------------------------------------------------------------------------


def test_untrained_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATLAS_WEIGHTS", str(touch(tmp_path / "of-something-else.pth")))
    torch.manual_seed(5)
    np.random.seed(5)
    loaded = load_tensors("untrained")
    assert loaded.fingerprint == CHECKPOINTS["untrained"].fingerprint
    first = loaded.tensors["conv2d0.weight"].flatten()[:3].numpy().astype("<f4").tobytes()
    assert first.hex() == "eaa376be4a9201be26bec73d"


def test_untrained_takes_no_file(some_weights: Path) -> None:
    with pytest.raises(UsageError, match="leave out"):
        load_tensors("untrained", some_weights)


def test_untrained_keeps_the_size_of_activations() -> None:
    """He's initialisation: standard deviation sqrt(2 / fan in), no bias, and the shape of a normal distribution."""
    tensors = draw_weights(INCEPTION5H, seed=1)
    assert {name: tuple(t.shape) for name, t in tensors.items()} == shapes(INCEPTION5H)
    for name, tensor in tensors.items():
        if name.endswith(".bias"):
            assert not tensor.any()
            continue
        z = tensor.double() / (2 / tensor[0].numel()) ** 0.5
        # Four standard errors of mean and variance of so many normal numbers
        assert abs(z.mean()) < 4 / z.numel() ** 0.5, name
        assert abs(z.var() - 1) < 4 * (2 / z.numel()) ** 0.5, name
    z = tensors["softmax2.weight"].double().flatten() * (1024 / 2) ** 0.5
    for sigma, share in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        assert abs((z.abs() < sigma).double().mean() - share) < 0.005
    digests = {hashlib.sha256(t.numpy().tobytes()).digest() for n, t in tensors.items() if n.endswith(".weight")}
    assert len(digests) == 58, "every tensor has numbers of its own"
