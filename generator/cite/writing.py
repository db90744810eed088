"""How a unit is written into a document: as a link, a chip, a picture or a footnote, in each language.

The formats are those of :class:`generator.links.quoting.UnitReference`, fitted here to where they go. In LaTeX only
addresses are written. Footnotes that are new go to the end of a document, all together.

>>> has_note("mixed4a:11[^bvlc_googlenet-mixed4a-11]", "mixed4a:11", 10)
True
"""

import html
import re
from typing import Literal, get_args

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from generator.cite.mentions import NEWLINE, Language, Reference
from generator.cite.resolver import LayerReference
from generator.core.errors import UsageError, did_you_mean
from generator.links.quoting import Citation, latex_address
from generator.reader.atlas import PublishedUnit

Format = Literal["link", "chip", "markdown", "footnote"]
FORMATS: tuple[Format, ...] = get_args(Format)
_LIST = '<ol class="atlas-notes"'
_OTHERS = re.compile(r'<li id="(?:user-content-)?fn(?!-[a-z0-9_]+-\w+-[0-9]+)')  # of any program
_THERE = re.compile(r'^ {0,3}\[\^([^\[\]\s]+)\]:|<li id="fn-([a-z0-9_-]+)">', re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|textarea|pre|code)\b.*?(?:</\1|\Z)", re.DOTALL | re.IGNORECASE)
_END = re.compile(r"</body\s*>\s*(?:</html\s*>\s*)?\Z", re.IGNORECASE)
_BEHIND = re.compile(r'( [a-z]+)?(?:\[\^|<sup><a href="#fn-)([a-z0-9_-]+)["\]]')
_TITLE = re.compile(r"[ \t>]*(?:!!!|\?\?\?\+?|===[!+]?)[ \t]")  # of an admonition or a tab: between quotation marks
_BRACKET = re.compile(r"\(|\[(?!\^)")


def format_of(word: str) -> Format:
    """A format by its name. Raises UsageError if it is none."""
    for known in FORMATS:
        if known == word:
            return known
    raise UsageError(f"no form “{word}”: {did_you_mean(word, FORMATS)}")


def cited(unit: PublishedUnit) -> Citation:
    """What a footnote says of a unit."""
    return Citation(unit.origin.title, unit.fingerprint, unit.key, unit.date[:10])


def has_note(text: str, name: str, end: int) -> bool:
    """Whether a name that ends here, and perhaps a view behind it, has its footnote, of whichever checkpoint."""
    found = _BEHIND.match(text, end)
    return bool(found and f"-{found[2]}".endswith(re.sub("[/: ]", "-", f"-{name}{found[1] or ''}")))


class Writer:
    """Writes references to units into a document, and knows its footnotes."""

    def __init__(self, text: str, language: Language, to: Format) -> None:
        self._to, self._is_page = to, language == "html"
        self._text = _HIDDEN.sub(lambda found: " " * len(found[0]), text) if self._is_page else text
        self._before = len(_OTHERS.findall(self._text)) if self._is_page else 0
        there = dict.fromkeys(found[1] or found[2] for found in _THERE.finditer(self._text))
        self._numbers = {key: number for number, key in enumerate(there, self._before + 1)}
        self._new: list[str] = []

    def write(self, reference: Reference, meant: PublishedUnit | LayerReference) -> str:
        """What takes the place of a reference. A layer has no picture, so it is never anything but a link."""
        is_html, to = reference.language == "html", self._to
        if reference.how == "link":
            url = meant.url
            return html.escape(url) if is_html else latex_address(url) if reference.language == "latex" else url
        if isinstance(meant, LayerReference):
            link = f'<a href="{html.escape(meant.url)}">{html.escape(meant.name)}</a>'
            return link if is_html else f"[{meant.name}]({meant.url})"
        quoted, says = meant.quoted, cited(meant)
        line = self._text.rfind("\n", max(0, reference.start - 200), reference.start) + 1
        if to != "footnote" and not is_html and _TITLE.match(self._text, line):
            return quoted.markdown_link
        if to == "chip":
            return quoted.chip
        if to == "markdown":
            return quoted.html_picture if is_html else quoted.markdown_picture
        # [^note](text) would be a link to text, and footnotes have no footnotes
        is_bracketed = reference.language == "markdown" and _BRACKET.match(self._text, reference.end)
        if to == "link" or reference.is_plain or is_bracketed:
            return quoted.html_link if is_html else quoted.markdown_link
        if reference.language == "notebook":  # Jupyter shows no footnotes, but the title of a link
            return says.markdown_link(quoted)
        if quoted.key not in self._numbers:
            self._numbers[quoted.key] = self._before + len(self._numbers) + 1
            note = f"[^{quoted.key}]: {says.markdown_note(quoted)}"
            self._new.append(f'<li id="fn-{quoted.key}">{says.html_note(quoted)}</li>' if self._is_page else note)
        if is_html:
            number = f'<sup><a href="#fn-{quoted.key}">{self._numbers[quoted.key]}</a></sup>'
            return html.escape(quoted.name) + number
        return f"{quoted.name}[^{quoted.key}]"

    def notes(self) -> list[tuple[int, int, str]]:
        """Where the new footnotes go, all together."""
        found = NEWLINE.search(self._text)
        line = found[0] if found else "\n"
        new = "".join(note + line for note in self._new)
        return [(self._in_page if self._is_page else self._in_markdown)(new, line)] if new else []

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

    def _in_page(self, new: str, line: str) -> tuple[int, int, str]:
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
