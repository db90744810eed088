"""Directions: vectors over the channels of a layer, and sums of channels, as units like any other."""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from browser import launched, search, served
from numpy.typing import NDArray
from photographs import made_up_photographs
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch
from shell import Run

from generator import api
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.config.atlas_toml import load_config
from generator.config.directions import read_vectors
from generator.core.errors import AtlasError, UsageError
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit, parse_units, select_units
from generator.network import Inception, load_checkpoint
from generator.publish.check.published import broken
from generator.reader.atlas import Atlas, NoUnitError
from generator.reader.find import find
from generator.render.objective import choose, measure

WIDTH = 256  # channels of mixed3a
RECIPE = Recipe(size=32, input=64, steps=4, wake_steps=2, precision="float32")
TOML = """
[atlas]
title = "Directions"
url = "https://atlas.example/"

[checkpoints.untrained]
units = ["mixed3a:5,11", "mixed3a@mine:0-2", "mixed3a:5+mixed3a:11"]

[directions.mine]
layer = "mixed3a"
file = "vectors.safetensors"
tensor = "decoder"

[recipe]
size = 32
input = 64
steps = 4
wake_steps = 2
"""


def vectors(rows: int = 4, width: int = WIDTH) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)


@pytest.fixture(scope="module")
def net() -> Inception:
    net = load_checkpoint("untrained")
    one = np.zeros((1, WIDTH))
    one[0, 11] = 3
    api.add_directions(net, "mixed3a", "mine", np.concatenate([vectors(), one]))
    return net


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas.toml with directions, rendered and built."""
    folder = tmp_path_factory.mktemp("directions")
    save_file({"decoder": vectors(), "encoder": vectors(2)}, folder / "vectors.safetensors")
    (folder / "atlas.toml").write_text(TOML)
    return folder


@pytest.fixture
def here(built: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(built)
    if not (built / "site/atlas.json").exists():
        assert run("render")[0] == 0
        assert run("build")[0] == 0
    return built


# what is maximised


def test_a_direction_is_the_projection_of_all_channels_of_the_layer(net: Inception) -> None:
    rgb = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    unit_length = F.normalize(torch.from_numpy(vectors())[[1, 3]], dim=1)
    maps = torch.einsum("nchw,nc->nhw", net(rgb, "mixed3a"), unit_length)
    wanted = choose(net, "mixed3a@mine", [1, 3], "cpu")
    torch.testing.assert_close(measure(net, rgb, "mixed3a@mine", wanted, "direction"), maps.mean((1, 2)))
    cosine = torch.cosine_similarity(net(rgb, "mixed3a"), unit_length[:, :, None, None], dim=1)
    torch.testing.assert_close(
        measure(net, rgb, "mixed3a@mine", wanted, "directioncosine"), (maps * cosine.clamp(min=0.1)).mean((1, 2))
    )


def test_one_channel_as_a_direction_is_the_channel_and_a_sum_is_the_sum(net: Inception) -> None:
    rgb = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    def of(layer: str, channel: int, view: str) -> float:
        return measure(net, rgb, layer, choose(net, layer, [channel], "cpu"), view).item()

    five, eleven = (net(rgb, "mixed3a")[:, n].mean().item() for n in (5, 11))
    assert of("mixed3a@mine", 4, "direction") == pytest.approx(eleven, rel=1e-4)
    assert of("mixed3a@5_plus_11", 0, "direction") == pytest.approx((five + eleven) / 2**0.5, rel=1e-4)
    assert of("mixed3a@5_minus_11", 0, "direction") == pytest.approx((five - eleven) / 2**0.5, rel=1e-4)


def test_the_picture_of_a_direction_depends_on_no_other(net: Inception) -> None:
    together = api.render(net, "mixed3a@mine:0-3", RECIPE, progress=False)
    alone = api.render(net, "mixed3a@mine:2", RECIPE, progress=False)[0]
    np.testing.assert_array_equal(alone.pixels, together[2].pixels)
    assert alone.activations[-1] != alone.activations[0]
    assert len({picture.pixels.tobytes() for picture in together}) == 4


# names and keys


def test_sums_and_sets_are_read_in_the_spellings_of_channels() -> None:
    same = ("mixed4a:5+mixed4a:11", "4a:5 + 4a:11", "mixed4a@5_plus_11:0", "4a@5_plus_11", "mixed4a_1x1:5+4a 11")
    assert {parse_units(text, BVLC_GOOGLENET) for text in same} == {(Unit("mixed4a@5_plus_11", 0),)}
    assert parse_units("4a:5-4a:11", BVLC_GOOGLENET) == (Unit("mixed4a@5_minus_11", 0),)
    assert len(parse_units("4a:5-11", BVLC_GOOGLENET)) == 7
    mixed = select_units(["5b:0", "4a:0+4a:1", "4a:9"], BVLC_GOOGLENET)
    assert [str(unit) for unit in mixed] == ["mixed4a:9", "mixed4a@0_plus_1:0", "mixed5b:0"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4a:5+4b:5", "channels of one layer"),
        ("4a:5-4a:5", "cancel"),
        ("4a:5+4a:9999", "channels 0 to 511"),
        ("4a@nope:1", "no layer in"),
        ("4a:0-3+4a:1", "names 4 units"),
    ],
)
def test_what_is_no_sum_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        parse_units(text, BVLC_GOOGLENET)
    assert "\n" not in str(error.value)


def test_the_key_has_the_vector_in_it_and_keys_of_channels_have_none() -> None:
    asked = Question("ab" * 32, Unit("mixed3a@mine", 1), "direction", RECIPE, "cd" * 32)
    assert Question.from_dict(json.loads(json.dumps(asked.as_dict()))) == asked
    assert asked.key != replace(asked, vector="ce" * 32).key
    assert "vector" not in Question("ab" * 32, Unit("mixed3a", 1), "channel", RECIPE).as_dict()
    for unit, vector in ((Unit("mixed3a@mine", 1), ""), (Unit("mixed3a@1_plus_2", 0), "cd" * 32)):
        with pytest.raises(UsageError, match="sha256 of its vector"):
            Question("ab" * 32, unit, "direction", RECIPE, vector)


@pytest.mark.parametrize("scale", [3e37, 1e-30])
def test_the_length_of_a_vector_does_not_matter(net: Inception, scale: float) -> None:
    api.add_directions(net, "mixed3a", "scaled", vectors() / np.abs(vectors()).max() * scale)
    of_length_1 = choose(net, "mixed3a@scaled", [0, 3], "cpu")
    torch.testing.assert_close(of_length_1, choose(net, "mixed3a@mine", [0, 3], "cpu"), rtol=1e-4, atol=1e-6)


# files of vectors


def test_bfloat16_is_read_from_safetensors(tmp_path: Path) -> None:
    rounded = torch.from_numpy(vectors()).bfloat16()
    save_torch({"decoder": rounded, "other": torch.zeros(2)}, tmp_path / "v.safetensors")
    np.testing.assert_array_equal(read_vectors(tmp_path / "v.safetensors", "decoder", WIDTH), rounded.float().numpy())


def test_a_lesson_from_several_seeds_needs_neurons(built: Path, tmp_path: Path) -> None:
    shutil.copy(built / "vectors.safetensors", tmp_path)
    (tmp_path / "atlas.toml").write_text(f'{TOML}\n[lesson]\nunit = "mixed3a:0"\nseeds = "mixed3a@mine:0"\n')
    with pytest.raises(UsageError, match=r"atlas.toml:\d+: mixed3a@mine:0 has no neurons"):
        load_config(tmp_path / "atlas.toml")


def broken_vectors(row: int, value: float) -> NDArray[np.float32]:
    found = vectors()
    found[row] = value
    return found


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (vectors(width=250), "rows of .* have 250 numbers; the layer has 256 channels"),
        (vectors().T, "256.* rows were columns|rows were columns"),
        (broken_vectors(2, 0), "row 2 of .* is all zero"),
        (broken_vectors(1, np.nan), "row 1 of .* is not finite"),
        (broken_vectors(3, np.inf), "row 3 of .* is not finite"),
        (vectors()[0], "shape"),
        (vectors().astype(np.int64), "int64"),
        (np.array([{}], dtype=object), "no .npy file of numbers"),
    ],
)
def test_vectors_that_are_none_are_named_in_one_line(tmp_path: Path, found: NDArray[np.generic], said: str) -> None:
    np.save(tmp_path / "v.npy", found, allow_pickle=True)
    (tmp_path / "atlas.toml").write_text(
        TOML.replace("vectors.safetensors", "v.npy").replace('tensor = "decoder"\n', "")
    )
    with pytest.raises(UsageError, match=said) as error:
        load_config(tmp_path / "atlas.toml")
    assert str(error.value).startswith(f"{tmp_path / 'atlas.toml'}:")
    assert "\n" not in str(error.value)


def test_files_made_to_harm_are_refused_at_once(tmp_path: Path) -> None:
    for name, shape in (("huge", "(10000000000, 256)"), ("true", "(True, 256)"), ("nested", "(" * 500)):
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".ljust(1013) + "\n"
        (tmp_path / f"{name}.npy").write_bytes(b"\x93NUMPY\x01\x00\xf6\x03" + header.encode() + bytes(1024))
    with (tmp_path / "archive.npy").open("wb") as file:
        np.savez(file, vectors())
    for name in ("huge", "true", "nested", "archive"):
        with pytest.raises(UsageError, match="file of numbers"):
            read_vectors(tmp_path / f"{name}.npy", "", WIDTH)
    with (tmp_path / "many.npy").open("wb") as file:  # a hole, of which the disk has nothing
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (2_000_000, WIDTH)}
        )
        file.truncate(file.tell() + 8_000_000 * WIDTH)
    with pytest.raises(UsageError, match="2,000,000 rows"):
        read_vectors(tmp_path / "many.npy", "", WIDTH)
    for name in ("pipe.npy", "pipe.safetensors"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(UsageError, match="no file"):
            read_vectors(tmp_path / name, "", WIDTH)


def test_vectors_stay_when_their_file_is_written_over(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", vectors())
    found = read_vectors(tmp_path / "v.npy", "", WIDTH)
    np.save(tmp_path / "v.npy", 2 * vectors())
    np.testing.assert_array_equal(found, vectors())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('tensor = "decoder"', 'tensor = "decode"'), "no tensor “decode”; it has decoder, encoder"),
        (('tensor = "decoder"\n', ""), "2 tensors; write tensor ="),
        (('layer = "mixed3a"', 'layer = "mixed3x"'), "no layer “mixed3x”"),
        (('layer = "mixed3a"', 'layer = "mixed3a_1x1"'), "no layer “mixed3a_1x1”"),
        (("vectors.safetensors", "none.npy"), "no file .*none.npy"),
        (("vectors.safetensors", "atlas.toml"), "read from .npy or .safetensors"),
        (("[directions.mine]", '[directions."Mine!"]'), "cannot be part of an address"),
        (('tensor = "decoder"', 'tensor = "decoder"\ncheckpoint = "other"'), "no checkpoint “other”"),
        (("mixed3a@mine:0-2", "mixed3a@mine:9"), "channels 0 to 3"),
    ],
)
def test_mistakes_in_atlas_toml_are_named(built: Path, tmp_path: Path, change: tuple[str, str], said: str) -> None:
    shutil.copy(built / "vectors.safetensors", tmp_path)
    (tmp_path / "atlas.toml").write_text(TOML.replace(*change))
    with pytest.raises(UsageError, match=said):
        load_config(tmp_path / "atlas.toml")


def test_without_a_file_of_directions_the_rest_is_looked_at(
    built: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(built, tmp_path / "atlas")
    (tmp_path / "atlas" / "vectors.safetensors").unlink()
    monkeypatch.chdir(tmp_path / "atlas")
    for command, said in (("verify", "answers whole, 0 damaged"), ("status", "mixed3a@5_plus_11")):
        code, out, err = run(command)
        assert (code, err) == (0, "warning: the file of [directions.mine] is not there: vectors.safetensors\n")
        assert said in out


def test_whole_numbers_are_directions_too(net: Inception) -> None:
    api.add_directions(net, "mixed3b", "whole", np.eye(2, 480, dtype=int))
    np.testing.assert_array_equal(net.architecture.direction_set("mixed3b@whole").vectors, np.eye(2, 480))


def test_arrays_in_python_are_checked_as_files_are(net: Inception) -> None:
    with pytest.raises(AtlasError, match="row 1 of vectors is all zero"):
        api.add_directions(net, "mixed3a", "other", broken_vectors(1, 0))
    with pytest.raises(AtlasError, match="no layer “mixed3a_1x1”"):
        api.add_directions(net, "mixed3a_1x1", "other", vectors())


# an atlas with directions


def test_an_atlas_shows_finds_and_verifies_directions(here: Path, run: Run) -> None:
    assert run("render")[1].startswith("to render 0, already there 6")
    assert "6 answers whole" in run("verify")[1]
    assert run("check") == (0, "site: clean\n", "")
    page = (here / "site/untrained/mixed3a@mine/1.html").read_text()
    strongest = np.abs(vectors()[1]).argmax()
    assert f"3a:{strongest}" in page
    assert "tensor decoder of vectors.safetensors" in page
    assert 'href="../mixed3a@mine/index.html"' in (here / "site/untrained/mixed3a/index.html").read_text()
    assert "mixed3a:5 + mixed3a:11" in (here / "site/untrained/mixed3a@5_plus_11/0.html").read_text()
    atlas = Atlas.open(here / "site")
    assert atlas["3a@mine:1"].url == "https://atlas.example/untrained/mixed3a@mine/1.html"
    assert atlas["https://atlas.example/untrained/mixed3a@mine/1.html"].unit == Unit("mixed3a@mine", 1)
    assert len(atlas["3a@mine:1"].record.question.vector) == 64
    assert [page.address for page in find(atlas, "3a:5+3a:11")] == ["untrained/mixed3a@5_plus_11/0.html"]
    assert [page.address for page in find(atlas, "mixed3a@mine")] == ["untrained/mixed3a@mine/index.html"]
    for absent in ("3a@mine:3", "3a:5+3a:12", "mixed3a:5-mixed3a:11"):
        with pytest.raises(NoUnitError, match="not rendered"):
            find(atlas, absent)


def test_the_search_box_reads_them_too(here: Path) -> None:
    with launched() as browser, served(here) as root:
        page = browser.new_page()
        page.goto(f"{root}site/untrained/mixed3a/5.html")
        search(page, "3a:5")  # what it knows is loaded when asked
        found = page.evaluate(
            "asked => asked.map((text) => atlasLookup(text, 'untrained').found.map((hit) => hit.href)[0])",
            [
                "3a@mine:1",
                "mixed3a:5 + mixed3a:11",
                "https://host/untrained/mixed3a@mine/2.html",
                "mixed3a@mine",
                "3a@mine:1 direction",
            ],
        )
    assert found == [
        "untrained/mixed3a@mine/1.html",
        "untrained/mixed3a@5_plus_11/0.html",
        "untrained/mixed3a@mine/2.html",
        "untrained/mixed3a@mine/index.html",
        "untrained/mixed3a@mine/1.html",
    ]


def test_documents_cite_them(here: Path, run: Run) -> None:
    (here / "post.md").write_text("See mixed3a@mine:1, [[3a:5+3a:11]], `mixed3a@mine:2` and [[3a@mine:9]].\n")
    code, text, said = run("cite", "post.md")
    assert code == 0
    assert "[mixed3a@mine:1](https://atlas.example/untrained/mixed3a@mine/1.html)" in text
    assert "[mixed3a@5_plus_11:0](https://atlas.example/untrained/mixed3a@5_plus_11/0.html)" in text
    assert "`mixed3a@mine:2` and [[3a@mine:9]]" in text
    assert "channels 0 to 3, not 9" in said


def test_they_are_pulled_and_shown_where_atlas_toml_does_not_know_the_vectors(
    here: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = TOML[TOML.index("[recipe]") :]
    Path("atlas.toml").write_text(f'[checkpoints.untrained]\nunits = ["mixed3a:5"]\n{recipe}')
    assert run("pull", str(here / "site"))[0] == 0
    assert run("build")[0] == 0
    assert run("check")[0] == 0
    theirs, ours = (Atlas.open(folder / "site")["3a@mine:1"] for folder in (here, tmp_path))
    assert (ours.key, ours.sha256) == (theirs.key, theirs.sha256)
    assert Atlas.open(tmp_path / "site")["mixed3a@5_plus_11:0"].sha256


def test_photographs_say_what_excites_a_direction(
    here: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(here, tmp_path / "copy")
    (tmp_path / "photographs").mkdir()
    made_up_photographs(tmp_path / "photographs", 4)
    monkeypatch.chdir(tmp_path / "copy")
    asked = ("study", "photos", "--photos", str(tmp_path / "photographs"), "--layer")
    assert "did you mean mixed3a@mine?" in run(*asked, "mixed3a@min")[2]
    code, out, _ = run(*asked, "mixed3a@mine", "--layer", "mixed3a@5_plus_11")
    assert (code, "answered 3, already there 0" in out) == (0, True), out
    code, out, _ = run("study", "weights", "tuning", "--layer", "mixed3a@mine")
    assert (code, "answered 2, already there 0" in out) == (0, True), out
    assert run("build")[0] == 0
    assert run("check") == (0, "site: clean\n", "")
    page = Path("site/untrained/mixed3a@mine/1.html").read_text()
    assert "These are the strongest of 4 photographs." in page
    assert "In mixed3a@mine" in page, "directions of the set that respond alike"
    assert all(said in page for said in ("Built from conv2d2", "Used by mixed3b", "Among simple stimuli"))
    vectors_of = load_config(Path("atlas.toml")).checkpoint("untrained").architecture.direction_set("mixed3a@mine")
    whole = Path("site/untrained/mixed3a@mine/index.html").read_text()
    assert f"<code>{vectors_of.checksum()}</code>" in whole, "as a file of names wants it"
    assert '<a href="untrained/mixed3a@mine/index.html">mixed3a@mine</a>' in Path("site/index.html").read_text()
    row = Path("site/untrained/index.html").read_text().partition('id="wall-mixed3a@mine"')[2].partition("<tr")[0]
    _, _, _, grid, sees, fires, silent, times = re.findall("<td>([^<]*)", row)[:8]
    assert (grid, sees, fires, silent) == ("28²", "59 px", "–", "–"), "a projection has no threshold"
    assert times.endswith("×")
    assert "These are the strongest of 4 photographs." in Path("site/untrained/mixed3a@5_plus_11/0.html").read_text()
    found = json.loads(run("study", "3a@mine:1", "--json")[1])
    assert {example["photo"] for example in found["examples"]} == {f"{n}.png" for n in range(4)}
    assert Atlas.open(Path("site"))["3a@mine:1"].study() == found

    monkeypatch.chdir(tmp_path)
    Path("atlas.toml").write_text('[checkpoints.untrained]\nunits = ["mixed3a:5"]\n')
    assert run("pull", "copy/site")[0] == 0
    assert run("build")[0] == 0
    assert Atlas.open(Path("site"))["3a@mine:1"].study() == found, "also where the vectors are not known"

    monkeypatch.chdir(tmp_path / "copy")
    save_file({"decoder": vectors()[::-1].copy()}, "vectors.safetensors")
    assert "1 layers to answer, 2 there" in run(*asked, "mixed3a@mine", "--layer", "mixed3a@5_plus_11", "--dry-run")[1]
    assert run("build")[0] == 0
    assert "In photographs" not in Path("site/untrained/mixed3a@mine/1.html").read_text(), "those of other vectors"
    assert "examples" not in json.loads(run("study", "3a@mine:1", "--json")[1])


def test_another_vector_under_the_same_number_breaks_the_promise(
    here: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(here, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    assert run("promise")[0] == 0
    assert list(broken(load_config(Path("atlas.toml")))) == []
    save_file({"decoder": vectors()[::-1].copy()}, "vectors.safetensors")
    assert run("status", "--check")[0] == 1, "other vectors ask for other pictures"
    assert run("build")[0] == 0
    page = Path("site/untrained/mixed3a@mine/1.html").read_text()
    assert "made by another recipe, or from other weights" in page
    assert run("render")[0] == 0
    assert run("build")[0] == 0
    assert {address for address, _ in broken(load_config(Path("atlas.toml")))} == {
        f"untrained/mixed3a@mine/{n}.html" for n in range(3)
    }


def test_directions_of_a_bottleneck_need_none_of_its_channels(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    layer = "mixed3a_3x3_bottleneck"
    Path("atlas.toml").write_text(
        TOML.replace('"mixed3a:5,11", "mixed3a@mine:0-2", "mixed3a:5+mixed3a:11"', f'"{layer}:5+{layer}:11"').split(
            "[directions"
        )[0]
        + TOML[TOML.index("[recipe]") :]
    )
    assert run("render")[0] == 0
    assert run("build")[0] == 0
    assert run("check") == (0, "site: clean\n", "")
