"""Families of units as the pages show them: the names of one family brought together with the units and pictures."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from generator.config.labels import Family, Label
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit


@dataclass(frozen=True, slots=True)
class Member:
    """One unit of a family, and the name that put it there."""

    unit: AtlasUnit
    label: Label


@dataclass(frozen=True, slots=True)
class FamilyShown:
    """A family and its units by layer, in the order of the network, whether rendered or not."""

    family: Family
    layers: tuple[tuple[AtlasLayer, tuple[Member, ...]], ...]

    @property
    def name(self) -> str:
        return self.family.name

    @property
    def members(self) -> tuple[Member, ...]:
        """Of all layers, from input to output."""
        return tuple(member for _, members in self.layers for member in members)

    @property
    def rendered(self) -> tuple[AtlasUnit, ...]:
        """The members that have a picture."""
        return tuple(member.unit for member in self.members if member.unit.record)


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """A family, and how many units of one layer are of it."""

    name: str
    count: int


def families_of(layer: AtlasLayer) -> tuple[FamilyCount, ...]:
    """The families that units of a layer are of, the largest first."""
    counted = Counter(name for unit in layer.units for name in {x.family for x in unit.labels if x.family})
    return tuple(FamilyCount(name, count) for name, count in sorted(counted.items(), key=lambda x: (-x[1], x[0])))


def families(checkpoint: AtlasCheckpoint) -> tuple[FamilyShown, ...]:
    """All families of a checkpoint, by name."""
    return tuple(FamilyShown(family, tuple(_layers(checkpoint, family))) for family in checkpoint.labels.families)


def _layers(checkpoint: AtlasCheckpoint, family: Family) -> Iterable[tuple[AtlasLayer, tuple[Member, ...]]]:
    for layer in checkpoint.layers.values():
        labels = sorted((x for x in family.labels if x.unit.layer == layer.name), key=lambda x: x.unit.channel)
        if labels:
            yield layer, tuple(Member(layer.units[x.unit.channel], x) for x in labels)
