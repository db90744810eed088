"""What a direction is: the channels of the layer that its vector has most of."""

from dataclasses import dataclass

import numpy as np

from generator.core.architecture import Architecture
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel

_MOST = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A channel, and what the vector has of it, if the vector is scaled to length 1."""

    unit: AtlasUnit
    weight: float


@dataclass(frozen=True, slots=True)
class Direction:
    """The ``parts`` hold ``share`` of the squared length. ``source`` says where the vector is from, ``vector`` is its
    sha256, "" where it follows from the name."""

    parts: tuple[Part, ...]
    share: float
    source: str
    vector: str


def read(catalog: Catalog) -> Lookup:
    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Direction | None:
        if not unit.record or not unit.unit.is_direction:
            return None
        net: Architecture = checkpoint.checkpoint.architecture
        found = net.direction_set(unit.unit.layer)
        if found.vectors is None:  # it was pulled
            return None
        vector = found.vectors[unit.unit.channel].astype(np.float64)
        vector /= np.linalg.norm(vector)
        order = [int(i) for i in np.argsort(-np.abs(vector), kind="stable")[:_MOST] if vector[i]]
        units = checkpoint.layers[found.layer].units
        return Direction(
            tuple(Part(units[i], float(vector[i])) for i in order),
            float(np.square(vector[order]).sum()),
            found.source,
            unit.record.question.vector,
        )

    return lookup


PANEL = Panel(order=5, template="", read=read, beside="panels/direction.html")
