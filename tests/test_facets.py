"""Units by what a study found: the search box of the site and `atlas open` find the same ones, in the same order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Visit, launched, wait_until
from shell import Run
from test_findings import similar, tuning
from test_panels import UNITS, keep, photographs
from tiny import TinyAtlas, tiny_atlas

from generator import Atlas
from generator.core.errors import UsageError
from generator.publish.build import build
from generator.publish.check.site import check
from generator.reader.find import find
from generator.store.facets import read_facet

ASKED = {
    "hue:green": ["mixed4a:12", "mixed4a:9"],  # the choosier first
    "hue:120": ["mixed4a:12", "mixed4a:9"],
    "HUE: 131°": ["mixed4a:12", "mixed4a:9"],
    "hue:red": ["mixed4a:3"],
    "hue:359": ["mixed4a:3"],
    "hue:blue": [],
    "hue:redd": [],
    "orientation:45": ["mixed4a:2"],
    "orientation:-135": ["mixed4a:2"],
    "orientation:90": [],
    "class:beagle": ["mixed4a:2"],
    "class:retriever golden": ["mixed4a:0", "mixed4a:1", "mixed4a:3", "mixed4a:9", "mixed4a:12"],
    "like:4a:9": ["mixed4a:12", "mixed4a:0", "mixed4a:1", "mixed4a:2", "mixed4a:3"],
    "like: mixed4a_9": ["mixed4a:12", "mixed4a:0", "mixed4a:1", "mixed4a:2", "mixed4a:3"],
    "like:4a:9999": [],
    "like:curve": [],
    "groups:2": ["mixed4a:9"],
    "groups:3": [],
}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path_factory.mktemp("facets"), ["mixed4a:0-3,9,12"])
    layer, photos = photographs()
    layer["best_photo"][2] = 1
    photos["top_class"] = np.array([207, 162, 2])
    prefers = tuning()
    prefers["hue"][3], prefers["hue"][2] = 350.0, 240.0
    prefers["hue_selectivity"] = np.where(np.isin(np.arange(UNITS), [3, 9]), 0.6, 0.1)
    prefers["hue_selectivity"][12] = 0.9
    prefers["orientation"][2], prefers["orientation_selectivity"][2] = 44.0, 0.8
    keep(atlas, "photos", "mixed4a", layer, photographs=3, grid=14, akin=0.2)
    keep(atlas, "photos", "softmax2", photos)
    keep(atlas, "tuning", "mixed4a", prefers)
    keep(atlas, "similar", "mixed4a", similar(), others=["untrained"], photographs=3)
    build(atlas.config())
    return atlas


def test_a_facet_finds_units_the_clearest_first(atlas: TinyAtlas) -> None:
    site = Atlas.open(atlas.site)
    for text, units in ASKED.items():
        if units:
            assert [page.title for page in find(site, text)] == [f"bvlc_googlenet/{unit}" for unit in units], text
        else:
            with pytest.raises(UsageError):
                find(site, text)
    assert check(atlas.config()) == []


def test_what_is_no_value_is_named(atlas: TinyAtlas, run: Run) -> None:
    config = ("--config", str(atlas.folder / "atlas.toml"), "open", "--print")
    assert "did you mean" in run(*config, "hue:redd")[2]
    assert "“steep” is no value: write a number" in run(*config, "orientation:steep")[2]
    assert run(*config, "groups:2")[1].endswith("mixed4a/9.html\n")
    for text in ("mixed4a:11", "class:", "https://host/hue:red", "shade:red", ""):
        assert read_facet(text) is None


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    with launched() as browser, Visit(browser) as visit:
        yield visit
        assert visit.errors == []


FOUND = """(units) => {
  const shown = [...document.querySelectorAll(".found [role=option] bdi")].map((name) => name.textContent);
  return JSON.stringify(shown) === JSON.stringify(units);
}"""


def test_the_search_box_finds_the_same(atlas: TinyAtlas, visit: Visit) -> None:
    page = visit.page
    page.goto((atlas.site / "index.html").as_uri())
    for text, units in ASKED.items():
        page.locator("input[type=search]").fill(text)
        wait_until(page, "document.querySelector('.found p')?.textContent.match(/found|known|Type|no unit/)")
        wait_until(page, FOUND, units)
        found = page.locator(".found [role=option] bdi").all_text_contents()
        assert found == units, text
    scripts = page.evaluate("[...document.scripts].map((script) => script.src.split('/').at(-1))")
    assert sorted(name for name in scripts if name.startswith("facet-")) == [
        "facet-class.js", "facet-groups.js", "facet-hue.js", "facet-like-mixed4a.js", "facet-orientation.js",
    ], "each is loaded once, when it is asked for"  # fmt: skip


def test_an_atlas_without_a_study_says_so(tmp_path: Path, visit: Visit) -> None:
    plain = tiny_atlas(tmp_path)
    build(plain.config())
    assert not list(plain.site.glob("static/facet-*"))
    with pytest.raises(UsageError, match="no unit is known by hue:red"):
        find(Atlas.open(plain.site), "hue:red")
