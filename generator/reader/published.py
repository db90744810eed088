"""What a built atlas shows: its checkpoints, their units, and of each unit picture, record and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from generator.checkpoints import CHECKPOINTS
from generator.core.architecture import Architecture
from generator.core.errors import AtlasError
from generator.core.record import Record
from generator.core.result import Result
from generator.core.units import Unit
from generator.core.views import main_view
from generator.links import addresses
from generator.links.quoting import UnitReference
from generator.reader.origin import Origin
from generator.store.findings import ANALYSES, Study, age
from generator.store.store import read_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image


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

    ``fingerprint`` is that of its weights, or "" if unknown. ``picture`` and ``thumbnail`` are the addresses of
    exactly these pictures, ``store/ab/cdef….1f2e3d4c….webp``. ``views`` are the unit by further views, each with the
    pictures of its ``view``, which is "" for the one that pages show first.
    """

    origin: Origin = field(repr=False, compare=False)
    checkpoint: str
    fingerprint: str = field(repr=False)
    unit: Unit
    branch: str | None
    activation: float
    date: str
    picture: str
    thumbnail: str
    studies: Study = field(repr=False, compare=False)
    labels: tuple[PublishedLabel, ...] = ()
    view: str = ""
    views: Mapping[str, PublishedUnit] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return f"{self.checkpoint}/{self.unit}{self.view and f' {self.view}'}"

    @property
    def quoted(self) -> UnitReference:
        """The forms in which documents quote it."""
        name = self.labels[0].name if self.labels else ""
        return UnitReference(self.origin.url, self.checkpoint, self.unit, name, self.sha256, self.view)

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
        address = addresses.record_address(self.checkpoint, self.unit, self.view)
        record, text = self.origin.answer(address)
        if not isinstance(record, Record):
            raise AtlasError(f"{self.origin.location.name}: {address} is not the record of a picture")
        of = record.question
        if (of.unit, of.fingerprint, of.view) != (self.unit, self.fingerprint, self.view or main_view(self.unit.layer)):
            shown = f"{of.unit} ({of.view}) of weights {of.fingerprint[:12]}"
            raise AtlasError(f"{self.origin.location.name}: {address} is the record of {shown}, not of {self}")
        return record, text

    def image(self, *, thumbnail: bool = False) -> Image.Image:
        """Its picture, or thumbnail, in RGB. Raises AtlasError if it is not what its record says."""
        return self.origin.image(self.record.thumbnail if thumbnail else self.record.picture)

    def study(self) -> dict[str, Any]:
        """What a study found about it, as ``schema/study-1.json`` describes; without one, its name alone.

        Computed from the arrays of its layer, checked against their hashes; they are read once for all its units.
        Raises AtlasError if they are not what their records say.
        """
        return self.studies.of(self.unit, self.activation)


@dataclass(frozen=True, slots=True)
class PublishedAnswer:
    """An answer that is not a picture: what a study found about a layer. ``layer`` is "" if it is about none."""

    origin: Origin = field(repr=False, compare=False)
    checkpoint: str
    fingerprint: str = field(repr=False)
    kind: str
    layer: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.layer or self.checkpoint}"

    def read_record(self) -> tuple[Result, bytes]:
        """Its record, and the file as it is written. Raises AtlasError if it is not a record of this answer."""
        place, address = self.origin.location.name, addresses.stored_record_address(self.key)
        result, text = self.origin.answer(address)
        if not isinstance(result, Result) or (result.key, result.kind) != (self.key, self.kind):
            raise AtlasError(f"{place}: {address} is not the record of {self}")
        if result.question.get("fingerprint") != self.fingerprint:
            raise AtlasError(f"{place}: {address} is of other weights than {self.checkpoint}")
        return result, text

    def read_arrays(self) -> tuple[Result, dict[str, NDArray[Any]]]:
        """Its record and its arrays. Raises AtlasError like :meth:`read_record`, and if they do not match it."""
        result = self.read_record()[0]
        if "arrays" not in result.stored:
            raise AtlasError(f"{self.origin.location.name}: {self} has no arrays")
        return result, read_arrays(self.origin.file(result.stored["arrays"]), f"{self.origin.location.name}: {self}")


def read_study(checkpoint: str, architecture: Architecture, answers: Iterable[PublishedAnswer]) -> Study:
    """What these answers know of the units of a checkpoint. They are read when they are wanted, each layer once."""
    spec = CHECKPOINTS.get(checkpoint)
    of: dict[tuple[str, str], list[PublishedAnswer]] = {}
    for answer in answers:
        of.setdefault((answer.kind, answer.layer), []).append(answer)

    @lru_cache(maxsize=4 * len(ANALYSES))
    def read(name: str, layer: str) -> tuple[Result, Mapping[str, NDArray[Any]]] | None:
        found = of.get((f"study/{name}", layer))
        if not found:
            return None
        last = found[0] if len(found) == 1 else max(found, key=lambda answer: age(answer.read_record()[0]))
        return last.read_arrays()

    return Study(checkpoint, architecture, spec.class_names if spec else (), read)


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """One set of weights of an atlas and its units, in the order of the network. ``fingerprint`` is "" if unknown."""

    name: str
    architecture: Architecture
    fingerprint: str
    units: Mapping[Unit, PublishedUnit]
    studies: Study = field(repr=False, compare=False)
    answers: tuple[PublishedAnswer, ...] = ()
