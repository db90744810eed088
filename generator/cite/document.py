"""A document read against an atlas, and written anew: the same text, in which every unit that it names is a reference.

>>> cite("Like mixed4a:11.", "markdown", atlas).text                  # doctest: +SKIP
'Like [mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html).'

What cannot be read, or must not be, stays as it is and is told: a problem is a reference that leads nowhere or to
another picture than it did, a note is one to weights that this atlas does not have. Citing what has been cited changes
nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from generator.cite import in_html, in_latex, in_markdown
from generator.cite.forms import To, is_noted, note, write, write_address, write_layer
from generator.cite.in_notebook import Cell, lines_of, read_cells, rewritten
from generator.cite.layout import Language, Layout, Reference, line_starts, newline_of
from generator.cite.meaning import Invalid, LayerPage, Meaning, OtherCheckpoint, Resolver, Valid, printable
from generator.cite.prose import mentions
from generator.reader.atlas import Atlas, PublishedUnit

Kind = Literal["markdown", "html", "latex", "notebook"]

_BRACKET = re.compile(r"\(|\[(?!\^)")
_LAY_OUT: Mapping[Language, Callable[[str], Layout]] = {
    "markdown": in_markdown.lay_out,
    "html": in_html.lay_out,
    "latex": in_latex.lay_out,
}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one line of a document."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class CitedDocument:
    """A document as it was written anew. ``count`` references in it are right, ``written`` of them only now."""

    text: str
    problems: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    count: int
    written: int


def cite(
    text: str, kind: Kind, atlas: Atlas, *, to: To = "link", checkpoint: str | None = None, layout: Layout | None = None
) -> CitedDocument:
    """A document with all its references to units in one form. Names without a checkpoint mean ``checkpoint``, or the
    atlas's first. ``layout`` is the document's, where it is not to be laid out by its kind alone.

    Raises UsageError if the atlas was never published or has no such checkpoint, NotebookError if a notebook is none.
    """
    meanings = Resolver(atlas, checkpoint)
    if kind == "notebook":
        cited = _cite_notebook(text, meanings, to)
    else:
        cited = _cite(text, kind, meanings, to, layout or _LAY_OUT[kind](text))
    return replace(cited, notes=(Remark(1, meanings.doubt), *cited.notes)) if meanings.doubt else cited


def times(count: int, what: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{count} {what}{'s' * (count != 1)}"


def _cite_notebook(text: str, meanings: Resolver, to: To) -> CitedDocument:
    """A notebook is as many documents as it has Markdown cells. Remarks name the line of the file."""
    cells = read_cells(text)
    cited = [_cite(cell.text, "notebook", meanings, to, in_markdown.lay_out(cell.text)) for cell in cells]
    starts = line_starts(text)

    def placed(cell: Cell, remarks: tuple[Remark, ...]) -> Iterator[Remark]:
        lines = lines_of(cell, text, starts) if remarks else []
        return (Remark(lines[remark.line - 1], f"cell {cell.number}: {remark.text}") for remark in remarks)

    each = list(zip(cells, cited, strict=True))
    return CitedDocument(
        rewritten(text, [(cell, new.text) for cell, new in each]),
        tuple(remark for cell, new in each for remark in placed(cell, new.problems)),
        tuple(remark for cell, new in each for remark in placed(cell, new.notes)),
        sum(new.count for new in cited),
        sum(new.written for new in cited),
    )


def _cite(text: str, language: Language, meanings: Resolver, to: To, layout: Layout) -> CitedDocument:
    references = sorted((*layout.references, *mentions(layout.prose, language)), key=lambda r: r.start)
    pen = _Pen(text, language, layout, to)
    starts = line_starts(text)
    problems: list[Remark] = []
    notes: list[Remark] = []
    count = 0
    for reference in references:
        line = bisect_right(starts, reference.start)
        match Valid() if pen.is_noted(reference) else _meaning(reference, meanings):
            case None:
                pass
            case Invalid(what):
                problems.append(Remark(line, printable(what)))
            case OtherCheckpoint(why):
                notes.append(Remark(line, printable(why)))
            case PublishedUnit() | LayerPage() as meant:
                pen.write(reference, meant)
                count += 1
            case Valid():  # who shows a picture with a link to it made one reference
                count += reference.how != "shown"
    return CitedDocument(pen.text(), tuple(problems), tuple(notes), count, len(pen.edits))


def _meaning(reference: Reference, meanings: Resolver) -> Meaning:
    if reference.how == "shown":
        return meanings.of_own(reference.word)
    if reference.how in ("bare", "link"):
        return meanings.of_address(reference.word)
    return meanings.of_word(reference.word)


class _Pen:
    """Writes references into a document, each in the language of its place, and their notes behind everything."""

    def __init__(self, text: str, language: Language, layout: Layout, to: To) -> None:
        self.original, self.language, self.layout, self.to = text, language, layout, to
        self.numbers = {key: number for number, key in enumerate(layout.notes.there, 1)}
        self.edits: list[tuple[int, int, str]] = []
        self.notes: list[str] = []

    def is_noted(self, reference: Reference) -> bool:
        """Whether it is a name that has a footnote already."""
        language, _ = self._place(reference)
        return reference.how == "name" and is_noted(reference.word, self.original, reference.end, language)

    def write(self, reference: Reference, meant: PublishedUnit | LayerPage) -> None:
        if reference.how not in ("shown", "ref"):
            self.edits.append((reference.start, reference.end, self._written(reference, meant)))

    def text(self) -> str:
        """The document as it is written now."""
        end, line = self.layout.notes, newline_of(self.original)
        notes = [(end.at, end.at, end.before + "".join(note + line for note in self.notes) + end.after)]
        pieces, done = [], 0
        for start, stop, new in sorted(self.edits + notes if self.notes else self.edits):
            pieces += [self.original[done:start], new]
            done = stop
        return "".join([*pieces, self.original[done:]])

    def _place(self, reference: Reference) -> tuple[Language, To]:
        """The language of where a reference stands, and the form it takes there."""
        zone = self.layout.zone(reference.start)
        return (zone.language, "link" if self.to == "footnote" else self.to) if zone else (self.language, self.to)

    def _written(self, reference: Reference, meant: PublishedUnit | LayerPage) -> str:
        if reference.how == "link":
            return write_address(meant.url, reference.language)
        language, to = self._place(reference)
        if language == "markdown" and to == "footnote" and _BRACKET.match(self.original, reference.end):
            to = "link"  # [^note](text) would be a link to text
        if isinstance(meant, LayerPage):
            return write_layer(meant, language)
        key = meant.quoted.key
        said = note(meant, language, to)
        if said and key not in self.numbers:
            self.numbers[key] = len(self.numbers) + 1
            self.notes.append(said)
        return write(meant, language, to, self.numbers.get(key, 0))
