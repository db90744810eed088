"""Which pictures stand for a page where it is linked: a unit's own, and for every other page a sheet of its units."""

from collections.abc import Sequence
from dataclasses import dataclass

from generator.links import addresses
from generator.publish.assets import cards
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit
from generator.publish.content.families import FamilyShown
from generator.publish.content.selection import columns, striking


@dataclass(frozen=True, slots=True)
class Preview:
    """The picture that stands for a page: its address in the atlas, its size, what it shows, and of which units."""

    address: str
    width: int
    height: int
    alt: str
    units: tuple[AtlasUnit, ...]


def unit_preview(checkpoint: str, unit: AtlasUnit) -> Preview:
    """The picture of a unit, for those who link its page."""
    address = addresses.card_address(addresses.unit_address(checkpoint, unit.unit))
    alt = f"{unit.unit} of {checkpoint}: what excites this channel most"
    return Preview(address, cards.SIDE, cards.SIDE, alt, (unit,))


def sheet_preview(page: str, units: Sequence[AtlasUnit], what: str) -> Preview | None:
    """A sheet of these units; None if there is none of them."""
    shown = tuple(units[: cards.MOST])
    alt = f"{len(shown)} pictures: {what}"
    return Preview(addresses.card_address(page), *cards.WIDE, alt, shown) if shown else None


def checkpoint_preview(page: str, checkpoint: AtlasCheckpoint) -> Preview | None:
    """A row of the sheet has one unit of each layer, as the hierarchy does."""
    hierarchy = [column.units for column in columns(checkpoint) if column.units]
    rows = max((len(units) for units in hierarchy), default=0)
    units = [units[row] for row in range(rows) for units in hierarchy if row < len(units)]
    return sheet_preview(page, units, f"the hierarchy of {checkpoint.name}")


def layer_preview(page: str, checkpoint: str, layer: AtlasLayer) -> Preview | None:
    """A sheet of units from all over a layer; None if none is rendered."""
    return sheet_preview(page, striking(layer.rendered, cards.MOST), f"units of {layer.name} of {checkpoint}")


def families_preview(page: str, checkpoint: str, shown: Sequence[FamilyShown]) -> Preview | None:
    """Units of every family, the first of each before the second of any."""
    most = max((len(family.rendered) for family in shown), default=0)
    units = [family.rendered[n] for n in range(most) for family in shown if n < len(family.rendered)]
    return sheet_preview(page, units, f"families of {checkpoint}")
