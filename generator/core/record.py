"""An answer as it is kept: its pictures, how they were made, and the record that connects them with their question.

A record is written as JSON into the store and beside the unit's page. It may be read from any source, so ``from_json``
checks everything.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from generator.core.errors import AtlasError
from generator.core.recipe import Question, canonical_json
from generator.core.text import SHA256, is_line
from generator.core.units import Unit

if TYPE_CHECKING:  # numpy takes a third of the time that the command line has to start
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?", re.ASCII)
_LONGEST, _MOST = 200, 50  # characters of a word, versions
_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}\.([0-9a-f]{16})(\.[a-z][a-z0-9-]{0,31})?\.(webp|npz|json)")
PICTURE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}\.([0-9a-f]{16})(\.thumb)?\.webp")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an answer: its name in the store, its sha256 and its size in bytes.

    The first digits of the hash are in the name, so that no two files of other content have one name. Raises ValueError
    for an invalid name, hash or size.
    """

    name: str
    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not (name := _FILE.fullmatch(self.name)):
            raise ValueError(f"{self.name!r} is not the name of a file in the store")
        if not SHA256.fullmatch(self.sha256) or not self.sha256.startswith(name[1]):
            raise ValueError(f"{self.sha256!r} is not the sha256 of {self.name}")
        check_size(self.name, self.bytes)


@dataclass(frozen=True, slots=True)
class Picture(StoredFile):
    """A picture file, with its size in pixels."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if not PICTURE.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a picture")
        StoredFile.__post_init__(self)
        check_size(self.name, self.width, self.height)

    @property
    def is_thumbnail(self) -> bool:
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
        file = name_file(self.data, key, f"{suffix}.webp")
        return Picture(file.name, file.sha256, file.bytes, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture was made, and what was measured.

    ``activations`` has the unit's objective at each step, on the warped picture in the recipe's precision;
    ``activation`` is the mean over the grid in float32, on the final picture enlarged to the network's input, without
    transformations. ``spread`` is the standard deviation of the picture's pixels in 0..255; ``seconds`` the unit's
    share of its batch.
    """

    checkpoint: str
    activations: tuple[float, ...]
    activation: float
    spread: float
    seconds: float
    device: str
    versions: Mapping[str, str]
    date: str


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
        return self.question.key

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (self.picture, self.thumbnail, *self.earlier)

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files that the store keeps beside the record."""
        return self.pictures

    @property
    def age(self) -> tuple[str, str]:
        """A key that sorts the records of one unit, the newest last."""
        return self.provenance.date, self.picture.name

    def as_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "key": self.key,
            "question": self.question.as_dict(),
            "made": {**asdict(self.provenance), "versions": dict(self.provenance.versions)},
            "picture": asdict(self.picture),
            "thumbnail": asdict(self.thumbnail),
            "earlier": [asdict(p) for p in self.earlier],
        }

    def to_json(self) -> bytes:
        """The record with its own sha256, taken over its canonical JSON without that."""
        data = self.as_dict()
        return canonical_json({**data, "sha256": checksum(data)}) + b"\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """Read a record. Raises ValueError that says what is wrong with it."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r} is not {FORMAT}")
            if data.pop("sha256") != checksum(data):
                raise ValueError("it is not what its sha256 says")
            made = data["made"]
            record = cls(
                Question.from_dict(data["question"]),
                Provenance(
                    checkpoint=line_of_text(made["checkpoint"]),
                    activations=tuple(_finite(a) for a in made["activations"]),
                    activation=_finite(made["activation"]),
                    spread=_finite(made["spread"]),
                    seconds=_finite(made["seconds"]),
                    device=line_of_text(made["device"]),
                    versions={line_of_text(k): line_of_text(v) for k, v in islice(made["versions"].items(), _MOST)},
                    date=check_date(made["date"]),
                ),
                Picture(**data["picture"]),
                Picture(**data["thumbnail"]),
                tuple(Picture(**p) for p in data["earlier"]),
            )
            if data["key"] != record.key:
                raise ValueError("its key is not that of its question")
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError, AtlasError) as error:
            raise ValueError(f"not a record: {type(error).__name__} {error}") from error
        return record


def check_size(name: str, *sizes: int) -> None:
    """A number of bytes or pixels. Raises ValueError for anything else."""
    for n in sizes:
        if type(n) is not int or not 0 < n < 2**31:
            raise ValueError(f"{name}: {n!r} is not a size")


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


def check_date(value: Any) -> str:
    """A day, or a moment with its zone, as ISO 8601. Raises ValueError if it is anything else."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f"{str(value)[:40]!r} is not a date")
    return value


def line_of_text(value: Any) -> str:
    """A word on one line, as pages print it."""
    if not isinstance(value, str) or not is_line(value) or len(value) > _LONGEST:
        raise ValueError(f"{str(value)[:40]!r} is not a line of text")
    return value


def _finite(value: Any) -> float:
    if not math.isfinite(number := float(value)):
        raise ValueError(f"{value!r} is not a finite number")
    return number
