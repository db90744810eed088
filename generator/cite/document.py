"""A document read against an atlas and written anew: the same text, in which every unit that it names is a reference.

>>> cite("Like mixed4a:11.", "markdown", atlas).text                  # doctest: +SKIP
'Like [mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html).'

What cannot be read, or must not be changed, stays as it is and is reported. A problem is a reference that leads nowhere
or to another picture than before. A note tells of a unit of weights that this atlas does not have, or of one that is
left alone because no rule knows what it stands in. Citing a cited document again changes nothing.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from generator.cite.latex import read_latex
from generator.cite.markdown import read_markdown
from generator.cite.markup import read_html
from generator.cite.mentions import NEWLINE, Language, Reference, replaced
from generator.cite.resolver import RIGHT, LayerReference, Resolver, Stays
from generator.cite.writing import Format, Writer, has_note
from generator.core.errors import AtlasError
from generator.core.text import visible
from generator.reader.atlas import Atlas, PublishedUnit

_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"(?P<key>\s*:)?', re.DOTALL)  # of JSON
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


class NotebookError(AtlasError):
    """A file that is no notebook."""


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
        meant = resolver.of(reference.how, reference.word, reference.language)
        if isinstance(meant, Stays):
            self.problems += [(reference, meant.problem)] if meant.problem else []
            self.notes += [(reference, meant.note)] if meant.note else []
            # who shows a picture with a link to it made one reference
            self.count += meant == RIGHT and reference.how != "shown"
            return None
        self.count += meant is not None
        return None if reference.how == "ref" else meant


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

    new, problems, notes = replaced(text, edited.edits), remarks(edited.problems), remarks(edited.notes)
    return CitedDocument(new, problems, notes, edited.count, edited.written)


def times(count: int, what: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{count} {what}{'s' * (count != 1)}"


def edit(text: str, language: Language, resolver: Resolver, to: Format) -> Edited:
    """What a text in one language needs."""
    edited, writer, done, left = Edited(), Writer(text, language, to), 0, ""
    read = {"html": read_html, "latex": read_latex}.get(language, read_markdown)
    for reference in sorted(read(text, language), key=lambda reference: reference.start):
        if reference.start < done:
            continue  # within an address
        done = reference.end
        if reference.left:  # the first unit in a construct is told, so that its author can write it in another way
            meant = resolver.of(reference.how, reference.word, reference.language)
            if reference.left != left and isinstance(meant, PublishedUnit):
                left = reference.left
                edited.notes.append((reference, f"left alone: {reference.word} in {left}, which no rule knows"))
        elif reference.how == "name" and has_note(text, reference.word, done):
            edited.count += 1
        elif meant := edited.judge(reference, resolver):
            edited.edits.append((reference.start, done, writer.write(reference, meant)))
    edited.written = len(edited.edits)
    edited.edits += writer.notes()
    return edited


def _edit_notebook(text: str, kind: Language, resolver: Resolver, to: Format) -> Edited:
    """A notebook is as many documents as it has Markdown cells.

    Every program writes a notebook's JSON in its own way, so it is not written anew: only the characters of references
    are replaced, within the strings of JSON that are there.
    """
    whole = Edited()
    for number, source, places in _cells(text):
        edited = edit(source, kind, resolver, to)
        whole.edits += [(places[a][0], places[b - 1][1], json.dumps(new)[1:-1]) for a, b, new in edited.edits]
        for said, new in ((whole.problems, edited.problems), (whole.notes, edited.notes)):
            said += [(replace(x, start=places[x.start][0]), f"cell {number}: {what}") for x, what in new]
        whole.count += edited.count
        whole.written += edited.written
    return whole


def _cells(text: str) -> Iterator[tuple[int, str, list[tuple[int, int]]]]:
    """The Markdown cells of a notebook: the number from 1, the source, and where each character of that stands."""
    try:
        json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"it is not a notebook ({error})") from error
    # the same, in which each string but keys says where it stands
    placed = _STRING.sub(lambda found: found[0] if found["key"] else f'"{found.start()} {found.end()}"', text)
    notebook = json.loads(placed.removeprefix("\ufeff"))
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotebookError("it is not a notebook of format 4: it has no cells; open it in Jupyter and save it")
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and [text[a:b] for a, b in _spans(cell.get("cell_type"))] == ['"markdown"']:
            found = [each for a, b in _spans(cell.get("source")) for each in _CHARACTER.finditer(text, a + 1, b - 1)]
            source = "".join(json.loads(f'"{each[0]}"') if len(each[0]) > 1 else each[0] for each in found)
            yield number, source, [each.span() for each in found]


def _spans(placed: object) -> Iterator[tuple[int, int]]:
    """Where a string stands, or each of a list."""
    for each in placed if isinstance(placed, list) else [placed]:
        if isinstance(each, str):
            start, end = each.split()
            yield int(start), int(end)
