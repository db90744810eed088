"""The table of contents: every address of the site, with the page that belongs there.

Pages are made one at a time when they are asked for, so an atlas of any size needs the memory of one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from generator import addresses
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit, Catalog
from generator.publish.lesson import read_lesson
from generator.publish.pages import (
    AboutPage,
    CheckpointPage,
    HomePage,
    HowPage,
    LayerPage,
    NotFoundPage,
    Page,
    SpineLink,
    UnitPage,
)
from generator.publish.provenance import facts, missing_command, render_command, settings
from generator.publish.selection import columns, neighbours
from generator.publish.urls import Urls

MakePage = Callable[[], Page]


def contents(catalog: Catalog) -> Iterator[tuple[str, MakePage]]:
    """Each address with a function that makes its page."""
    yield addresses.HOME, partial(_home, catalog)
    yield addresses.ABOUT, partial(_about, catalog)
    yield addresses.HOW, partial(_how, catalog)
    yield addresses.NOT_FOUND, partial(_not_found, catalog)
    for checkpoint in catalog.checkpoints:
        yield addresses.checkpoint_address(checkpoint.name), partial(_checkpoint, catalog, checkpoint)
        for layer in checkpoint.layers.values():
            yield addresses.layer_address(checkpoint.name, layer.name), partial(_layer, catalog, checkpoint, layer)
            for place, unit in enumerate(layer.rendered):
                address = addresses.unit_address(checkpoint.name, unit.unit)
                yield address, partial(_unit, catalog, checkpoint, layer, place)


def _common(
    catalog: Catalog, checkpoint: AtlasCheckpoint, address: str, shown: AtlasUnit | None = None, layer: str = ""
) -> dict[str, Any]:
    """What every page has; ``shown`` is the unit whose picture stands for it."""
    url = Urls(address.rpartition("/")[0], catalog.config.url, anywhere=address == addresses.NOT_FOUND)
    return {
        "url": url,
        "address": address,
        "site": catalog.config.title,
        "checkpoint": checkpoint,
        "spine": _spine(url, checkpoint.name, checkpoint.checkpoint.architecture.main_layers, layer),
        "image": url.absolute(addresses.picture_address(shown.record.picture)) if shown and shown.record else "",
    }


@lru_cache
def _spine(url: Urls, checkpoint: str, layers: tuple[str, ...], current: str) -> tuple[SpineLink, ...]:
    """The same for every page of a folder, so it is made once for each."""
    return tuple(
        SpineLink(url.layer(checkpoint, layer), layer.removeprefix("mixed"), current.split("_")[0] == layer)
        for layer in layers
    )


def _home(catalog: Catalog) -> HomePage:
    first, *others = catalog.checkpoints
    hierarchy = columns(first)
    shown = next((u for column in reversed(hierarchy) for u in column.units), None)
    return HomePage(
        **_common(catalog, first, addresses.HOME, shown),
        title=catalog.config.title,
        description=(
            f"One picture for each channel of InceptionV1, from edges in conv2d0 to objects in mixed5b: "
            f"{first.rendered:,} units of {first.name}, each with the recipe that makes it again."
        ),
        columns=hierarchy,
        others=tuple(others),
        example=shown or first.layers["mixed4a"].units[11],
    )


def _about(catalog: Catalog) -> AboutPage:
    first = catalog.checkpoints[0]
    return AboutPage(
        **_common(catalog, first, addresses.ABOUT),
        title="About the pictures",
        description="How the pictures of this atlas are made, what they do not show, and where to read on.",
        recipe=catalog.config.recipe,
        settings=settings(catalog.config.recipe),
        frieze=tuple(column.units[0] for column in columns(first) if column.units),
        checkpoints=catalog.checkpoints,
    )


def _how(catalog: Catalog) -> HowPage:
    first = catalog.checkpoints[0]
    lesson = catalog.config.lesson
    unit = lesson.unit if lesson else None
    shown = first.layers[unit.layer].units[unit.channel] if unit and unit.layer in first.layers else None
    return HowPage(
        **_common(catalog, first, addresses.HOW, shown),
        title="How these pictures are made",
        description="Activation maximisation from noise to picture, step by step, and what a picture does not say.",
        recipe=catalog.config.recipe_for(unit.layer) if unit else catalog.config.recipe,
        lesson=read_lesson(catalog),
    )


def _not_found(catalog: Catalog) -> NotFoundPage:
    return NotFoundPage(
        **_common(catalog, catalog.checkpoints[0], addresses.NOT_FOUND),
        title="Not found",
        description="There is no page at this address.",
    )


def _checkpoint(catalog: Catalog, checkpoint: AtlasCheckpoint) -> CheckpointPage:
    hierarchy = columns(checkpoint)
    shown = next((u for column in reversed(hierarchy) for u in column.units), None)
    return CheckpointPage(
        **_common(catalog, checkpoint, addresses.checkpoint_address(checkpoint.name), shown),
        title=checkpoint.name,
        description=f"{checkpoint.rendered:,} units of {checkpoint.name}, layer by layer.",
        columns=hierarchy,
    )


def _layer(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer) -> LayerPage:
    around = tuple(checkpoint.layers.values())
    place = around.index(layer)
    of = layer.layer
    return LayerPage(
        **_common(
            catalog, checkpoint, addresses.layer_address(checkpoint.name, layer.name),
            layer.rendered[0] if layer.rendered else None, layer.name,
        ),
        title=f"{layer.name} of {checkpoint.name}",
        description=(
            f"{len(layer.rendered)} of the {of.channels} units of {layer.name}: what excites each most. "
            f"A grid of {layer.grid} × {layer.grid}, each position seeing {of.receptive_field} pixels."
        ),
        layer=layer,
        command=missing_command(layer, checkpoint.name),
        previous=around[place - 1] if place else None,
        next=around[place + 1] if place + 1 < len(around) else None,
        bottlenecks=tuple(x for x in around if x.name.startswith(f"{layer.name}_")),
    )  # fmt: skip


def _unit(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer, place: int) -> UnitPage:
    units = layer.rendered
    unit = units[place]
    record = unit.record
    assert record is not None, "only rendered units have a page"
    branch = f", {unit.branch.name} branch" if unit.branch else ""
    return UnitPage(
        **_common(catalog, checkpoint, addresses.unit_address(checkpoint.name, unit.unit), unit, layer.name),
        title=f"{unit.unit} of {checkpoint.name}",
        description=(
            f"The picture that most excites channel {unit.unit.channel} of {layer.name}{branch}, "
            f"in {checkpoint.name}, with the recipe that makes it again."
        ),
        layer=layer,
        unit=unit,
        previous=units[place - 1] if place else None,
        next=units[place + 1] if place + 1 < len(units) else None,
        neighbours=neighbours(units, place),
        settings=settings(record.question.recipe),
        facts=facts(record),
        command=render_command(record, checkpoint.name, catalog.config),
    )
