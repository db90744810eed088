"""What an analysis is: a question about the layers of a checkpoint, and the function that answers it.

An analysis is one module of :mod:`generator.study.analyses` with an ``ANALYSIS``; nothing else lists it, and
docs/extending.md walks through one.

Each layer's finding becomes one answer in the store, of the kind ``study/NAME``. Torch is imported inside ``compute``,
so that a list of analyses and a dry run need none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from generator.core.architecture import Architecture
from generator.core.directions import has_vector
from generator.core.errors import AtlasError
from generator.core.result import result_key
from generator.photos.photographs import Photograph, Photographs

if TYPE_CHECKING:
    from generator.network import Inception

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Shard:
    """Some photographs: their places in the list of all, and their pixels, N x SIDE x SIDE x 3.

    ``asked`` has, layer by layer, positions that are asked about: photographs of the shard in ascending order, and
    indices into the flattened grid.
    """

    places: list[int]
    pixels: NDArray[np.uint8]
    asked: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict)


Look = Callable[["Mapping[str, Inception]", Shard], Found]
"""What is found in some photographs by networks, by their checkpoints. A cluster pickles it."""


class Spread(Protocol):
    """Has others look at shards, so many; what they find comes in the order of the shards."""

    def __call__(self, look: Look[Found], shards: Iterator[Shard], count: int) -> Iterator[Found]: ...


Advance = Callable[[float], object]
"""Is told the share of the work, 0..1, that was done since the last call."""


@dataclass(frozen=True)
class Subject:
    """What is studied: the network of a checkpoint, photographs where there are any, and other checkpoints to compare.

    ``load`` gives the network in float32 on the device to be used; it is called when it is first wanted. ``spread`` has
    the workers of a cluster look at the photographs; without it this process does.
    """

    checkpoint: str
    architecture: Architecture
    fingerprint: str
    load: Callable[[], Inception]
    photographs: Photographs | None = None
    others: tuple[Subject, ...] = ()
    spread: Spread | None = None

    @cached_property
    def network(self) -> Inception:
        """Raises AtlasError if the weights that were loaded are others."""
        network = self.load()
        self.check(network.fingerprint)
        return network

    def check(self, fingerprint: str) -> None:
        """Raises AtlasError if the weights that were loaded are others."""
        if fingerprint != self.fingerprint:
            raise AtlasError(f"these weights are not those of {self.checkpoint} (fingerprint {fingerprint[:12]})")

    @property
    def every_photograph(self) -> tuple[Photograph, ...]:
        """In the order of the answers' numbers."""
        assert self.photographs is not None, "the question was asked with photographs"
        return self.photographs.photographs

    def look(self, look: Look[Found], shards: Iterator[Shard], count: int, *others: Subject) -> Iterator[Found]:
        """What is found in each of so many shards, in their order, by this network and those of ``others``."""
        if self.spread:
            return self.spread(look, shards, count)
        networks = {each.checkpoint: each.network for each in (self, *others)}
        return (look(networks, shard) for shard in shards)


@dataclass(frozen=True)
class Finding:
    """What was found about one layer: arrays by name, kept as ``.npz``, and facts that are small enough for JSON."""

    layer: str
    arrays: Mapping[str, NDArray[np.generic]]
    facts: Mapping[str, Any] = field(default_factory=dict)


Compute = Callable[[Subject, Sequence[str], Advance], Iterator[Finding]]
"""Answers for the layers that are asked for, each as it is finished; all in one pass where that is cheaper."""


@dataclass(frozen=True)
class Analysis:
    """One analysis. ``settings`` is all that changes what it finds, a version among it; they are part of the key.

    ``of_photographs`` if it needs photographs, whose fingerprint is then part of the key. ``of_others`` if it compares
    with other checkpoints; their fingerprints are then part of the key. ``layers`` are those that it
    can answer for; by default the main layers.
    """

    name: str
    help: str
    compute: Compute
    settings: Mapping[str, Any] = field(default_factory=dict)
    of_photographs: bool = False
    of_others: bool = False
    layers: Callable[[Architecture], Sequence[str]] = lambda architecture: architecture.main_layers

    @property
    def kind(self) -> str:
        """Of its answers, in the store."""
        return f"study/{self.name}"

    def question(self, subject: Subject, layer: str) -> dict[str, Any]:
        """What is asked of one layer. Raises ValueError if photographs are needed and there are none."""
        asked: dict[str, Any] = {"fingerprint": subject.fingerprint, "layer": layer, "settings": dict(self.settings)}
        if self.of_photographs:
            if subject.photographs is None:
                raise ValueError(f"{self.name} needs photographs")
            asked["photographs"] = subject.photographs.fingerprint
        if has_vector(layer):
            asked["vectors"] = subject.architecture.direction_set(layer).checksum()
        if self.of_others:
            asked["others"] = {other.checkpoint: other.fingerprint for other in subject.others}
        return asked

    def key(self, subject: Subject, layer: str) -> str:
        """The key of the answer for one layer."""
        return result_key(self.kind, self.question(subject, layer))
