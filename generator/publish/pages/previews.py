"""Which picture stands for a page where it is linked: a unit's own, and for every other page a sheet of its units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.links import addresses
from generator.publish.assets import cards
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit, Catalog
from generator.publish.pages.families import FamilyShown, families
from generator.publish.pages.pages import Preview
from generator.publish.pages.selection import columns, striking


def unit_preview(checkpoint: str, unit: AtlasUnit) -> Preview:
    address = addresses.card_address(addresses.unit_address(checkpoint, unit.unit))
    return Preview(address, cards.SIDE, cards.SIDE, f"{unit.unit} of {checkpoint}: what excites this channel most")


def sheet_preview(page: str, units: Sequence[AtlasUnit], what: str) -> Preview | None:
    """A sheet of these units; None if there is none of them."""
    shown = min(len(units), cards.MOST)
    alt = f"{shown} pictures: {what}"
    return Preview(addresses.card_address(page), *cards.WIDE, alt) if units else None


def checkpoint_units(checkpoint: AtlasCheckpoint) -> tuple[AtlasUnit, ...]:
    """A row of the sheet has one unit of each layer, as the hierarchy does."""
    hierarchy = [column.units for column in columns(checkpoint) if column.units]
    rows = max((len(units) for units in hierarchy), default=0)
    return tuple(units[row] for row in range(rows) for units in hierarchy if row < len(units))


def layer_units(layer: AtlasLayer) -> tuple[AtlasUnit, ...]:
    return tuple(striking(layer.rendered, cards.MOST))


def families_units(shown: Sequence[FamilyShown]) -> tuple[AtlasUnit, ...]:
    """Units of every family, the first of each before the second of any."""
    most = max((len(family.rendered) for family in shown), default=0)
    return tuple(f.rendered[n] for n in range(most) for f in shown if n < len(f.rendered))[: cards.MOST]


def sheets(catalog: Catalog) -> Iterator[tuple[str, tuple[AtlasUnit, ...]]]:
    """Every page whose card is a sheet, with the units on it."""
    yield addresses.HOME, checkpoint_units(catalog.checkpoints[0])
    for checkpoint in catalog.checkpoints:
        yield addresses.checkpoint_address(checkpoint.name), checkpoint_units(checkpoint)
        for layer in checkpoint.layers.values():
            yield addresses.layer_address(checkpoint.name, layer.name), layer_units(layer)
        shown = families(checkpoint)
        yield addresses.families_address(checkpoint.name), families_units(shown)
        for family in shown:
            yield addresses.family_address(checkpoint.name, family.name), family.rendered
