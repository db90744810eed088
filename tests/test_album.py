"""Photographs come to pages by their licences, and whoever made them is named."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_panels import PAGE, keep, photographs
from tiny import TinyAtlas, tiny_atlas

from generator.core.units import Unit
from generator.photos.credits import Credit, allows_pixels, tidied
from generator.publish.build import build
from generator.publish.check.site import check

NAMES = ("free.png", "nc.png", "none.png", "sub/../../outside.png", "nobody.png", "elsewhere.png")
HOSTILE = '<script>alert(1)</script>\u202e"'
ROWS = f"""file,title,author,licence,source
free.png,{HOSTILE.replace('"', "")},Ann & Bob,CC BY 4.0,https://host/a?b=1&c=2
nc.png,Hands,Cy,CC BY-NC 4.0,javascript:alert(1)
nobody.png,A field,,CC BY-SA 3.0,http://host/field
sub/../../outside.png,Outside,Dan,CC0,https://host:port/
"""


class Studied:
    """An atlas whose unit mixed4a:9 fires on one photograph after another, and a folder of these photographs."""

    def __init__(self, folder: Path) -> None:
        self.atlas = tiny_atlas(folder / "atlas")
        self.folder, self.other = folder / "atlas" / "photos", folder / "atlas" / "others"
        self.other.mkdir()
        (self.folder / "sub").mkdir(parents=True)
        for number, name in enumerate(NAMES):
            at = (self.other if name == "elsewhere.png" else self.folder) / name
            Image.new("RGB", (300, 260), (40 * number, 90, 200)).save(at)
        self.files = [(self.other if n == "elsewhere.png" else self.folder) / n for n in NAMES]
        self.hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in self.files]
        self.credit(ROWS + "elsewhere.png,Not this one,Eve,CC0,\n")
        layer, photos = photographs()
        layer["best_photo"] = layer["best_photo"] + np.minimum(np.arange(60), len(NAMES) - 1).astype(np.int32)
        empty = np.array([""] * len(NAMES))
        photos |= {
            "name": np.array(NAMES), "sha256": np.array(self.hashes), "title": empty, "author": empty,
            "licence": empty, "source": empty, "top_class": np.arange(6), "probability": np.full(6, 0.5),
        }  # fmt: skip
        keep(self.atlas, "photos", "mixed4a", layer, photographs=len(NAMES), grid=14, akin=0.4)
        keep(self.atlas, "photos", "softmax2", photos)

    def credit(self, rows: str) -> None:
        (self.folder / "credits.csv").write_text(rows, encoding="utf-8")

    def build(self, setting: str = "") -> str:
        """The page of the unit, with a setting of [photos]."""
        more = f'\n[photos]\nfolders = ["photos", "others"]\n{setting}\n'
        (self.atlas.folder / "atlas.toml").write_text(self._toml + more)
        build(self.atlas.config())
        return (self.atlas.site / PAGE).read_text()

    @property
    def _toml(self) -> str:
        return (self.atlas.folder / "atlas.toml").read_text().partition("\n[photos]")[0]

    def shown(self) -> set[str]:
        """The names of the photographs whose pixels lie in the site."""
        lie = {path.stem for path in (self.atlas.site / "photographs").glob("*")}
        known = {digest[:16]: name for digest, name in zip(self.hashes, NAMES, strict=True)}
        return {known[stem] for stem in lie}


@pytest.fixture
def studied(tmp_path: Path) -> Studied:
    return Studied(tmp_path)


def test_only_what_its_licence_allows_is_shown(studied: Studied) -> None:
    page = studied.build()
    assert studied.shown() == {"free.png"}, "not NC, not without a row, an author, outside, or by another folder's word"
    address = f"../../photographs/{studied.hashes[0][:16]}.webp"
    assert set(re.findall(r'<foreignObject[^>]*><img src="([^"]+)"', page)) == {address}
    with Image.open(studied.atlas.site / "photographs" / Path(address).name) as shown:
        assert (shown.format, shown.size) == ("WEBP", (224, 224))
        red, green, blue = np.asarray(shown.convert("RGB"))[100, 100]
    assert (int(red) < 30, abs(int(green) - 90) < 20, int(blue) > 170) == (True, True, True)
    assert check(studied.atlas.config()) == []


@pytest.mark.parametrize(
    ("setting", "count"), [("pixels = false", 0), ("publish = true", 5), ("pixels = false\npublish = true", 0)]
)
def test_a_person_may_show_none_or_answer_for_all(studied: Studied, setting: str, count: int) -> None:
    studied.build(setting)
    assert len(studied.shown()) == count
    assert "sub/../../outside.png" not in studied.shown(), "what lies outside the folders is nobody's photograph"


def test_a_class_shows_photographs_that_excite_no_unit_most(studied: Studied) -> None:
    layer, _ = photographs()
    keep(studied.atlas, "photos", "mixed4a", layer, photographs=len(NAMES), grid=14, akin=0.4)
    studied.atlas.answer(Unit("output", 1), view="logit", probability=0.9)
    studied.build("publish = true")
    assert studied.shown() == {"free.png", "nc.png"}, "one of the unit, one of the class; class 2 has no page"
    page = (studied.atlas.site / "bvlc_googlenet/output/1.html").read_text()
    assert f'<img src="../../photographs/{studied.hashes[1][:16]}.webp"' in page
    assert check(studied.atlas.config()) == []
    assert "Hands" in (studied.atlas.site / "photographs.html").read_text()


def test_a_row_that_is_taken_back_takes_the_pixels_along(studied: Studied) -> None:
    studied.build()
    studied.credit(ROWS.replace("CC BY 4.0", "All rights reserved"))
    assert "<foreignObject" not in studied.build()
    assert studied.shown() == set()


def test_another_file_of_the_same_name_is_not_shown(studied: Studied) -> None:
    Image.new("RGB", (300, 300), "red").save(studied.files[0])
    assert "<foreignObject" not in studied.build()
    assert studied.shown() == set()


def test_credits_are_text_and_complete(studied: Studied) -> None:
    page = studied.build()
    listed = (studied.atlas.site / "photographs.html").read_text()
    for text in (page, listed):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "\u202e" not in text
        assert "javascript:" not in text
        assert "host:port" not in text
        assert 'href="https://host/a?b=1&amp;c=2"' in text
        assert "Ann &amp; Bob, CC BY 4.0" in text
        assert "Cy, CC BY-NC 4.0" in text
    assert "Pages show 1 of them" in listed
    assert 'href="../../photographs.html"' in page


def test_a_whole_photograph_is_made_once(studied: Studied) -> None:
    studied.build()
    path = next((studied.atlas.site / "photographs").iterdir())
    before, whole = path.stat().st_mtime_ns, path.read_bytes()
    studied.build("publish = true")
    assert path.stat().st_mtime_ns == before
    path.write_bytes(whole[:-5])
    studied.build("publish = true")
    assert path.read_bytes() == whole


def test_the_part_that_is_cut_out_lies_in_the_photograph(studied: Studied) -> None:
    page = studied.build()
    cuts = re.findall(r'<svg viewBox="(\d+) (\d+) (\d+) (\d+)"><foreignObject', page)
    assert cuts
    for left, top, width, height in (map(int, cut) for cut in cuts):
        assert width == height
        assert 0 <= left <= 224 - width
        assert 0 <= top <= 224 - height


@pytest.mark.parametrize(
    ("licence", "author", "allowed"),
    [
        ("CC0", "", True), ("CC0 1.0", "", True), ("Public domain", "", True), ("CC BY 2.0", "Ann", True),
        ("cc-by-sa-4.0", "Ann", True), ("CC BY-SA 3.0 de", "Ann", True), ("MIT (Copyright (c) 2019 Ann)", "Ann", True),
        ("CC BY 2.0", "", False), ("CC BY-NC 4.0", "Ann", False), ("CC BY-ND", "Ann", False),
        ("CC BY-NC-SA 2.0", "Ann", False), ("Attribution-NonCommercial", "Ann", False), ("", "Ann", False),
        ("All rights reserved", "Ann", False), ("ask me", "Ann", False), ("MITRE", "Ann", False), ("CC0ff", "", False),
    ],
)  # fmt: skip
def test_licences(licence: str, author: str, allowed: bool) -> None:
    assert allows_pixels(Credit(author=author, licence=licence)) is allowed


@pytest.mark.parametrize(
    ("title", "name", "shown"),
    [
        ("File:Mute_Swan.jpg", "a.jpg", "Mute Swan"), ("", "x/n02085936_Maltese_dog.jpg", "Maltese dog"),
        ("ja:疣鯛", "a.jpg", "疣鯛"), ("Lotus habit (10356070526)", "a.jpg", "Lotus habit"),
        ("x" * 500, "a.jpg", "x" * 79 + "…"), ("", ".jpg", "untitled"),
    ],
)  # fmt: skip
def test_titles_are_tidied(title: str, name: str, shown: str) -> None:
    assert tidied(Credit(title), name).title == shown


def test_an_author_is_never_tidied_away() -> None:
    assert tidied(Credit(author="https://ann.example"), "a.jpg").author == "https://ann.example"


def test_an_atlas_without_photographs_has_no_page_of_them(tmp_path: Path) -> None:
    atlas: TinyAtlas = tiny_atlas(tmp_path)
    build(atlas.config())
    assert not (atlas.site / "photographs.html").exists()


def test_odd_names_and_links_among_photographs_stop_no_build(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path / "atlas")
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "a.jpg").symlink_to("b.jpg")
    (folder / "b.jpg").symlink_to("a.jpg")
    (folder / "nothing.jpg").symlink_to("nowhere")
    with open(os.fsencode(folder) + b"/\xff.jpg", "wb"):
        pass
    atlas.toml(("[recipe]", f'[photos]\nfolders = ["{folder}"]\n\n[recipe]'))
    first = build(atlas.config())
    assert first.written
    assert build(atlas.config()).written == 0
