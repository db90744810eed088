"""A document read against an atlas and written anew: the same text, in which every unit that it names is a reference.

>>> cite("Like mixed4a:11.", "markdown", atlas).text                  # doctest: +SKIP
'Like [mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html).'

What cannot be read, or must not be changed, stays as it is and is reported. A problem is a reference that leads nowhere
or to another picture than before. A note tells of a unit of weights that this atlas does not have, or of one that is
left alone because no rule knows what it stands in. Citing a cited document again changes nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from generator.cite import in_html, in_latex, in_markdown
from generator.cite.formatters import Format, is_noted, note, write, write_address, write_layer
from generator.cite.in_notebook import read_cells
from generator.cite.layout import Language, Layout, Reference, line_starts, newline_of
from generator.cite.prose import mentions
from generator.cite.resolver import Invalid, LayerReference, Meaning, OtherCheckpoint, Resolver, Valid
from generator.core.text import visible
from generator.reader.atlas import Atlas, PublishedUnit

Kind = Literal["markdown", "html", "latex", "notebook"]

_BRACKET = re.compile(r"\(|\[(?!\^)")
_PARSE: Mapping[Language, Callable[[str], Layout]] = {
    "markdown": in_markdown.parse,
    "notebook": in_markdown.parse,
    "html": in_html.parse,
    "latex": in_latex.parse,
}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one line of a document."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class CitedDocument:
    """A document as it was written anew. ``count`` references in it are right; ``written`` of them are new."""

    text: str
    problems: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    count: int
    written: int


@dataclass(slots=True)
class Edited:
    """What is to become of a text: pieces to replace, and what to report, each with its offset."""

    edits: list[tuple[int, int, str]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0
    written: int = 0


def cite(text: str, kind: Kind, atlas: Atlas, *, to: Format = "link", checkpoint: str | None = None) -> CitedDocument:
    """A document with all its references to units in one format. Names without a checkpoint mean ``checkpoint``, or the
    atlas's first.

    Raises UsageError if the atlas was never published or has no such checkpoint, NotebookError if a notebook is none.
    """
    resolver = Resolver(atlas, checkpoint)
    edited = _cite_notebook(text, resolver, to) if kind == "notebook" else edit(text, kind, resolver, to)
    starts = line_starts(text)

    def remarks(found: Iterable[tuple[int, str]]) -> tuple[Remark, ...]:
        return tuple(Remark(bisect_right(starts, offset), visible(what)) for offset, what in found)

    doubt = [Remark(1, resolver.doubt)] if resolver.doubt else []
    return CitedDocument(
        apply_edits(text, edited.edits), remarks(edited.problems), (*doubt, *remarks(edited.notes)), edited.count,
        edited.written,
    )  # fmt: skip


def times(count: int, what: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{count} {what}{'s' * (count != 1)}"


def apply_edits(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """A text with pieces of it replaced."""
    pieces, done = [], 0
    for start, end, new in sorted(edits):
        pieces += [text[done:start], new]
        done = end
    return "".join([*pieces, text[done:]])


def _cite_notebook(text: str, resolver: Resolver, to: Format) -> Edited:
    """A notebook is as many documents as it has Markdown cells."""
    whole = Edited()
    for cell in read_cells(text):
        edited = edit(cell.text, "notebook", resolver, to)
        for start, end, new in edited.edits:
            whole.edits.append((cell.places[start], cell.ends[end - 1], cell.json(new)))
        whole.problems += [(cell.places[at], f"cell {cell.number}: {what}") for at, what in edited.problems]
        whole.notes += [(cell.places[at], f"cell {cell.number}: {what}") for at, what in edited.notes]
        whole.count += edited.count
        whole.written += edited.written
    return whole


def edit(text: str, language: Language, resolver: Resolver, to: Format) -> Edited:
    """What a text in one language needs."""
    layout = _PARSE[language](text)
    references = sorted((*layout.references, *mentions(layout.prose, language)), key=lambda r: r.start)
    editor = _Editor(text, language, layout, to)
    edited = Edited(notes=list(_left_alone(text, layout, language, resolver)))
    for reference in references:
        match Valid() if editor.is_noted(reference) else meaning_of(reference, resolver):
            case None:
                pass
            case Invalid(what):
                edited.problems.append((reference.start, what))
            case OtherCheckpoint(why):
                edited.notes.append((reference.start, why))
            case PublishedUnit() | LayerReference() as meant:
                editor.write(reference, meant)
                edited.count += 1
            case Valid():  # who shows a picture with a link to it made one reference
                edited.count += reference.how != "shown"
    edited.notes.sort()
    edited.written = len(editor.edits)
    edited.edits = editor.all_edits()
    return edited


def meaning_of(reference: Reference, resolver: Resolver) -> Meaning:
    """What a reference means, by the way in which it stands in the document."""
    if reference.how == "shown":
        return resolver.of_own(reference.word)
    if reference.how == "ref":
        return resolver.of_ref(reference.word, is_command=reference.language == "latex")
    if reference.how in ("bare", "link"):
        return resolver.of_address(reference.word)
    return resolver.of_word(reference.word)


def _left_alone(text: str, layout: Layout, language: Language, resolver: Resolver) -> Iterable[tuple[int, str]]:
    """The first unit in each construct that no rule knows, so that its author can write it in another way."""
    done = 0
    for left in sorted(layout.left_alone, key=lambda left: (left.start, -left.end)):
        if left.start < done:
            continue
        done = left.end
        piece = text[left.start : left.end]
        for mention in in_latex.parse(piece).references if language == "latex" else mentions(piece, language):
            if isinstance(meaning_of(mention, resolver), PublishedUnit):
                yield left.start + mention.start, f"left alone: {mention.word} in {left.what}, which no rule knows"
                break


class _Editor:
    """Writes references into a document, each in the language of its place, and their notes at its end."""

    def __init__(self, text: str, language: Language, layout: Layout, to: Format) -> None:
        self.original, self.language, self.layout, self.to = text, language, layout, to
        self.numbers = {key: number for number, key in enumerate(layout.notes.there, 1)}
        self.edits: list[tuple[int, int, str]] = []
        self.notes: list[str] = []

    def is_noted(self, reference: Reference) -> bool:
        """Whether it is a name that has a footnote already."""
        language, _ = self._place(reference)
        return reference.how == "name" and is_noted(reference.word, self.original, reference.end, language)

    def write(self, reference: Reference, meant: PublishedUnit | LayerReference) -> None:
        """Replace a reference by what it means, unless it is only checked."""
        if reference.how not in ("shown", "ref"):
            self.edits.append((reference.start, reference.end, self._written(reference, meant)))

    def all_edits(self) -> list[tuple[int, int, str]]:
        """The references and, where there are new ones, the notes."""
        end, line = self.layout.notes, newline_of(self.original)
        said = end.before + "".join(note + line for note in self.notes) + end.after
        return [*self.edits, (end.at, end.at, said)] if self.notes else self.edits

    def _place(self, reference: Reference) -> tuple[Language, Format]:
        """The language of where a reference stands, and the format that it takes there."""
        zone = self.layout.zone(reference.start)
        return (zone.language, "link" if self.to == "footnote" else self.to) if zone else (self.language, self.to)

    def _written(self, reference: Reference, meant: PublishedUnit | LayerReference) -> str:
        if reference.how == "link":
            return write_address(meant.url, reference.language)
        language, to = self._place(reference)
        if language == "markdown" and to == "footnote" and _BRACKET.match(self.original, reference.end):
            to = "link"  # [^note](text) would be a link to text
        if isinstance(meant, LayerReference):
            return write_layer(meant, language)
        key = meant.quoted.key
        said = note(meant, language, to)
        if said and key not in self.numbers:
            self.numbers[key] = len(self.numbers) + 1
            self.notes.append(said)
        return write(meant, language, to, self.numbers.get(key, 0))
