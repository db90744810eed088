"""`atlas figure`: every figure of the notebook by one command, from the store or rendered first, and traceable."""

import errno
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shell import Run, answers, finish, held_after, spawn, wait_for_answers

from generator.config.atlas_toml import load_config
from generator.core.recipe import PRESETS
from generator.core.spectrum import like_photographs, power_spectrum
from generator.figures.compose import filmstrip
from generator.store.store import Store

TOML = """\
[atlas]
title = "Figures"

[checkpoints.untrained]
units = ["conv2d0:0-3"]

[recipe]
size = 32
input = 64
steps = 4
precision = "float32"
"""
QUICK = ("--size", "32", "--input", "64")


@pytest.fixture
def atlas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an atlas.toml of a few quick units; the current folder."""
    (tmp_path / "atlas.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def steps_kept(atlas: Path) -> list[int]:
    store = Store(load_config(atlas / "atlas.toml").store)
    return sorted(record.question.recipe.steps for record in store.records())


def test_a_gallery_takes_what_is_there_and_renders_the_rest(atlas: Path, run: Run) -> None:
    assert run("render")[0] == 0
    code, out, _ = run("figure", "gallery", "conv2d0:0-9", "--dpi", "100")
    assert code == 0
    assert out.startswith("gallery.png: ")
    assert len(answers(atlas)) == 10
    with Image.open("gallery.png") as image:
        wide, high = image.size
        said = json.loads(image.text["Description"])  # type: ignore[attr-defined]
    assert 1.8 < wide / high < 2.4, "two rows of five"
    assert f"{wide} x {high} at 100 dpi" in out
    assert said["checkpoints"] == ["untrained"]
    (recipe,) = said["recipes"]
    assert recipe["units"] == [f"conv2d0:{n}" for n in range(10)]
    assert recipe["steps"] == 4
    code, out, _ = run("figure", "gallery", "conv2d0:0-9", "--dpi", "100", "-o", "again.png")
    assert (code, len(answers(atlas))) == (0, 10)
    assert Path("again.png").read_bytes() == Path("gallery.png").read_bytes(), "the same figure is the same file"


def test_what_is_in_the_store_is_drawn_where_torch_is_not(atlas: Path, run: Run) -> None:
    run("render")
    blocked = "import sys\nsys.modules['torch'] = None"
    code, _, err = finish(spawn(atlas, "figure", "gallery", "conv2d0:0-3", "-o", "g.pdf", code=blocked))
    assert (code, err) == (0, "")
    assert Path("g.pdf").read_bytes().startswith(b"%PDF")
    code, _, err = finish(spawn(atlas, "figure", "gallery", "conv2d0:4", code=blocked))
    assert code == 1
    assert "pip install 'inception-atlas[render]'" in err


def test_the_pictures_in_a_figure_are_those_of_the_store_in_the_order_asked(atlas: Path, run: Run) -> None:
    run("figure", "gallery", "conv2d0:0-2", "--title", "", "--dpi", "200", "--columns", "3")
    store = Store(load_config(atlas / "atlas.toml").store)
    by_channel = {r.question.unit.channel: store.show(r).pixels.mean((0, 1)) for r in store.records()}
    with Image.open("gallery.png") as image:
        sheet = np.asarray(image.convert("RGB"), float)
    for n in range(3):
        left = round(200 * (0.12 + n * 1.38))
        cell = sheet[24 : 24 + 260, left : left + 260].mean((0, 1))
        assert np.abs(cell - by_channel[n]).max() < 4, n


def test_a_filmstrip_is_one_ascent_whose_snapshots_are_kept(atlas: Path, run: Run) -> None:
    code, out, _ = run("figure", "filmstrip", "mixed3a:63", "--steps", "6", "--at", "0,2,5", *QUICK)
    assert (code, out.startswith("filmstrip.png: ")) == (0, True)
    assert steps_kept(atlas) == [0, 2, 5, 6]
    store = Store(load_config(atlas / "atlas.toml").store)
    recipes = {r.question.recipe for r in store.records()}
    assert {(r.parameterization, r.init, r.rotate, r.scale, r.shift) for r in recipes} == {("raw", 1.0, 0, 0, 0)}
    assert run("figure", "filmstrip", "mixed3a:63", "--steps", "6", "--at", "0,2,6", *QUICK)[0] == 0
    assert steps_kept(atlas) == [0, 2, 5, 6]
    assert run("figure", "filmstrip", "mixed3a:63", "--way", "full", "--at", "1,4")[0] == 0
    assert steps_kept(atlas) == [0, 1, 2, 4, 5, 6]


def test_from_scratch_by_default_is_what_the_notebook_did() -> None:
    raw = PRESETS["raw"]
    assert (raw["size"], raw["init"], raw["step_size"], raw["steps"]) == (224, 1.0, 0.05, 256)
    assert (raw["parameterization"], raw["decorrelate"], raw["rotate"], raw["scale"], raw["shift"]) == (
        "raw", False, 0, 0, 0,
    )  # fmt: skip


def test_the_curve_shows_each_snapshot_at_its_step(atlas: Path, run: Run) -> None:
    run("figure", "filmstrip", "mixed3a:63", "--steps", "6", "--at", "0,2,5", *QUICK)
    store = Store(load_config(atlas / "atlas.toml").store)
    *frames, end = sorted((store.show(r) for r in store.records()), key=lambda r: r.question.recipe.steps)
    axes = filmstrip(frames, end.activations).axes[-1]
    curve, dots = axes.lines
    assert list(curve.get_ydata()) == list(end.activations)
    assert list(dots.get_xdata()) == [0, 2, 5]
    assert list(dots.get_ydata()) == [end.activations[n] for n in (0, 2, 5)]


def test_three_parameterizations_of_one_unit(atlas: Path, run: Run) -> None:
    code, out, _ = run("figure", "parameterizations", "mixed3a:63", "--steps", "4", "-o", "three.svg", *QUICK)
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()[1:]] == ["raw", "naive", "full"]
    svg = Path("three.svg").read_text()
    assert "fourier" in svg, "an SVG says what it shows"
    assert svg.count("<image ") == 3
    store = Store(load_config(atlas / "atlas.toml").store)
    assert {r.question.recipe.parameterization for r in store.records()} == {"raw", "pixel", "fourier"}


def test_lucent_itself_draws_the_second_and_the_third(atlas: Path, run: Run) -> None:
    words = ("figure", "parameterizations", "mixed3a:63", "--engine", "lucent", "--steps", "2", *QUICK)
    code, out, _ = run(*words)
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()[1:]] == ["raw", "Lucent, naive", "Lucent, full"]
    assert len(answers(atlas)) == 1, "what Lucent drew is no answer of ours"
    with Image.open("parameterizations.png") as image:
        others = json.loads(image.text["Description"])["others"]  # type: ignore[attr-defined]
    assert [(o["engine"], o["way"], o["steps"]) for o in others] == [("lucent", "naive", 2), ("lucent", "full", 2)]


def test_a_poster_has_layers_in_order_of_depth(atlas: Path, run: Run) -> None:
    assert run("figure", "poster", "conv2d1,conv2d0", "--channels", "3,1")[0] == 0
    assert len(answers(atlas)) == 4
    with Image.open("poster.png") as image:
        (recipe,) = json.loads(image.text["Description"])["recipes"]  # type: ignore[attr-defined]
    assert recipe["units"] == ["conv2d0:1", "conv2d1:1", "conv2d0:3", "conv2d1:3"]


def test_a_contact_sheet_has_every_unit_of_a_layer(atlas: Path, run: Run) -> None:
    assert run("figure", "contact-sheet", "conv2d0", "--dpi", "50")[0] == 0
    assert len(answers(atlas)) == 64
    with Image.open("contact-sheet.png") as image:
        assert min(image.size) > 200


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["filmstrip", "conv2d0:1", "--at", "0,300"], 2, "steps 0 to 256; type --steps 300"),
        (["filmstrip", "conv2d0:1", "--at", "first"], 2, "type --at 0,32,64,128,255"),
        (["filmstrip", "conv2d0:1", "--steps", "0"], 2, "type --steps 256"),
        (["filmstrip", "conv2d0:0-1"], 2, "names 2 units where one is wanted"),
        (["galery", "conv2d0:1"], 2, "did you mean gallery?"),
        (["gallery", "conv2d0:64"], 2, "conv2d0 has channels 0 to 63, not 64; the nearest is conv2d0:63"),
        (["gallery", "conv2d0:1", "-o", "figure.bmp"], 2, "type -o figure.png, or .svg or .pdf"),
        (["gallery", "conv2d0:1", "-o", "figure"], 2, "type -o figure.png"),
        (["gallery", "conv2d0:1", "-o", "nowhere/figure.png"], 2, "mkdir -p nowhere"),
        (["gallery", "conv2d0:1", "--columns", "0"], 2, "--columns"),
        (["gallery"], 2, "UNITS"),
        (["poster", "conv2d0,conv2d1", "--channels", "0,64"], 2, "not 64"),
        (["poster", "conv2d0:1"], 2, "type conv2d0, and --channels"),
        (["poster", "mixed3a_3x3"], 2, "a branch, whose channels are numbered in mixed3a"),
        (["parameterizations", "conv2d0:1", "--engine", "lucid"], 2, "lucent"),
        (["parameterizations", "conv2d0:1", "--engine", "lucent", "--steps", "0"], 2, "type --steps 512"),
        (["parameterizations", "conv2d0:1", "--parameterization", "pixel"], 2, "is not for raw"),
        (["filmstrip", "conv2d0:1", "--rotate", "45"], 2, "rotate = 45.0 is not for raw"),
        (["gallery", "conv2d0:1", "--title", "a\x01b"], 2, "control character"),
        (["gallery", "conv2d0:1", "-o", ".png"], 2, "type -o figure.png"),
        (["gallery", "conv2d0:1", "-o", "x" * 230 + ".png"], 2, "too long a name"),
        (["contact-sheet", "conv9"], 2, "did you mean conv2d"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_rendered(
    atlas: Path, run: Run, words: list[str], code: int, said: str
) -> None:
    exit_code, out, err = run("figure", *words)
    assert exit_code == code
    assert err.startswith("atlas: ")
    assert len(err.splitlines()) == 1, err
    assert said in err
    assert out == ""
    assert not (atlas / "site").exists()


def test_where_matplotlib_is_not_installed_it_says_what_to_install(
    atlas: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("generator.cli.rendering.installed", lambda module: module != "matplotlib")
    code, _, err = run("figure", "gallery", "conv2d0:1")
    assert (code, "pip install 'inception-atlas[figures]'" in err) == (1, True)


def test_a_figure_that_cannot_be_written_leaves_the_old_one(
    atlas: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("figure", "gallery", "conv2d0:1", "--dpi", "50")[0] == 0
    before = Path("gallery.png").read_bytes()

    def full(temporary: Path, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    code, _, err = run("figure", "gallery", "conv2d0:1", "--dpi", "50", "--title", "other")
    assert (code, "no space left" in err, len(err.splitlines())) == (1, True, 1)
    assert Path("gallery.png").read_bytes() == before
    assert [p.name for p in atlas.iterdir() if p.name.startswith(".")] == []
    Path("folder.png").mkdir()
    assert "is a folder" in run("figure", "gallery", "conv2d0:1", "-o", "folder.png")[2]


def test_a_title_is_taken_as_it_is_typed_and_fits(atlas: Path, run: Run) -> None:
    title = "cost $x^$ here, and a good deal more than fits over one picture that is this narrow"
    code, _, err = run("figure", "gallery", "conv2d0:1", "--title", title, "-o", "t.svg")
    assert (code, err.count("Traceback")) == (0, 0)
    assert run("figure", "gallery", "conv2d0:1", "--title", title, "--dpi", "100")[0] == 0
    with Image.open("gallery.png") as image:
        edge = np.asarray(image.convert("L"))[:25, -8:]
    assert edge.min() > 200, "the title runs over the edge"


def test_power_is_found_at_its_frequency_and_adds_up_to_the_variance() -> None:
    across = np.sin(np.arange(64) * 2 * np.pi * 7 / 64) * 60 + 128
    pixels = np.repeat(np.tile(across, (64, 1))[..., None], 3, 2).astype(np.uint8)
    power = power_spectrum(pixels)
    assert power.argmax() + 1 == 7
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    flat = power_spectrum(noise)
    assert flat[32:].mean() == pytest.approx(flat[8:32].mean(), rel=0.1), "white noise has the same power everywhere"
    assert flat.mean() * 256**2 == pytest.approx((noise @ (0.299, 0.587, 0.114) / 255).var(), rel=0.05)
    line = like_photographs(flat)
    assert line[3] / line[7] == pytest.approx(4)


def test_ctrl_c_keeps_what_is_rendered_and_draws_nothing(atlas: Path) -> None:
    process = spawn(atlas, "figure", "contact-sheet", "conv2d0", "--batch", "2", "--steps", "8", code=held_after(5))
    wait_for_answers(atlas, 4, process)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert (code, out) == (130, "")
    assert "Type the same command again" in err
    assert 4 <= len(answers(atlas)) <= 10
    assert not (atlas / "contact-sheet.png").exists()
