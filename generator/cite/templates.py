r"""What is set aside before a document is parsed: front matter, the tags of site generators, environments of TeX.

>>> mask(t := "a {% highlight py %}\nb\n{% endhighlight %} c", constructs(t)[0]).replace(MASK, ".")
'a ..................\n.\n.................. c'
>>> [found[0] for found in MATH.finditer(r"$a$, $ 5 or 6$, \(b\), $$ c $$, $5 and 6$7")]
['$a$', '\\(b\\)', '$$ c $$']

These come before Markdown and HTML: a site generator, or TeX in the browser, reads them whatever the language around
them is. The rule is the same for each pair of tags: what stands between them is prose only if the name of the tag is
known to hold prose. Everything is found in one pass, so the time is linear.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from generator.cite.mentions import MASK, Language, Reference, mentions, replaced

Span = tuple[int, int]
_FENCED = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\n(?:[\s\S]*?\n)??(?:\1|\.\.\.)[ \t]*(?:\n|\Z)")
_KEY = (  # a text that begins with any other word and a colon is prose
    "title|date|modified|updated|slug|tags?|category|categories|authors?|summary|description|layout|status|lang"
    "|language|template|permalink|keywords|subtitle|copyright|affiliation|css"
)
_FRONT = re.compile(
    rf"{_FENCED.pattern}|\ufeff?\{{[ \t]*\n[ \t]*\"[\s\S]*?\n\}}[ \t]*(?:\n|\Z)"
    rf"|\ufeff?(?i:{_KEY}):(?![^ \t\n]).*(?:\n(?:[\w-]+:|[ \t]+\S).*)*+(?=\n[ \t]*(?:\n|\Z)|\Z)\n?"
)
_ASIDE = re.compile(  # metadata of Pandoc and MyST anywhere in a text, abbreviations, and fields of Obsidian
    r"^[ \t]*---[ \t]*\n(?:[ \t]*(?:[\w-]+:|- ).*\n)++[ \t]*(?:---|\.\.\.)[ \t]*$"
    r"|^ {0,3}\*\[[^\]\n]+\]:.*"
    r"|(?<![`\\])(?P<tick>`+)(?!`)[^`|\n]*+\|[^`\n]*+(?P=tick)(?!`)"  # code in a table, for some programs
    r"|[\[(](?P<field>[\w -]+::)[ \t](?:[^\[\]()\n]|\[{1,2}[^\[\]\n]*\]{1,2}|\([^()\n]*\))*+[\])](?![(\[:])",
    re.MULTILINE,
)
_TAG = re.compile(  # one tag; it holds no end tag of HTML, for two braces may stand in a script, too
    r"\{\{(?:(?!\{\{|\}\}|</)[\s\S])*+\}\}|\{%(?:(?!\{[{%]|%\}|</)[\s\S])*+%\}|\{#(?:[^#{}]|#(?!\}))*+#\}"
    r"|<%(?:(?!<[%/]|%>)[\s\S])*+%>|\{/\*(?:(?!\*/|\{/\*)[\s\S])*+\*/\}|\{:[^{}\n]*\}"
    r"|\\(?:end|begin)[ \t]*\{[^{}\n]{1,80}\}"
    r"|%%(?!%)(?:[^%\n]|%(?!%))*+%%"
    r"|^[ \t]*(?P<line>%%(?!(?!%)(?:[^%\n]|%(?!%))*+%%)|/{3,}|@{2,}|;{3,}|\^{3,}).*",
    re.MULTILINE,
)
_BEGIN = re.compile(  # of a pair, with its name: tags of Hugo, Liquid and kramdown, TeX, lines of one sign
    r"(?:\{\{[<%]\s*|\{%-?\s*|\{::(?!.*/\}))([\w-]+)|\\begin[ \t]*\{(.*)\}|[ \t]*(%%|/+|@+|;+|\^+)(?!.*\3[ \t]*$)"
)
_END = re.compile(
    r"(?:\{\{[<%]\s*/\s*|\{%-?\s*end)([\w-]+)|\{:/:?([\w-]*)|\\end[ \t]*\{(.*)\}|[ \t]*(%%|/+|@+|;+|\^+)[ \t]*$"
)
_PROSE = re.compile(  # what stands between these is a part of the text
    "if|unless|for|case|block|with|note|tip|warning|info|hint|caution|important|callout|notice|admonition|alert|details"
    "|blockquote|quote|figure|tabs?|columns?",
    re.IGNORECASE,
)
_NEVER_PROSE = re.compile(r"raw|comment|highlight|verbatim|mermaid|katex|math|nomarkdown|%%")

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
    opened: dict[str, list[int]] = {}
    last = ""
    for tag in _TAG.finditer(text, start):
        if tag["line"] in (None, "%%"):
            spans.append(tag.span())
        begin, end = _BEGIN.match(tag[0]), _END.match(tag[0])
        name = next(filter(None, end.groups()), last) if end else ""  # {:/} ends what was opened last
        if opened.get(name):
            first = opened[name].pop()
            if not _PROSE.fullmatch(name):
                spans.append((first, tag.end()))
                if not (_NEVER_PROSE.fullmatch(name) or tag[0].startswith("\\")):
                    unknown.append((first, tag.end(), f"“{name}”"))
        elif begin:
            name = next(filter(None, begin.groups()))
            opened.setdefault(name, []).append(tag.start())
            last = name if tag[0].startswith("{::") else last
    return spans, unknown


def set_aside(text: str, language: Language) -> tuple[str, list[Reference]]:
    """A text with front matter, tags and what they enclose masked, and each line ended by a line feed, of the same
    length; and what of this no rule knows."""
    text = text.replace("\r\n", " \n").replace("\r", "\n")
    front = (_FENCED if language == "html" else _FRONT).match(text)
    start = front.end() if front else 0
    spans, unknown = constructs(text, start)
    for found in _ASIDE.finditer(text, start) if language != "html" else ():
        spans.append(found.span())
        unknown += [(*found.span(), f"“{found['field']}”")] if found["field"] else []
    left: list[Reference] = []
    done = 0
    for begin, end, what in sorted(unknown):
        if begin >= done:  # the outer ones count
            done = end
            for each in mentions(text[begin:end], language):
                left.append(replace(each, start=each.start + begin, end=each.end + begin, left=what))
    return re.sub(r"[^\n]", " ", text[:start]) + mask(text, spans)[start:], left


def mask(text: str, spans: Iterable[Span]) -> str:
    """A text with these spans masked. They may overlap; ends of lines stay."""
    edits, done = [], 0
    for start, end in sorted(spans):
        start, done = max(start, done), max(end, done)
        edits.append((start, done, re.sub(r"[^\n]", MASK, text[start:done])))
    return replaced(text, edits)
