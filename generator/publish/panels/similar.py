"""Units that respond like a unit: in its layer, in the layers beside it, and in other checkpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from generator.core.result import Result
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel


@dataclass(frozen=True, slots=True)
class Like:
    """Another unit, and Pearson's r between its responses and this one's."""

    unit: AtlasUnit
    r: float


@dataclass(frozen=True, slots=True)
class Row:
    """Units of one layer of a checkpoint, the most similar first. Those that are not rendered have no page."""

    layer: str
    checkpoint: str
    like: tuple[Like, ...]

    @property
    def rendered(self) -> tuple[Like, ...]:
        return tuple(x for x in self.like if x.unit.record)

    @property
    def others(self) -> tuple[Like, ...]:
        return tuple(x for x in self.like if not x.unit.record)


@dataclass(frozen=True, slots=True)
class Similar:
    """What the panel shows of one unit. ``photographs`` is their number, 0 where weights were compared instead."""

    photographs: int
    rows: tuple[Row, ...]


def read(catalog: Catalog) -> Lookup:
    named = {checkpoint.name: checkpoint for checkpoint in catalog.checkpoints}

    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Similar | None:
        for name in ("similar", "photos", "kernels"):
            of = (f"study/{name}", checkpoint.fingerprint, unit.unit.layer)
            result, arrays = catalog.latest(*of), _named(catalog.arrays(*of))
            if result and arrays and (rows := tuple(_rows(named, checkpoint, unit, result, arrays))):
                return Similar(int(result.facts.get("photographs", 0)), rows)
        return None

    return lookup


def _named(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """The study of photographs has units of the same layer too, under another name."""
    return {name.replace("alike_", "same_"): array for name, array in arrays.items()}


def _rows(
    named: Mapping[str, AtlasCheckpoint],
    checkpoint: AtlasCheckpoint,
    unit: AtlasUnit,
    result: Result,
    arrays: Mapping[str, NDArray[Any]],
) -> Iterator[Row]:
    beside = checkpoint.checkpoint.architecture.beside(unit.unit.layer)
    where = {name: (checkpoint, layer) for name, layer in beside.items()}
    others = enumerate(result.facts.get("others", ()))
    where |= {f"other{i}": (named[other], unit.unit.layer) for i, other in others if other in named}
    for name, (of, layer) in where.items():
        if f"{name}_unit" in arrays:
            channels, r = (arrays[f"{name}_{what}"][unit.unit.channel].tolist() for what in ("unit", "r"))
            units = of.layers[layer].units
            like = tuple(Like(units[i], value) for i, value in zip(channels, r, strict=True) if value > 0)
            if like:
                yield Row(layer, of.name, like)


PANEL = Panel(order=40, template="panels/similar.html", read=read)
