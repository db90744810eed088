"""What is prose, link or code in each language: the corners in which a name must, or must not, become a reference."""

from __future__ import annotations

import json

import pytest
from citing import BASE, PAGE, N, atlas_to_cite, linked

from generator.cite.document import NotebookError, cite
from generator.reader.atlas import Atlas

OLD = "https://microscope.openai.com/models/inceptionv1/mixed4a_0/11"
EXPLORER = "https://storage.googleapis.com/distill-circuits/inceptionv1-weight-explorer/mixed4a_11.html"
NEW = f"{BASE}inception5h/mixed4a/11.html"


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas_to_cite(tmp_path_factory.mktemp("atlas"))


@pytest.mark.parametrize(
    "text",
    [
        "«»: «», («»); «». «»",
        "*«»* **«»** _«»_ __«»__ ~~«»~~ \"«»\" [«»]",
        "«»+«» «»,«» --«» …«»… 図«»は",
        "x° °x °9999999 °-12 °,12 °.html a.° a/°/b",
        "°:30 a:° pre-° °-like foo_° °_foo mixed9z:9 mixed4a_7x7:9 4a:9",
        "https://x.org/° x@° #° ?u=° \\° !° <°>",
        "`°` ``a ` °`` ``` «» `` `°` \\`«»\\`",
        "```\n°\n```\n«»\n~~~ py\n°\n```\n~~~~\n«»",
        "- «»\n\n      °\n\n  «»\n  ```\n  °\n  ```\n\n1. > «»\n   >\n   >     °",
        "«»\n\n\t°\n\n«»\n    «»",
        "«»\n```\n°\n\n°",
        "<!-- °\n\n° --> «»\n\na <!-- °\n° --> «»",
        "<pre>\n°\n\n°</pre>\n\n«» <code>°</code> <kbd>°</kbd> <b>«»</b>",
        '<p title="°">«»</p>\n\n<div>\n\n«»\n\n</div>\n\n<div>`°`</div>',
        "<script>\n°\n\n°\n</script>\n\n<svg>\n\n°\n\n</svg>\n\n«»",
        "1 < 2 <4 and «» > 3, a <b «»",
        "[°](x) [a **°** `b]`](x) [°][r] [°][] [r] ![°](x '°')\n\n[r]: x '°'\n[°]: y",
        "[«» [b](x)] [«»] (x) [a](x(y)z) [a](<x y> (°)) [[«»]",
        "{{ ° }} {% unit ° %} {{< unit \"°\" >}} {«»}",
        "| a | °x |\n|---|---|\n| «» | `°` |",
        "«»\n===\n\n## «» ##\n\n* * *\n\n«»\\\n«»",
        "---\nx: °\n---\n«»\n\n---\n\n«»\n\n---\n",
        "+++\nx = '°'\n+++\n\n«»",
        "[^1]: «»\n\n«»[^1] ![[4a:9]] \\[[4a:9]] [[4a:9]](x) [[a|°]]",
    ],
)  # fmt: skip
def test_markdown(atlas: Atlas, text: str) -> None:
    assert linked(text, "markdown", atlas) == text
    assert linked(text.replace("\n", "\r\n"), "markdown", atlas) == text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"[a]({OLD})", f"[a]({NEW})"),
        (f"[a](<{OLD}> 'mixed4a:9')", f"[a](<{NEW}> 'mixed4a:9')"),
        (f"[a](\n{OLD}\n(b))", f"[a](\n{NEW}\n(b))"),
        (f"[![a]({OLD}.png)]({OLD})", f"[![a]({OLD}.png)]({NEW})"),
        (f"![a]({OLD})", f"![a]({OLD})"),
        (f"[a][b]\n\n[B]: <{OLD}>\n  'c'\n[b]: {OLD}", f"[a][b]\n\n[B]: <{NEW}>\n  'c'\n[b]: {NEW}"),
        (f"> [a]\n>\n> [a]: {OLD}", f"> [a]\n>\n> [a]: {NEW}"),
        (f"[{OLD}]({OLD})", f"[mixed4a:11]({NEW})"),
        (f"[{OLD}](<{OLD}>) [{OLD}]( {OLD} )", f"[mixed4a:11]({NEW}) [mixed4a:11]({NEW})"),
        (f"[{OLD}]({OLD} 'a)b') [{OLD}][x]\n\n[x]: {OLD}", f"[{OLD}]({NEW} 'a)b') [{OLD}][x]\n\n[x]: {NEW}"),
        (f"<a href='{OLD}'>&#104;{OLD[1:]}</a>", f"<a href='{NEW}'>&#104;{OLD[1:]}</a>"),
        (f"<{OLD}?a=b&c#d>, {OLD}?a=b&c#d!", f"[mixed4a:11]({NEW}), [mixed4a:11]({NEW})!"),
        (f"({OLD}), (see {EXPLORER}).", f"([mixed4a:11]({NEW})), (see [mixed4a:11]({NEW}))."),
        (f"**{OLD}** *{OLD}*", f"**[mixed4a:11]({NEW})** *[mixed4a:11]({NEW})*"),
        ("microscope.openai.com/models/inceptionv1/mixed4a_0/11 is gone", f"[mixed4a:11]({NEW}) is gone"),
        (f"`{OLD}` <code>{OLD}</code> <pre><a href='{OLD}'>x</a></pre>", None),
        (f"[a {OLD} <{OLD}>](x) x{OLD} !<{OLD}> {OLD}{{x}} <a href='x'>{OLD} <{OLD}></a>", None),
        (f"<a title='{OLD}' href='{OLD}'>{OLD} too</a>", f"<a title='{OLD}' href='{NEW}'>{OLD} too</a>"),
        (f"a <a href={OLD}>{OLD}</a> b", f'a <a href="{NEW}">mixed4a:11</a> b'),
        (f"<p><a href={OLD}>{OLD}</a></p>", f'<p><a href="{NEW}">mixed4a:11</a></p>'),
        (f"[[{OLD}]] [[ {EXPLORER} ]]", f"[mixed4a:11]({NEW}) [mixed4a:11]({NEW})"),
        (f"[[{PAGE}]] [[https://else.org/atlas/bvlc_googlenet/mixed4a/9.html]]", f"[{N}]({PAGE}) [{N}]({PAGE})"),
        ("https://else.org/atlas/bvlc_googlenet/mixed4a/9.html", None),
        ("https://github.com/a/tensorflow_inception/readme.html https://x.org/models/a/b/11 http://[x", None),
        ("<a href='https://x.org/repo/issues/11'>x</a> [a](bvlc_googlenet/mixed4a/13.html) [](https://[/)", None),
    ],
)
def test_addresses_in_markdown(atlas: Atlas, before: str, after: str | None) -> None:
    cited = cite(before, "markdown", atlas)
    assert cited.text == (before if after is None else after)
    assert cited.problems == ()


@pytest.mark.parametrize(
    ("behind", "is_open"),
    [
        ("```\nmixed4a:9", True),
        ("<!-- a\n\nb\n", True),
        ("```\na\n```\n", False),
        ("    a\n", False),
        ("<div>\n", False),
        ("> - a", False),
        ("", False),
    ],
)
def test_footnotes_go_where_they_are_read(atlas: Atlas, behind: str, is_open: bool) -> None:
    """Format the end; but not into a block that nobody closed."""
    note, other = "[^bvlc_googlenet-mixed4a-9]", "[^bvlc_googlenet-mixed4a-12]"
    cited = cite(f"{N}\n\n{behind}", "markdown", atlas, to="footnote").text
    said = cited.index(f"{note}: ")
    assert cited[:said] == (f"{N}{note}\n\n" if is_open or not behind else f"{N}{note}\n\n{behind.rstrip()}\n\n")
    assert cited.endswith(f"\n\n{behind}") == is_open or not behind
    more = cite(cited.replace(N, f"{N} and mixed4a:12", 1), "markdown", atlas, to="footnote").text
    assert (more.count(f"{note}: "), more.count(f"{other}: ")) == (1, 1)
    assert more.endswith(f"\n\n{behind}") == is_open or not behind
    assert cite(more, "markdown", atlas, to="footnote").text == more


def test_footnotes_have_no_footnotes(atlas: Atlas) -> None:
    """Whatever is in them: raw HTML, a second paragraph, a list."""
    text = f"{N}[^1] ^[a {N}]\n\n[^1]: {N} <b>{N}</b>\n\n    <div>{N}</div>\n\n    - {N}\n\n{N}\n"
    cited = cite(text, "markdown", atlas, to="footnote").text
    assert cited.count(f"{N}[^bvlc_googlenet-mixed4a-9]") == 2  # the first and the last
    assert (cited.count(f"[{N}]({PAGE})"), cited.count(f'<a href="{PAGE}">{N}</a>')) == (4, 1)
    assert cite(cited, "markdown", atlas, to="footnote").text == cited


@pytest.mark.parametrize(
    "text",
    [
        "<p>«» <b>«»</b><i title='°'>«»</i>",
        "a < b «» & «» &lt;«»&gt; &amp;«»",
        "<!-- <a href='x'> --> «» <![if IE]> «» <?php ° ?> «»",
        "<SCRIPT>'<p>' °</SCRIPT >«»<style>°</style>«»<script src=x></script>«»",
        "<pre>° <b>°</b></pre>«»<svg><svg>°</svg>°</svg>«»<svg/>«»",
        "<a href=x>°</a>«»<a name=y>°</a>«»<abbr>«»</abbr>",
        "<a href='>°' title=\"a > °\">x</a>«»<img alt='°' src=x>«»",
        "«»<code>°",
        "«»<!-- °",
        "«»<a href='x °",
        "<textarea>°</textarea><title>°</title>`«»` **«»** ## [«»](x)",
        "<atlas-unit ref='4a:9'>°</atlas-unit>«»",
        "&#109;ixed4a:9 mixed4a&colon;9 &# «» &#x «»",
    ],
)
def test_html(atlas: Atlas, text: str) -> None:
    assert linked(text, "html", atlas) == text


def test_addresses_in_html(atlas: Atlas) -> None:
    """Only the value of href changes, quoted as it was and escaped for where it stands."""
    before = f"<A class=x HREF = '{OLD}?a&amp;b' data-href='{OLD}'>x</A> <a href={OLD}>y</a> <area href='{OLD}'>"
    after = f"<A class=x HREF = '{NEW}' data-href='{OLD}'>x</A> <a href={NEW}>y</a> <area href='{OLD}'>"
    assert cite(before, "html", atlas).text == after
    bare = f"<p>{OLD}?a=b&amp;c, &lt;{OLD}&gt; <a class=x href='{OLD}?a&amp;b'> {OLD}?a&amp;b </a>"
    link = f'<a href="{NEW}">mixed4a:11</a>'
    assert cite(bare, "html", atlas).text == f"<p>{link}, &lt;{link}&gt; {link}"
    assert "13" in cite("<atlas-unit ref='4a:13'></atlas-unit>", "html", atlas).problems[0].text


def test_notes_in_html_are_one_list_in_the_body(atlas: Atlas) -> None:
    page = "<html><body>\n<p>mixed4a:9, [[4a:12]], mixed4a:9</p>\n</body><!-- </body> --></html>\n"
    cited = cite(page, "html", atlas, to="footnote").text
    assert cited.count('<ol class="atlas-notes">') == 1
    assert cited.index("</ol>\n</body><!-- </body>") > cited.index('<li id="fn-bvlc_googlenet-mixed4a-12">')
    assert [cited.count(f'<sup><a href="#fn-bvlc_googlenet-mixed4a-{n}') for n in ('9">1', '12">2')] == [2, 1]
    more = cite(cited.replace("</p>", " and mixed5b:3</p>"), "html", atlas, to="footnote").text
    assert more.count('<ol class="atlas-notes">') == 1
    assert 'mixed5b:3<sup><a href="#fn-bvlc_googlenet-mixed5b-3">3</a>' in more
    assert more.index('fn-bvlc_googlenet-mixed4a-12">2') < more.index('<li id="fn-bvlc_googlenet-mixed5b-3">')


@pytest.mark.parametrize(
    "text",
    [
        "mixed4a:9, [[4a:9]] and @ are text, unless they are in \\url@",
        r"\section{mixed4a:9} $x_{mixed4a:9}$ \ref{mixed4a:9} \begin{align} mixed4a:9 \end{align}",
        "% \\url{@}\n\\verb|\\url{@}| \\lstinline!\\url{@}! \\mintinline{tex}{\\url{@}} \\lstinline{\\url{@}}",
        r"\begin{lstlisting}\url{@}\end{lstlisting} \iffalse \url{@} \fi",
        r"\DefineShortVerb{\|} \lstMakeShortInline[language=x]! |\url{@}| !\href{@}{a}!",
        "\\begin{codeblock}\n\\url{@}\n\\end{codeblock} \\begin{minted}{tex} \\atlasunit{4a:9999}",
        r"\path|\url{@}| \url!\url{@}! \url{short}\iffalse\url{@}",
        r"\newcommand{\x}{\url{@}}\begin{document}\end{document}",
        r"\hrefs{@} \url x{@} \href{x}{@} \atlasunits{4a:9999} \\url{@} \url{@ \textbf{x}}",
    ],
)
def test_latex_is_never_touched(atlas: Atlas, text: str) -> None:
    """Names, whatever they stand in; and links where they are code."""
    text = text.replace("@", OLD)
    cited = cite(text, "latex", atlas, to="footnote")
    assert (cited.text, cited.problems, cited.count) == (text, (), 0)


def test_addresses_in_latex(atlas: Atlas) -> None:
    """Inside \\href and \\url, and the text of a link where that is the address."""
    before = rf"\href{{{OLD}\#a\_b}}{{a {OLD}}} \url{{{EXPLORER}}} \href[x=y]{{{OLD}}}{{{OLD}}} % \url{{{OLD}}}"
    after = rf"\href{{{NEW}}}{{a {OLD}}} \url{{{NEW}}} \href[x=y]{{{NEW}}}{{{NEW}}} % \url{{{OLD}}}"
    for text, expected in ((before, after), (f"\\begin{{itemize}}{before}", f"\\begin{{itemize}}{after}")):
        cited = cite(text, "latex", atlas)
        assert (cited.text, cited.count) == (expected, 4)
        assert cite(cited.text, "latex", atlas).text == cited.text


def test_commands_of_atlas_sty_are_checked(atlas: Atlas) -> None:
    good = r"\atlasunit{mixed4a:9} \atlasunit{4a:9} \atlaspicture[3cm]{inception5h/mixed4a:11} \atlaspicture{conv2d0:3}"
    cited = cite(good, "latex", atlas)
    assert (cited.text, cited.problems, cited.count) == (good, (), 4)
    bad = "\\atlasunit{mixed4a:9999}\n\\atlaspicture{mixed4a_3x3:8}\n\n\\atlasunit{mixed4a 9}\\atlasunit{curves}"
    said = [(problem.line, problem.text) for problem in cite(bad, "latex", atlas).problems]
    assert said[:3] == [
        (1, "mixed4a has channels 0 to 511, not 9999; the nearest is mixed4a:511"),
        (2, "atlas.sty cannot read “mixed4a_3x3:8”; write mixed4a:200"),
        (4, "atlas.sty cannot read “mixed4a 9”; write mixed4a:9"),
    ]
    assert len(said) == 4


def test_links_in_unknown_environments_of_latex_are_told(atlas: Atlas) -> None:
    text = f"\\begin{{myboxes}}\n\\url{{{OLD}}}\n\\end{{myboxes}}"
    (note,) = cite(text, "latex", atlas).notes
    assert (note.line, note.text) == (2, f"left alone: {OLD} in the environment myboxes, which no rule knows")


NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {"source": [N]}, "source": [f"é {N}\n", "```\n", f"{N}\n", "```"]},
        {"cell_type": "code", "metadata": {}, "source": [N], "outputs": [{"text/markdown": [N]}]},
        {"source": "mixed4a:9999\n\n[[4a:9]]", "cell_type": "markdown", "metadata": {}},
        {"cell_type": "markdown", "metadata": {}, "source": []},
    ],
    "metadata": {"cells": [{"cell_type": "markdown", "source": [N]}]},
    "nbformat": 4,
}  # fmt: skip


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_notebooks_change_in_their_markdown_alone(
    atlas: Atlas, ascii_only: bool, indent: int | str | None, end: str
) -> None:
    """However they were written: what comes out is the same file with two lines of it new."""
    text = json.dumps(NOTEBOOK, indent=indent, ensure_ascii=ascii_only) + end
    cited = cite(text, "notebook", atlas, to="footnote")
    expected = json.loads(json.dumps(NOTEBOOK))
    changed = json.loads(cited.text)
    titled = changed["cells"][0]["source"][0]
    assert titled.startswith(
        f'é [mixed4a:9]({PAGE} "Tiny_Atlas, 100% &#91;mixed4a:9&#93;, mixed4a:9 of bvlc_googlenet (weights'
    )
    expected["cells"][0]["source"][0] = titled
    expected["cells"][2]["source"] = changed["cells"][2]["source"]
    assert changed["cells"][2]["source"].startswith(f"mixed4a:9999\n\n[mixed4a:9]({PAGE} ")
    assert cited.text == json.dumps(expected, indent=indent, ensure_ascii=ascii_only) + end
    assert cite(cited.text, "notebook", atlas, to="footnote").text == cited.text


def test_remarks_on_notebooks_name_the_line_of_the_file(atlas: Atlas) -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["a\n", "b\n", "mixed4a:9999"]}]
    text = json.dumps({"cells": cells, "nbformat": 4}, indent=1)
    (problem,) = cite(text, "notebook", atlas).problems
    assert "9999" in text.split("\n")[problem.line - 1]
    assert problem.text.startswith("cell 1: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": {}}', '{"worksheets": []}', "[" * 5000])
def test_what_is_no_notebook_is_told(atlas: Atlas, text: str) -> None:
    with pytest.raises(NotebookError, match="not a notebook"):
        cite(text, "notebook", atlas)


@pytest.mark.parametrize(
    "text", ['{"cells": [1, null, {}, {"source": 5}, {"cell_type": "markdown"}]}', '{"cells": []}']
)
def test_odd_notebooks_are_left(atlas: Atlas, text: str) -> None:
    assert cite(text, "notebook", atlas).text == text
