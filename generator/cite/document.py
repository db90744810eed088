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
from dataclasses import dataclass, field, replace

from generator.cite.footnotes import Notes, notes_of
from generator.cite.formatters import Format, is_noted, note, write, write_address, write_layer
from generator.cite.latex import read_latex
from generator.cite.markdown import read_markdown
from generator.cite.markup import read_html
from generator.cite.mentions import NEWLINE, Language, Reference, newline_of
from generator.cite.notebook import read_cells
from generator.cite.resolver import Invalid, LayerReference, Meaning, OtherCheckpoint, Resolver, Valid
from generator.core.text import visible
from generator.reader.atlas import Atlas, PublishedUnit

_BRACKET = re.compile(r"\(|\[(?!\^)")
_READ: Mapping[Language, Callable[[str], list[Reference]]] = {
    "markdown": read_markdown,
    "notebook": lambda text: read_markdown(text, "notebook"),
    "html": read_html,
    "latex": read_latex,
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
    """What is to become of a text: pieces to replace, and what to report."""

    edits: list[tuple[int, int, str]] = field(default_factory=list)
    problems: list[tuple[Reference, str]] = field(default_factory=list)
    notes: list[tuple[Reference, str]] = field(default_factory=list)
    count: int = 0
    written: int = 0

    def judge(self, reference: Reference, resolver: Resolver) -> PublishedUnit | LayerReference | None:
        """What is to be written for a reference, by the way in which it stands in the document; None if it stays. What
        there is to say of it is kept."""
        match _meaning_of(reference, resolver):
            case PublishedUnit() | LayerReference() as meant:
                self.count += 1
                return None if reference.how in ("shown", "ref") else meant
            case Invalid(what):
                self.problems.append((reference, what))
            case OtherCheckpoint(why):
                self.notes.append((reference, why))
            case Valid():  # who shows a picture with a link to it made one reference
                self.count += reference.how != "shown"
        return None


def cite(
    text: str, kind: Language, atlas: Atlas, *, to: Format = "link", checkpoint: str | None = None
) -> CitedDocument:
    """A document with all its references to units in one format. Names without a checkpoint mean ``checkpoint``, or the
    atlas's first.

    Raises UsageError if the atlas was never published or has no such checkpoint, NotebookError if a notebook is none.
    """
    resolver = Resolver(atlas, checkpoint)
    edited = _cite_notebook(text, resolver, to) if kind == "notebook" else edit(text, kind, resolver, to)
    starts = [0, *(newline.end() for newline in NEWLINE.finditer(text))]

    def remarks(found: Iterable[tuple[Reference, str]]) -> tuple[Remark, ...]:
        return tuple(Remark(bisect_right(starts, reference.start), visible(what)) for reference, what in found)

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
        whole.edits += [(cell.places[a], cell.ends[b - 1], cell.json(new)) for a, b, new in edited.edits]
        for said, new in ((whole.problems, edited.problems), (whole.notes, edited.notes)):
            said += [(replace(x, start=cell.places[x.start]), f"cell {cell.number}: {what}") for x, what in new]
        whole.count += edited.count
        whole.written += edited.written
    return whole


def edit(text: str, language: Language, resolver: Resolver, to: Format) -> Edited:
    """What a text in one language needs."""
    edited, writer, done, left = Edited(), _Writer(text, language, to), 0, ""
    for reference in sorted(_READ[language](text), key=lambda reference: reference.start):
        if reference.start < done:
            continue  # within an address
        done = reference.end
        if reference.left:  # the first unit in a construct is told, so that its author can write it in another way
            if reference.left != left and isinstance(_meaning_of(reference, resolver), PublishedUnit):
                left = reference.left
                edited.notes.append((reference, f"left alone: {reference.word} in {left}, which no rule knows"))
        elif writer.is_noted(reference):
            edited.count += 1
        elif meant := edited.judge(reference, resolver):
            edited.edits.append((reference.start, reference.end, writer.written(reference, meant)))
    edited.written = len(edited.edits)
    edited.edits += writer.new_notes()
    return edited


def _meaning_of(reference: Reference, resolver: Resolver) -> Meaning:
    if reference.how == "shown":
        return resolver.of_own(reference.word)
    if reference.how == "ref":
        return resolver.of_ref(reference.word, is_command=reference.language == "latex")
    return (resolver.of_address if reference.how in ("bare", "link") else resolver.of_word)(reference.word)


class _Writer:
    """Writes references, each in the language of its place, and their notes at the end of the document."""

    def __init__(self, text: str, language: Language, to: Format) -> None:
        self.text, self.to = text, to
        self.end = notes_of(text, language) if to == "footnote" else Notes()
        self.numbers = {key: number for number, key in enumerate(self.end.there, self.end.others + 1)}
        self.notes: list[str] = []

    def is_noted(self, reference: Reference) -> bool:
        """Whether it is a name that has a footnote already."""
        return reference.how == "name" and is_noted(reference.word, self.text, reference.end, reference.language)

    def written(self, reference: Reference, meant: PublishedUnit | LayerReference) -> str:
        """What takes the place of a reference."""
        language, to = reference.language, self.to
        if reference.how == "link":
            return write_address(meant.url, language)
        if isinstance(meant, LayerReference):
            return write_layer(meant, language)
        is_bracketed = language == "markdown" and _BRACKET.match(self.text, reference.end)
        if to == "footnote" and (reference.is_plain or is_bracketed):
            to = "link"  # [^note](text) would be a link to text, and footnotes have no footnotes
        key, said = meant.quoted.key, note(meant, language, to)
        if said and key not in self.numbers:
            self.numbers[key] = self.end.others + len(self.numbers) + 1
            self.notes.append(said + newline_of(self.text))
        return write(meant, language, to, self.numbers.get(key, 0))

    def new_notes(self) -> list[tuple[int, int, str]]:
        """Where the new notes go."""
        said = "".join([self.end.before, *self.notes, self.end.after])
        return [(self.end.at, self.end.at, said)] if self.notes else []
