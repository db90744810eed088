"""Directions: units that are no channels of a layer but vectors over its channels.

A set of directions is a layer of its own, written ``mixed4a@NAME``, and its rows are the units: ``mixed4a@NAME:17``.
The vectors of a set come from a file that atlas.toml names. Sums and differences of channels need none, because their
name says all; each is a set of one row:

>>> sum_name([(5, "+"), (11, "-")]), sum_terms("5_minus_11")
('5_minus_11', ((5, 1), (11, -1)))
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy takes a third of the time that the command line has to start
    import numpy as np
    from numpy.typing import NDArray

SET_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""A name that a set of directions may have: it is part of addresses."""
_SUM = re.compile(r"\d{1,6}(_(plus|minus)_\d{1,6}){1,7}", re.ASCII)
_TERM = re.compile(r"(?:^|_(plus|minus)_)(\d+)", re.ASCII)
AT = "@"


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """A set of directions in a layer. ``vectors`` is K x channels in float32, of any length but 0; None where an atlas
    is read that was published without them. ``source`` says which file and tensor they are from."""

    layer: str
    name: str
    count: int
    vectors: NDArray[np.float32] | None = field(default=None, repr=False)
    source: str = ""

    def __str__(self) -> str:
        """The name as a layer: ``mixed4a@NAME``."""
        return f"{self.layer}{AT}{self.name}"

    def checksum(self, row: int | None = None) -> str:
        """The sha256 of a vector, or of all, as little-endian float32. It is part of what is asked of directions."""
        if self.vectors is None:
            raise ValueError(f"the vectors of {self} are not known")
        return hashlib.sha256(self.vectors[slice(None) if row is None else row].astype("<f4").tobytes()).hexdigest()


def base_layer(layer: str) -> str:
    """The layer that directions are in; of any other layer, its own name.

    >>> base_layer("mixed4a@sae"), base_layer("mixed4a")
    ('mixed4a', 'mixed4a')
    """
    return layer.partition(AT)[0]


def has_vector(layer: str) -> bool:
    """Whether units of the layer have a vector that the name does not tell: directions that are no sums of channels.

    >>> has_vector("mixed4a@sae"), has_vector("mixed4a@5_plus_11"), has_vector("mixed4a")
    (True, False, False)
    """
    name = layer.partition(AT)[2]
    return bool(name) and not _SUM.fullmatch(name)


def set_in(word: str) -> str:
    """The name of the set of directions whose units a word names, or "".

    >>> set_in("mixed4a@sae:0-9"), set_in("mixed4a:11")
    ('sae', '')
    """
    found = re.search(f"{AT}({SET_NAME.pattern})", word)
    return found[1] if found else ""


def sum_terms(name: str) -> tuple[tuple[int, int], ...]:
    """The channels of a sum, each with 1 or -1; () if the name is no sum's."""
    return (
        tuple((int(n), -1 if sign == "minus" else 1) for sign, n in _TERM.findall(name)) if _SUM.fullmatch(name) else ()
    )


def sum_name(terms: Iterable[tuple[int, str]]) -> str:
    """The name of a sum of channels, each with the sign before it; that of the first is not written."""
    words = {"+": "_plus_", "-": "_minus_"}
    return "".join(f"{words[sign] if place else ''}{channel}" for place, (channel, sign) in enumerate(terms))


def sum_of(layer: str, channels: int) -> Directions | None:
    """The set of one row that ``mixed4a@5_plus_11`` is, or None if the layer has no such channels or they cancel."""
    import numpy as np

    base, _, name = layer.partition(AT)
    terms = sum_terms(name)
    if not terms or max(channel for channel, _ in terms) >= channels:
        return None
    vector = np.zeros((1, channels), np.float32)
    for channel, sign in terms:
        vector[0, channel] += sign
    return Directions(base, name, 1, vector, "a sum of channels") if vector.any() else None
