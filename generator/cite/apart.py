r"""What is read before a document's own language is: front matter, the templates of a site, and mathematics.

>>> apart("a {% highlight py %}\nb\n{% endhighlight %} c").replace(BLANK, ".")
'a ..................\n.\n.................. c'
>>> [found[0] for found in MATH.finditer(r"$a$, $ 5 or 6$, \(b\), $$ c $$, $5 and 6$7")]
['$a$', '\\(b\\)', '$$ c $$']

Each is found in one pass: nothing that opens and never closes is looked for twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from generator.cite.layout import BLANK

_LINE = r"[^\r\n]*(?:\r\n?+|\n|\Z)"
_FENCED = re.compile(
    r"\ufeff?(?P<mark>---|\+\+\+)[ \t]*(?:\r\n?|\n)(?:.*?(?:\r\n?|\n))??(?:(?P=mark)|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)",
    re.DOTALL,
)
_KEY = (  # who begins a text with another word and a colon means that as text
    "title|date|modified|updated|slug|tags?|category|categories|authors?|summary|description|layout|status|lang"
    "|language|template|permalink|keywords|subtitle|copyright|affiliation|css"
)
_METADATA = re.compile(
    rf"\ufeff?(?:{_KEY}):(?:[ \t]|$|(?=[\r\n])){_LINE}(?:(?:[\w-]+:|[ \t]+\S){_LINE})*+(?=[ \t]*(?:[\r\n]|\Z))",
    re.IGNORECASE,
)
_JSON = re.compile(r"\ufeff?\{[ \t]*(?:\r\n?|\n)[ \t]*\".*?(?:\r\n?|\n)\}[ \t]*(?:\r\n?|\n|\Z)", re.DOTALL)

_NAMES = "highlight|raw|comment|verbatim|mermaid|katex|math"
_OPENS = re.compile(rf"\{{%-?\s*(?P<liquid>{_NAMES})\b|\{{\{{[<%]\s*(?P<hugo>{_NAMES})\b")
TEMPLATE = re.compile(r"\{\{(?:[^{}<]|<(?!/)|\{(?!\{)|\}(?!\}))*+\}\}|\{%(?:[^%{<]|<(?!/)|\{(?![{%])|%(?!\}))*+%\}")
"""One tag of a template. It holds no end tag of HTML: two braces may stand in a script, too."""

_INNER = rf"(?:[^$\\{BLANK}]|\\[^{BLANK}])"
MATH = re.compile(
    rf"(?<!\\)\$\$(?:{_INNER}|\$(?!\$))++\$\$"
    rf"|(?<![\\$])\$(?![\s$]){_INNER}++(?<!\s)\$(?!\d)"
    rf"|(?<!\\)\\\((?:[^\\{BLANK}]|\\[^(){BLANK}])*+\\\)"
    rf"|(?<!\\)\\\[(?:[^\\{BLANK}]|\\[^\[\]{BLANK}])*+\\\]"
    rf"|\\\\\((?:[^\\{BLANK}]|\\(?!\\[()]))*+\\\\\)"
    rf"|\\\\\[(?:[^\\{BLANK}]|\\(?!\\[\[\]]))*+\\\\\]"
)
r"""Pandoc's rule for ``$…$``, so that prices are none. ``\\(`` is how Markdown writes what MathJax is to read."""


def front_matter(text: str, *, is_markdown: bool) -> int:
    """Where a document's own text begins. Markdown's may stand behind JSON or bare lines ``Key: value``, too."""
    for kind in (_FENCED, _METADATA, _JSON) if is_markdown else (_FENCED,):
        if found := kind.match(text):
            return found.end()
    return 0


def apart(text: str) -> str:
    """A document without what stands between a template's tags for code: blanked, but for the ends of its lines."""
    return veiled(text, _blocks(text))


def veiled(text: str, spans: Iterator[tuple[int, int]]) -> str:
    """A text with these spans blanked, which follow one another, but for the ends of lines."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [text[done:start], re.sub(r"[^\r\n]", BLANK, text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    at, absent = 0, set[re.Pattern[str]]()
    while opens := _OPENS.search(text, at):
        at = opens.end()
        close = _closes(opens["liquid"], opens["hugo"])
        if close in absent:
            continue
        if found := close.search(text, at):
            at = found.end()
            yield opens.start(), at
        else:
            absent.add(close)


@cache
def _closes(liquid: str | None, hugo: str | None) -> re.Pattern[str]:
    if liquid:
        return re.compile(rf"\{{%-?\s*end{liquid}\s*-?%\}}")
    return re.compile(rf"\{{\{{[<%]\s*/\s*{hugo}\s*[>%]\}}\}}")
