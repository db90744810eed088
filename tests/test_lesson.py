"""The page "How these pictures are made": what it shows, with and without JavaScript, and when parts are missing."""

import re
from itertools import accumulate
from pathlib import Path

import pytest
from PIL import Image
from shell import Run
from tiny import CHECKPOINT, FINGERPRINT, TinyAtlas, encoded, other_recipe, tiny_atlas

from generator.checkpoints import CHECKPOINTS
from generator.config.lesson_questions import POSTER_CHANNELS, POSTER_LAYERS, lesson_questions
from generator.core.recipe import PRESETS
from generator.core.units import Unit
from generator.publish.build import build
from generator.publish.check.site import check

LESSON = '[lesson]\nunit = "mixed4a:0"\nseeds = "mixed5b:3"\nseeds_note = "A <b>note</b>."\n[recipe]'
CONTROL = '[checkpoints.untrained]\nunits = ["mixed3a:0,5,9"]\n[recipe]'
POSTER = [Unit(layer, channel) for layer in POSTER_LAYERS for channel in POSTER_CHANNELS]


@pytest.fixture
def atlas(tmp_path: Path) -> TinyAtlas:
    return tiny_atlas(tmp_path / "atlas", ["mixed4a:0", "mixed5b:3"])


def answer_lesson(atlas: TinyAtlas) -> None:
    for question in lesson_questions(atlas.config(), FINGERPRINT) or ():
        steps = question.recipe.steps
        atlas.answer(
            question.unit,
            view=question.view,
            recipe=question.recipe,
            activations=[float(n) for n in range(steps)],
            seed=steps % 7,
        )


def page(atlas: TinyAtlas) -> str:
    build(atlas.config())
    assert check(atlas.config()) == []
    return (atlas.site / "how.html").read_text()


def test_without_a_lesson_the_page_explains_and_claims_no_pictures(atlas: TinyAtlas) -> None:
    text = page(atlas)
    assert "Six steps" in text
    assert 'class="ascent"' not in text
    assert "not rendered yet" not in text
    assert "<img" not in text.split("<main")[1]


def test_a_lesson_that_is_not_rendered_says_what_to_type(atlas: TinyAtlas) -> None:
    atlas.toml(("[recipe]", LESSON))
    text = page(atlas)
    assert '<code class="command">atlas render</code>' in text
    assert 'class="ascent"' not in text


def test_the_whole_lesson(atlas: TinyAtlas) -> None:
    atlas.toml(("[recipe]", LESSON.replace("[recipe]", CONTROL)))
    answer_lesson(atlas)
    for unit in POSTER:
        atlas.answer(unit)
        atlas.answer(unit, checkpoint="untrained", fingerprint=CHECKPOINTS["untrained"].fingerprint)
    text = page(atlas)
    full, raw = re.findall(r'<figure class="ascent".*?</figure>', text, re.DOTALL)
    assert re.findall(r'data-step="(\d+)"', raw) == ["0", "8", "16", "32", "64", "128", "255", "256"]
    assert re.findall(r'data-step="(\d+)"', full)[0] == "0"
    assert full.count("<img") == full.count("data-step")
    assert '<div class="scrub" hidden>' in raw, "without JavaScript there is nothing to drag"
    assert 'max="256" value="256"' in raw
    assert raw.count('class="mark"') == 8
    assert re.findall(r">(\d+)</text><text x=217 y=197", raw) == ["256"], "as the slider counts"
    names = re.findall(r'aria-label="([^"]+)"', full + raw)
    assert len(set(names)) == 6, "each curve and control has a name of its own"
    dots = re.findall(r'class="mark" cx="([\d.]+)" cy="([\d.]+)"', raw)
    line = re.search(r'"translate\((\d+) (\d+)\) scale\(([\d.]+) -.5\)" d="M0 ([^"]+)"', raw)
    assert line is not None
    left, bottom, across = map(float, line.groups()[:3])
    heights = list(accumulate(map(int, line[4].split("l1"))))
    assert len(heights) == 256
    for step, (x, y) in zip((0, 8, 16, 32, 64, 128, 255, 255), dots, strict=True):
        assert (float(x), float(y)) == pytest.approx((left + across * step, bottom - heights[step] / 2), abs=0.4)
    assert text.count('class="curve spectrum"') == 3
    posters = re.findall(r'<table class="poster">.*?</table>', text, re.DOTALL)
    assert [p.count("<img") for p in posters] == [9, 9, 9]
    assert re.findall(r'href="([^"]+)"', posters[0])[:3] == [f"{CHECKPOINT}/{layer}/0.html" for layer in POSTER_LAYERS]
    assert 'href="untrained/mixed5b/9.html"' in posters[2]
    assert len(re.findall(r"from seed \d", text)) == 4
    assert "A &lt;b&gt;note&lt;/b&gt;." in text


def test_a_picture_that_is_damaged_or_gone_takes_its_part_away_and_no_more(atlas: TinyAtlas) -> None:
    atlas.toml(("[recipe]", LESSON))
    answer_lesson(atlas)
    asked = lesson_questions(atlas.config(), FINGERPRINT)
    assert asked is not None
    naive = atlas.store.read(asked.naive.key)
    assert naive is not None
    atlas.store.path(naive.picture).write_bytes(b"no picture")
    build(atlas.config())
    text = (atlas.site / "how.html").read_text()
    assert text.count('class="ascent"') == 2
    assert "spectrum" not in text
    first = atlas.store.read(asked.raw[0].key)
    assert first is not None
    atlas.store.record_path(first.key).unlink()
    build(atlas.config())
    assert (atlas.site / "how.html").read_text().count('class="ascent"') == 1


def test_render_renders_the_lesson_too_and_once(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS, "raw", {**PRESETS["raw"], "size": 64, "input": 64})  # type: ignore[misc]
    Path("atlas.toml").write_text(
        '[checkpoints.untrained]\nunits = ["conv2d0:0-1"]\n[lesson]\nunit = "conv2d0:0"\nseeds = "conv2d0:1"\n'
        '[recipe]\nsize = 32\ninput = 64\nsteps = 20\nprecision = "float32"\n'
    )
    code, out, _ = run("render", "--dry-run")
    assert code == 0
    assert "conv2d0:0  1 unit, 64 px, 256 steps, kept after 0, 8, 16, 32, 64, 128, 255 too" in out
    assert "to render 19, already there 0" in out
    assert run("status", "--check")[0] == 1
    assert run("render")[1] == "rendered 19, already there 0, failed 0, in site/store\n"
    assert run("render")[1] == "to render 0, already there 19, in site/store\n"
    assert run("status", "--check")[0] == 0
    assert run("render", "--seed", "7")[1].startswith("rendered 2,"), "another recipe is asked of the units alone"
    assert run("build")[0] == 0
    assert run("check")[1] == "site: clean\n"
    assert Path("site/how.html").read_text().count('class="ascent"') == 2


def test_a_lesson_without_steps_stops_no_build(atlas: TinyAtlas) -> None:
    atlas.toml(("steps = 8", "steps = 0"), ("[recipe]", LESSON))
    answer_lesson(atlas)
    assert page(atlas).count('class="ascent"') == 1, "raw pixels have steps of their own"


@pytest.mark.parametrize("side", [1, 4, 20])
def test_a_picture_of_an_odd_size_stops_no_build(atlas: TinyAtlas, side: int) -> None:
    atlas.toml(("[recipe]", LESSON))
    answer_lesson(atlas)
    asked = lesson_questions(atlas.config(), FINGERPRINT)
    assert asked is not None
    known = atlas.store.read(asked.naive.key)
    assert known is not None
    atlas.store.write(asked.naive, known.provenance, encoded(1, side), encoded(2, side), force=True)
    assert page(atlas).count("curve spectrum") == (3 if side >= 16 else 0)


def test_a_lesson_on_its_own_can_be_rendered(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("atlas.toml").write_text('[checkpoints.untrained]\n[lesson]\nunit = "conv2d0:0"\n[recipe]\nsteps = 20\n')
    assert "to render 14" in run("render", "--dry-run")[1]
    assert run("render", "--steps", "3")[0] == 2


def test_the_unit_keeps_its_own_picture(atlas: TinyAtlas) -> None:
    atlas.toml(("[recipe]", LESSON))
    answer_lesson(atlas)
    build(atlas.config())
    record = atlas.config().question(FINGERPRINT, Unit("mixed4a", 0))
    assert record.key in (atlas.site / CHECKPOINT / "mixed4a" / "0.json").read_text()
    assert other_recipe() == record.recipe


def test_the_committed_page_is_light() -> None:
    root = Path(__file__).parent.parent
    from generator.config.atlas_toml import load_config
    from generator.links.addresses import HOW
    from generator.publish.files import site_files
    from generator.publish.site import read_site

    config = load_config(root / "atlas.toml")
    text = site_files(read_site(config)).made[HOW]().decode()
    shown = set(re.findall(r'src="(store/[^"]+)"', text))
    assert len(shown) > 25, "the committed atlas has its lesson: atlas render"
    total = len(text) + sum((config.output / src).stat().st_size for src in shown)
    assert total < 900_000
    for src in shown:
        with Image.open(config.output / src) as image:
            image.load()
