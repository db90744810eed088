"""A unit: its picture, what panels say of it, how to quote it, how it was made, and its other pictures."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.core.record import Record
from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit
from generator.publish.content import provenance
from generator.publish.content.previews import unit_preview
from generator.publish.content.provenance import Fact, OtherPicture, Setting
from generator.publish.content.quotes import Quote, quotes
from generator.publish.content.selection import neighbours
from generator.publish.page import Page, PageKind
from generator.publish.panels import PanelShown
from generator.publish.site import Site

FEW = 20  # pictures; among fewer, a rank says little


@dataclass(frozen=True, slots=True)
class UnitPage:
    """``command`` makes the picture again; ``views_command`` renders the views that are missing, or is "". ``panels``
    has those panels that know something of the unit. ``above`` is the share of the layer's other pictures by the same
    recipe that have a smaller activation; None if they are few. ``oembed`` is an address, or ""."""

    template: ClassVar[str] = "unit.html"
    layer: AtlasLayer
    unit: AtlasUnit
    previous: AtlasUnit | None
    next: AtlasUnit | None
    neighbours: tuple[AtlasUnit, ...]
    panels: tuple[PanelShown, ...]
    above: float | None
    settings: tuple[Setting, ...]
    facts: tuple[Fact, ...]
    command: str
    views_command: str
    quotes: tuple[Quote, ...]
    pictures: tuple[OtherPicture, ...]
    oembed: str


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        for layer in checkpoint.layers.values():
            for place, unit in enumerate(layer.rendered):
                yield _page(site, checkpoint, layer, unit, place)


def _page(site: Site, checkpoint: AtlasCheckpoint, layer: AtlasLayer, unit: AtlasUnit, place: int) -> Page:
    named = f"“{unit.labels[0].name}”: the" if unit.labels else "The"
    branch = f", {unit.branch.name} branch" if unit.branch else ""
    what = f"most excites {layer.unit_word} {unit.unit.channel} of {layer.name}{branch}, in {checkpoint.name},"
    if layer.is_output:
        what = f"{checkpoint.name} takes for this class most, by class {unit.unit.channel} of its output,"
    return Page(
        addresses.unit_address(checkpoint.name, unit.unit),
        f"{unit.unit} of {checkpoint.name}",
        f"{named} picture that {what} with the recipe that makes it again.",
        partial(_context, site, checkpoint, layer, unit, place),
        unit_preview(checkpoint.name, unit),
        checkpoint,
        layer.name,
        partial(schema.unit, checkpoint=checkpoint.name, shown=unit),
    )


def _context(site: Site, checkpoint: AtlasCheckpoint, layer: AtlasLayer, unit: AtlasUnit, place: int) -> UnitPage:
    record, units = unit.record, layer.rendered
    assert record is not None, "only rendered units have a page"
    return UnitPage(
        layer=layer,
        unit=unit,
        previous=units[place - 1] if place else None,
        next=units[place + 1] if place + 1 < len(units) else None,
        neighbours=neighbours(units, place),
        panels=site.panels.of(checkpoint, unit),
        above=_above(layer, record),
        settings=provenance.settings(record.question.recipe),
        facts=provenance.facts(record),
        command=provenance.render_command(record, checkpoint.name, site.config),
        views_command=provenance.views_command(unit, checkpoint.name),
        quotes=quotes(unit, record, checkpoint.name, site.config),
        pictures=provenance.other_pictures(record, unit),
        oembed=addresses.oembed_address(checkpoint.name, unit.unit) if site.config.oembed else "",
    )


def _above(layer: AtlasLayer, record: Record) -> float | None:
    activations = layer.activations[record.question.recipe]
    others = len(activations) - 1
    return bisect_left(activations, record.provenance.activation) / others if others >= FEW else None


PAGES = PageKind(90, _pages)
