"""Which few units stand for many: the columns of the hierarchy, and the neighbours of a unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit

PER_LAYER = 6  # units in a column
REACH = 4  # neighbours on each side

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column:
    """One layer of the hierarchy and the units that stand for it."""

    layer: AtlasLayer
    units: tuple[AtlasUnit, ...]

    @property
    def vacant(self) -> int:
        """Places that no unit is rendered for yet."""
        return PER_LAYER - len(self.units)


def columns(checkpoint: AtlasCheckpoint) -> tuple[Column, ...]:
    """The hierarchy: each main layer with the units featured in atlas.toml, then with others until it is full."""
    featured = set(checkpoint.checkpoint.featured)
    out = []
    for layer in checkpoint.hierarchy:
        chosen = [u for u in layer.rendered if u.unit in featured][:PER_LAYER]
        others = [u for u in layer.rendered if u.unit not in featured]
        chosen += striking(others, PER_LAYER - len(chosen))
        out.append(Column(layer, tuple(chosen)))
    return tuple(out)


def striking(units: Sequence[AtlasUnit], count: int) -> list[AtlasUnit]:
    """Up to ``count`` units from all over a layer: of each stretch of it, the one of the strongest contrast."""
    count = min(count, len(units))
    stretches = (units[len(units) * i // count : len(units) * (i + 1) // count] for i in range(count))
    return [max(stretch, key=_contrast) for stretch in stretches]


def neighbours(units: Sequence[AtlasUnit], place: int) -> tuple[AtlasUnit, ...]:
    """The units around one, itself among them: as many at the ends of a layer as in its middle."""
    first = max(0, min(place - REACH, len(units) - 2 * REACH - 1))
    return tuple(units[first : first + 2 * REACH + 1])


def beside(row: Sequence[Item]) -> Iterator[tuple[Item, Item | None, Item | None]]:
    """Each of a row with the one before it and the one after it."""
    around = (None, *row, None)
    return zip(row, around, around[2:], strict=False)


def _contrast(unit: AtlasUnit) -> float:
    return unit.record.provenance.spread if unit.record else 0.0
