"""What a document is to the rest of this room: prose, in which units may be named, and links, which may lead to one.

>>> from generator.cite.in_html import lay_out
>>> [(r.how, r.word) for r in lay_out('<pre>conv2d0:1</pre> <a href="11.html?a&amp;b">eleven</a>').references]
[('link', '11.html?a&b')]

Every language has a module that lays its documents out, ``in_markdown``, ``in_html``, ``in_latex``. Offsets are the
document's own throughout, so that all of it but what is replaced stays as it is, to the byte.
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

BLANK = "\x00"
"""Stands in the prose for all that is none. No document has it: a file with it is not text."""

NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Reference:
    """A piece of a document that may name a unit, and the word that does, as it is meant rather than as it is escaped.

    Where it is a name, a name in [[brackets]] or a bare address, all of it is replaced; of a link with a text of its
    own only the address. What is shown, a picture or a frame, is only looked at, and so is a unit's own element.
    """

    start: int
    end: int
    word: str
    how: How
    language: Language


@dataclass(frozen=True, slots=True)
class Zone:
    """A piece of a document that is written in another way than the rest: HTML in Markdown, or a footnote, which
    cannot have footnotes."""

    start: int
    end: int
    language: Language


@dataclass(frozen=True, slots=True)
class Notes:
    """What a document says once of a unit, at its end: the keys of units that it has already, and where and between
    what another goes."""

    there: tuple[str, ...] = ()
    at: int = 0
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Layout:
    """A document with all that is not prose blanked, and the references outside of prose. Zones do not overlap."""

    prose: str
    references: tuple[Reference, ...]
    notes: Notes
    zones: tuple[Zone, ...] = ()

    @cached_property
    def _starts(self) -> list[int]:
        return [zone.start for zone in self.zones]

    def zone(self, offset: int) -> Zone | None:
        before = bisect_right(self._starts, offset) - 1
        return self.zones[before] if before >= 0 and offset < self.zones[before].end else None


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """A text with these spans, which may overlap, blanked.

    >>> blanked("a `b` c", [(2, 5)]).replace(BLANK, ".")
    'a ... c'
    """
    pieces, done = [], 0
    for start, end in sorted(spans):
        if end > done:
            start = max(start, done)
            pieces += [text[done:start], BLANK * (end - start)]
            done = end
    return "".join([*pieces, text[done:]])


class Spans:
    """Pieces of a document, asked whether an offset is in one of them."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, offset: int) -> bool:
        before = bisect_right(self._starts, offset) - 1
        return before >= 0 and offset < self._ends[before]


def line_starts(text: str) -> list[int]:
    return [0, *(newline.end() for newline in NEWLINE.finditer(text))]


def newline_of(text: str) -> str:
    """How a document ends its lines."""
    found = NEWLINE.search(text)
    return found[0] if found else "\n"
