"""What other sites show of a page that is linked: read as they read it, by the rules that they publish."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from tiny import CHECKPOINT, LABELS, TinyAtlas, tiny_atlas

from generator.core.units import Unit
from generator.publish.assets.cards import SIDE, WIDE
from generator.publish.build import build
from generator.publish.check.site import check
from generator.publish.manifest import built_files

URL = "https://atlas.example/v1/"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path_factory.mktemp("atlas"))
    atlas.toml(('title = "Tiny Atlas"', f'title = "Tiny & “Small”"\nurl = "{URL}"'))
    atlas.label(LABELS)
    build(atlas.config())
    return atlas


class Reader(HTMLParser):
    """The tags of a page's head that crawlers look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: dict[str, list[str]] = {}
        self.links: dict[str, str] = {}
        self.data: list[str] = []
        self._in_data = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and (name := given.get("property") or given.get("name")):
            self.meta.setdefault(name, []).append(given.get("content") or "")
        elif tag == "link":
            self.links[given.get("rel") or ""] = given.get("href") or ""
        self._in_data = tag == "script" and given.get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data.append(data)
            self._in_data = False


def pages(atlas: TinyAtlas) -> list[str]:
    """Every page that can be shared."""
    return [
        a for a in built_files(atlas.site) if a.endswith(".html") and a != "404.html" and not a.startswith("embed/")
    ]


def test_every_page_has_a_card_as_the_big_sites_want_it(built: TinyAtlas) -> None:
    """Open Graph's four required properties, whole addresses, a JPEG of the size that is told, text within what is
    shown; and a Twitter card that does not crop a square."""
    shared = pages(built)
    assert len(shared) > 40
    for address in shared:
        seen = Reader((built.site / address).read_text())
        assert all(len(values) == 1 for values in seen.meta.values()), address
        meta = {name: values[0] for name, values in seen.meta.items()}
        url = URL + ("" if address == "index.html" else address)
        assert meta["og:url"] == seen.links["canonical"] == url
        assert meta["og:type"] == "website"
        assert meta["og:site_name"] == "Tiny & “Small”"
        assert 0 < len(meta["og:title"]) <= 70
        assert 20 <= len(meta["og:description"]) <= 300
        assert meta["og:description"] == meta["description"]
        if "og:image" not in meta:
            assert "0 of the " in meta["description"], f"{address} has pictures and no preview"
            continue
        image = meta["og:image"]
        assert image == meta["twitter:image"]
        assert image.startswith(URL)
        assert image.endswith(".jpg")
        with Image.open(built.site / image.removeprefix(URL)) as card:
            assert card.format == "JPEG"
            assert card.size == (int(meta["og:image:width"]), int(meta["og:image:height"]))
            assert card.size in ((SIDE, SIDE), WIDE)
        assert meta["twitter:card"] == ("summary" if card.width == card.height else "summary_large_image")
        assert meta["og:image:alt"]


def test_every_kind_of_page_says_what_it_is(built: TinyAtlas) -> None:
    kinds = {}
    for address in pages(built):
        (data,) = Reader((built.site / address).read_text()).data
        said = json.loads(data)
        assert said["@context"] == "https://schema.org"
        assert said["url"] == URL + ("" if address == "index.html" else address)
        kinds[said["@type"]] = said
    assert set(kinds) == {"Dataset", "ImageObject", "CollectionPage", "WebPage"}
    assert kinds["Dataset"]["distribution"]["contentUrl"] == f"{URL}atlas.json"
    unit = json.loads(Reader((built.site / CHECKPOINT / "mixed4a/12.html").read_text()).data[0])
    assert unit["keywords"] == "Curve, left, Curves"
    picture = built.site / unit["contentUrl"].removeprefix(URL)
    with Image.open(picture) as image:
        assert image.size == (unit["width"], unit["height"])


def test_frames_are_not_for_search_engines(built: TinyAtlas) -> None:
    seen = Reader((built.site / "embed" / CHECKPOINT / "mixed4a/12.html").read_text())
    assert seen.meta["robots"] == ["noindex"]
    assert seen.links["canonical"] == f"{URL}{CHECKPOINT}/mixed4a/12.html"
    assert "embed/" not in (built.site / "sitemap.xml").read_text()


def test_a_card_is_drawn_once_and_again_when_it_must_be(
    built: TinyAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(built.folder, tmp_path / "atlas")
    atlas = TinyAtlas(tmp_path / "atlas")
    drawn = []
    save = Image.Image.save
    monkeypatch.setattr(Image.Image, "save", lambda self, *a, **k: (drawn.append(self.size), save(self, *a, **k)))
    build(atlas.config())
    assert drawn == []
    card, other = atlas.site / CHECKPOINT / "mixed4a/12.jpg", atlas.site / CHECKPOINT / "mixed4a/9.jpg"
    whole, same = card.read_bytes(), other.read_bytes()
    card.write_bytes(whole[:-40])  # half written by something else
    other.unlink()
    build(atlas.config())
    assert drawn == [(SIDE, SIDE)] * 2
    assert (card.read_bytes(), other.read_bytes()) == (whole, same)
    monkeypatch.undo()
    atlas.answer(Unit("mixed4a", 12), seed=77, force=True)
    build(atlas.config())
    assert card.read_bytes() != whole
    assert check(atlas.config()) == []


def test_a_card_says_from_which_picture_it_was_made(built: TinyAtlas) -> None:
    """Whoever finds a copy can look for the picture's hash."""
    record = json.loads((built.site / CHECKPOINT / "mixed4a/12.json").read_text())
    with Image.open(built.site / CHECKPOINT / "mixed4a/12.jpg") as card:
        assert record["picture"]["sha256"][:16] in card.info["comment"].decode()


def test_programs_that_embed_links_are_told_of_each_unit_if_that_is_wanted(tmp_path: Path) -> None:
    """By oEmbed: the page names a file, and the file has the frame that the page offers. Not without an address."""
    atlas = tiny_atlas(tmp_path)
    where = "https://x.org/a/"
    for more, there in (
        ("oembed = true", False),
        (f'url = "{where}"', False),
        (f'url = "{where}"\noembed = true', True),
    ):
        atlas.toml(('title = "Tiny Atlas"', f'title = "Tiny Atlas"\n{more}'))
        build(atlas.config())
        page = (atlas.site / "bvlc_googlenet/mixed4a/12.html").read_text(encoding="utf-8")
        link = f'type="application/json+oembed" href="{where}embed/bvlc_googlenet/mixed4a/12.json"'
        assert (link in page) == there
        assert (atlas.site / "embed/bvlc_googlenet/mixed4a/12.json").is_file() == there
    said = json.loads((atlas.site / "embed/bvlc_googlenet/mixed4a/12.json").read_bytes())
    assert (said["version"], said["type"], said["title"]) == ("1.0", "rich", "mixed4a:12 of bvlc_googlenet")
    assert f'src="{where}embed/bvlc_googlenet/mixed4a/12.html"' in said["html"]
    assert said["thumbnail_url"] == f"{where}bvlc_googlenet/mixed4a/12.webp"
    assert check(atlas.config()) == []
