"""A built atlas, read by a program: what one asks for is what one gets, and what lies is refused in one line."""

import base64
import dataclasses
import io
import itertools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from publisher import Handler, Publisher, endless, forged, publish, put, redirect, send
from shell import Run
from tiny import CHECKPOINT, STEPS, TinyAtlas, tiny_atlas
from urllib3.util import parse_url

import generator
from generator import Atlas
from generator.checkpoints import CHECKPOINTS
from generator.core.errors import AtlasError, UsageError
from generator.core.record import EncodedFile, Picture
from generator.core.units import Unit
from generator.publish.build import build
from generator.reader import atlas as atlas_room
from generator.reader.atlas import NoUnitError
from generator.reader.find import Found, find
from generator.reader.location import OutOfReachError, location_of
from generator.reader.webp import webp_size
from generator.remote import http
from generator.remote.http import PermanentError, TransientError, read

RECORD = f"{CHECKPOINT}/mixed4a/9.json"
LABELS = f"""
checkpoint = "{CHECKPOINT}"
[sources.mine]
title = "Notes"
url = "https://host/notes"
[[labels]]
unit = "mixed3a:60-63"
label = "Curve"
family = "Curves"
confidence = "eye"
source = "mine"
[[labels]]
unit = "mixed3a:64,65"
label = "Small circle"
family = "Double curves"
confidence = "eye"
source = "mine"
[[labels]]
unit = "mixed4a:9"
label = "Dog <script>alert(1)</script>"
confidence = "eye"
source = "mine"
[[labels]]
unit = "mixed4a:0"
label = "mixed4a:12"
confidence = "eye"
source = "mine"
[[labels]]
unit = "conv2d0:1,2"
label = "Stripes"
family = "Gabor filters"
confidence = "eye"
source = "mine"
[[labels]]
unit = "mixed5b:3"
label = "Crowd of one"
family = "Crowds"
confidence = "eye"
source = "mine"
"""


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    """Two checkpoints, labels and a published address; for tests that only look."""
    atlas = tiny_atlas(tmp_path_factory.mktemp("shown"))
    second = '[checkpoints.untrained]\nunits = ["mixed4a:9"]\n\n[recipe]'
    atlas.toml(("[recipe]", second), ('title = "Tiny Atlas"', 'title = "Tiny Atlas"\nurl = "https://host/tiny/"'))
    for channel in (9, 10):
        atlas.answer(Unit("mixed4a", channel), fingerprint=CHECKPOINTS["untrained"].fingerprint, checkpoint="untrained")
    (atlas.folder / "labels").mkdir()
    (atlas.folder / "labels/mine.toml").write_text(LABELS, encoding="utf-8")
    build(atlas.config())
    return atlas


@pytest.fixture
def copied(shown: TinyAtlas, tmp_path: Path) -> TinyAtlas:
    """A copy of it, to harm."""
    shutil.copytree(shown.folder, tmp_path / "atlas")
    return TinyAtlas(tmp_path / "atlas")


@pytest.fixture
def publisher(shown: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setattr(http, "PAUSE", 0.01)
    with publish(shown.site) as publisher:
        yield publisher


def refused(do: Callable[[], object]) -> str:
    """What an AtlasError says: one line, short, and nothing that a terminal would obey."""
    with pytest.raises(AtlasError) as caught:
        do()
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 400
    return text


# --- where -----------------------------------------------------------------------------------------------------------


def test_a_folder_a_file_in_it_and_a_link_to_it_are_the_same_atlas(shown: TinyAtlas, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(shown.site)
    units = [str(unit) for unit in Atlas.open(shown.site)]
    assert len(units) == 29
    assert units[0] == f"{CHECKPOINT}/conv2d0:0"
    assert units[-1] == "untrained/mixed4a:10"
    for where in (str(shown.site), shown.site / "index.html", shown.site / "atlas.json", tmp_path / "linked"):
        assert [str(unit) for unit in Atlas.open(where)] == units
    assert Atlas.open(tmp_path / "linked")["4a:9"].image().size == (56, 56)


@pytest.mark.parametrize("end", ["", "index.html", "atlas.json"])
def test_an_address_with_and_without_its_page(publisher: Publisher, end: str) -> None:
    for where in {publisher.url + end, publisher.url.rstrip("/") + (f"/{end}" if end else "")}:
        atlas = Atlas.open(where)
        assert len(atlas) == 29
        assert atlas["mixed4a:9"].record.provenance.activation == 9 + 2.5 * (STEPS - 1) + 1
    assert set(publisher.asked) == {"atlas.json", RECORD}


def test_links_lead_where_it_is_published(shown: TinyAtlas, publisher: Publisher) -> None:
    page = f"{CHECKPOINT}/mixed4a/9.html"
    assert Atlas.open(shown.site)["4a:9"].url == f"https://host/tiny/{page}"
    index = json.loads((shown.site / "atlas.json").read_text())
    publisher.lies["atlas.json"] = json.dumps({**index, "url": ""}).encode()
    assert Atlas.open(publisher.url)["4a:9"].url == publisher.url + page


@pytest.mark.parametrize(
    "where",
    [
        "file:///etc/passwd",
        "ftp://host/atlas/",
        "http://",
        "http://me:secret@host/",
        "https://host/?x=1",
        "http://host/a b",
        "https://host/\\input{x}",
        'https://host/"onload="x',
        "javascript://host/%0aalert(1)",
        "~nobody-of-that-name/x",
    ],
)
def test_what_is_no_address_is_said_before_anything_is_asked(where: str) -> None:
    refused(lambda: Atlas.open(where))


def test_no_atlas_there(tmp_path: Path, publisher: Publisher) -> None:
    assert "type `atlas build`" in refused(lambda: Atlas.open(tmp_path))
    assert "HTTP 404" in refused(lambda: Atlas.open(f"{publisher.url}elsewhere/"))
    with pytest.raises(OutOfReachError, match="no connection"):
        Atlas.open("http://127.0.0.1:9/")


def test_the_package_gives_atlas_without_being_slow_for_it() -> None:
    assert generator.Atlas is atlas_room.Atlas
    code = "import sys, generator; assert 'generator.reader' not in sys.modules; print(generator.Atlas.__name__)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "Atlas\n"


# --- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "unit"),
    [
        ("mixed4a:9", f"{CHECKPOINT}/mixed4a:9"),
        ("4a:9", f"{CHECKPOINT}/mixed4a:9"),
        ("mixed4a_9", f"{CHECKPOINT}/mixed4a:9"),
        ("mixed4a 3x3 8", f"{CHECKPOINT}/mixed4a:200"),
        ("inception_4a/output 9", f"{CHECKPOINT}/mixed4a:9"),
        (f"{CHECKPOINT}/mixed4a:9", f"{CHECKPOINT}/mixed4a:9"),
        ("untrained/4a:9", "untrained/mixed4a:9"),
        (f"https://elsewhere/atlas/{CHECKPOINT}/mixed4a/9.html", f"{CHECKPOINT}/mixed4a:9"),
        ("https://host/tiny/embed/untrained/mixed4a/10.html", "untrained/mixed4a:10"),
    ],
)
def test_a_unit_by_any_spelling(shown: TinyAtlas, word: str, unit: str) -> None:
    atlas = Atlas.open(shown.site)
    assert str(atlas[word]) == unit
    assert word in atlas


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mixed4a:13", "not rendered in this atlas"),
        ("mixed4a:9999", "channels 0 to 511"),
        ("mixed9z:1", "no layer"),
        ("mixed4a", "512 units where one is wanted"),
        ("", "no layer"),
        ("https://microscope.openai.com/models/inceptionv1/mixed4a_0/9", "names a unit of inception5h, not of"),
        ("https://elsewhere/atlas/other/mixed4a/9.html", "names a unit of other, not of"),
        ("http://[bad", "cannot read the address"),
    ],
)
def test_what_is_not_there_is_told(shown: TinyAtlas, word: str, said: str) -> None:
    atlas = Atlas.open(shown.site)
    assert said in refused(lambda: atlas[word])
    assert word not in atlas
    with pytest.raises(KeyError):
        atlas[word]


def test_selection(shown: TinyAtlas) -> None:
    atlas = Atlas.open(shown.site)

    def names(**asked: str) -> list[str]:
        return [str(unit.unit) for unit in atlas.select(**asked)]

    assert names(checkpoint="untrained") == ["mixed4a:9", "mixed4a:10"]
    assert names(layer="conv2d0") == [f"conv2d0:{n}" for n in range(6)]
    assert names(layer="4a", branch="3x3") == names(layer="mixed4a_3x3") == ["mixed4a:200"]
    assert names(branch="pool_reduce") == ["mixed4a:448", "mixed4a:511"]
    assert names(layer="mixed4a", checkpoint="untrained") == ["mixed4a:9", "mixed4a:10"]
    assert names(label="CURVES") == [f"mixed3a:{n}" for n in range(60, 66)]
    assert names(label="small") == ["mixed3a:64", "mixed3a:65"]
    assert names(label="small", layer="conv2d0") == []
    assert atlas.select(label="small")[0].labels[0].url == "https://host/notes"
    for wrong in ({"layer": "mixed9z"}, {"branch": "7x7"}, {"checkpoint": "x"}):
        with pytest.raises(UsageError):
            atlas.select(**wrong)


def test_units_come_in_the_order_of_the_network_whatever_the_index_says(shown: TinyAtlas, publisher: Publisher) -> None:
    index = json.loads((shown.site / "atlas.json").read_text())
    index["checkpoints"][0]["units"].reverse()
    publisher.lies["atlas.json"] = json.dumps(index).encode()
    assert [str(u) for u in Atlas.open(publisher.url)] == [str(u) for u in Atlas.open(shown.site)]


def test_a_picture_and_its_record(shown: TinyAtlas, publisher: Publisher) -> None:
    for where in (str(shown.site), publisher.url):
        unit = Atlas.open(where)["4a:200"]
        assert (unit.branch, unit.record.question.unit, unit.record.key) == ("3x3", Unit("mixed4a", 200), unit.key)
        assert (unit.image().mode, unit.image().size) == ("RGB", (56, 56))
        assert unit.image(thumbnail=True).size == (28, 28)
        with Image.open(shown.store.path(unit.record.picture)) as picture:
            assert unit.image().tobytes() == picture.convert("RGB").tobytes()


# --- what lies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thumbnail", [False, True])
def test_a_corrupted_picture_is_refused(copied: TinyAtlas, thumbnail: bool) -> None:
    unit = Atlas.open(copied.site)["4a:9"]
    path = copied.store.path(unit.record.thumbnail if thumbnail else unit.record.picture)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "not what its record says" in refused(lambda: unit.image(thumbnail=thumbnail))
    assert unit.image(thumbnail=not thumbnail).mode == "RGB"
    path.unlink()
    assert "cannot be read" in refused(lambda: unit.image(thumbnail=thumbnail))


def test_a_record_of_another_unit_is_refused(copied: TinyAtlas) -> None:
    text = (copied.site / RECORD).read_bytes()
    other = (copied.site / f"{CHECKPOINT}/mixed4a/12.json").read_bytes()
    for lie in (
        other,
        (copied.site / "untrained/mixed4a/9.json").read_bytes(),
        forged(text, put("question.fingerprint", "cd" * 32)),
        forged(text, put("question.view", "negative")),
    ):
        (copied.site / RECORD).write_bytes(lie)
        assert f"not of {CHECKPOINT}/mixed4a:9" in refused(lambda: Atlas.open(copied.site)["4a:9"].record)


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"\x1f\x8b\x08\x00garbage",
        b"[" * 100_000,
        b'{"format": 1, "x": ' + b"9" * 10_000 + b"}",
        b'{"format": 1, "sha256": NaN}',
    ],
)
def test_what_is_no_record_is_refused(publisher: Publisher, lie: bytes) -> None:
    publisher.lies[RECORD] = lie
    assert "is damaged" in refused(lambda: Atlas.open(publisher.url)["4a:9"].record)


def test_a_recipe_that_speaks_to_the_terminal_is_quoted(shown: TinyAtlas, publisher: Publisher) -> None:
    """Python puts the name of an unknown argument into its message as it is."""
    text = (shown.site / RECORD).read_bytes()
    publisher.lies[RECORD] = forged(text, put("question.recipe.\x1b[2J\nx" + "y" * 1000, 1))
    assert "unexpected keyword argument" in refused(lambda: Atlas.open(publisher.url)["4a:9"].record)


def changed(shown: TinyAtlas, where: str, value: Any) -> bytes:
    """The index with one thing changed; ``checkpoints.0.units.0.unit`` is where the first unit has its name."""
    index = json.loads((shown.site / "atlas.json").read_text())
    *parents, last = [int(part) if part.isdigit() else part for part in where.split(".")]
    inner = index
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return json.dumps(index).encode()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("format", 2),
        ("format", None),
        ("title", ["x"]),
        ("title", 7),
        ("url", "javascript:alert(1)//"),
        ("url", "https://host/}\\input{/etc/passwd}/"),
        ("url", 'https://host/"><script>/'),
        ("url", ["https://host/"]),
        ("checkpoints", []),
        ("checkpoints", {"a": 1}),
        ("checkpoints", None),
        ("checkpoints.0", [[[[]]]]),
        ("checkpoints.0.name", "../../x"),
        ("checkpoints.0.name", "store"),
        ("checkpoints.0.name", {"x": 1}),
        ("checkpoints.0.name", "\x1b[2J"),
        ("checkpoints.0.architecture", "resnet50"),
        ("checkpoints.0.architecture", []),
        ("checkpoints.0.fingerprint", "../x"),
        ("checkpoints.0.fingerprint", 10**4000),
        ("checkpoints.0.sources", [{"title": "x", "url": "javascript:alert(1)"}]),
        ("checkpoints.0.sources", [None]),
        ("checkpoints.0.units", {"unit": 1}),
        ("checkpoints.0.units.0", "mixed4a:1"),
        ("checkpoints.0.units.0.unit", "../../x:1"),
        ("checkpoints.0.units.0.unit", "mixed4a:-1"),
        ("checkpoints.0.units.0.unit", "mixed4a:999999"),
        ("checkpoints.0.units.0.unit", "mixed4a_3x3:5"),
        ("checkpoints.0.units.0.unit", "mixed4a:1\n"),
        ("checkpoints.0.units.0.unit", ["mixed4a:1"] * 1000),
        ("checkpoints.0.units.0.activation", 10**400),
        ("checkpoints.0.units.0.activation", float("inf")),
        ("checkpoints.0.units.0.activation", float("nan")),
        ("checkpoints.0.units.0.activation", {}),
        ("checkpoints.0.units.0.picture", "../../../etc/passwd"),
        ("checkpoints.0.units.0.picture", f"store/../{'a' * 62}.{'0' * 16}.webp"),
        ("checkpoints.0.units.0.picture", f"ab/{'a' * 62}.{'0' * 16}.webp"),
        ("checkpoints.0.units.0.picture", f"elsewhere/ab/{'a' * 62}.{'0' * 16}.webp"),
        ("checkpoints.0.units.0.picture", "http://elsewhere/x.webp"),
        ("checkpoints.0.units.0.picture", [[]]),
        ("checkpoints.0.units.0.thumbnail", "/etc/passwd"),
        ("checkpoints.0.units.0.labels", [[["x"]]]),
        ("checkpoints.0.units.0.labels", [{"name": "x", "confidence": "eye", "source": -1}]),
        ("checkpoints.0.units.0.labels", [{"name": "x", "confidence": "eye", "source": 10**30}]),
        ("checkpoints.0.units.0.labels", [{"name": {"x": 1}, "confidence": "eye", "source": 0}]),
    ],
)
def test_an_index_that_is_none_is_refused(shown: TinyAtlas, publisher: Publisher, where: str, value: Any) -> None:
    publisher.lies["atlas.json"] = changed(shown, where, value)
    assert "is not the index of an atlas" in refused(lambda: Atlas.open(publisher.url))


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"<html>log in first</html>",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{}",
        b"[" * 1_000_000,
        b'{"format": 1, "title": "x", "checkpoints": ' + b'{"a":' * 100_000,
        b'{"format": 1e999}',
        b'{"format": ' + b"9" * 100_000 + b"}",
        b'{"format": "\x1b[2J' + b"x" * 30_000_000 + b'"}',
    ],
    ids=lambda lie: repr(lie[:12]),
)
def test_what_is_no_index_is_refused(publisher: Publisher, lie: bytes) -> None:
    publisher.lies["atlas.json"] = lie
    assert "atlas.json is not the index of an atlas" in refused(lambda: Atlas.open(publisher.url))


def test_words_of_a_publisher_stand_on_one_line(shown: TinyAtlas, publisher: Publisher) -> None:
    hostile = "<script>\x1b]0;x\x07\u202eevil\nsecond line\ud800" + "z" * 5000
    index = json.loads(changed(shown, "title", hostile))
    index["checkpoints"][0]["units"][0]["labels"] = [{"name": hostile, "confidence": hostile, "source": 0}]
    publisher.lies["atlas.json"] = json.dumps(index).encode()
    atlas = Atlas.open(publisher.url)
    label = atlas["conv2d0:0"].labels[0]
    for text in (atlas.title, label.name, label.confidence):
        assert text.startswith("<script> ]0;x evil second line zzz")
        assert text.isprintable()
        assert len(text) == 500
    assert "&lt;script&gt;" in atlas["conv2d0:0"].quoted.chip
    assert "<script>" not in atlas["conv2d0:0"].quoted.chip


# --- pictures that are not what they say -----------------------------------------------------------------------------


def webp(size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(data, "WEBP", **options)
    return data.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (224, 224), (300, 17)])
def test_the_size_of_a_picture_is_in_its_first_bytes(size: tuple[int, int]) -> None:
    for data in (webp(size), webp(size, lossless=True), webp(size, "RGBA"), webp(size, exif=b"Exif\0\0" + bytes(20))):
        assert webp_size(data) == size
    assert (
        len({webp(size)[12:16], webp(size, lossless=True)[12:16], webp(size, exif=b"Exif\0\0" + bytes(20))[12:16]}) == 3
    )


def header(wide: int, high: int) -> bytes:
    """A file of 40 bytes that says how large a picture it is."""
    frame = b"\x10\x00\x00\x9d\x01\x2a" + wide.to_bytes(2, "little") + high.to_bytes(2, "little") + bytes(10)
    chunk = b"WEBPVP8 " + len(frame).to_bytes(4, "little") + frame
    return b"RIFF" + len(chunk).to_bytes(4, "little") + chunk


def animation() -> bytes:
    data = io.BytesIO()
    frames = [Image.new("RGB", (56, 56), colour) for colour in ("red", "blue")]
    frames[0].save(data, "WEBP", save_all=True, append_images=frames[1:])
    return data.getvalue()


def lie_about_the_picture(shown: TinyAtlas, publisher: Publisher, data: bytes, width: int, height: int) -> None:
    """Have a record, right in itself, name this file as its picture."""
    text = (shown.site / RECORD).read_bytes()
    picture = EncodedFile(data, width, height).named(json.loads(text)["key"])
    publisher.lies[RECORD] = forged(text, put("picture", dataclasses.asdict(picture)))
    publisher.lies[f"store/{picture.name}"] = data


@pytest.mark.parametrize(
    ("data", "size", "said"),
    [
        (header(16383, 16383), (16383, 16383), "more than 4096 a side"),
        (header(16383, 16383), (224, 224), "16383 x 16383 pixels large"),
        (header(224, 224), (56, 56), "224 x 224 pixels large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", (56, 56), "not a WebP file"),
        (webp((56, 56)) + b"<script>", (56, 56), "longer or shorter than it says"),
        (webp((56, 56))[:-9], (56, 56), "longer or shorter than it says"),
        (animation(), (56, 56), "not a still"),
        (b"RIFF", (56, 56), "not a WebP file"),
    ],
)
def test_pictures_that_are_none_are_refused_unseen(
    shown: TinyAtlas, publisher: Publisher, monkeypatch: pytest.MonkeyPatch,
    data: bytes, size: tuple[int, int], said: str,
) -> None:  # fmt: skip
    lie_about_the_picture(shown, publisher, data, *size)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("a decoder saw it"))
    assert said in refused(lambda: Atlas.open(publisher.url)["4a:9"].image())


def test_what_a_decoder_cannot_read_is_told(shown: TinyAtlas, publisher: Publisher) -> None:
    lie_about_the_picture(shown, publisher, header(56, 56), 56, 56)
    assert "cannot be decoded" in refused(lambda: Atlas.open(publisher.url)["4a:9"].image())


def test_a_record_that_lies_about_the_bytes_is_refused(shown: TinyAtlas, publisher: Publisher) -> None:
    """A store would take it, and find it damaged at the next look."""
    text = (shown.site / RECORD).read_bytes()
    more = json.loads(text)["picture"]["bytes"] + 1
    publisher.lies[RECORD] = forged(text, put("picture.bytes", more))
    assert "not what its record says" in refused(lambda: Atlas.open(publisher.url)["4a:9"].image())


def test_a_picture_of_gigabytes_is_not_read(shown: TinyAtlas, publisher: Publisher) -> None:
    unit = Atlas.open(publisher.url)["4a:9"]
    name = unit.picture
    publisher.lies[name] = endless
    assert "more than the" in refused(unit.image)
    large = Picture(unit.record.picture.name, unit.record.picture.sha256, 2**31 - 1, 56, 56)
    assert "more than the 4,000,000 bytes" in refused(lambda: unit.origin.picture(large))
    publisher.lies[name] = lambda handler: send(handler, b"x", Content_Length="9" * 12)
    assert "999,999,999,999 bytes are more than" in refused(unit.image)


# --- servers that lie, stall and send one elsewhere ------------------------------------------------------------------


def get(publisher: Publisher, path: str = "x", **more: Any) -> bytes:
    return read(publisher.url + path, limit=1000, **more)


def test_a_redirection_on_the_same_host_is_followed(publisher: Publisher) -> None:
    publisher.lies |= {"x": redirect("y"), "y": redirect(f"{publisher.url}z"), "z": b"here"}
    assert get(publisher) == b"here"
    assert publisher.asked == ["x", "y", "z"]


def test_a_redirection_elsewhere_is_not(publisher: Publisher, tmp_path: Path) -> None:
    with publish(tmp_path) as other:
        (tmp_path / "x").write_bytes(b"internal")
        for to in (
            f"{other.url}x",
            f"http://localhost:{publisher.port}/atlas/z",
            f"https://127.0.0.1:{publisher.port}/atlas/z",
            f"http://127.0.0.1:{publisher.port}@localhost:{other.port}/atlas/x",
            f"//127.0.0.1:{other.port}/atlas/x",
            "file:///etc/passwd",
            "ftp://127.0.0.1/x",
            "http://127.0.0.1:99999/",
            "http://[127.0.0.1/",
        ):
            publisher.lies["x"] = redirect(to)
            with pytest.raises(PermanentError) as caught:
                get(publisher)
            assert str(caught.value).isprintable()
        assert other.asked == []
        assert set(publisher.asked) == {"x"}


def test_an_upgrade_to_https_on_the_usual_ports_is_followed_and_a_downgrade_is_not() -> None:
    def follow(asked: str, told: str) -> bool:
        return http.same_host(parse_url(asked), parse_url(told))

    assert follow("http://host/x", "https://HOST/x")
    assert follow("http://host/x", "http://host:80/y")
    assert not follow("https://host/x", "http://host/x")
    assert not follow("http://host:8000/x", "https://host/x")
    assert not follow("http://host/x", "https://host:8443/x")
    assert not follow("http://host/x", "https://host.evil.example/x")


def test_what_comes_with_a_redirection_is_not_read(publisher: Publisher) -> None:
    """It may have no end."""

    def stall(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "z")
        handler.end_headers()
        endless(handler)

    publisher.lies |= {"x": stall, "z": b"here"}
    assert get(publisher) == b"here"


def test_endless_redirections_end(publisher: Publisher) -> None:
    publisher.lies["x"] = redirect("x")
    with pytest.raises(PermanentError, match="HTTP 302"):
        get(publisher)
    assert len(publisher.asked) < 12


def test_a_body_without_end_and_one_that_is_too_long(publisher: Publisher) -> None:
    for lie in (endless, lambda handler: send(handler, b"x", Content_Length="123456")):
        publisher.lies["x"] = lie
        publisher.asked.clear()
        with pytest.raises(PermanentError, match="more than"):
            get(publisher)
        assert len(publisher.asked) == 1


def test_what_breaks_off_is_tried_again_and_what_is_gone_is_not(publisher: Publisher) -> None:
    def broken_twice(handler: Handler) -> None:
        whole = len(publisher.asked) > 2
        send(handler, b"0123456789" if whole else b"01234", Content_Length="10")

    publisher.lies["x"] = broken_twice
    assert get(publisher) == b"0123456789"
    publisher.asked.clear()
    publisher.lies["x"] = lambda handler: send(handler, b"01234", Content_Length="10")
    with pytest.raises(TransientError, match="broke after 5 of 10 bytes"):
        get(publisher)
    assert len(publisher.asked) == 3
    publisher.lies["x"] = lambda handler: handler.send_error(503)
    publisher.asked.clear()
    with pytest.raises(TransientError, match="HTTP 503"):
        get(publisher)
    assert len(publisher.asked) == 3
    publisher.asked.clear()
    with pytest.raises(PermanentError, match="HTTP 404"):
        get(publisher, "gone")
    assert len(publisher.asked) == 1


def test_a_header_that_drips_is_given_up(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is never silence, and is here never late: only the whole is hurried."""

    def drip(handler: Any) -> None:
        for byte in itertools.chain(b"HTTP/1.0 200 OK\r\nX: ", itertools.repeat(ord("x"))):
            handler.wfile.write(bytes([byte]))
            time.sleep(0.02)

    in_time = http._in_time
    monkeypatch.setattr(http, "_in_time", lambda seconds, ask: in_time(seconds / 100, ask))
    publisher.lies["x"] = drip
    with pytest.raises(TransientError, match="no answer in 1 s"):
        get(publisher, timeout=50, attempts=1)


def test_an_own_unit_is_in_its_atlas(shown: TinyAtlas) -> None:
    atlas = Atlas.open(shown.site)
    assert all(unit in atlas for unit in atlas)
    assert 7 not in atlas


def test_addresses_of_other_pages_are_found(shown: TinyAtlas) -> None:
    atlas = Atlas.open(shown.site)
    home = f"{CHECKPOINT}/index.html"
    for address in (f"https://x.example/a/{CHECKPOINT}/", f"{CHECKPOINT}/families/index.html", f"site/{home}"):
        assert [found.address for found in find(atlas, address)] == [home]
    family = next(label.family for unit in atlas for label in unit.labels if label.family)
    page = find(atlas, family)[0].address
    assert find(atlas, f"https://x.example/{page}#mixed4a")[0].address == page
    with pytest.raises(UsageError, match="no unit in the address"):
        find(atlas, "https://distill.pub/2020/circuits/curve-detectors/")
    with pytest.raises(UsageError, match="no checkpoint “inception5h” in this atlas"):
        find(atlas, "inception5h/4a:0")


def test_a_server_that_drips_is_given_up(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never silent for as long as the timeout, and never done. The clock that the whole is measured by runs fast."""

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "900")
        handler.end_headers()
        for _ in range(900):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: 100 * time.monotonic()))
    publisher.lies["x"] = drip
    with pytest.raises(TransientError, match="too slow"):
        get(publisher, timeout=30, attempts=1)


@pytest.mark.parametrize("size", [b"-1", b"-5", b"zz", b"9" * 70_000])
def test_chunks_of_sizes_that_are_none(publisher: Publisher, size: bytes) -> None:
    def chunked(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(size + b"\r\n" + b"x" * 5_000)

    publisher.lies["x"] = chunked
    with pytest.raises((TransientError, PermanentError)):
        get(publisher, attempts=1)


def test_a_compressed_body_is_not_unpacked(publisher: Publisher) -> None:
    """A few bytes of gzip can hold gigabytes."""
    bomb = base64.b64decode("H4sIAAAAAAAC/8vMSy0qAQBMnHbQBQAAAA==")
    publisher.lies["x"] = lambda handler: send(handler, bomb, Content_Encoding="gzip")
    assert get(publisher) == bomb
    publisher.lies["atlas.json"] = publisher.lies["x"]
    assert "not the index" in refused(lambda: Atlas.open(publisher.url))


def test_a_part_is_not_taken_for_the_whole(publisher: Publisher) -> None:
    def part(handler: Handler) -> None:
        handler.send_response(206)
        handler.send_header("Content-Range", "bytes 0-3/10")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"0123")

    publisher.lies["x"] = part
    with pytest.raises(PermanentError, match="206"):
        get(publisher)


def test_location_of_reads_a_folder_within_its_limit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert location_of(tmp_path).read("x", limit=5) == b"12345"
    assert "more than the 4 bytes" in refused(lambda: location_of(tmp_path).read("x", limit=4))


# --- finding ---------------------------------------------------------------------------------------------------------

UNIT_9 = f"{CHECKPOINT}/mixed4a/9.html"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("4a:9", UNIT_9),
        ("  mixed4a   9 ", UNIT_9),
        ("mixed4a_9", UNIT_9),
        ("inception_4a/output 9", UNIT_9),
        (f"{CHECKPOINT}/4a:9", UNIT_9),
        ("mixed4a 3x3 8", f"{CHECKPOINT}/mixed4a/200.html"),
        (f"https://host/tiny/{CHECKPOINT}/mixed4a/9.html", UNIT_9),
        ("untrained/4a:9", "untrained/mixed4a/9.html"),
        ("https://host/tiny/untrained/mixed4a/9.html", "untrained/mixed4a/9.html"),
        ("4a", f"{CHECKPOINT}/mixed4a/index.html"),
        ("MIXED4E", f"{CHECKPOINT}/mixed4e/index.html"),
        ("mixed4a_3x3", f"{CHECKPOINT}/mixed4a/index.html#3x3"),
        ("4a pool proj", f"{CHECKPOINT}/mixed4a/index.html#pool_reduce"),
        (f"https://host/tiny/{CHECKPOINT}/mixed4a/#5x5", f"{CHECKPOINT}/mixed4a/index.html#5x5"),
        ("untrained", "untrained/index.html"),
        ("Curves", f"{CHECKPOINT}/families/curves.html"),
        ("double", f"{CHECKPOINT}/families/double-curves.html"),
        ("gabor", f"{CHECKPOINT}/families/gabor-filters.html"),
        ("dog", UNIT_9),
        ("crowds", f"{CHECKPOINT}/mixed5b/3.html"),  # of a family of one, the one
        ("<SCRIPT>", UNIT_9),
        ("mixed4a:12", f"{CHECKPOINT}/mixed4a/12.html"),  # the name of another unit
    ],
)
def test_a_text_means_one_page(shown: TinyAtlas, text: str, address: str) -> None:
    [found] = find(Atlas.open(shown.site), text)
    assert found.address == address
    if found.kind != "checkpoint":
        assert find(Atlas.open(shown.site), found.title) == (found,), "its title finds it again"


def test_a_text_that_means_several(shown: TinyAtlas) -> None:
    atlas = Atlas.open(shown.site)
    assert [found.title for found in find(atlas, "curve")] == [f"{CHECKPOINT}/mixed3a:{n}" for n in range(60, 64)]
    assert [f.title for f in find(atlas, "curves")] == [f"{CHECKPOINT}/Curves"]
    assert [f.title for f in find(atlas, "urves")] == [f"{CHECKPOINT}/Curves", f"{CHECKPOINT}/Double curves"]
    assert [f.title for f in find(atlas, "mixed5")] == [f"{CHECKPOINT}/mixed5b"]
    assert [f.kind for f in find(atlas, "mixed")] == ["layer"] * 4 + ["unit"]
    assert [f.title for f in find(atlas, "4a:8-12", "untrained")] == ["untrained/mixed4a:9", "untrained/mixed4a:10"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4a:13", "not rendered"),
        ("4a:20-30", "mixed4a:20 to 30"),
        ("mixed4a_3x3_bottleneck", "not rendered"),
        ("4a:9999", "channels 0 to 511"),
        ("zebra", "no unit, layer, name or family “zebra”"),
        ("crve", "did you mean curve?"),
        ("untrained/dog", "no unit, layer, name or family “untrained/dog”"),
        ("", "nothing is asked for"),
        ("https://microscope.openai.com/models/inceptionv1/mixed4a_0/9", "names a unit of inception5h"),
    ],
)
def test_a_text_that_means_nothing(shown: TinyAtlas, text: str, said: str) -> None:
    assert said in refused(lambda: find(Atlas.open(shown.site), text))


def test_a_checkpoint_narrows(shown: TinyAtlas) -> None:
    atlas = Atlas.open(shown.site)
    assert find(atlas, "4a:9", "untrained") == (Found("unit", "untrained/mixed4a:9", "untrained/mixed4a/9.html"),)
    with pytest.raises(UsageError):
        find(atlas, "dog", "untrained")
    with pytest.raises(UsageError, match="names a unit of untrained, not of"):
        find(atlas, "https://host/tiny/untrained/mixed4a/9.html", CHECKPOINT)
    with pytest.raises(NoUnitError, match="no checkpoint"):
        find(atlas, "4a:9", "x")


# --- atlas open ------------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(shown: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was told to show."""
    seen: list[str] = []
    monkeypatch.chdir(shown.folder)
    monkeypatch.setattr("webbrowser.open", lambda address: seen.append(address) or True)
    return seen


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (["mixed4a", "3x3", "8"], f"{CHECKPOINT}/mixed4a/200.html"),
        (["mixed4a_3x3"], f"{CHECKPOINT}/mixed4a/index.html#3x3"),
        (["Double", "Curves"], f"{CHECKPOINT}/families/double-curves.html"),
        (["--checkpoint", "untrained", "4a:9"], "untrained/mixed4a/9.html"),
        (["--checkpoint", "untrained"], "untrained/index.html"),
        ([], "index.html"),
    ],
)
def test_open_shows_the_page(run: Run, opened: list[str], shown: TinyAtlas, words: list[str], page: str) -> None:
    code, out, err = run("open", *words)
    assert (code, err) == (0, "")
    assert opened == [f"{shown.site.resolve().as_uri()}/{page}"]
    assert out.rstrip().endswith(page.partition("#")[0])


def test_open_any(run: Run, opened: list[str], shown: TinyAtlas) -> None:
    assert run("open", "--any", "--checkpoint", "untrained")[0] == 0
    assert opened[0].removeprefix(f"{shown.site.resolve().as_uri()}/") in (
        "untrained/mixed4a/9.html", "untrained/mixed4a/10.html",
    )  # fmt: skip
    assert run("open", "--any", "4a:9")[0] == 2


def test_open_can_print_instead(run: Run, opened: list[str]) -> None:
    assert run("open", "--print", "4a:9") == (0, f"site/{UNIT_9}\n", "")
    assert run("open", "--url", "4a_3x3") == (0, f"https://host/tiny/{CHECKPOINT}/mixed4a/index.html#3x3\n", "")
    assert run("open", "--url") == (0, "https://host/tiny/\n", "")
    assert opened == []


def test_open_lists_what_may_be_meant(run: Run, opened: list[str]) -> None:
    code, out, err = run("open", "urves")
    assert code == 1
    assert out.splitlines() == [f"atlas open {CHECKPOINT}/Curves", f"atlas open '{CHECKPOINT}/Double curves'"]
    assert err == "atlas: “urves” may mean 2 pages; type one of these\n"
    assert len(run("open", "mixed3a:60-69")[1].splitlines()) == 10
    code, out, err = run("open", "4a:0-511,0")
    assert "12 of" not in err
    assert opened == []


def test_open_says_what_to_type(
    run: Run, opened: list[str], copied: TinyAtlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("open", "4a:13")[0] == 2
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    assert "no browser" in run("open", "4a:9")[2]
    monkeypatch.chdir(copied.folder)
    (copied.site / UNIT_9).unlink()
    assert "type `atlas build`" in run("open", "4a:9")[2]
    (copied.site / "atlas.json").unlink()
    code, _, err = run("open", "4a:9")
    assert (code, err.count("\n")) == (1, 1)
    assert "type `atlas build`" in err
