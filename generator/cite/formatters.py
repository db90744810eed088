"""How a unit is written into a document: as a link, a chip, a picture or a footnote, in each language.

>>> write(atlas["mixed4a:11"], "markdown", "link")                    # doctest: +SKIP
'[mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html)'

The formats are those of :class:`generator.links.quoting.UnitReference`, fitted here to where they go. In LaTeX only
addresses are written.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from generator.cite.mentions import Language
from generator.cite.resolver import LayerReference
from generator.core.errors import UsageError, did_you_mean
from generator.links.quoting import Citation, UnitReference, latex_address
from generator.reader.atlas import PublishedUnit

Format = Literal["link", "chip", "markdown", "footnote"]
FORMATS: tuple[Format, ...] = get_args(Format)

_Formatter = Callable[[UnitReference, Citation, int], str]
_MARKDOWN: Mapping[Format, _Formatter] = {
    "link": lambda quoted, cited, number: quoted.markdown_link,
    "chip": lambda quoted, cited, number: quoted.chip,
    "markdown": lambda quoted, cited, number: quoted.markdown_picture,
    "footnote": lambda quoted, cited, number: f"{quoted.name}[^{quoted.key}]",
}
_WRITTEN: Mapping[Language, Mapping[Format, _Formatter]] = {
    "markdown": _MARKDOWN,
    # Jupyter shows no footnotes, but the title of a link
    "notebook": {**_MARKDOWN, "footnote": lambda quoted, cited, number: cited.markdown_link(quoted)},
    "html": {
        "link": lambda quoted, cited, number: quoted.html_link,
        "chip": lambda quoted, cited, number: quoted.chip,
        "markdown": lambda quoted, cited, number: quoted.html_picture,
        "footnote": lambda quoted, cited, number: (
            f'{html.escape(quoted.name)}<sup><a href="#fn-{quoted.key}">{number}</a></sup>'
        ),
    },
}


def format_of(word: str) -> Format:
    """A format by its name. Raises UsageError if it is none."""
    for known in FORMATS:
        if known == word:
            return known
    raise UsageError(f"no form “{word}”: {did_you_mean(word, FORMATS)}")


def write(meant: PublishedUnit | LayerReference, language: Language, to: Format, number: int = 0) -> str:
    """A unit as it stands in the text. ``number`` is that of its footnote, where footnotes have numbers. A layer has no
    picture, so it is never anything but a link."""
    if isinstance(meant, PublishedUnit):
        return _WRITTEN[language][to](meant.quoted, cited(meant), number)
    if language == "html":
        return f'<a href="{html.escape(meant.url)}">{html.escape(meant.name)}</a>'
    return f"[{meant.name}]({meant.url})"


def write_address(url: str, language: Language) -> str:
    """An address, escaped for the place of another one."""
    return html.escape(url) if language == "html" else latex_address(url) if language == "latex" else url


def cited(unit: PublishedUnit) -> Citation:
    """What a footnote says of a unit."""
    return Citation(unit.origin.title, unit.fingerprint, unit.key, unit.date[:10])
