"""What `atlas cite` says of a document, and what an atlas says of itself in one: nothing of it is obeyed anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from citing import BASE, PAGE, N, tiny_to_cite
from markdown_it import MarkdownIt

from generator.cite.document import cite
from generator.core.atomic import replace_file
from generator.core.errors import AtlasError
from generator.links.quoting import Citation
from generator.reader.atlas import Atlas

OLD = "https://microscope.openai.com/models/inceptionv1/mixed4a_0/11"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_to_cite(tmp_path_factory.mktemp("atlas")).site


@pytest.fixture(scope="module")
def atlas(site: Path) -> Atlas:
    return Atlas.open(site)


@pytest.mark.parametrize(
    "address",
    [
        OLD.replace("microscope.openai.com", "github.com/a/b/blob/main"),
        OLD.replace("microscope.openai.com", "example.net"),
        f"https://web.archive.org/web/2021/{OLD}",
        "https://x.org/inceptionv1-weight-explorer/mixed4a_11.html",
        "../models/inceptionv1/mixed4a_0/11",
        "/models/inceptionv1/mixed4a_0/11",
        f"https://x.org/?u={OLD}",
    ],
)
def test_what_lies_elsewhere_is_not_the_old_site(atlas: Atlas, address: str) -> None:
    text = f"[a]({address}) <a href='{address}'>b</a>"
    cited = cite(text, "markdown", atlas)
    assert (cited.text, cited.problems, cited.notes) == (text, (), ())


def test_the_old_sites_are_known_by_their_hosts(atlas: Atlas) -> None:
    new = f"[a]({BASE}inception5h/mixed4a/11.html)"
    explorer = "inceptionv1-weight-explorer/mixed4a_11.html"
    for address in (
        OLD.replace("https:", ""), OLD.replace("https://", "http://www."), OLD.upper().replace("/MODELS", "/models"),
        f"https://storage.googleapis.com/distill-circuits/{explorer}", f"https://distill.pub/2020/circuits/{explorer}",
    ):  # fmt: skip
        address = address.replace("INCEPTIONV1/MIXED4A_0", "inceptionv1/mixed4a_0")
        assert cite(f"[a]({address})", "markdown", atlas).text == new, address


HOSTILE = Citation("T {{ site.github }} {% include x.html %} <b> [a](b) $x$", "", "k", "<script>xx")


def test_the_title_and_date_of_an_atlas_are_text_in_every_note(atlas: Atlas) -> None:
    quoted = atlas[N].quoted
    for note in (HOSTILE.markdown_note(quoted), HOSTILE.html_note(quoted), HOSTILE.markdown_link(quoted)):
        assert not any(active in note for active in ("{{", "{%", "<b>", "<script", "[a]", "$x"))
    html = MarkdownIt("commonmark").render(HOSTILE.markdown_note(quoted))
    assert "T {{ site.github }} {% include x.html %} &lt;b&gt; [a](b) $x$, mixed4a:9 of bvlc_googlenet</a>" in html
    strange = replace(HOSTILE, date="}\\input{a}%_")
    assert "\\input" not in strange.bibtex(quoted)
    assert "\\}\\textbackslash{}" in strange.bibtex(quoted)


def test_reports_have_no_control_characters_whatever_they_are_of(atlas: Atlas) -> None:
    text = f"[a](<{OLD[:-3]}/9\x1b]0;pwn\x07>) [b](<{OLD[:-3]}\x1b[31m/x>) [[4a:9999\x1b]] [[4a:9|\x1b]]"
    cited = cite(text, "markdown", atlas)
    said = [remark.text for remark in (*cited.problems, *cited.notes)]
    assert len(said) >= 3
    assert all(line.isprintable() for line in said)


def test_what_stays_in_brackets_is_told(atlas: Atlas) -> None:
    assert "no layer in “mixed4a@no:17”" in cite("[[mixed4a@no:17]]", "markdown", atlas).problems[0].text
    text = "[[4a:82|text]] [[mixed4a:0-9]] [[mixed4a]]\n\n[[4a:1,2]] [[Page|4a:9]] [[mixed]] [[a:1-2]] [[mixed4a@sae]]"
    cited = cite(text, "markdown", atlas)
    assert (cited.text, cited.problems) == (text, ())
    assert [(note.line, note.text[:26]) for note in cited.notes] == [
        (1, "[[4a:82|text]] has a text "), (1, "“mixed4a:0-9” names 10 uni"), (1, "“mixed4a” names 512 units "),
        (3, "“4a:1,2” names 2 units whe"), (3, "no layer in “mixed4a@sae” "),
    ]  # fmt: skip


# notebooks


def cell(source: str) -> str:
    return f'{{"cells": [{{"cell_type": "markdown", "source": {source}}}], "nbformat": 4}}'


@pytest.mark.parametrize(
    "source",
    [
        r'"é \ud800 mixed4a:9\n\u003c \u00e9 é \/"',
        r'["é \ud800 mixed4a:9\n", "\u003c \ud83d\ude00"]',
        r'"\u003cb> mixed4a:9 \uD83D\uDE00 \\u003c \u006e\n\u003c"',
        '"\\ud800 mixed4a:9"',
    ],
)
def test_a_notebook_keeps_its_escapes(atlas: Atlas, source: str) -> None:
    cited = cite(cell(source), "notebook", atlas).text
    assert cited.encode()
    assert cited == cell(source.replace(N, f"[{N}]({PAGE})"))


def test_a_notebook_may_have_a_byte_order_mark(atlas: Atlas) -> None:
    assert cite("\ufeff" + cell(f'"{N}"'), "notebook", atlas).text == "\ufeff" + cell(f'"[{N}]({PAGE})"')


def test_many_cells_with_problems_take_no_longer_than_they_are(atlas: Atlas) -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["mixed4a:9999"]}] * 10_000
    start = time.process_time()
    assert len(cite(json.dumps({"cells": cells}, indent=1), "notebook", atlas).problems) == 10_000
    assert time.process_time() - start < 60, "seconds of this processor; it takes about one"


# files


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.md"
    path.write_text("before")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda *_: False)  # as anyone but root is told
    with pytest.raises(AtlasError, match=r"a.md cannot be written: it is read-only; type `chmod u\+w"):
        replace_file(path, b"after")
    assert path.read_text() == "before"


def test_a_file_is_on_the_disk_before_it_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    put = os.replace

    def replaced(*names: str) -> None:
        done.append("replace")
        put(*names)

    monkeypatch.setattr(os, "fsync", lambda _: done.append("fsync"))
    monkeypatch.setattr(os, "replace", replaced)
    (tmp_path / "a.md").write_text("before")
    replace_file(tmp_path / "a.md", b"after")
    assert done[:2] == ["fsync", "replace"]


# the filter for Pandoc, without Pandoc


def filtered(tree: object, site: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "generator.cite.pandoc", "html"], input=json.dumps(tree), capture_output=True,
        encoding="utf-8", env={**os.environ, "ATLAS": str(site)},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("tree", [[], 5, {}, {"blocks": []}, {"meta": {}, "blocks": 5}, {"meta": [], "blocks": []}])
def test_pandoc_filter_is_given_something_else(site: Path, tree: object) -> None:
    assert filtered(tree, site) == (
        2, "", "atlas: this is a filter for Pandoc; type `pandoc post.md --filter atlas-pandoc`\n"
    )  # fmt: skip


def test_pandoc_filter_counts_in_english(site: Path) -> None:
    words = [{"t": "Str", "c": word} for word in (N, "mixed4a:9999")]
    raw = [{"t": "RawInline", "c": ["html", tag]} for tag in ("<d-code>", "</d-code>")]
    inlines = [words[0], {"t": "Space"}, words[1], raw[0], words[0], raw[1]]
    code, out, err = filtered({"meta": {}, "blocks": [{"t": "Para", "c": inlines}]}, site)
    assert (code, out.count(PAGE)) == (0, 1)
    assert err.splitlines()[-1] == "atlas: 1 reference right, 1 problem"
