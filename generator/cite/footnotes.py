"""The footnotes of a document: what each says of a unit, which there are, and where a new one goes.

>>> has_note("mixed4a:11[^bvlc_googlenet-mixed4a-11]", "mixed4a:11", 10, "markdown")
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from generator.cite.formatters import cited
from generator.cite.mentions import NEWLINE, Language, newline_of
from generator.reader.atlas import PublishedUnit

_LIST = '<ol class="atlas-notes"'
_OTHERS = re.compile(r'<li id="(?:user-content-)?fn(?!-[a-z0-9_]+-\w+-[0-9]+)')  # of any program
_THERE = re.compile(r'^ {0,3}\[\^([^\[\]\s]+)\]:|<li id="fn-([a-z0-9_-]+)">', re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|textarea|pre|code)\b.*?(?:</\1|\Z)", re.DOTALL | re.IGNORECASE)
_END = re.compile(r"</body\s*>\s*(?:</html\s*>\s*)?\Z", re.IGNORECASE)
_BEHIND: Mapping[Language, re.Pattern[str]] = {
    "markdown": re.compile(r"( [a-z]+)?\[\^([a-z0-9_-]+)\]"),
    "html": re.compile(r'( [a-z]+)?<sup><a href="#fn-([a-z0-9_-]+)"'),
}


def has_note(text: str, name: str, end: int, language: Language) -> bool:
    """Whether a name that ends here, and perhaps a view behind it, has its footnote, of whichever checkpoint."""
    found = _BEHIND[language].match(text, end) if language in _BEHIND else None
    return bool(found and f"-{found[2]}".endswith(re.sub("[/: ]", "-", f"-{name}{found[1] or ''}")))


class Footnotes:
    """Those of a document in Markdown or HTML, and those that are added."""

    def __init__(self, text: str, language: Language) -> None:
        self._is_html = language == "html"
        self._text = _HIDDEN.sub(lambda found: " " * len(found[0]), text) if self._is_html else text
        self._before = len(_OTHERS.findall(self._text)) if self._is_html else 0
        there = dict.fromkeys(found[1] or found[2] for found in _THERE.finditer(self._text))
        self._numbers = {key: number for number, key in enumerate(there, self._before + 1)}
        self._new: list[str] = []

    def number_of(self, unit: PublishedUnit) -> int:
        """The number of the note of a unit. If it has none, one is added."""
        quoted, says = unit.quoted, cited(unit)
        if quoted.key not in self._numbers:
            self._numbers[quoted.key] = self._before + len(self._numbers) + 1
            note = f"[^{quoted.key}]: {says.markdown_note(quoted)}"
            self._new.append(f'<li id="fn-{quoted.key}">{says.html_note(quoted)}</li>' if self._is_html else note)
        return self._numbers[quoted.key]

    def edits(self) -> list[tuple[int, int, str]]:
        """Where the new ones go, all together."""
        line = newline_of(self._text)
        new = "".join(note + line for note in self._new)
        return [(self._in_html if self._is_html else self._in_markdown)(new, line)] if new else []

    def _in_markdown(self, new: str, line: str) -> tuple[int, int, str]:
        """At the end, behind an empty line; but not in a last block that nobody closed."""
        text = self._text
        md = MarkdownIt("commonmark").use(footnote_plugin)
        md.core.ruler.enableOnly(["normalize", "block"])
        last = md.parse(f"{text}\n\n[^note]: text")[-1]
        end = len(text)
        if last.map and last.type in ("fence", "html_block"):
            end = [0, *(found.end() for found in NEWLINE.finditer(text))][last.map[0]]
        above = text[:end].rstrip("\r\n")
        before = line * max(2 - len(NEWLINE.findall(text, len(above), end)), 0) if above else ""
        return end, end, f"{before}{new}{'' if end == len(text) else line}"

    def _in_html(self, new: str, line: str) -> tuple[int, int, str]:
        """In a list of their own, at the end of the page's body."""
        text = self._text
        listed = text.rfind(_LIST)
        if listed >= 0 and (end := text.find("</ol>", listed)) >= 0:
            return end, end, new
        body = _END.search(text)
        at = body.start() if body else len(text)
        before = "" if not at or text[at - 1] in "\r\n" else line
        start = f' start="{self._before + 1}"' if self._before else ""
        return at, at, f"{before}{_LIST}{start}>{line}{new}</ol>{line}"
