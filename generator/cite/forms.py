r"""How a unit is written into a document: as a link, a chip, a picture or a footnote, in each language.

>>> write(atlas["mixed4a:11"], "latex", "link")                       # doctest: +SKIP
'\\href{https://host/atlas/bvlc_googlenet/mixed4a/11.html}{mixed4a:11}'

The forms are those of :class:`generator.links.quoting.UnitReference`, fitted here to where they go. What a document
says of a unit once, at its end, is a note: a footnote's text, or where a picture for LaTeX comes from.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from generator.cite.layout import Language
from generator.cite.meaning import LayerPage
from generator.core.errors import UsageError, did_you_mean
from generator.links.quoting import Citation, UnitReference, inert, latex, latex_address
from generator.reader.atlas import PublishedUnit

To = Literal["link", "chip", "markdown", "footnote"]
FORMS: tuple[To, ...] = get_args(To)

_Form = Callable[[UnitReference, Citation, int], str]


def _chip(quoted: UnitReference, cited: Citation, number: int) -> str:
    """A chip whose title nothing reads that comes before HTML."""
    title = html.escape(quoted.title)
    return quoted.chip.replace(f'title="{title}"', f'title="{inert(quoted.title)}"')


_MARKDOWN: Mapping[To, _Form] = {
    "link": lambda quoted, cited, number: quoted.markdown_link,
    "chip": _chip,
    "markdown": lambda quoted, cited, number: quoted.markdown_picture,
    "footnote": lambda quoted, cited, number: f"{quoted.unit}[^{quoted.key}]",
}
_WRITTEN: Mapping[Language, Mapping[To, _Form]] = {
    "markdown": _MARKDOWN,
    # Jupyter shows no footnotes, but the title of a link
    "notebook": {**_MARKDOWN, "footnote": lambda quoted, cited, number: cited.markdown_link(quoted)},
    "html": {
        "link": lambda quoted, cited, number: quoted.html_link,
        "chip": _chip,
        "markdown": lambda quoted, cited, number: quoted.html_picture,
        "footnote": lambda quoted, cited, number: (
            f'{html.escape(str(quoted.unit))}<sup><a href="#fn-{quoted.key}">{number}</a></sup>'
        ),
    },
    "latex": {
        "link": lambda quoted, cited, number: quoted.latex_link,
        "chip": lambda quoted, cited, number: quoted.latex_chip,
        "markdown": lambda quoted, cited, number: quoted.latex_picture.partition("\n")[2],
        "footnote": lambda quoted, cited, number: (
            rf"{latex(str(quoted.unit))}\footnote{{{cited.latex_note(quoted)} \url{{{latex_address(quoted.page)}}}.}}"
        ),
    },
}
_NOTES: Mapping[tuple[Language, To], _Form] = {
    ("markdown", "footnote"): lambda quoted, cited, number: f"[^{quoted.key}]: {cited.markdown_note(quoted)}",
    ("html", "footnote"): lambda quoted, cited, number: f'<li id="fn-{quoted.key}">{cited.html_note(quoted)}</li>',
    ("latex", "chip"): lambda quoted, cited, number: quoted.latex_picture.partition("\n")[0],
    ("latex", "markdown"): lambda quoted, cited, number: quoted.latex_picture.partition("\n")[0],
}
_IS_NOTED: Mapping[Language, re.Pattern[str]] = {
    "markdown": re.compile(r"\[\^([a-z0-9_-]+)\]"),
    "html": re.compile(r'<sup><a href="#fn-([a-z0-9_-]+)"'),
    "latex": re.compile(r"\\footnote\{\\href\{[^{}]*/([^{}/]+/\d+)\.html"),
}


def form_of(word: str) -> To:
    """A form by its name. Raises UsageError if it is none."""
    for form in FORMS:
        if form == word:
            return form
    raise UsageError(f"no form “{word}”: {did_you_mean(word, FORMS)}")


def write(unit: PublishedUnit, language: Language, to: To, number: int = 0) -> str:
    """A unit as it stands in the text. ``number`` is that of its footnote, where footnotes have numbers."""
    return _WRITTEN[language][to](unit.quoted, cited(unit), number)


def write_layer(page: LayerPage, language: Language) -> str:
    """A layer has no picture: it is linked, whatever form units take."""
    if language == "html":
        return f'<a href="{html.escape(page.url)}">{html.escape(page.name)}</a>'
    if language == "latex":
        return rf"\href{{{latex_address(page.url)}}}{{{latex(page.name)}}}"
    return f"[{page.name}]({page.url})"


def write_address(url: str, language: Language) -> str:
    """An address in the place of another."""
    return html.escape(url) if language == "html" else latex_address(url) if language == "latex" else url


def note(unit: PublishedUnit, language: Language, to: To) -> str:
    """What is said of a unit once, at the end of a document; "" if nothing is."""
    form = _NOTES.get((language, to))
    return form(unit.quoted, cited(unit), 0) if form else ""


def is_noted(name: str, text: str, end: int, language: Language) -> bool:
    """Whether a name that ends here has its footnote already, whichever checkpoint that says is meant."""
    pattern = _IS_NOTED.get(language)
    found = pattern.match(text, end) if pattern else None
    return bool(found and f"-{found[1]}".replace("/", "-").endswith(f"-{name.replace(':', '-')}"))


def cited(unit: PublishedUnit) -> Citation:
    """What a footnote says of a unit."""
    fingerprint = unit.atlas.checkpoints[unit.checkpoint].fingerprint
    return Citation(unit.atlas.title, fingerprint, unit.key, unit.date[:10])
