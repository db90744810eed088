"""The map of a layer: one picture with a link on each unit, at the place that the study found."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_panels import keep
from tiny import CHECKPOINT, TinyAtlas, tiny_atlas

from generator.publish.build import build
from generator.publish.check.site import check

LAYER = f"{CHECKPOINT}/conv2d0"
PLACES = np.stack(np.unravel_index(np.random.default_rng(0).permutation(64), (8, 8)), 1).astype(np.int16)


@pytest.fixture
def mapped(tmp_path: Path) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path, ["conv2d0:0-39", "mixed4a:9"])
    keep(atlas, "similar", "conv2d0", {"map": PLACES}, photographs=1234, others=[])
    keep(atlas, "similar", "mixed4a", {"map": np.zeros((512, 2), np.int16)}, photographs=1234, others=[])
    build(atlas.config())
    return atlas


def test_each_unit_is_a_link_on_its_own_picture(mapped: TinyAtlas) -> None:
    page = (mapped.site / LAYER / "map.html").read_text()
    assert "1,234 photographs" in page
    links = re.findall(r'<a href="(\d+)\.html"><title>\d+</title><path d="M(\d+) (\d+)h1v1h-1z"/></a>', page)
    assert {(int(n), int(row), int(column)) for n, column, row in links} == {
        (unit, *PLACES[unit].tolist()) for unit in range(40)
    }
    with Image.open(mapped.site / LAYER / "mosaic.jpg") as picture:
        cell = picture.width // 8
        for unit in (0, 7, 39):
            row, column = PLACES[unit]
            shown = picture.crop((column * cell, row * cell, (column + 1) * cell, (row + 1) * cell))
            with Image.open(mapped.site / LAYER / f"{unit}.webp") as thumbnail:
                own = np.asarray(thumbnail.convert("RGB").resize(shown.size), dtype=int)
            assert np.abs(np.asarray(shown, dtype=int) - own).mean() < 12
    assert check(mapped.config()) == []


def test_a_map_is_drawn_again_only_when_it_changes(mapped: TinyAtlas) -> None:
    path = mapped.site / LAYER / "mosaic.jpg"
    before = path.read_bytes()
    keep(mapped, "similar", "conv2d0", {"map": PLACES}, photographs=1235, others=[])
    build(mapped.config())
    assert path.read_bytes() == before
    keep(mapped, "similar", "conv2d0", {"map": PLACES[::-1]}, photographs=1235, others=[])
    build(mapped.config())
    assert path.read_bytes() != before


def test_only_a_layer_of_which_most_is_rendered_has_a_map(mapped: TinyAtlas) -> None:
    assert 'href="map.html"' in (mapped.site / LAYER / "index.html").read_text()
    assert 'href="map.html"' not in (mapped.site / CHECKPOINT / "mixed4a/index.html").read_text()
    assert not (mapped.site / CHECKPOINT / "mixed4a/map.html").exists()
