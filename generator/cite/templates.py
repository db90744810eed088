r"""What is set aside before a document is parsed: front matter, the tags of site generators, environments of TeX.

>>> mask(t := "a {% highlight py %}\nb\n{% endhighlight %} c", constructs(t)[0]).replace(MASK, ".")
'a ..................\n.\n.................. c'
>>> [found[0] for found in MATH.finditer(r"$a$, $ 5 or 6$, \(b\), $$ c $$, $5 and 6$7")]
['$a$', '\\(b\\)', '$$ c $$']

These come before Markdown and HTML: a site generator, or TeX in the browser, reads them whatever the language around
them is. The rule is the same for each pair of tags: what stands between them is prose only if the name of the tag is
known to hold prose. Everything is found in one pass, so the time is linear.
"""

from __future__ import annotations

import re
from dataclasses import replace

from generator.cite.mentions import MASK, Language, Reference, mask, mentions

Span = tuple[int, int]
_LINE = r"[^\r\n]*(?:\r\n?+|\n|\Z)"
_FENCED = re.compile(
    r"\ufeff?(?P<mark>---|\+\+\+)[ \t]*(?:\r\n?|\n)(?:.*?(?:\r\n?|\n))??(?:(?P=mark)|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)",
    re.DOTALL,
)
_KEY = (  # a text that begins with any other word and a colon is prose
    "title|date|modified|updated|slug|tags?|category|categories|authors?|summary|description|layout|status|lang"
    "|language|template|permalink|keywords|subtitle|copyright|affiliation|css"
)
_METADATA = re.compile(
    rf"\ufeff?(?:{_KEY}):(?:[ \t]|$|(?=[\r\n])){_LINE}(?:(?:[\w-]+:|[ \t]+\S){_LINE})*+(?=[ \t]*(?:[\r\n]|\Z))",
    re.IGNORECASE,
)
_METADATA_BLOCK = re.compile(  # Pandoc's and MyST's, anywhere in a text
    r"^[ \t]*---[ \t]*(?:\r\n?|\n)(?:[ \t]*(?:[\w-]+:|- )[^\r\n]*(?:\r\n?|\n))++"
    r"[ \t]*(?:---|\.\.\.)[ \t]*(?=[\r\n]|\Z)",
    re.MULTILINE,
)
_JSON = re.compile(r"\ufeff?\{[ \t]*(?:\r\n?|\n)[ \t]*\".*?(?:\r\n?|\n)\}[ \t]*(?:\r\n?|\n|\Z)", re.DOTALL)

_TAG = re.compile(  # one tag; it holds no end tag of HTML, for two braces may stand in a script, too
    r"\{\{(?:[<%]\s*(?P<hugo_end>/)?\s*(?P<hugo>[\w-]+))?(?:[^{}<]|<(?!/)|\{(?!\{)|\}(?!\}))*+\}\}"
    r"|\{%-?\s*(?P<liquid_end>end)?(?P<liquid>\w+)?(?:[^%{<]|<(?!/)|\{(?![{%])|%(?!\}))*+%\}"
    r"|\{#(?:[^#{}]|#(?!\}))*+#\}"
    r"|<%(?:[^%<]|<(?![%/])|%(?!>))*+%>"
    r"|\{/\*(?:[^*{]|\*(?!/)|\{(?!/\*))*+\*/\}"
    r"|\{:(?P<kramdown_end>/)?:?(?P<kramdown>[a-z]*)[^{}\r\n]*\}"
    r"|\\(?P<tex_end>end|begin)[ \t]*\{(?P<tex>[^{}\r\n]{1,80})\}"
    r"|^[ \t]*(?P<line>%%|/{3,}|@{2,}|;{3,}|\^{3,})(?P<info>[^\r\n]*)"
    r"|%%(?:[^%\r\n]|%(?!%))*+%%",
    re.MULTILINE,
)
_FAMILIES = ("hugo", "liquid", "kramdown", "tex", "line")
_PROSE = frozenset(  # what stands between these is a part of the text
    ("if", "unless", "for", "case", "block", "with", "note", "tip", "warning", "info", "hint", "caution", "important",
     "callout", "notice", "admonition", "alert", "details", "blockquote", "quote", "figure", "tab", "tabs", "column",
     "columns")
)  # fmt: skip
_NEVER_PROSE = frozenset(("raw", "comment", "highlight", "verbatim", "mermaid", "katex", "math", "nomarkdown", "%%"))

_INNER = rf"(?:[^$\\{MASK}]|\\[^{MASK}])"
MATH = re.compile(
    rf"(?<!\\)\$\$(?:{_INNER}|\$(?!\$))++\$\$"
    rf"|(?<![\\$])\$(?![\s$]){_INNER}++(?<!\s)\$(?!\d)"
    rf"|(?<!\\)\\\((?:[^\\{MASK}]|\\[^(){MASK}])*+\\\)"
    rf"|(?<!\\)\\\[(?:[^\\{MASK}]|\\[^\[\]{MASK}])*+\\\]"
    rf"|\\\\\((?:[^\\{MASK}]|\\(?!\\[()]))*+\\\\\)"
    rf"|\\\\\[(?:[^\\{MASK}]|\\(?!\\[\[\]]))*+\\\\\]"
    r"|\\[a-zA-Z]+\*?(?:\[[^\[\]\r\n]*\]|\{[^{}\r\n]*\})++"
)
r"""Mathematics, and commands of TeX with arguments. ``$…$`` by Pandoc's rule, so that prices are none; ``\\(`` is how
Markdown writes what MathJax is to read."""


def constructs(text: str, start: int = 0) -> tuple[list[Span], list[tuple[int, int, str]]]:
    """The tags behind ``start``, with what stands between those that do not hold prose; and what of it no rule
    knows."""
    spans: list[Span] = []
    unknown: list[tuple[int, int, str]] = []
    opened: dict[tuple[str, str], list[int]] = {}
    last = ""
    for tag in _TAG.finditer(text, start):
        family = next((family for family in _FAMILIES if tag[family] is not None), "")
        name = tag[family] if family else ""
        if family != "line" or name == "%%":
            spans.append(tag.span())
        if not family:
            continue
        if family == "kramdown":
            name = last = name or last  # {:/} ends what was opened last
        before = opened.setdefault((family, name), [])
        if family == "line":
            is_end = bool(before) and not tag["info"].strip()
            is_begin = not tag["info"].rstrip().endswith(name)
        else:
            is_end = tag[f"{family}_end"] not in (None, "begin")
            is_attributes = family == "kramdown" and (not tag[0].startswith("{::") or tag[0].endswith("/}"))
            is_begin = not is_end and not is_attributes
        if is_end and before:
            begin = before.pop()
            if name.lower() not in _PROSE:
                spans.append((begin, tag.end()))
                if family != "tex" and name not in _NEVER_PROSE:
                    unknown.append((begin, tag.end(), f"“{name}”"))
        elif is_begin:
            before.append(tag.start())
    return spans, unknown


def set_aside(text: str, language: Language) -> tuple[str, list[Reference]]:
    """A text with front matter, tags and what they enclose masked; and what of this no rule knows."""
    kinds = (_FENCED,) if language == "html" else (_FENCED, _METADATA, _JSON)
    start = next((found.end() for kind in kinds if (found := kind.match(text))), 0)
    spans, unknown = constructs(text, start)
    left: list[Reference] = []
    done = 0
    for begin, end, what in sorted(unknown):
        if begin >= done:  # the outer ones count
            done = end
            for each in mentions(text[begin:end], language):
                left.append(replace(each, start=each.start + begin, end=each.end + begin, left=what))
    spans += (found.span() for found in _METADATA_BLOCK.finditer(text, start) if language != "html")
    front = re.sub(r"[^\r\n]", " ", text[:start])
    return front + mask(text, spans)[start:], left
