"""Documents put together at random from prose, code, mathematics and directives: what is not prose comes back byte for
byte, and citing twice changes nothing."""

from __future__ import annotations

import json

import pytest
from citing import PAGE, N, atlas_to_cite
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.cite.document import cite
from generator.cite.mentions import Language
from generator.cite.writing import FORMATS, Format
from generator.reader.atlas import Atlas

QUICK = settings(max_examples=40)
PROSE = ("@", "Like @ and (@).", "**@** or *@*, «@»", "@", "no unit here, 5 < 6 & $7", "é @ 図")
BLOCKS: dict[Language, tuple[str, ...]] = {
    "markdown": (
        *PROSE, "- @\n- @", "> @", "# @", "!!! note\n\n    @", "Term\n: @", "| a |\n|---|\n| @ |", "::: tip\n@\n:::",
        ":::{note}\n@\n:::", "<div>\n\n@\n\n</div>",
        # what is not prose
        "```\n~\n```", "    ~", "`~`", "$$\n~\n$$", "$~$", "\\begin{align}\n~\n\\end{align}", "\\(~\\)", "\\ref{~}",
        "<pre>\n~\n\n~</pre>", "<!-- ~ -->", "<script>\n~\n</script>", "{% raw %}\n~\n{% endraw %}", "{{ ~ }}",
        "{# ~ #}", "{::comment}\n~\n{:/comment}", ":::{code-block} py\n~\n:::", "% ~", "(~)=", '+++ {"a": "~"}',
        "%% ~ %%", "![[~]]", "[[Some ~]]", "[a ~](x)", "![~](x)", "[~]: x", "{math}`~`", "((~))", "/// a\n~\n///",
        "a [key:: ~] (a b:: ~)",
        '=== "T"\n\n        ~', "<x-y>~</x-y>", "&&& ~", "*[~]: a", "[a](x){title=~}", "https://x.org/~", "x~", "~x",
    ),
    "html": (
        *(f"<p>{text}</p>".replace("< ", "&lt; ").replace("& ", "&amp; ") for text in PROSE),
        "<ul><li>@<li>@</ul>", "<x-article><p>@</p></x-article>", "<table><tr><td>@</td></tr></table>", "<b>@</b>",
        # what is not prose
        "<code>~</code>", "<pre>~</pre>", "<p>$~$</p>", "<p>\\(~\\)</p>", "<p>\\begin{a}~\\end{a}</p>",
        "<mjx-container>~</mjx-container>", '<span class="math">~</span>', "<!-- ~ -->", "<script>'~'</script>",
        "<style>~</style>", "<svg><text>~</text></svg>", '<p title="~">a</p>', "<a href=x>~</a>", "<x-y>~</x-y>",
        "<textarea>~</textarea>", "{{ ~ }}", "{% raw %}~{% endraw %}", "<p translate=no>~</p>", "<var>~</var>",
    ),
    "latex": (
        "~", r"\emph{~}", "$~$", r"\begin{align}~\end{align}", r"\verb|~|", "% ~", r"\ref{~}", r"\newcommand{\x}{~}",
        "\\begin{shell}\n~\n\\end{shell}", r"\atlasunit{mixed4a:9}", r"\lstinline!~!", r"\crefrange{~}{~}", "[[~]]",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas_to_cite(tmp_path_factory.mktemp("atlas"))


def documents(kind: Language) -> st.SearchStrategy[str]:
    ends = st.sampled_from(("\n", "\r\n"))
    blocks = st.lists(st.sampled_from(BLOCKS[kind]), min_size=1, max_size=8)
    return st.builds(lambda blocks, end: "\n\n".join(blocks).replace("\n", end) + end, blocks, ends)


def written(document: str, kind: Language, cited: bool) -> str:
    """A document whose names in prose (@) and elsewhere (~) are names; with ``cited``, those in prose are links."""
    link = f'<a href="{PAGE}">{N}</a>' if kind == "html" else f"[{N}]({PAGE})"
    return document.replace("@", link if cited else N).replace("~", N)


@pytest.mark.parametrize("kind", BLOCKS)
@QUICK
@given(data=st.data())
def test_prose_is_cited_and_nothing_else_is_touched(atlas: Atlas, kind: Language, data: st.DataObject) -> None:
    document = data.draw(documents(kind))
    cited = cite(written(document, kind, cited=False), kind, atlas)
    assert cited.text == written(document, kind, cited=True)
    assert cited.problems == ()


@pytest.mark.parametrize("kind", BLOCKS)
@QUICK
@given(data=st.data())
def test_citing_twice_changes_nothing(atlas: Atlas, kind: Language, data: st.DataObject) -> None:
    to: Format = data.draw(st.sampled_from(FORMATS))
    once = cite(written(data.draw(documents(kind)), kind, cited=False), kind, atlas, to=to)
    assert cite(once.text, kind, atlas, to=to).text == once.text


@QUICK
@given(data=st.data())
def test_a_notebook_is_its_cells(atlas: Atlas, data: st.DataObject) -> None:
    """Each Markdown cell comes out as the same Markdown does alone, and every other byte stays."""
    sources = data.draw(st.lists(documents("markdown"), min_size=1, max_size=3))
    ascii_only, indent = data.draw(st.booleans()), data.draw(st.sampled_from((None, 1)))

    def notebook(cited: bool) -> str:
        cells = [
            {"cell_type": kind, "source": written(source, "markdown", cited=cited and kind == "markdown")}
            for source in sources
            for kind in ("markdown", "code")
        ]
        return json.dumps({"cells": cells, "nbformat": 4}, ensure_ascii=ascii_only, indent=indent)

    assert cite(notebook(cited=False), "notebook", atlas).text == notebook(cited=True)


@pytest.mark.parametrize("kind", BLOCKS)
@QUICK
@given(data=st.data())
def test_any_text_goes_through(atlas: Atlas, kind: Language, data: st.DataObject) -> None:
    """Of pieces torn anywhere: no error, and citing twice is citing once."""
    pieces = data.draw(st.lists(st.sampled_from(BLOCKS[kind]), max_size=6))
    text = "".join(written(piece, kind, cited=False)[: data.draw(st.integers(1, 12))] for piece in pieces)
    once = cite(text, kind, atlas)
    assert cite(once.text, kind, atlas).text == once.text
