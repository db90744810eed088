"""What every reader of a document returns: its prose, in which units may be named, and its links.

>>> from generator.cite.in_html import parse
>>> [(r.how, r.word) for r in parse('<pre>conv2d0:1</pre> <a href="11.html?a&amp;b">eleven</a>').references]
[('link', '11.html?a&b')]

Each language has a module with a function ``parse``: ``in_markdown``, ``in_html``, ``in_latex``. All offsets are those
of the document itself, so everything that is not replaced stays the same to the byte.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Language = Literal["markdown", "html", "latex", "notebook"]
How = Literal["name", "bracketed", "bare", "link", "shown", "ref"]
Span = tuple[int, int]

MASK = "\x00"
"""Replaces every character that is not prose. No document contains it: a file with it is not text."""

NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Reference:
    """A piece of a document that may name a unit. ``word`` is the name or the address, with its escapes undone.

    ``how`` says what is replaced. All of a ``name``, of a name in [[brackets]] (``bracketed``) and of a ``bare``
    address; only the address of a ``link`` with a text of its own. What is ``shown`` (a picture, a frame) and the
    ``ref`` of an <atlas-unit> or \\atlasunit are only checked.
    """

    start: int
    end: int
    word: str
    how: How
    language: Language


@dataclass(frozen=True, slots=True)
class Zone:
    """A piece of a document that is written differently from the rest: HTML in Markdown, or a footnote, which cannot
    have footnotes."""

    start: int
    end: int
    language: Language


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A piece of a document that may be prose, but whose construct no rule knows. It is never touched."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes at the end of a document: the keys of units that have one, and where and between what a new one
    goes."""

    there: tuple[str, ...] = ()
    at: int = 0
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Layout:
    """A document with everything but its prose masked, and the references outside of the prose. Zones are sorted and do
    not overlap."""

    prose: str
    references: tuple[Reference, ...]
    notes: Notes
    zones: tuple[Zone, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()

    @cached_property
    def _starts(self) -> list[int]:
        return [zone.start for zone in self.zones]

    def zone(self, offset: int) -> Zone | None:
        """The zone at an offset."""
        before = bisect_right(self._starts, offset) - 1
        return self.zones[before] if before >= 0 and offset < self.zones[before].end else None


def mask(text: str, spans: Iterable[Span]) -> str:
    """A text with these spans masked. They may overlap; ends of lines stay.

    >>> mask("a `b` c", [(2, 5)]).replace(MASK, ".")
    'a ... c'
    """
    pieces, done = [], 0
    for start, end in sorted(spans):
        if end > done:
            start = max(start, done)
            pieces += [text[done:start], re.sub(r"[^\r\n]", MASK, text[start:end])]
            done = end
    return "".join([*pieces, text[done:]])


def keep(text: str, spans: Iterable[Span]) -> str:
    """A text with everything but these spans masked. They may overlap; ends of lines stay.

    >>> keep("a `b` c", [(0, 2)]).replace(MASK, ".")
    'a .....'
    """
    gaps, done = [], 0
    for start, end in sorted(spans):
        gaps.append((done, max(start, done)))
        done = max(done, end)
    return mask(text, [*gaps, (done, len(text))])


class Spans:
    """Pieces of a document, asked whether an offset is in one of them."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, offset: int) -> bool:
        return offset < self.end(offset)

    def end(self, offset: int) -> int:
        """Where the piece ends that begins at or before an offset; 0 if none does."""
        before = bisect_right(self._starts, offset) - 1
        return self._ends[before] if before >= 0 else 0


def line_starts(text: str) -> list[int]:
    """The offset at which each line begins."""
    return [0, *(newline.end() for newline in NEWLINE.finditer(text))]


def newline_of(text: str) -> str:
    """How a document ends its lines."""
    found = NEWLINE.search(text)
    return found[0] if found else "\n"
