"""Whole pages as they were looked at last; a change of a template shows up as a diff to look at again.

`make snapshots` writes them anew. Content hashes of pictures are left out: they vary with the WebP encoder.
"""

import os
import re
from pathlib import Path

import pytest
from tiny import CHECKPOINT, LABELS, TinyAtlas, tiny_atlas

from generator.publish.build import build

KEPT = Path(__file__).parent / "snapshots"
WRITE = bool(os.environ.get("WRITE_SNAPSHOTS"))
PAGES = {
    "home.html": "index.html",
    "layer.html": f"{CHECKPOINT}/mixed4a/index.html",
    "unit.html": f"{CHECKPOINT}/mixed4a/12.html",
    "about.html": "about.html",
    "how.html": "how.html",
    "404.html": "404.html",
    "find.html": "find.html",
    "embed.html": f"embed/{CHECKPOINT}/mixed4a/12.html",
    "families.html": f"{CHECKPOINT}/families/index.html",
    "family.html": f"{CHECKPOINT}/families/curves.html",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    atlas: TinyAtlas = tiny_atlas(tmp_path_factory.mktemp("atlas"))
    atlas.label(LABELS)
    build(atlas.config())
    return atlas.site


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_as_they_were_looked_at(site: Path, name: str) -> None:
    page = (site / PAGES[name]).read_text()
    for hashed in (r"\.[0-9a-f]{16}(?=(\.thumb)?\.webp)", r"\bp-[0-9a-f]{8}\b", r'(?<="sha256": ")[0-9a-f]{64}'):
        page = re.sub(hashed, "hash", page)
    if WRITE:
        KEPT.mkdir(exist_ok=True)
        (KEPT / name).write_text(page)
    assert page == (KEPT / name).read_text(), "look at the page; if it is right, type: make snapshots"
