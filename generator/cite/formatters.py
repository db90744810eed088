"""How a unit is written into a document: as a link, a chip, a picture or a footnote, in each language.

>>> write(atlas["mixed4a:11"], "markdown", "link")                    # doctest: +SKIP
'[mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html)'

The formats are those of :class:`generator.links.quoting.UnitReference`, fitted here to where they go. A note is what a
document says of a unit once, at its end: the text of a footnote. In LaTeX only addresses are written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from generator.cite.mentions import Language
from generator.cite.resolver import LayerReference
from generator.core.errors import UsageError, did_you_mean
from generator.links.quoting import Citation, UnitReference, inert, latex_address
from generator.reader.atlas import PublishedUnit

Format = Literal["link", "chip", "markdown", "footnote"]
FORMATS: tuple[Format, ...] = get_args(Format)

_Formatter = Callable[[UnitReference, Citation, int], str]


def _chip(quoted: UnitReference, cited: Citation, number: int) -> str:
    """A chip with a title in which no program that runs before the browser finds anything to obey."""
    title = html.escape(quoted.title)
    return quoted.chip.replace(f'title="{title}"', f'title="{inert(quoted.title)}"')


_MARKDOWN: Mapping[Format, _Formatter] = {
    "link": lambda quoted, cited, number: quoted.markdown_link,
    "chip": _chip,
    "markdown": lambda quoted, cited, number: quoted.markdown_picture,
    "footnote": lambda quoted, cited, number: f"{quoted.name}[^{quoted.key}]",
}
_WRITTEN: Mapping[Language, Mapping[Format, _Formatter]] = {
    "markdown": _MARKDOWN,
    # Jupyter shows no footnotes, but the title of a link
    "notebook": {**_MARKDOWN, "footnote": lambda quoted, cited, number: cited.markdown_link(quoted)},
    "html": {
        "link": lambda quoted, cited, number: quoted.html_link,
        "chip": _chip,
        "markdown": lambda quoted, cited, number: quoted.html_picture,
        "footnote": lambda quoted, cited, number: (
            f'{html.escape(quoted.name)}<sup><a href="#fn-{quoted.key}">{number}</a></sup>'
        ),
    },
}
_NOTES: Mapping[tuple[Language, Format], _Formatter] = {
    ("markdown", "footnote"): lambda quoted, cited, number: f"[^{quoted.key}]: {cited.markdown_note(quoted)}",
    ("html", "footnote"): lambda quoted, cited, number: f'<li id="fn-{quoted.key}">{cited.html_note(quoted)}</li>',
}
_IS_NOTED: Mapping[Language, re.Pattern[str]] = {
    "markdown": re.compile(r"( [a-z]+)?\[\^([a-z0-9_-]+)\]"),
    "html": re.compile(r'( [a-z]+)?<sup><a href="#fn-([a-z0-9_-]+)"'),
}


def format_of(word: str) -> Format:
    """A format by its name. Raises UsageError if it is none."""
    for known in FORMATS:
        if known == word:
            return known
    raise UsageError(f"no form “{word}”: {did_you_mean(word, FORMATS)}")


def write(unit: PublishedUnit, language: Language, to: Format, number: int = 0) -> str:
    """A unit as it stands in the text. ``number`` is the number of its footnote, where footnotes have numbers."""
    return _WRITTEN[language][to](unit.quoted, cited(unit), number)


def write_layer(page: LayerReference, language: Language) -> str:
    """A layer as a link: it has no picture, so it is never anything else."""
    if language == "html":
        return f'<a href="{html.escape(page.url)}">{html.escape(page.name)}</a>'
    return f"[{page.name}]({page.url})"


def write_address(url: str, language: Language) -> str:
    """An address, escaped for the place of another one."""
    return html.escape(url) if language == "html" else latex_address(url) if language == "latex" else url


def note(unit: PublishedUnit, language: Language, to: Format) -> str:
    """What is said of a unit once, at the end of a document; "" if nothing is."""
    formatter = _NOTES.get((language, to))
    return formatter(unit.quoted, cited(unit), 0) if formatter else ""


def is_noted(name: str, text: str, end: int, language: Language) -> bool:
    """Whether a name that ends here has its footnote already, of whichever checkpoint."""
    pattern = _IS_NOTED.get(language)
    found = pattern.match(text, end) if pattern else None
    key = re.sub("[/: ]", "-", f"-{name}{found[1] or ''}") if found else ""
    return bool(found and f"-{found[2]}".endswith(key))


def cited(unit: PublishedUnit) -> Citation:
    """What a footnote says of a unit."""
    return Citation(unit.origin.title, unit.fingerprint, unit.key, unit.date[:10])
