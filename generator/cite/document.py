"""A document read against an atlas and written anew: the same text, in which every unit that it names is a reference.

>>> cite("Like mixed4a:11.", "markdown", atlas).text                  # doctest: +SKIP
'Like [mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html).'

What cannot be read, or must not be changed, stays as it is and is reported. A problem is a reference that leads nowhere
or to another picture than before. A note tells of a unit of weights that this atlas does not have, or of one that is
left alone because no rule knows what it stands in. Citing a cited document again changes nothing.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from generator.cite.footnotes import Footnotes, has_note
from generator.cite.formatters import Format, write, write_address
from generator.cite.latex import read_latex
from generator.cite.markdown import read_markdown
from generator.cite.markup import read_html
from generator.cite.mentions import NEWLINE, Language, Reference
from generator.cite.notebook import read_cells
from generator.cite.resolver import LayerReference, Meaning, Resolver, Stays
from generator.core.text import visible
from generator.reader.atlas import Atlas, PublishedUnit

_BRACKET = re.compile(r"\(|\[(?!\^)")


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
        meant = _meaning_of(reference, resolver)
        if isinstance(meant, Stays):
            self.problems += [(reference, meant.problem)] if meant.problem else []
            self.notes += [(reference, meant.note)] if meant.note else []
            # who shows a picture with a link to it made one reference
            self.count += meant == Stays() and reference.how != "shown"
            return None
        self.count += meant is not None
        return None if reference.how in ("shown", "ref") else meant


def cite(
    text: str, kind: Language, atlas: Atlas, *, to: Format = "link", checkpoint: str | None = None
) -> CitedDocument:
    """A document with all its references to units in one format. Names without a checkpoint mean ``checkpoint``, or the
    atlas's first.

    Raises UsageError if the atlas was never published or has no such checkpoint, NotebookError if a notebook is none.
    """
    edited = (_edit_notebook if kind == "notebook" else edit)(text, kind, Resolver(atlas, checkpoint), to)
    starts = [0, *(newline.end() for newline in NEWLINE.finditer(text))]

    def remarks(found: Iterable[tuple[Reference, str]]) -> tuple[Remark, ...]:
        return tuple(Remark(bisect_right(starts, reference.start), visible(what)) for reference, what in found)

    new, problems, notes = apply_edits(text, edited.edits), remarks(edited.problems), remarks(edited.notes)
    return CitedDocument(new, problems, notes, edited.count, edited.written)


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


def _edit_notebook(text: str, kind: Language, resolver: Resolver, to: Format) -> Edited:
    """A notebook is as many documents as it has Markdown cells."""
    whole = Edited()
    for cell in read_cells(text):
        edited = edit(cell.text, kind, resolver, to)
        whole.edits += [(cell.places[a], cell.ends[b - 1], json.dumps(new)[1:-1]) for a, b, new in edited.edits]
        for said, new in ((whole.problems, edited.problems), (whole.notes, edited.notes)):
            said += [(replace(x, start=cell.places[x.start]), f"cell {cell.number}: {what}") for x, what in new]
        whole.count += edited.count
        whole.written += edited.written
    return whole


def edit(text: str, language: Language, resolver: Resolver, to: Format) -> Edited:
    """What a text in one language needs."""
    edited, notes, done, left = Edited(), Footnotes(text, language), 0, ""
    read = {"html": read_html, "latex": read_latex}.get(language) or partial(read_markdown, language=language)
    for reference in sorted(read(text), key=lambda reference: reference.start):
        if reference.start < done:
            continue  # within an address
        done = reference.end
        if reference.left:  # the first unit in a construct is told, so that its author can write it in another way
            if reference.left != left and isinstance(_meaning_of(reference, resolver), PublishedUnit):
                left = reference.left
                edited.notes.append((reference, f"left alone: {reference.word} in {left}, which no rule knows"))
        elif reference.how == "name" and has_note(text, reference.word, done, reference.language):
            edited.count += 1
        elif meant := edited.judge(reference, resolver):
            edited.edits.append((reference.start, done, _written(text, reference, meant, to, notes)))
    edited.written = len(edited.edits)
    edited.edits += notes.edits()
    return edited


def _meaning_of(reference: Reference, resolver: Resolver) -> Meaning:
    if reference.how == "shown":
        return resolver.of_own(reference.word)
    if reference.how == "ref":
        return resolver.of_ref(reference.word, is_command=reference.language == "latex")
    return (resolver.of_address if reference.how in ("bare", "link") else resolver.of_word)(reference.word)


def _written(
    text: str, reference: Reference, meant: PublishedUnit | LayerReference, to: Format, notes: Footnotes
) -> str:
    """What takes the place of a reference."""
    if reference.how == "link":
        return write_address(meant.url, reference.language)
    is_bracketed = reference.language == "markdown" and _BRACKET.match(text, reference.end)
    if to == "footnote" and (reference.is_plain or is_bracketed):
        to = "link"  # [^note](text) would be a link to text, and footnotes have no footnotes
    number = 0
    if to == "footnote" and reference.language != "notebook" and isinstance(meant, PublishedUnit):
        number = notes.number_of(meant)
    return write(meant, reference.language, to, number)
