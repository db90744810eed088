"""Where a document has its notes, and where a new one goes.

>>> notes_of("a[^b]\\n\\n[^b]: c\\n", "markdown")
Notes(there=('b',), others=0, at=15, before='\\n', after='')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from generator.cite.mentions import NEWLINE, Language, newline_of

_LIST = '<ol class="atlas-notes"'
_OTHERS = re.compile(r'<li id="(?:user-content-)?fn(?!-[a-z0-9_]+-\w+-[0-9]+">)')  # of any program
_NOTED = re.compile(r"^ {0,3}\[\^([^\[\]\s]+)\]:", re.MULTILINE)
_NOTED_IN_HTML = re.compile(r'<li id="fn-([a-z0-9_-]+)">')
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|textarea|pre|code)\b.*?(?:</\1|\Z)", re.DOTALL | re.IGNORECASE)
_END = re.compile(r"</body\s*>\s*(?:</html\s*>\s*)?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes at the end of a document: the keys of units that have one, how many others there are, and where and
    between what a new one goes."""

    there: tuple[str, ...] = ()
    others: int = 0
    at: int = 0
    before: str = ""
    after: str = ""


def notes_of(text: str, language: Language) -> Notes:
    """The notes of a document."""
    return _in_html(text) if language == "html" else _in_markdown(text)


def _in_markdown(text: str) -> Notes:
    """Definitions of footnotes go to the end, after an empty line; but not into a last block that nobody closed."""
    end, line = len(text), newline_of(text)
    md = MarkdownIt("commonmark").use(footnote_plugin)
    md.core.ruler.enableOnly(["normalize", "block"])
    last = next((token for token in reversed(md.parse(text)) if token.map and token.level == 0), None)
    if last and last.map and last.type in ("fence", "html_block"):
        start = [0, *(found.end() for found in NEWLINE.finditer(text))][last.map[0]]
        trial = md.parse(f"{text[start:]}\n\n[^note]: text")
        end = end if any(token.type == "footnote_reference_open" for token in trial) else start
    above = text[:end].rstrip("\r\n")
    before = line * max(2 - len(NEWLINE.findall(text, len(above), end)), 0) if above else ""
    return Notes(tuple(_NOTED.findall(text)), 0, end, before, "" if end == len(text) else line)


def _in_html(text: str) -> Notes:
    """The notes stand in a list of their own, at the end of the page's body."""
    plain = _HIDDEN.sub(lambda found: " " * len(found[0]), text)
    line, there, others = newline_of(text), tuple(_NOTED_IN_HTML.findall(plain)), len(_OTHERS.findall(plain))
    listed = plain.rfind(_LIST)
    if listed >= 0 and (end := plain.find("</ol>", listed)) >= 0:
        return Notes(there, others, end)
    body = _END.search(plain)
    at = body.start() if body else len(text)
    before = "" if not at or text[at - 1] in "\r\n" else line
    start = f' start="{others + 1}"' if others else ""
    return Notes(there, others, at, f"{before}{_LIST}{start}>{line}", f"</ol>{line}")
