"""A sample post with references of every kind, a page, a paper and a notebook: what becomes of them, and stays."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import re
from pathlib import Path

import pytest
from citing import BASE, DATA, HOSTILE, as_kept, atlas_to_cite, spelled_out, tiny_to_cite
from markdown_it import MarkdownIt

from generator.cite.document import CitedDocument, cite
from generator.cite.files import KINDS
from generator.cite.mentions import Language
from generator.cite.writing import FORMATS, Format
from generator.core.errors import UsageError
from generator.core.views import views_of
from generator.reader.atlas import Atlas

WRITE = bool(os.environ.get("WRITE_SNAPSHOTS"))
SAMPLES = ("post.md", "page.html", "paper.tex", "notes.ipynb")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas_to_cite(tmp_path_factory.mktemp("atlas"))


def sample(name: str, atlas: Atlas) -> tuple[str, Language]:
    return spelled_out((DATA / name).read_text(encoding="utf-8"), atlas), KINDS[Path(name).suffix]


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_come_out_as_they_were_looked_at_and_stay(atlas: Atlas, name: str, to: Format) -> None:
    text, kind = sample(name, atlas)
    cited = cite(text, kind, atlas, to=to)
    kept = DATA / "cited" / f"{to}-{name}"
    if WRITE:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(as_kept(cited.text, atlas), encoding="utf-8")
    assert as_kept(cited.text, atlas) == kept.read_text(encoding="utf-8"), "look at it; if it is right: make snapshots"
    assert cited.problems == ()
    again = cite(cited.text, kind, atlas, to=to)
    assert (again.text, again.written, again.problems) == (cited.text, 0, ())
    assert again.notes == cited.notes
    assert [note.text.partition(" names ")[2][:42] for note in cited.notes if "left alone" not in note.text] == (
        [] if kind == "notebook" else ["a unit of inceptionv1_caffe_places365, and"]
    )


def test_the_post_has_more_than_thirty_references_and_every_one_is_right(atlas: Atlas) -> None:
    """What a reader of the finished page clicks: each leads to the unit that was meant, in the right checkpoint."""
    text, kind = sample("post.md", atlas)
    cited = cite(text, kind, atlas)
    assert (cited.count, cited.written) == (43, 37)
    html = MarkdownIt("commonmark").enable("table").render(cited.text)
    links = re.findall(r'<a href="https?://example.org/atlas/([^"]*)"[^>]*>(.*?)</a>', html)
    assert len(links) == 42  # CommonMark makes no link of the address that is ours and bare
    for address, said in links:
        if named := re.fullmatch(r"(\w+):(\d+)", said):
            assert f"/{named[1]}/{named[2]}.html" in address, (address, said)
    spelled = {said: address.removesuffix(".html") for address, said in links}
    assert spelled["a famous curve"] == spelled["the curve"] == "inception5h/mixed4a/11"
    assert spelled["a channel of a branch"] == "inception5h/mixed4a/197"
    assert spelled["the gallery of 2016"] == "inception5h/mixed4a/index.html#3x3"
    assert spelled["379"] == "inception5h/mixed3b/379"
    assert "mixed4a:11" not in {said for address, said in links if address.startswith("bvlc")}


def test_names_that_are_not_meant_stay(atlas: Atlas) -> None:
    """Front matter, code of every kind, comments and wiki links of the sample are there to the letter."""
    text, kind = sample("post.md", atlas)
    cited = cite(text, kind, atlas, to="chip").text
    assert cited.startswith(text[: text.index("# Looking")])
    assert cited.endswith(text[text.index("## Code") :])
    for kept in ("[[Some page]], [[2024]] and [[3d models]]", "`mixed4a:9` in code"):
        assert kept in cited


def test_what_an_atlas_says_of_itself_stays_text(atlas: Atlas) -> None:
    """A label with markup of four languages, a title with brackets: nothing of them is read as markup anywhere."""
    md = MarkdownIt("commonmark").enable("table")
    for to in FORMATS:
        html = md.render(cite("| mixed4a:12 |\n|---|\n| `` ` `` mixed4a:12 |\n", "markdown", atlas, to=to).text)
        assert "<script" not in html
        assert html.count("<td>") == 1, html
        assert "<code>`</code>" in html
    chip = cite("mixed4a:12", "html", atlas, to="chip").text
    assert chip.count('"') == 16  # eight attributes, and nothing that ends one
    assert "{{" not in chip
    assert HOSTILE not in chip


@pytest.mark.parametrize("to", FORMATS)
def test_a_file_keeps_every_byte_that_is_no_reference(atlas: Atlas, to: Format) -> None:
    """Line ends of either system, trailing spaces, tabs, a byte-order mark: where it has them."""
    text = "\ufeff---\r\ntitle: x\r\n---\r\nLike mixed4a:9,  \r\nlast\r\n\r\n\tcode mixed4a:9\r\n\r\n"
    text += "* \tmixed4a:12\x0c\u2028."
    cited = cite(text, "markdown", atlas, to=to).text
    assert "\r\n" in cited
    assert "\n" not in cited.replace("\r\n", "")
    new = cite("mixed4a:9", "markdown", atlas, to=to).text.split("\n")[0]
    newer = cite("mixed4a:12", "markdown", atlas, to=to).text.split("\n")[0]
    body = text.replace("Like mixed4a:9", f"Like {new}").replace("\tmixed4a:12", f"\t{newer}")
    assert cited.startswith(body)
    assert (cited == body) == (to != "footnote")


def test_another_checkpoint_is_only_taken_for_itself(atlas: Atlas, tmp_path: Path) -> None:
    """An address of inceptionv1 in an atlas that has Caffe's weights alone: said, with its line, and left."""
    tiny = tiny_to_cite(tmp_path)
    tiny.toml(('title = "Tiny Atlas"', f'title = "Caffe alone"\nurl = "{BASE}"'))
    from generator.publish.build import build

    build(tiny.config())
    alone = Atlas.open(tiny.site)
    old = "https://microscope.openai.com/models/inceptionv1/mixed4a_0/12"
    explorer = "https://distill.pub/2020/circuits/inceptionv1-weight-explorer/mixed4a_12.html"
    text = f"[a]({old})\n<{old}>\n{explorer}\n[[{old}]]\n[[inception5h/4a:12]] inception5h/mixed4a:12\n"
    cited = cite(text, "markdown", alone)
    assert cited.text == text
    assert (cited.count, cited.problems) == (0, ())
    assert [note.line for note in cited.notes] == [1, 2, 3, 4, 5, 5]
    assert all("inception5h" in note.text and "bvlc_googlenet" in note.text for note in cited.notes)
    there = cite(text.replace("12", "11"), "markdown", atlas)
    assert there.count == 6
    assert there.text.count(f"{BASE}inception5h/mixed4a/11.html") == 6


def test_a_checkpoint_may_be_named_for_names_without_one(atlas: Atlas) -> None:
    text = "mixed4a:5 [[4a:197]] [[bvlc_googlenet/4a:9]]"
    cited = cite(text, "markdown", atlas, checkpoint="inception5h")
    assert re.findall(r"atlas/(\S+)\.html", cited.text) == [
        "inception5h/mixed4a/5",
        "inception5h/mixed4a/197",
        "bvlc_googlenet/mixed4a/9",
    ]
    assert len(cite(text, "markdown", atlas).problems) == 2
    with pytest.raises(UsageError, match="did you mean inception5h"):
        cite(text, "markdown", atlas, checkpoint="inception5")


@pytest.mark.parametrize("kind", ["markdown", "html"])
@pytest.mark.parametrize("to", FORMATS)
def test_a_view_of_a_unit_is_linked_and_shown_as_that(atlas: Atlas, kind: Language, to: Format) -> None:
    quoted = atlas["mixed4a:9 neuron"].quoted
    cited = cite("[[4a:9 Neuron]] [[bvlc_googlenet/mixed4a 9 neuron]] [[4a:9 channel]]", kind, atlas, to=to)
    assert cited.problems == ()
    links = re.findall(rf"{BASE}bvlc_googlenet/mixed4a/9.html(#[\w-]+)?", cited.text)
    if to == "link":
        assert links == ["#view-neuron", "#view-neuron", ""]
    else:
        assert quoted.exact.partition("#")[2] in {link[1:] for link in links}
    assert cited.text.count(quoted.thumbnail) == (2 if to in ("chip", "markdown") else 0)
    again = cite(cited.text, kind, atlas, to=to)
    assert (again.text, again.written, again.problems) == (cited.text, 0, ())


def test_a_view_that_is_not_there_is_told_with_those_that_are(atlas: Atlas) -> None:
    nowhere = f"{BASE}bvlc_googlenet/mixed4a/12.html#view-neuron"
    said = problems(f"[[4a:9 nuron]] [[4a:12 neuron]] [x]({nowhere})", atlas)
    assert said == [
        f"mixed4a:9 has no view “nuron”; its views are {', '.join(views_of('mixed4a'))}",
        "mixed4a:12 of bvlc_googlenet is not rendered by the view neuron in this atlas",
        f"{nowhere} leads nowhere: mixed4a:12 of bvlc_googlenet is not rendered by the view neuron in this atlas",
    ]
    assert problems(f"[]({BASE}bvlc_googlenet/mixed4a/9.html#view-neuron-x)", atlas)
    assert problems(f"![]({BASE}bvlc_googlenet/mixed4a/9-negative.webp)", atlas)
    assert cite(f"[x]({BASE}bvlc_googlenet/mixed4a/9-neuron.webp)", "markdown", atlas).count == 1


def test_an_atlas_that_was_never_published_cannot_be_linked(tmp_path: Path) -> None:
    from tiny import tiny_atlas

    from generator.publish.build import build

    tiny = tiny_atlas(tmp_path)
    build(tiny.config())
    with pytest.raises(UsageError, match=r"set url in atlas.toml and type `atlas build`, or name .* --atlas https"):
        cite("mixed4a:9", "markdown", Atlas.open(tiny.site))


def problems(text: str, atlas: Atlas, kind: Language = "markdown") -> list[str]:
    cited: CitedDocument = cite(text, kind, atlas)
    assert cited.text == text, "what is wrong is not written"
    return [problem.text for problem in cited.problems]


def test_units_that_do_not_exist_are_told(atlas: Atlas) -> None:
    cited = cite("mixed4a:9\n\nmixed4a:9999 and [[9z:1]]\n[[4a:13]] [[mixed4a 600]]\n", "markdown", atlas)
    assert [(problem.line, problem.text[:46]) for problem in cited.problems] == [
        (3, "mixed4a has channels 0 to 511, not 9999; the n"),
        (3, "no layer in “9z:1” (bvlc_googlenet): did you m"),
        (4, "mixed4a:13 of bvlc_googlenet is not rendered i"),
        (4, "mixed4a has channels 0 to 511, not 600; the ne"),
    ]
    for other in ("mixed4a@9_plus_12:0 of", "output:7 of"):
        told = problems("[[4a:9+4a:12]] [[output:7]]", atlas)
        assert any(each.startswith(f"{other} bvlc_googlenet is not rendered") for each in told)
    old = "https://microscope.openai.com/models/inceptionv1/mixed4a_0"
    assert "not rendered" in problems(f"[a]({old}/12)", atlas)[0]
    assert "not 9999" in problems(f"<{old}/9999>", atlas)[0]
    assert "mixed5b" in problems("<https://storage.googleapis.com/x/tensorflow_inception/mixed5b.html>", atlas)[0]


@pytest.mark.parametrize(
    "address",
    [
        "bvlc_googlenet/mixed4a/13.html",
        "bvlc_googlenet/mixed4a/9999.jpg",
        "bvlc_googlenet/mixed4a/13.webp",
        "bvlc_googlenet/mixed4a/13.json",
        "embed/bvlc_googlenet/mixed4a/13.html?size=112",
        "bvlc_googlenet/mixed9z/9.html",
        "untrained/mixed4a/9.html",
        "bvlc_googlenet/mixed4b/",
        "bvlc_googlenet/mixed4b/index.html#3x3",
        f"store/ab/{'c' * 62}.{'d' * 16}.webp",
        f"store/ab/{'c' * 62}.json",
    ],
)
def test_links_of_ours_that_lead_nowhere_are_told(atlas: Atlas, address: str) -> None:
    for text in (f"[a]({BASE}{address})", f"![a]({BASE}{address})", f'<img src="{BASE}{address}">', BASE + address):
        assert len(problems(text, atlas)) == 1, text
    assert len(problems(f"\\href{{{BASE}{address}}}{{a}}".replace("#", r"\#"), atlas, "latex")) == 1


def test_links_of_ours_that_hold_are_never_changed(atlas: Atlas) -> None:
    """Not even to the form that is asked for, nor from http to https."""
    unit = atlas["mixed4a:9"]
    good = [
        atlas["mixed4a:9 neuron"].url, atlas["mixed4a:9 neuron"].quoted.card, atlas["mixed4a:9 neuron"].quoted.embed,
        unit.url, unit.quoted.exact, unit.quoted.embed, unit.quoted.card, unit.quoted.thumbnail, BASE + unit.picture,
        BASE + unit.thumbnail, f"{unit.url}#other", f"{BASE}bvlc_googlenet/mixed4a/", unit.url.replace("https", "http"),
        f"{BASE}bvlc_googlenet/mixed4a/9", unit.url.replace("example.org", "EXAMPLE.org"),
    ]  # fmt: skip
    other = [
        BASE,
        f"{BASE}about.html",
        f"{BASE}bvlc_googlenet/",
        f"{BASE}blog/2024/11.html",
        "https://example.org/",
        "",
    ]
    text = "".join(f"[a]({address})\n<{address or 'x:y'}>\n" for address in good + other)
    cited = cite(text, "markdown", atlas, to="chip")
    assert (cited.text, cited.problems, cited.count) == (text, (), 2 * len(good))


def test_pictures_that_changed_are_told(tmp_path: Path) -> None:
    """The unit is rendered again: whoever linked exactly the picture of before is told, who linked the unit is not."""
    from generator.core.units import Unit
    from generator.publish.build import build

    tiny = tiny_to_cite(tmp_path)
    before = Atlas.open(tiny.site)["mixed4a:9"]
    text = (
        f"[page]({before.url}) [exact]({before.quoted.exact})\n\n![shown]({BASE}{before.picture})\n"
        f'\n<img src="{BASE}{before.thumbnail}">\n\n[^x]: {before.quoted.exact}\n'
    )
    assert cite(text, "markdown", Atlas.open(tiny.site)).problems == ()
    tiny.answer(Unit("mixed4a", 9), seed=77, force=True)
    tiny.toml(('title = "Tiny Atlas"', f'title = "Tiny Atlas"\nurl = "{BASE}"'))
    build(tiny.config())
    after = Atlas.open(tiny.site)
    cited = cite(text, "markdown", after)
    assert cited.text == text
    assert [problem.line for problem in cited.problems] == [1, 3, 5, 7]
    assert all(problem.text.startswith("the picture of mixed4a:9 has changed since") for problem in cited.problems)
    assert after["mixed4a:9"].picture in cited.problems[1].text
    assert after["mixed4a:9"].thumbnail in cited.problems[2].text


def test_exactly_one_picture_by_another_recipe_is_linked_in_the_store(tmp_path: Path) -> None:
    """It is kept for ever, so the link is right; a hash that no record has is not."""
    from generator.core.units import Unit

    tiny = tiny_to_cite(tmp_path)
    record = tiny.answer(Unit("mixed4a", 9), view="negative", seed=5)
    kept = f"{BASE}store/{record.picture.name}"
    text = f"![a]({kept}) [b]({BASE}store/{record.key[:2]}/{record.key[2:]}.json)"
    atlas = Atlas.open(tiny.site)
    assert (cite(text, "markdown", atlas).problems, cite(text, "markdown", atlas).text) == ((), text)
    (problem,) = cite(f"![a]({kept.replace(record.picture.sha256[:16], '0' * 16)})", "markdown", atlas).problems
    assert "leads nowhere: the atlas keeps no such picture" in problem.text


@pytest.mark.parametrize(
    "name",
    ["files", "latex", "markdown", "markup", "mentions", "templates", "writing"],
)  # fmt: skip
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"generator.cite.{name}")).failed == 0


def test_the_samples_are_what_they_say() -> None:
    """A notebook that is one, and a post with its thirty references before anything is written."""
    assert json.loads((DATA / "notes.ipynb").read_text())["nbformat"] == 4
    assert len(re.findall(r"mixed\d\w|\[\[\w", (DATA / "post.md").read_text())) > 60
