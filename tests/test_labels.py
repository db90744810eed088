"""Names of units: read from files, refused with the line where they are wrong, shown with their source."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import CHECKPOINT, LABELS, TinyAtlas, tiny_atlas

from generator.checkpoints import CHECKPOINTS
from generator.config.atlas_toml import load_config
from generator.config.config import CheckpointConfig
from generator.config.labels import read_labels
from generator.core.directions import Directions
from generator.core.errors import UsageError
from generator.core.package import package_folder
from generator.core.units import Unit
from generator.publish.build import build
from generator.publish.check.site import check


@pytest.fixture
def atlas(tmp_path: Path) -> TinyAtlas:
    return tiny_atlas(tmp_path)


def page(atlas: TinyAtlas, address: str) -> str:
    return (atlas.site / address).read_text(encoding="utf-8")


def test_a_name_is_shown_with_its_source_wherever_the_unit_is(atlas: TinyAtlas) -> None:
    atlas.label(LABELS)
    build(atlas.config())
    source = '<a href="https://post.example/curves#left"><bdi>A Post on Curves</bdi></a> (CC BY 4.0)'
    unit = page(atlas, f"{CHECKPOINT}/mixed4a/12.html")
    assert source in unit
    assert '<a href="../families/curves.html"><bdi>Curve, left</bdi></a>' in unit
    assert source not in page(atlas, f"{CHECKPOINT}/mixed4a/9.html")
    layer = page(atlas, f"{CHECKPOINT}/mixed4a/index.html")
    assert layer.count("<i>Curve, left</i>") == 3
    assert '<a href="https://post.example/curves"><bdi>A Post on Curves</bdi></a> (CC BY 4.0)' in layer
    assert '["Curve, left",0,0,{"mixed4a":"0-1,12,40"}]' in page(atlas, "static/units.js")
    assert check(atlas.config()) == []


def test_a_family_is_a_page_with_all_its_units(atlas: TinyAtlas) -> None:
    atlas.label(LABELS)
    build(atlas.config())
    family = page(atlas, f"{CHECKPOINT}/families/curves.html")
    assert re.findall(r'href="\.\./mixed4a/(\d+)\.html"', family) == ["0", "1", "12"]
    assert "<span>mixed4a:40</span> not rendered" in family
    assert "4 units of bvlc_googlenet, 3 of them rendered" in family
    assert 'href="curves.html"' in page(atlas, f"{CHECKPOINT}/families/index.html")
    (atlas.folder / "labels/tiny.toml").unlink()
    build(atlas.config())
    assert not (atlas.site / CHECKPOINT / "families").exists()


def test_programs_read_names_and_where_they_come_from(atlas: TinyAtlas) -> None:
    atlas.label(LABELS)
    build(atlas.config())
    (checkpoint,) = json.loads(page(atlas, "atlas.json"))["checkpoints"]
    (unit,) = [u for u in checkpoint["units"] if u["unit"] == "mixed4a:12"]
    (label,) = unit["labels"]
    assert (label["name"], label["family"], label["confidence"]) == ("Curve, left", "Curves", "published")
    assert checkpoint["sources"][label["source"]]["title"] == "A Post on Curves"


def test_json_says_the_same_as_toml(atlas: TinyAtlas) -> None:
    atlas.label(LABELS)
    first = read_labels([atlas.folder / "labels"], atlas.config().checkpoint)
    atlas.label("", "tiny.toml").unlink()
    label = {"layer": "mixed4a", "label": "Curve, left", "family": "Curves", "confidence": "published", "source": 0}
    data = {
        "checkpoint": CHECKPOINT,
        "sources": [{"title": "A Post on Curves", "url": "https://post.example/curves", "license": "CC BY 4.0"}],
        "labels": [
            *({**label, "channel": n, "anchor": "left"} for n in (0, 1, 12, 40)),
            {"unit": "conv2d0:3", "label": "Edge", "confidence": "low", "source": 0},
        ],
    }
    atlas.label(json.dumps(data), "tiny.json")
    assert read_labels([atlas.folder / "labels"], atlas.config().checkpoint) == first


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"conv2d0:3"', '"conv2d0:64"', "tiny.toml:18: conv2d0 has channels 0 to 63, not 64"),
        ('"mixed4a:0-1,12,40"', '"mixd4a:0"', "tiny.toml:10: no layer in “mixd4a:0”"),
        ('"low"\nsource = "post"', '"low"', "tiny.toml:17: the label of conv2d0:3 has no source"),
        ('confidence = "low"\nsource = "post"', 'confidence = "low"\nsource = "pots"', "“source” is one of post"),
        ('"low"', '"lwo"', "tiny.toml:20: no confidence “lwo”: did you mean low?"),
        ('label = "Edge"', 'lable = "Edge"', "tiny.toml:19: no key “lable” in [labels]: did you mean label?"),
        ('label = "Edge"', 'label = " "', "tiny.toml:19: label = ' ': must be one line of 1 to 120"),
        ('label = "Edge"', 'label = "a\\nb"', "tiny.toml:19: label = 'a\\nb': must be one line"),
        ('"Curves"', '"???"', "tiny.toml:12: the family “???” cannot be an address"),
        ('anchor = "left"', 'anchor = "a b"', "tiny.toml:15: anchor = 'a b': must be of letters"),
        ("https://post.example/curves", "javascript:alert(1)",
         "tiny.toml:6: url = 'javascript:alert(1)': must be an address"),
        ('title = "A Post on Curves"', 'title = ""', "tiny.toml:5: title = '': must be what a reader would look for"),
        (f'checkpoint = "{CHECKPOINT}"', 'checkpoint = "bvlc"', "tiny.toml:2: no checkpoint “bvlc”"),
        ("[[labels]]", "[labels", "not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_and_line(atlas: TinyAtlas, before: str, after: str, says: str) -> None:
    assert before in LABELS
    atlas.label(LABELS.replace(before, after))
    with pytest.raises(UsageError) as caught:
        build(atlas.config())
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("family", "says"),
    [
        ("Index", "tiny.toml:20: the family “Index” cannot be an address"),
        ("Cur-ves!", "tiny.toml:20: the families “Cur-ves!” and “Cur ves” would have one address"),
    ],
)
def test_families_have_addresses_of_their_own(atlas: TinyAtlas, family: str, says: str) -> None:
    text = LABELS.replace('"Curves"', '"Cur ves"')
    atlas.label(text.replace('label = "Edge"', f'label = "Edge"\nfamily = "{family}"'))
    with pytest.raises(UsageError, match=re.escape(says)):
        build(atlas.config())


@pytest.mark.parametrize("hidden", ["\u202e", "\u2028", "\u2066", "\x07"])
def test_what_cannot_be_seen_is_no_part_of_a_name(atlas: TinyAtlas, hidden: str) -> None:
    atlas.label(LABELS.replace('"Edge"', json.dumps(f"a{hidden}b")))
    with pytest.raises(UsageError, match=r"tiny\.toml:19: label = .*: must be one line"):
        build(atlas.config())
    atlas.label(LABELS.replace("Edge", "دو\u200cلبه 👩\u200d🔬"))
    build(atlas.config())


def test_a_list_in_one_piece_names_lines_too(atlas: TinyAtlas) -> None:
    head = LABELS.split("[sources.post]")[0]
    atlas.label(
        f'{head}labels = [\n {{ unit = "mixed4a:1", label = "A", confidence = "eye", source = "post" }},\n'
        ' { unit = "mixed4z:0", label = "A", confidence = "eye", source = "post" },\n]\n'
        '[sources.post]\ntitle = "A Post"\n'
    )
    with pytest.raises(UsageError, match=r"tiny\.toml:6: no layer in “mixed4z:0”"):
        build(atlas.config())


def test_a_mistake_in_json_names_its_line(atlas: TinyAtlas) -> None:
    source = '{"title": "A", "url": "https://a.example/"}'
    text = f'{{\n "checkpoint": "{CHECKPOINT}",\n "sources": [\n  {source}\n ],\n "labels": [\n'
    good = '  {"unit": "mixed4a:1", "label": "A", "confidence": "eye", "source": 0}'
    for bad, says in (
        (good.replace('"source": 0', '"source": 1'), "tiny.json:8: the label of mixed4a:1 has no source"),
        (good.replace("mixed4a:1", "mixed4a:512"), "tiny.json:8: mixed4a has channels 0 to 511"),
        ('  "mixed4a:1"', "tiny.json:8: labels[1] = 'mixed4a:1': must be a label"),
    ):
        atlas.label(f"{text}{good},\n{bad}\n ]\n}}\n", "tiny.json")
        with pytest.raises(UsageError) as caught:
            build(atlas.config())
        assert says in str(caught.value)
    atlas.label(text + '"\\ud800"\n ]\n}\n', "tiny.json")
    with pytest.raises(UsageError, match=r"tiny\.json:7: a text in it has half a character"):
        build(atlas.config())
    atlas.label("[" * 100_000, "tiny.json")
    with pytest.raises(UsageError, match="not JSON"):
        build(atlas.config())


def test_names_of_other_weights_are_not_shown_here(atlas: TinyAtlas) -> None:
    """Neither those of another checkpoint, nor those of other weights that go by the same name."""
    atlas.label(LABELS.replace(CHECKPOINT, "inception5h"))
    atlas.label(f'fingerprint = "{CHECKPOINTS[CHECKPOINT].fingerprint}"\n{LABELS}', "known.toml")
    build(atlas.config())
    for address in (f"{CHECKPOINT}/mixed4a/12.html", f"{CHECKPOINT}/mixed4a/index.html", "static/units.js"):
        assert "Curve, left" not in page(atlas, address)


def test_the_names_of_the_literature_come_with_the_package_for_one_checkpoint_alone() -> None:
    config = load_config(Path(__file__).parent.parent / "atlas.toml")
    labels = read_labels([package_folder("labels")], config.checkpoint)
    ours, theirs = labels[CHECKPOINT], labels["inception5h"]
    assert len(theirs.of) == 1372
    (curve, *_) = theirs.of[Unit("mixed3b", 379)]
    assert (curve.name, curve.source.license) == ("Curve detector", "CC BY 4.0")
    assert all(
        label.source.license == "CC BY 4.0"
        for x in theirs.of.values()
        for label in x
        if "Distill" in label.source.title
    )
    assert {label.confidence for x in ours.of.values() for label in x} == {"photographs", "eye"}
    assert len(ours.of) > 1600


def test_a_name_changed_is_a_site_changed(atlas: TinyAtlas) -> None:
    atlas.label(LABELS)
    build(atlas.config())
    atlas.label(LABELS.replace("Curve, left", "Curve, right"))
    assert build(atlas.config()).written > 0
    assert "Curve, right" in page(atlas, f"{CHECKPOINT}/mixed4a/12.html")


def test_a_link_to_nothing_is_reported_and_the_rest_is_built(atlas: TinyAtlas) -> None:
    """An editor's lock file is such a link, and so is a link to a file that was moved."""
    atlas.label("\ufeff" + LABELS)
    (atlas.folder / "labels/.#tiny.toml").symlink_to("me@host.123:456")
    (atlas.folder / "labels/gone.json").symlink_to("moved.json")
    (atlas.folder / "labels/loop.toml").symlink_to("loop.toml")
    (atlas.folder / "templates").symlink_to("moved")
    warnings = build(atlas.config()).warnings
    assert [w.split()[0].rpartition("/")[2] for w in warnings if "is a link to nothing" in w] == [
        ".#tiny.toml",
        "gone.json",
        "loop.toml",
        "templates",
    ]
    assert (atlas.site / CHECKPOINT / "families/curves.html").is_file()


def test_text_that_is_not_utf8_says_so(atlas: TinyAtlas) -> None:
    atlas.label("", "tiny.toml").write_bytes(LABELS.encode("utf-16"))
    with pytest.raises(UsageError, match=r"tiny\.toml cannot be read: it is not UTF-8 \(byte 0\); save it as UTF-8"):
        read_labels([atlas.folder / "labels"], atlas.config().checkpoint)


def test_names_of_directions_hold_for_one_set_of_vectors(tmp_path: Path) -> None:
    """Those of a set that is not there, or has other vectors, are left out: their numbers are other directions."""
    vectors = np.eye(3, 508, dtype=np.float32)
    found = Directions("mixed4a", "some", 3, vectors)
    text = (
        f'checkpoint = "{CHECKPOINT}"\nsources = {{ me = {{ title = "Me" }} }}\n'
        f'directions = {{ "mixed4a@some" = "{found.checksum()}" }}\n'
        'labels = [{ unit = "mixed4a@some:2", label = "Third", confidence = "eye", source = "me" },'
        ' { unit = "mixed4a:2", label = "Channel", confidence = "eye", source = "me" }]\n'
    )
    (tmp_path / "names.toml").write_text(text)

    def names(*directions: Directions) -> set[str]:
        net = replace(CHECKPOINTS[CHECKPOINT].architecture, directions=directions)
        read = read_labels([tmp_path], lambda name: CheckpointConfig(name, net))
        return {label.name for labels in read[CHECKPOINT].of.values() for label in labels}

    assert names(found) == {"Third", "Channel"}
    assert names() == {"Channel"}
    assert names(replace(found, vectors=vectors[::-1])) == {"Channel"}
