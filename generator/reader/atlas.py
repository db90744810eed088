"""A built atlas as a program sees it, on this machine or published.

>>> atlas = Atlas.open("https://host/atlas/")                         # doctest: +SKIP
>>> unit = atlas["mixed4a:11"]                                        # doctest: +SKIP
>>> unit.record.made.activation, unit.image().size                    # doctest: +SKIP
(365.2, (224, 224))
>>> [str(u) for u in atlas.select(layer="mixed4a", branch="3x3")]     # doctest: +SKIP
['bvlc_googlenet/mixed4a:192', ...

What an atlas says of itself is not believed: names are checked, addresses are made here from them, a record has to
match its seal and its unit, and a picture its sha256 and its size.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator import addresses
from generator.architecture import ARCHITECTURES, Architecture
from generator.elsewhere import is_address, read_address
from generator.errors import AtlasError, UsageError, did_you_mean
from generator.quotes import Quoted
from generator.reader.place import Folder, Place, Web, place_of
from generator.record import PICTURE, Picture, Record
from generator.units import Unit, parse_unit

if TYPE_CHECKING:
    from PIL import Image

FORMAT = 1
INDEX_LIMIT = 100_000_000  # bytes; the index of a whole network has 4 million
RECORD_LIMIT = 1_000_000
PICTURE_LIMIT = 4_000_000
SIDE_LIMIT = 4_096  # pixels; a canvas has 1,024 at most
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_UNIT = re.compile(r"([a-z0-9_]{1,64}):(\d{1,6})", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PublishedLabel:
    """A name of a unit, with its source's title and address."""

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
    def quoted(self) -> Quoted:
        """The forms in which documents quote it."""
        return Quoted(
            self.atlas.url, self.checkpoint, self.unit, self.labels[0].name if self.labels else "", self.sha256
        )

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
        address = addresses.record_address(self.checkpoint, self.unit)
        try:
            record = Record.from_json(self.atlas.place.read(address, limit=RECORD_LIMIT))
        except ValueError as error:
            raise AtlasError(f"{self.atlas.place.name}: {address} is damaged ({error})") from error
        fingerprint = self.atlas.checkpoints[self.checkpoint].fingerprint
        if record.question.unit != self.unit or record.question.fingerprint != fingerprint:
            shown = f"{record.question.unit} of weights {record.question.fingerprint[:12]}"
            raise AtlasError(f"{self.atlas.place.name}: {address} is the record of {shown}, not of {self}")
        return record

    def image(self, *, thumbnail: bool = False) -> Image.Image:
        """Its picture, or thumbnail, in RGB. Raises AtlasError if it is not what its record says."""
        from PIL import Image

        picture = self.record.thumbnail if thumbnail else self.record.picture
        return Image.open(io.BytesIO(self.atlas.picture(picture))).convert("RGB")


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """One set of weights of an atlas and its units, in the order of the network. ``fingerprint`` is "" if unknown."""

    name: str
    architecture: Architecture
    fingerprint: str
    units: Mapping[Unit, PublishedUnit]


class Atlas:
    """A built atlas. Units come in the order of its checkpoints and of the network."""

    def __init__(self, place: Place, index: Mapping[str, Any]) -> None:
        """Raises ValueError, KeyError or TypeError if the index is none."""
        if index["format"] != FORMAT:
            raise ValueError(f"format {index['format']!r} is not {FORMAT}; a newer version of this package may read it")
        self.place = place
        self.title = _plain(index["title"])
        url = _plain(index.get("url") or "")
        self.url = url or (place.name if isinstance(place, Web) else "")
        """Where it is published, with a slash at its end, or ""."""
        self.checkpoints: Mapping[str, PublishedCheckpoint] = {c.name: c for c in map(self._read, index["checkpoints"])}
        if not self.checkpoints:
            raise ValueError("it has no checkpoint")

    @classmethod
    def open(cls, where: str | Path) -> Atlas:
        """The atlas at an address, or in the folder that `atlas build` wrote.

        Raises AtlasError if there is none, or if it cannot be read.
        """
        place = place_of(where)
        if isinstance(place, Folder) and not (place.root / addresses.INDEX).is_file():
            raise AtlasError(f"no atlas in {place.root}; type `atlas build`, or name the folder or address of one")
        data = place.read(addresses.INDEX, limit=INDEX_LIMIT)
        try:
            return cls(place, json.loads(data))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise AtlasError(f"{place.name}: {addresses.INDEX} cannot be read ({error})") from error

    def __len__(self) -> int:
        return sum(len(checkpoint.units) for checkpoint in self.checkpoints.values())

    def __iter__(self) -> Iterator[PublishedUnit]:
        for checkpoint in self.checkpoints.values():
            yield from checkpoint.units.values()

    def __getitem__(self, word: str) -> PublishedUnit:
        """A unit by any of its spellings: ``mixed4a:11``, ``untrained/4a:11``, an address.

        Without a checkpoint the atlas's first is meant. Raises UsageError (a KeyError too) if the atlas has no such
        unit; an address of another checkpoint's unit is never taken for one of its own.
        """
        checkpoint, name = self._checkpoint_of(word)
        try:
            unit = parse_unit(name, checkpoint.architecture, checkpoint.name)
        except UsageError as error:
            raise NoUnitError(str(error)) from None
        if unit not in checkpoint.units:
            raise NoUnitError(f"{unit} of {checkpoint.name} is not rendered in this atlas")
        return checkpoint.units[unit]

    def __contains__(self, word: str) -> bool:
        try:
            return bool(self[word])
        except NoUnitError:
            return False

    def select(
        self, *, checkpoint: str | None = None, layer: str | None = None, branch: str | None = None,
        label: str | None = None,
    ) -> tuple[PublishedUnit, ...]:  # fmt: skip
        """The units of a checkpoint, of a layer, of a branch, of a name or family that contains ``label``."""
        if checkpoint is not None and checkpoint not in self.checkpoints:
            raise NoUnitError(f"no checkpoint “{checkpoint}”: {did_you_mean(checkpoint, self.checkpoints)}")
        wanted = label.casefold() if label is not None else ""
        return tuple(
            unit
            for unit in self
            if checkpoint in (None, unit.checkpoint)
            and layer in (None, unit.unit.layer)
            and branch in (None, unit.branch)
            and (label is None or any(wanted in f"{x.name}\n{x.family}".casefold() for x in unit.labels))
        )

    def picture(self, picture: Picture) -> bytes:
        """The file of a picture. Raises AtlasError if it is not there, or not what its record says."""
        if max(picture.width, picture.height) > SIDE_LIMIT:
            said = f"{picture.width} x {picture.height} pixels"
            raise AtlasError(f"{picture.name} is said to have {said}, more than {SIDE_LIMIT} a side")
        data = self.place.read(addresses.picture_address(picture), limit=min(picture.bytes, PICTURE_LIMIT))
        if hashlib.sha256(data).hexdigest() != picture.sha256:
            raise AtlasError(f"{self.place.name}: {picture.name} is not what its record says (wrong sha256)")
        _check_size(picture, data)
        return data

    def _checkpoint_of(self, word: str) -> tuple[PublishedCheckpoint, str]:
        word = word.strip()
        name, _, rest = word.partition("/")
        if name in self.checkpoints and rest and not is_address(word):
            return self.checkpoints[name], rest
        if is_address(word):
            try:
                named = read_address(word)
            except ValueError:
                named = None
            if named and named.checkpoint in self.checkpoints:
                return self.checkpoints[named.checkpoint], word
        return next(iter(self.checkpoints.values())), word

    def _read(self, data: Mapping[str, Any]) -> PublishedCheckpoint:
        name, structure, fingerprint = data["name"], data["architecture"], data["fingerprint"] or ""
        if not _NAME.fullmatch(name) or name in addresses.RESERVED:
            raise ValueError(f"{name!r} is not the name of a checkpoint")
        if structure not in ARCHITECTURES:
            raise ValueError(f"no architecture {structure!r}")
        if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"{fingerprint!r} is not a fingerprint")
        net = ARCHITECTURES[structure]
        sources = [(_plain(s["title"]), _plain(s["url"])) for s in data.get("sources", [])]
        units: dict[Unit, PublishedUnit] = {}
        for entry in data["units"]:
            if not (named := _UNIT.fullmatch(entry["unit"])):
                raise ValueError(f"{entry['unit']!r} is not a unit")
            unit = Unit(named[1], int(named[2]))
            if unit.layer not in net.layers or unit.channel >= net.layers[unit.layer].channels:
                raise ValueError(f"{net.name} has no unit {unit}")
            activation = float(entry["activation"])
            if not math.isfinite(activation):
                raise ValueError(f"the activation of {unit} is {activation}")
            branch = net.layers[unit.layer].branch_of(unit.channel)
            labels = tuple(
                PublishedLabel(
                    _plain(x["name"]), _plain(x.get("family") or ""), _plain(x["confidence"]), *sources[x["source"]]
                )
                for x in entry.get("labels", [])
            )
            date = _plain(entry.get("date") or "")
            picture, thumbnail = _picture(entry["picture"]), _picture(entry["thumbnail"])
            units[unit] = PublishedUnit(
                self, name, unit, branch.name if branch else None, activation, date, picture, thumbnail, labels
            )
        return PublishedCheckpoint(name, net, fingerprint, units)


class NoUnitError(UsageError, KeyError):
    """The atlas has no such unit."""

    def __str__(self) -> str:
        return str(self.args[0])


def _picture(address: Any) -> str:
    """The address of a picture in the store. Raises ValueError if it is any other."""
    if not isinstance(address, str) or not PICTURE.fullmatch(address.removeprefix(f"{addresses.STORE}/")):
        raise ValueError(f"{address!r} is not the address of a picture")
    return address


def _plain(text: Any) -> str:
    """Text on one line, so that it can stand in a terminal. Raises TypeError if it is none."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    return "".join(c if c.isprintable() else " " for c in text)


def _check_size(picture: Picture, data: bytes) -> None:
    """Whether a file is a picture as large as its record says, without decoding it."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            size = image.size
    except Exception as error:  # whatever a decoder raises at what is no picture
        raise AtlasError(f"{picture.name} is not a WebP picture ({error})") from error
    if size != (picture.width, picture.height):
        raise AtlasError(f"{picture.name} is {size[0]} x {size[1]} pixels large, not as its record says")
