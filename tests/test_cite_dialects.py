"""Constructs of dialects and packages, which no list of ours names: what is not prose stays, what is prose is cited."""

from __future__ import annotations

import json

import pytest
from citing import PAGE, N, atlas_to_cite, linked

from generator.cite.document import cite
from generator.cite.writing import FORMATS, Format
from generator.reader.atlas import Atlas


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return atlas_to_cite(tmp_path_factory.mktemp("atlas"))


@pytest.mark.parametrize(
    "text",
    [
        # mathematics without dollars
        "Text.\n\n\\begin{align}\ny &= °\n\\end{align}\n\n«»",
        "«» \\begin{equation*} ° \\end{equation*} inline, \\ref{°} and \\eqref{°}, \\label{°} «»",
        "\\begin{cases}\n°\n\n°\n\\end{cases} «»\n\n$$\n°\n$$ (eq°)\n\n«»",
        "```math\n°\n```\n\n$`°`$ and \\\\[ ° \\\\] «»",
        "$x$ like «», 3 $y$",
        # Obsidian, Roam, Logseq
        "![[°]]\n\n![[notes/°.png]]\n\n[[Unit °]]\n\n![[Unit °]]\n\n[[Unit °|text]] [[Unit °#part|°]] «»",
        "{{°}} and {{embed °}} ((°)) #[[°]] (see («»)) «»",
        "[key:: °] (key:: [[4a:9]] °) and [a b:: [°](x)] «» [a:: b](x) [«»:: «»] a:: «»",
        "%% private: ° %%\n\n«» %% ° %% «»\n\n%%\n°\n\n°\n%%\n\n«»",
        # kramdown, Jinja, Nunjucks
        "{::comment}\n°\n\n°\n{:/comment}\n\n«» {# ° #} «»\n\n{::nomarkdown}°{:/}",
        "{% mystery %}\n\n°\n\n{% endmystery %}\n\n«»\n\n{% if a %}\n\n«»\n\n{% endif %}",
        "{{< mystery >}}\n°\n{{< /mystery >}}\n\n{{% notice note %}}\n«»\n{{% /notice %}}",
        "«» {: .a title=°}\n{::comment}\n° {:.x} °\n{:/comment}\n\n«» {::a key=° /} «»",
        "«»\n\n---\nname: °\nlist:\n- °\n---\n\n«»\n\n:::{note}\n---\nname: °\n---\n«»\n:::",
        "id:: °\n\n{++°++} {>>°<<} [@°] [-@°] #° ^° [^°] [](°) <°> [a]{.x y=°} «»",
        # MyST
        ':::{code-block} python\nnet("°")\n:::\n\n% note: °\n\n(°)=\n## «»\n\n+++ {"tag": "°"}\n\n«»',
        "{math}`°` {ref}`°` «»\n\n```{code-cell}\n°\n```\n\n:::{math}\n°\n:::\n\n:::{mystery}\n°\n:::",
        ":::{note}\n«»\n:::\n\n:::{figure} x\n°\n:::\n\n::::{warning}\n:class: °\n::::",
        # admonitions, tabs, definitions, footnotes, containers
        '!!! note\n\n    «»\n\n!!! warning "A «»"\n    «»\n\n    «»\n\n    - «»\n\n??? a\n\n    ```\n    °\n    ```\n',
        '=== "Tab «»"\n\n    «»\n\n    `°`\n\n=== "Other"\n\n    «»\n\n«»',
        "Term «»\n: «»\n\n    «»\n\n        °\n\n«»[^1] and ^[«»]\n\n[^1]: «»\n\n    «»\n\n        °\n",
        "::: {.callout-note}\n«»\n:::\n\n:::: columns\n::: warning\n«»\n:::\n::::\n\n::: {.code}\n°\n:::",
        "::: mermaid\n°\n:::\n\n«»",
        "- [ ] «»\n\n> [!NOTE]\n> «»\n\n| a |\n|---|\n| «» |\n| `°` «» |",
        # pymdownx, org, AsciiDoc, MDX: nobody parses these here
        "/// details | °\n°\n\n°\n///\n\n«»",
        "#+begin_src py\n°\n#+end_src\n\n.. code:: °\n\n«»",
        "import x from './°.md'\nexport const y = \"°\"\n\n«» {/* ° */} {f(\"°\")}",
        "@@@ note\n°\n@@@\n\n;;; °\n\n«»\n\n&& ° && °\n\n^^^ °",
        "<% ° %> «» <%= f('°') %>\n\n+---+---+\n| ° | a |\n+===+===+\n\n«» ${°} #{°} <%",
        "  Unit        Name\n  ----------  ----\n  °   x\n\n«»\n\n- - -\n«»\n\n```\na  b\n-- --\n```\n«»",
        # what stands close by is another dialect's
        "%%°%% «»\n  %% ° %% «»\n\n%%\n°\n%%\n\n==«»== _**«»**_ x==° °==x a=° ~~**«»**~~",
        "[°][elsewhere] [`°`][°] [a][°] [«»][^1]\n\n[^1]: «»",
        "| a | b |\n|---|---|\n| `x | °` | «» |\n| ``° | °`` | «» |\n| a \\| «» | «» |",
        '<figure markdown="span">\n  ![°](x.png)\n  [°](y) `°`\n  <figcaption>«»</figcaption>\n</figure>',
        "<Unit name=\"°\" /> «» <Unit id={'°'}/> «»\n\n<Unit.Sub />\n\n«»",
        ":::{admonition} A title\n:class: °\n:name: °\n«»\n:::\n\n:::{tip}\n:class: °\n\n«»\n:::",
        # HTML that is not HTML's own
        "<Mystery>°</Mystery> «»\n\n<Callout>\n\n«»\n\n</Callout>\n\n<Math>°</Math>",
    ],
)  # fmt: skip
def test_markdown(atlas: Atlas, text: str) -> None:
    assert linked(text, "markdown", atlas) == text
    assert linked(text.replace("\n", "\r\n"), "markdown", atlas) == text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "<p>\\begin{equation} ° \\end{equation} «»</p><mjx-container>°</mjx-container>«»",
        '<span class="math inline">°</span>«»<div class="MathJax_Display">°</div>«»<i role=math>°</i>',
        '<span class="katex-html"><span>°</span></span>«»<p class="notranslate">°</p><p translate="no">°</p>«»',
        '<p class="ltx_equation">°</p><span class="MathTeX">°</span><div class="sourceCode">°</div><eqn>°</eqn>«»',
        '<script type="math/tex">°</script><tex-math>°</tex-math><span class="texture">«»</span>',
        "<x-article>°<p>«»</p>°<h2>«»</h2></x-article>«»<var>°</var>",
        "<ul><li>«»<li>«»</ul><x-a><p>«»<p>«»</x-a>«»<table><tr><td>«»<td>«»</table>",
        "<details><summary>«»</summary>«»</details><object>°</object><noscript>°</noscript>",
        "<svg/>«»<svg>°<p>°</p></svg>«»<pre>°</PRE >«»<code>°<code>°</code>°</code>«»",
        "<div class=mermaid>°</div>«»<%= ° %>«»<div class='codehilite'>°</div>",
        "<math>°</math> \\(°\\) $°$ <x-y>°</x-y><p>«»</p> <x-y>°",
    ],
)
def test_html(atlas: Atlas, text: str) -> None:
    assert linked(text, "html", atlas) == text


@pytest.mark.parametrize(
    ("kind", "text", "line", "where"),
    [
        ("markdown", f"a\n\n:::{{mystery}}\n{N}\n:::", 4, "“{mystery}”"),
        ("markdown", f"{{% mystery %}}\n{N}\n{{% endmystery %}}", 2, "“mystery”"),
        ("markdown", f"a\n\n;;; {N}", 3, "a paragraph with the mark of a construct"),
        ("markdown", f"a [key:: {N}]", 1, "“key::”"),
        ("markdown", f"```{{note}}\n{N}\n```", 2, "“{note}”"),
        ("markdown", f"<Mystery>{N}</Mystery>", 1, "<mystery>"),
        ("html", f"<p>a</p>\n<x-y>{N}</x-y>", 2, "<x-y>"),
        ("markdown", f":::tip[About {N}]\na\n:::", 1, "the title of a container"),
        ("markdown", f"Units {N}-12.", 1, "a name of several units"),
        ("markdown", f"a {N},12 `{N}-12`", 1, "a name of several units"),
        ("html", f"<p>{N}/mixed4a:12</p><code>{N}-12</code>", 1, "a name of several units"),
    ],
)
def test_what_no_rule_knows_is_told(atlas: Atlas, kind: str, text: str, line: int, where: str) -> None:
    cited = cite(text, kind, atlas)  # type: ignore[arg-type]
    assert cited.text == text
    assert [(note.line, note.text) for note in cited.notes] == [
        (line, f"left alone: {N} in {where}, which no rule knows")
    ]  # fmt: skip


@pytest.mark.parametrize("to", FORMATS)
def test_the_title_of_a_tab_stays_between_its_quotation_marks(atlas: Atlas, to: Format) -> None:
    """A chip has quotation marks of its own."""
    for mark in ("===", "!!! note", "??? note"):
        once = cite(f'{mark} "{N}"\n\n    {N}', "markdown", atlas, to=to).text
        assert once.splitlines()[0].count('"') == 2
        assert cite(once, "markdown", atlas, to=to).text == once


def test_code_and_mathematics_are_known_and_not_told(atlas: Atlas) -> None:
    text = f"```\n{N}\n```\n`{N}` ${N}$ {{# {N} #}} %% {N} %%\n\n\\begin{{align}}\n{N}\n\\end{{align}}"
    text += f"\n\n:::{{code-block}}\n{N}\n:::"
    assert cite(text, "markdown", atlas).notes == ()
    assert cite(f":::{{note}}\n{N}\n:::\n\n!!! note\n\n    {N}", "markdown", atlas).notes == ()


def test_cells_of_notebooks_are_markdown(atlas: Atlas) -> None:
    source = ["\\begin{align}\n", f"x^* &= {N}(x) \\\\\n", "\\end{align}\n", "\n", f"{N} \\ref{{{N}}}"]
    text = json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": source}], "nbformat": 4}, indent=1)
    assert cite(text, "notebook", atlas).text == text.replace(f"{N} \\\\ref", f"[{N}]({PAGE}) \\\\ref")
