"""The same in a blog's own build: Python-Markdown and Pandoc themselves, not something like them."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import markdown
import pytest
from citing import BASE, DATA, PAGE, N, spelled_out, tiny_to_cite

from generator.cite.document import cite
from generator.cite.python_markdown import AtlasExtension
from generator.cite.writing import FORMATS, Format
from generator.core.errors import UsageError
from generator.reader.atlas import Atlas

OLD = "https://microscope.openai.com/models/inceptionv1/mixed4a_0/11"
NEW = f"{BASE}inception5h/mixed4a/11.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_to_cite(tmp_path_factory.mktemp("atlas")).site


# Python-Markdown


def test_python_markdown_links_what_a_post_names(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    text = f"Like **mixed4a:9**, `mixed4a:9`, mixed4a:9999 and [x]({OLD}).\n\n    mixed4a:9\n\n```\nmixed4a:9\n```\n"
    html = markdown.markdown(text, extensions=["fenced_code", AtlasExtension(atlas=str(site))])
    assert html.startswith(
        f'<p>Like <strong><a href="{PAGE}">mixed4a:9</a></strong>, <code>mixed4a:9</code>, mixed4a:9999 and '
        f'<a href="{NEW}">x</a>.</p>'
    )
    assert html.count("<a ") == 2
    assert [(r.levelname, r.getMessage()[:39]) for r in caplog.records if r.name.startswith("inception")] == [
        ("WARNING", "line 1: mixed4a has channels 0 to 511, ")
    ]


@pytest.mark.parametrize("to", FORMATS)
def test_python_markdown_says_what_the_command_says(site: Path, to: Format) -> None:
    """The whole sample: a build with the extension is the build of what `atlas cite` writes, but for a backslash, which
    HTML does not have."""
    atlas = Atlas.open(site)
    text = spelled_out((DATA / "post.md").read_text(encoding="utf-8"), atlas).replace("\\[[4a:9]]", "")
    extensions = ["footnotes", "tables", "fenced_code", "meta"]
    extension = AtlasExtension(atlas=str(site), to=to)
    html = markdown.markdown(text, extensions=[*extensions, extension])
    plain = markdown.markdown(cite(text, "markdown", atlas, to=to).text, extensions=extensions)
    if to in ("link", "chip"):
        assert html == plain
    links = [re.findall(rf'(?:href|src)="({BASE}[^"#]*)["#]', said) for said in (html, plain)]
    assert sorted(set(links[0])) == sorted(set(links[1]))
    if to == "footnote":
        assert html.count('<li id="fn-') == 15  # and the post's own, whose number is 1
        assert '<ol class="atlas-notes" start="2">' in html
        assert [html.count(f'">{number}</a></sup>') >= 1 for number in (1, 2, 16, 17)] == [True, True, True, False]
        assert "[^" not in html


def test_python_markdown_finds_the_extension_by_its_name_and_takes_its_options(site: Path) -> None:
    options = {
        "generator.cite.python_markdown:AtlasExtension": {"atlas": str(site), "to": "chip", "checkpoint": "inception5h"}
    }
    html = markdown.markdown("mixed4a:5", extensions=list(options), extension_configs=options)
    assert f'<a class="atlas-chip" href="{BASE}inception5h/mixed4a/5.html#p-' in html


def test_python_markdown_says_what_is_missing(site: Path) -> None:
    with pytest.raises(UsageError, match="set its option atlas to https://"):
        markdown.markdown("x", extensions=[AtlasExtension()])
    with pytest.raises(UsageError, match="did you mean chip"):
        markdown.markdown("x", extensions=[AtlasExtension(atlas=str(site), to="chips")])


# Pandoc


@pytest.fixture(scope="module")
def pandoc() -> str:
    pypandoc = pytest.importorskip("pypandoc", reason="needs pandoc: pip install pypandoc-binary")
    return str(pypandoc.get_pandoc_path())


def convert(pandoc: str, folder: Path, text: str, *options: str, **environment: str) -> tuple[int, str, str]:
    """What Pandoc makes of a text with the filter in between."""
    script = folder / "atlas-pandoc"
    script.write_text(f"#!{sys.executable}\nfrom generator.cite.pandoc import main\nmain()\n")
    script.chmod(0o755)
    done = subprocess.run(
        [pandoc, "--filter", str(script), "--wrap=none", *options], input=text, capture_output=True, encoding="utf-8",
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_pandoc_links_what_a_document_names(pandoc: str, site: Path, tmp_path: Path) -> None:
    text = (
        f"Like **mixed4a:9**, (mixed4a:9), [[mixed4a 3x3 8]], `mixed4a:9`, mixed4a:9999, [mixed4a:9]({OLD}), <{OLD}>\n"
        f"and [mixed4a:9](x) $mixed4a:9$ <a href='y'>mixed4a:9</a>.[^1]\n\n    mixed4a:9\n\n[^1]: Or mixed4a:9.\n"
    )
    code, html, err = convert(pandoc, tmp_path, text, "-t", "html", ATLAS=str(site))
    assert code == 0, err
    link = f'<a href="{PAGE}">mixed4a:9</a>'
    unit = f'<a href="{BASE}bvlc_googlenet/mixed4a/200.html">mixed4a:200</a>'
    assert f"<p>Like <strong>{link}</strong>, ({link}), {unit}, <code>mixed4a:9</code>, mixed4a:9999, " in html
    assert f'<a href="{NEW}">mixed4a:9</a>, <a href="{NEW}">mixed4a:11</a>' in html
    assert "<a href='y'>mixed4a:9</a>" in html
    assert f"Or {link}." in html
    assert html.count(link) == 3
    assert "<pre><code>mixed4a:9</code></pre>" in html
    assert err.splitlines() == [
        "atlas: mixed4a has channels 0 to 511, not 9999; the nearest is mixed4a:511",
        "atlas: 6 references right, 1 problem",
    ]


def test_pandoc_reads_every_kind_of_block(pandoc: str, site: Path, tmp_path: Path) -> None:
    """Whatever has lists without anything in them: attributes of headings and code, captions and columns of tables."""
    text = (
        f"# On {N} {{.a}}\n\n| {N} |\n|---|\n| {N} `{N}` |\n\n: Of {N}\n\nTerm {N}\n:   {N}\n\n> {N}\n\n1. {N}\n\n"
        f"::: note\n{N} [{N}]{{.b}}\n:::\n\n![Picture](x.png){{width=2}}\n\n| line {N}\n\n```\n{N}\n```\n\n[]{{}}\n"
    )
    code, html, err = convert(pandoc, tmp_path, text, "-t", "html", ATLAS=str(site))
    assert code == 0, err
    assert html.count(f'<a href="{PAGE}">{N}</a>') == 11, html
    assert html.count(f"<code>{N}</code>") == 2
    assert "atlas: 11 references right, 0 problems" in err


def test_pandoc_reads_its_options_in_the_document(pandoc: str, site: Path, tmp_path: Path) -> None:
    text = f"---\natlas:\n  open: {site}\n  to: chip\n  checkpoint: inception5h\n---\n\nmixed4a:5 there\n"
    code, html, err = convert(pandoc, tmp_path, text, "-t", "html", ATLAS="nowhere", ATLAS_TO="footnote")
    assert code == 0, err
    chip = (
        rf'<a href="{BASE}inception5h/mixed4a/5.html#p-\w{{8}}" class="atlas-chip" title="mixed4a:5 of inception5h:.*">'
        rf'<img src="{BASE}inception5h/mixed4a/5.webp" [^>]*width="21" height="21" ?/?> 4a:5</a> there'
    )
    assert re.search(chip, html), html


def test_pandoc_writes_footnotes_in_any_format(pandoc: str, site: Path, tmp_path: Path) -> None:
    """And none in a footnote; and none beside the one that a name has from `atlas cite`."""
    atlas = Atlas.open(site)
    cited = cite("mixed4a:9, mixed4a:9", "markdown", atlas, to="footnote").text.replace(
        ", mixed4a:9[^", ", mixed4a:12[^"
    )
    code, latex, err = convert(
        pandoc, tmp_path, f"{cited}\n\nmixed5b:3^[As mixed4a:1.]", "-t", "latex", ATLAS=str(site), ATLAS_TO="footnote"
    )
    assert code == 0, err
    plain = latex.replace("\n", " ")
    assert re.search(
        r"mixed4a:9\\footnote\{\\href\{[^}]*9.html\\#p-\w{8}\}\{Tiny\\_Atlas, 100\\% \{\[\}mixed4a:9\{\]\}, mix", plain
    )
    assert latex.count(r"\footnote{") == 5  # 9 has its own, 12 another's and its own, 3 its own and its author's
    assert rf"\footnote{{As \href{{{BASE}bvlc_googlenet/mixed4a/1.html}}{{mixed4a:1}}.}}" in plain


def test_pandoc_shows_pictures_that_a_format_can_show(pandoc: str, site: Path, tmp_path: Path) -> None:
    for target, ending in (("html", "webp"), ("latex", "jpg")):
        _, out, _ = convert(pandoc, tmp_path, "mixed4a:9", "-t", target, ATLAS=str(site), ATLAS_TO="markdown")
        assert f"{BASE}bvlc_googlenet/mixed4a/9.{ending}" in out


def test_pandoc_is_told_what_is_wrong(pandoc: str, site: Path, tmp_path: Path) -> None:
    atlas = Atlas.open(site)
    stale = f"[x]({PAGE}#p-00000000) ![y]({BASE}{atlas['mixed4a:9'].picture.replace('.', '.0')[:-6]}.webp)"
    foreign = "<https://microscope.openai.com/models/inceptionv1_caffe_places365/inception_4a_output_0/11>"
    code, _, err = convert(pandoc, tmp_path, f"{stale[: stale.index(' ')]} {foreign}", ATLAS=str(site))
    assert code == 0
    changed, note, count = err.splitlines()
    assert changed.startswith("atlas: the picture of mixed4a:9 has changed since")
    assert note.startswith("atlas: note: https://microscope.openai.com/models/inceptionv1_caffe_places365/")
    assert count == "atlas: 0 references right, 1 problem"
    code, out, err = convert(pandoc, tmp_path, "x", ATLAS="")
    assert (code != 0, out) == (True, "")
    assert "atlas: no atlas is named; set ATLAS=https://host/path/" in err


@pytest.mark.parametrize("to", FORMATS)
def test_pandoc_reads_what_the_command_writes(pandoc: str, site: Path, to: Format) -> None:
    """The samples, written by `atlas cite`, read by a program that knows the languages: every link is a link there."""
    atlas = Atlas.open(site)
    for name, reader in (("post.md", "gfm+footnotes"), ("page.html", "html"), ("paper.tex", "latex")):
        text = spelled_out((DATA / name).read_text(encoding="utf-8"), atlas)
        kind = {"gfm+footnotes": "markdown"}.get(reader, reader)
        cited = cite(text, kind, atlas, to=to)  # type: ignore[arg-type]
        done = subprocess.run(
            [pandoc, "-f", reader, "-t", "json"], input=cited.text, capture_output=True, encoding="utf-8", check=True
        )
        tree = json.dumps(json.loads(done.stdout)["blocks"])
        links = set(re.findall(rf"{BASE}(?:bvlc_googlenet|inception5h)/\w+/(?:\d+|index)\.html", tree))
        in_source = set(re.findall(rf"{BASE}(?:bvlc_googlenet|inception5h)/\w+/(?:\d+|index)\.html", cited.text))
        assert links == in_source, name
        if name == "paper.tex":
            text = re.sub(r"%[^\n]*|\\begin\{lstlisting\}.*?\\end", "", cited.text, flags=re.DOTALL)
            assert tree.count('"t": "Link"') == len(re.findall(r"\\(?:href|url)\{", text))
