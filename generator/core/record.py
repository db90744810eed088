"""An answer as it is kept: its pictures, how they were made, and the record that connects them with their question.

A record is written as JSON into the store and beside the unit's page. It may be read from any source, so everything
is checked (:func:`generator.core.result.read_answer`).
"""

from __future__ import annotations

import hashlib
import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from generator.core.errors import UsageError
from generator.core.recipe import Question, canonical_json
from generator.core.schema import Date, Line, Number, Sha256, Size, decode
from generator.core.units import Unit

if TYPE_CHECKING:  # numpy takes a third of the time that the command line has to start
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}\.([0-9a-f]{16})(\.[a-z][a-z0-9-]{0,31})?\.(webp|npz|json)")
PICTURE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}\.([0-9a-f]{16})(\.thumb)?\.webp")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an answer: its name in the store, its sha256 and its size in bytes.

    The first digits of the hash are in the name, so that no two files of other content have one name. Raises ValueError
    for an invalid name, and for one that does not begin with the hash.
    """

    name: Annotated[str, Meta(description="the name of a file in the store")]
    sha256: Sha256
    bytes: Size

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not (name := _FILE.fullmatch(self.name)):
            raise ValueError(f"{self.name!r} is not the name of a file in the store")
        if not self.sha256.startswith(name[1]):
            raise ValueError(f"{self.sha256!r} is not the sha256 of {self.name}")


@dataclass(frozen=True, slots=True)
class Picture(StoredFile):
    """A picture file, with its size in pixels."""

    width: Size
    height: Size

    def __post_init__(self) -> None:
        if not PICTURE.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a picture")
        StoredFile.__post_init__(self)

    @property
    def is_thumbnail(self) -> bool:
        """Whether it is one, told by its name."""
        return self.name.endswith(".thumb.webp")


def name_file(data: bytes, key: str, suffix: str) -> StoredFile:
    """The file that holds these bytes for an answer; ``suffix`` is ``.webp``, ``.arrays.npz`` and the like."""
    digest = hashlib.sha256(data).hexdigest()
    return StoredFile(f"{key[:2]}/{key[2:]}.{digest[:16]}{suffix}", digest, len(data))


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A picture as the bytes of a WebP file, not yet named."""

    data: bytes
    width: int
    height: int

    def named(self, key: str, suffix: str = "") -> Picture:
        """As the answer with this key keeps it; ``suffix`` is ``.thumb`` for a thumbnail."""
        file = name_file(self.data, key, f"{suffix}.webp")
        return Picture(file.name, file.sha256, file.bytes, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture was made, and what was measured.

    ``activations`` has the unit's objective at each step, on the warped picture in the recipe's precision;
    ``activation`` is the mean over the grid in float32, on the final picture enlarged to the network's input, without
    transformations. ``spread`` is the standard deviation of the picture's pixels in 0..255; ``seconds`` the unit's
    share of its batch. ``probability`` is what the network gives the picture, so measured, for the unit's class; of
    units that are no class it is None. ``arithmetic`` is that of the ascent, at least as exact as the recipe's
    precision; records from before it was written down have None, and were made in that precision.
    """

    checkpoint: Line
    activations: tuple[Number, ...]
    activation: Number
    spread: Number
    seconds: Number
    device: Line
    versions: Annotated[
        Mapping[Line, Line], Meta(max_length=50, description="at most 50 names of programs and versions")
    ]
    date: Date
    probability: Number | None = None
    arithmetic: Line | None = None

    def as_dict(self) -> dict[str, Any]:
        """As records have it: what is not known is left out."""
        made = {**asdict(self), "versions": dict(self.versions)}
        return {key: value for key, value in made.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture in memory: its question, how it was made, and H x W x 3 pixels in 0..255."""

    question: Question
    provenance: Provenance
    pixels: NDArray[np.uint8]

    @property
    def unit(self) -> Unit:
        return self.question.unit

    @property
    def activation(self) -> float:
        """The unit's mean over the grid for the finished picture, in float32."""
        return self.provenance.activation

    @property
    def activations(self) -> tuple[float, ...]:
        """The unit's objective before each step."""
        return self.provenance.activations


@dataclass(frozen=True, slots=True)
class Record:
    """A whole answer: the question, how it was made, and the pictures.

    ``earlier`` are its pictures from before it was rendered again, the latest first, each followed by its thumbnail.
    """

    question: Question
    provenance: Provenance
    picture: Picture
    thumbnail: Picture
    earlier: tuple[Picture, ...] = ()

    @property
    def key(self) -> str:
        """The hash of the question, in hexadecimal."""
        return self.question.key

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The picture, the thumbnail, and those that were rendered before."""
        return (self.picture, self.thumbnail, *self.earlier)

    files = pictures  # as of every answer: what the store keeps beside the record

    @property
    def age(self) -> tuple[str, str]:
        """A key that sorts the records of one unit, the newest last."""
        return self.provenance.date, self.picture.name

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it, without the checksum."""
        return {
            "format": FORMAT,
            "key": self.key,
            "question": self.question.as_dict(),
            "made": self.provenance.as_dict(),
            "picture": asdict(self.picture),
            "thumbnail": asdict(self.thumbnail),
            "earlier": [asdict(p) for p in self.earlier],
        }

    def to_json(self) -> bytes:
        """The record with its own sha256, taken over its canonical JSON without that."""
        data = self.as_dict()
        return canonical_json({**data, "sha256": checksum(data)}) + b"\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """The inverse of as_dict. Raises ValueError that says what is wrong with it."""
        given = decode(data, _File)
        try:
            question = Question.from_dict(given.question)
        except (KeyError, TypeError, UsageError) as error:
            raise ValueError(f"its question: {type(error).__name__} {error}") from error
        if given.key != question.key:
            raise ValueError("its key is not that of its question")
        return cls(question, given.made, given.picture, given.thumbnail, given.earlier)


class _File(Struct):
    """A record as it is written."""

    key: str
    question: dict[str, Any]
    made: Provenance
    picture: Picture
    thumbnail: Picture
    earlier: tuple[Picture, ...]


def read_checked(text: str | bytes, *formats: int) -> dict[str, Any]:
    """A record of one of these formats that matches its checksum. Raises ValueError that says what is wrong with it."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("it is not a JSON object")
        if data.get("format") not in formats:
            raise ValueError(f"format {reprlib.repr(data.get('format'))} is not {' or '.join(map(str, formats))}")
        if data.pop("sha256", None) != checksum(data):
            raise ValueError("it is not what its sha256 says")
    except RecursionError as error:
        raise ValueError("not a record: it is nested too deeply") from error
    return data


def checksum(data: Mapping[str, Any]) -> str:
    """The sha256 of a record's content."""
    return hashlib.sha256(canonical_json(data)).hexdigest()


def printed(value: float) -> str:
    """A measured value for people: three digits or the whole part, and a real minus sign.

    >>> printed(792.3), printed(-2.0234), printed(999.7)
    ('792', '−2.02', '1000')
    """
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")
