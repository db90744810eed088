"""What a built atlas shows: its checkpoints, their units, and of each unit picture, record and names.

>>> unit = Atlas.open("https://host/atlas/")["mixed4a:11"]            # doctest: +SKIP
>>> unit.record.provenance.activation, unit.image().size              # doctest: +SKIP
(365.2, (224, 224))
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from generator.core.architecture import Architecture
from generator.core.errors import AtlasError
from generator.core.record import Record
from generator.core.result import Result, read_answer
from generator.core.text import legible
from generator.core.units import Unit
from generator.links import addresses
from generator.links.quoting import UnitReference

if TYPE_CHECKING:
    from PIL import Image

    from generator.reader.atlas import Atlas

RECORD_LIMIT = 2_000_000  # bytes; a record of 100,000 steps, the most there are, has 1.2 million at the most


@dataclass(frozen=True, slots=True)
class PublishedLabel:
    """A name of a unit, with its source's title and its address, or ""."""

    name: str
    family: str
    confidence: str
    source: str
    url: str


@dataclass(frozen=True)
class PublishedUnit:
    """One unit of an atlas. ``str(unit)`` names it with its checkpoint: ``bvlc_googlenet/mixed4a:11``.

    ``picture`` and ``thumbnail`` are the addresses of exactly these pictures, ``store/ab/cdef….1f2e3d4c….webp``.
    """

    atlas: Atlas = field(repr=False, compare=False)
    checkpoint: str
    unit: Unit
    branch: str | None
    activation: float
    date: str
    picture: str
    thumbnail: str
    labels: tuple[PublishedLabel, ...] = ()

    def __str__(self) -> str:
        return f"{self.checkpoint}/{self.unit}"

    @property
    def quoted(self) -> UnitReference:
        """The forms in which documents quote it."""
        name = self.labels[0].name if self.labels else ""
        return UnitReference(self.atlas.url, self.checkpoint, self.unit, name, self.sha256)

    @property
    def key(self) -> str:
        """The key of the question that its picture answers."""
        folder, name = self.picture.split("/")[-2:]
        return folder + name.partition(".")[0]

    @property
    def sha256(self) -> str:
        """The first 16 digits of its picture's sha256."""
        return self.picture.split(".")[1]

    @property
    def url(self) -> str:
        """The address of its page; relative to the atlas if that was never published."""
        return self.quoted.page

    @cached_property
    def record(self) -> Record:
        """All that is known of its picture. Raises AtlasError if what is there is not a record of this unit."""
        return self.read_record()[0]

    def read_record(self) -> tuple[Record, bytes]:
        """Its record, read anew, and the file as it is written."""
        place = self.atlas.place.name
        address = addresses.record_address(self.checkpoint, self.unit)
        text = self.atlas.place.read(address, limit=RECORD_LIMIT)
        try:
            record = Record.from_json(text)
        except ValueError as error:
            raise AtlasError(f"{place}: {address} is damaged ({legible(error, 200)})") from error
        of, fingerprint = record.question, self.atlas.checkpoints[self.checkpoint].fingerprint
        if (of.unit, of.fingerprint, of.view) != (self.unit, fingerprint, "channel"):
            shown = f"{of.unit} ({of.view}) of weights {of.fingerprint[:12]}"
            raise AtlasError(f"{place}: {address} is the record of {shown}, not of {self}")
        return record, text

    def image(self, *, thumbnail: bool = False) -> Image.Image:
        """Its picture, or thumbnail, in RGB. Raises AtlasError if it is not what its record says."""
        from PIL import Image

        picture = self.record.thumbnail if thumbnail else self.record.picture
        data = self.atlas.picture(picture)
        try:
            with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
                return image.convert("RGB")
        except Exception as error:  # whatever a decoder raises at what is no picture
            raise AtlasError(f"{self.atlas.place.name}: {picture.name} cannot be decoded ({legible(error)})") from error


@dataclass(frozen=True, slots=True)
class PublishedAnswer:
    """An answer that is not a picture: what a study found about a layer. ``layer`` is "" if it is about none."""

    atlas: Atlas = field(repr=False, compare=False)
    checkpoint: str
    kind: str
    layer: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.layer or self.checkpoint}"

    def read_record(self) -> tuple[Result, bytes]:
        """Its record, and the file as it is written. Raises AtlasError if it is not a record of this answer."""
        place, address = self.atlas.place.name, addresses.stored_record_address(self.key)
        text = self.atlas.place.read(address, limit=RECORD_LIMIT)
        try:
            result = read_answer(text)
        except ValueError as error:
            raise AtlasError(f"{place}: {address} is damaged ({legible(error, 200)})") from error
        fingerprint = self.atlas.checkpoints[self.checkpoint].fingerprint
        if not isinstance(result, Result) or (result.key, result.kind) != (self.key, self.kind):
            raise AtlasError(f"{place}: {address} is not the record of {self}")
        if result.question.get("fingerprint") != fingerprint:
            raise AtlasError(f"{place}: {address} is of other weights than {self.checkpoint}")
        return result, text


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """One set of weights of an atlas and its units, in the order of the network. ``fingerprint`` is "" if unknown."""

    name: str
    architecture: Architecture
    fingerprint: str
    units: Mapping[Unit, PublishedUnit]
    answers: tuple[PublishedAnswer, ...] = ()
