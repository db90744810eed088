"""`atlas study`: analyses are answered once, kept layer by layer, and held against independent computations."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from photographs import made_up_photographs
from PIL import Image
from safetensors.torch import save_file
from shell import Run, finish, spawn, wait_for_answers

from generator.checkpoints import CHECKPOINTS
from generator.core.architecture import Mixed
from generator.network import Inception
from generator.network.load import draw_weights
from generator.store.store import Damage, Store
from generator.study.analyses import analyses, photos
from generator.study.analysis import Advance, Analysis, Finding, Subject
from generator.study.expanded import expanded_weights, strongest
from generator.study.run import missing, run


def subject(net: Inception) -> Subject:
    return Subject("untrained", net.architecture, net.fingerprint, lambda: net)


def test_a_list_of_analyses_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None\nfrom generator.study.analyses import analyses; print(*analyses())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "kernels photos similar tuning weights\n", done.stderr


def stopping(after: int) -> Analysis:
    """An analysis that is stopped by Ctrl-C after some layers."""

    def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
        for done, layer in enumerate(layers):
            if done == after:
                raise KeyboardInterrupt
            yield Finding(layer, {"number": np.arange(3)}, {"done": done})

    return Analysis("stopping", "Stops.", compute)


def test_what_is_finished_stays_and_is_not_computed_again(net: Inception, tmp_path: Path) -> None:
    store, what = Store(tmp_path / "store"), subject(net)
    with pytest.raises(KeyboardInterrupt):
        list(run(store, what, missing(store, what, [stopping(5)])))
    (todo,) = missing(store, what, [stopping(5)])
    assert todo.present == 5
    assert todo.layers == net.architecture.main_layers[5:]
    assert len(list(run(store, what, missing(store, what, [stopping(99)])))) == len(todo.layers)
    assert missing(store, what, [stopping(99)])[0].layers == ()
    assert not any(isinstance(found, Damage) for found in store.verify())


def test_other_weights_settings_and_photographs_are_other_questions(net: Inception) -> None:
    what, weights = subject(net), analyses()["weights"]
    other = Subject("untrained", net.architecture, "f" * 64, lambda: net)
    keys = {weights.key(what, "mixed4a"), weights.key(what, "mixed4b"), weights.key(other, "mixed4a")}
    assert len(keys) == 3
    changed = Analysis("weights", "", weights.compute, settings={**weights.settings, "keep": 3})
    assert changed.key(what, "mixed4a") not in keys
    with pytest.raises(ValueError, match="needs photographs"):
        analyses()["photos"].key(what, "mixed4a")


def linear(net: Inception, layer: str, x: torch.Tensor) -> torch.Tensor:
    """A main layer without ReLUs and biases, pooling as an average: written out step by step."""

    def weight(name: str) -> torch.Tensor:
        return net.get_buffer(f"{name}_weight")

    step = next(s for s in net.architecture.steps if getattr(s, "name", "") == layer)
    if not isinstance(step, Mixed):
        return F.conv2d(x, weight(layer), padding=weight(layer).shape[-1] // 2)
    narrow = {k: F.conv2d(x, weight(f"{layer}_{k}_bottleneck")) for k in ("3x3", "5x5")}
    return torch.cat(
        [
            F.conv2d(x, weight(f"{layer}_1x1")),
            F.conv2d(narrow["3x3"], weight(f"{layer}_3x3"), padding=1),
            F.conv2d(narrow["5x5"], weight(f"{layer}_5x5"), padding=2),
            F.conv2d(F.avg_pool2d(x, 3, 1, 1), weight(f"{layer}_pool_reduce")),
        ],
        1,
    )


@pytest.mark.parametrize("layer", ["conv2d1", "conv2d2", "mixed3a", "mixed4d", "mixed5b"])
def test_expanded_weights_are_the_gradient_of_the_linear_network(net: Inception, layer: str) -> None:
    kernels = expanded_weights(net, layer)
    x = torch.zeros(1, kernels.shape[1], 9, 9, requires_grad=True)
    out = linear(net, layer, x)
    reach = kernels.shape[-1] // 2
    for unit in (0, kernels.shape[0] // 2, kernels.shape[0] - 1):
        (gradient,) = torch.autograd.grad(out[0, unit, 4, 4], x, retain_graph=True)
        around = gradient[0, :, 4 - reach : 5 + reach, 4 - reach : 5 + reach]
        assert torch.allclose(kernels[unit], around, atol=1e-5 * float(kernels.abs().max()))
        assert float(gradient.abs().sum() - around.abs().sum()) == pytest.approx(0, abs=1e-4)


def test_the_strongest_are_those_of_a_plain_sort() -> None:
    kernels = torch.randn(4, 40, 3, 3, generator=torch.Generator().manual_seed(0))
    found = strongest(kernels, 12)
    norm, total = kernels.flatten(2).norm(dim=2), kernels.sum((2, 3))
    for unit in range(4):
        exciting = sorted((i for i in range(40) if total[unit, i] > 0), key=lambda i: -float(norm[unit, i]))[:12]
        assert found["unit"][unit, :12].tolist() == exciting + [-1] * (12 - len(exciting))
        kept = [i for i in found["unit"][unit].tolist() if i >= 0]
        share = float(norm[unit, kept].square().sum() / norm[unit].square().sum())
        assert found["explained"][unit] == pytest.approx(share, rel=1e-5)
        assert (found["sum"][unit, :12] >= 0).all()
        assert (found["sum"][unit, 12:] <= 0).all()


@pytest.mark.parametrize("classes", [0, 10])
def test_weights_of_other_classifiers_have_answers_for_as_many_classes(classes: int) -> None:
    architecture = replace(CHECKPOINTS["bvlc_googlenet"].architecture, classes=classes)
    net = Inception(architecture, draw_weights(architecture, seed=0))
    last, output = analyses()["weights"].compute(subject(net), ["mixed5b", "output"], lambda share: None)
    assert last.arrays["class_for"].shape == (1024, classes)
    assert output.arrays["input_unit"].shape == (classes, 24)
    if classes:
        weight = net.get_buffer("softmax2_weight")
        assert output.arrays["input_unit"][3, 0] == weight[3].argmax()
        assert output.arrays["input_unit"][3, 12] == weight[3].argmin()
        assert last.arrays["class_for"][5, 0] == weight[:, 5].argmax()


def test_the_command_answers_once(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "atlas.toml").write_text('[checkpoints.untrained]\nunits = ["mixed3a:0-1", "mixed3b:0"]\n')
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("study", "weights", "tuning", "--checkpoint", "untrained", "--dry-run")
    assert code == 0
    assert "weights   13 layers to answer, 0 there" in out
    code, out, _ = run("study", "weights")
    assert (code, "answered 13, already there 0" in out) == (0, True), out
    code, out, _ = run("study", "weights")
    assert "answered 0, already there 13" in out
    code, out, _ = run("verify")
    assert code == 0
    assert "0 damaged" in out


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_study_goes_on_and_finds_the_same(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = ("conv2d0", "conv2d1", "softmax2")
    code = (
        "from dataclasses import replace\nfrom generator.study.analyses import photos\n"
        f"photos.ANALYSIS = replace(photos.ANALYSIS, layers=lambda architecture: {layers})\n"
    )
    made_up_photographs(tmp_path, 3)
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "atlas.toml").write_text('[checkpoints.untrained]\nunits = []\n[photos]\nfolders = [".."]\n')
    process = spawn(tmp_path / "killed", "study", "photos", code=code)
    wait_for_answers(tmp_path / "killed", 1, process)
    process.kill()
    finish(process)
    monkeypatch.setattr(photos, "ANALYSIS", replace(photos.ANALYSIS, layers=lambda architecture: layers))
    found = []
    for name in ("killed", "whole"):
        monkeypatch.chdir(tmp_path / name)
        assert run("study", "photos")[0] == 0
        store = Store(tmp_path / name / "site/store")
        found.append({result.question["layer"]: store.arrays(result) for result in store.results()})
    assert found[0].keys() == found[1].keys() == set(layers)
    for layer in layers:
        for what, array in found[0][layer].items():
            assert np.array_equal(array, found[1][layer][what]), (layer, what)


def test_what_is_missing_or_unknown_is_one_line(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "atlas.toml").write_text('[checkpoints.untrained]\nunits = ["mixed3a:0"]\n')
    monkeypatch.chdir(tmp_path)
    assert run("study", "weihgts")[2] == "atlas: no analysis “weihgts”: did you mean weights?\n"
    code, _, err = run("study", "photos")
    assert (code, "photos needs photographs: type --photos FOLDER" in err) == (2, True)
    code, _, err = run("study", "photos", "--photos", "nowhere")
    assert (code, "no folder nowhere" in err) == (2, True)
    Image.new("RGB", (10, 10)).save(tmp_path / "tiny.png")
    code, _, err = run("study", "photos", "--photos", ".")
    assert (code, "no photographs" in err) == (2, True)


def test_a_photograph_whose_pixels_cannot_be_read_is_told(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header is sound, so that it is found; docs/studying.md promises that it is named with the reason."""

    def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
        for layer in layers:
            yield Finding(layer, {"number": np.arange(3)}, {"left_out": {"half.jpg": "image file is truncated"}})

    monkeypatch.setattr("generator.study.analyses.analyses", lambda: {"half": Analysis("half", "Half.", compute)})
    (tmp_path / "atlas.toml").write_text('[checkpoints.untrained]\nunits = ["mixed3a:0"]\n')
    monkeypatch.chdir(tmp_path)
    code, _, err = run("study", "half")
    assert code == 0
    assert err.count("left out: half.jpg: image file is truncated") == 1


def test_another_checkpoint_is_compared_and_shown(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of one's own, under a name of their own: with a picture their fingerprint is known, and not before."""
    architecture = CHECKPOINTS["untrained"].architecture
    save_file(draw_weights(architecture, seed=7), tmp_path / "twin.safetensors")
    (tmp_path / "photographs").mkdir()
    made_up_photographs(tmp_path / "photographs", 3)
    (tmp_path / "atlas.toml").write_text(
        '[checkpoints.untrained]\nunits = ["conv2d0:0"]\n[checkpoints.twin]\nunits = ["conv2d0:5"]\n'
        f'architecture = "{architecture.name}"\nweights = "twin.safetensors"\n'
        '[recipe]\nsize = 32\ninput = 32\nsteps = 4\nprecision = "float32"\n[photos]\nfolders = ["photographs"]\n'
    )
    monkeypatch.chdir(tmp_path)
    assert run("render", "--checkpoint", "untrained")[0] == 0
    code, _, err = run("study", "similar", "--layer", "conv2d0", "--dry-run")
    assert (code, err) == (0, "not compared with twin, which has no picture yet; `atlas render` renders some\n")
    assert run("render")[0] == 0
    for checkpoint, other in (("untrained", "twin"), ("twin", "untrained")):
        code, out, err = run("study", "similar", "--layer", "conv2d0", "--checkpoint", checkpoint)
        assert (code, "answered 1" in out, "not compared" in err) == (0, True, False), err
        code, out, _ = run("study", "conv2d0:0", "--json", "--checkpoint", checkpoint)
        named = [(x["checkpoint"], x["unit"].split(":")[0]) for x in json.loads(out)["similar"]]
        assert named == [(checkpoint, "conv2d0")] * 6 + [(checkpoint, "conv2d1")] * 6 + [(other, "conv2d0")] * 6
    assert run("build")[0] == 0
    assert "In twin" in (tmp_path / "site/untrained/conv2d0/0.html").read_text()
    assert run("check")[0] == 0
