"""The table of contents: every address of the site, with the page that belongs there.

Pages are made one at a time when they are asked for, so an atlas of any size needs the memory of one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit, Catalog
from generator.publish.pages.families import FamilyShown, families, families_of
from generator.publish.pages.lesson import read_lesson
from generator.publish.pages.pages import (
    AboutPage,
    AnyPage,
    CheckpointPage,
    EmbedPage,
    FamiliesPage,
    FamilyPage,
    FindPage,
    HomePage,
    HowPage,
    LayerPage,
    NotFoundPage,
    Preview,
    SpineLink,
    UnitPage,
)
from generator.publish.pages.previews import (
    checkpoint_units,
    families_units,
    layer_units,
    sheet_preview,
    unit_preview,
)
from generator.publish.pages.provenance import facts, missing_command, other_pictures, render_command, settings
from generator.publish.pages.quotes import quotes
from generator.publish.pages.selection import columns, neighbours
from generator.publish.urls import Urls

MakePage = Callable[[], AnyPage]


def contents(catalog: Catalog) -> Iterator[tuple[str, MakePage]]:
    """Each address with a function that makes its page."""
    yield addresses.HOME, partial(_home, catalog)
    yield addresses.ABOUT, partial(_about, catalog)
    yield addresses.HOW, partial(_how, catalog)
    yield addresses.FIND, partial(_find, catalog)
    yield addresses.NOT_FOUND, partial(_not_found, catalog)
    for checkpoint in catalog.checkpoints:
        name = checkpoint.name
        yield addresses.checkpoint_address(name), partial(_checkpoint, catalog, checkpoint)
        if shown := families(checkpoint):
            yield addresses.families_address(name), partial(_families, catalog, checkpoint, shown)
        for place, family in enumerate(shown):
            yield addresses.family_address(name, family.name), partial(_family, catalog, checkpoint, shown, place)
        for layer in checkpoint.layers.values():
            yield addresses.layer_address(name, layer.name), partial(_layer, catalog, checkpoint, layer)
            for place, unit in enumerate(layer.rendered):
                yield addresses.unit_address(name, unit.unit), partial(_unit, catalog, checkpoint, layer, place)
                yield addresses.embed_address(name, unit.unit), partial(_embed, catalog, checkpoint, unit)


def _url(catalog: Catalog, address: str) -> Urls:
    return Urls(address.rpartition("/")[0], catalog.config.url, anywhere=address == addresses.NOT_FOUND)


def _common(
    catalog: Catalog,
    checkpoint: AtlasCheckpoint,
    address: str,
    title: str,
    description: str,
    preview: Preview | None,
    layer: str = "",
) -> dict[str, Any]:
    """What every page has. Without a schema of its own, a page is something to read."""
    url = _url(catalog, address)
    return {
        "url": url,
        "address": address,
        "site": catalog.config.title,
        "title": title,
        "description": description,
        "preview": preview,
        "schema": schema.article(url, address, title, description),
        "checkpoint": checkpoint,
        "spine": _spine(url, checkpoint.name, checkpoint.checkpoint.architecture.main_layers, layer),
    }


@lru_cache
def _spine(url: Urls, checkpoint: str, layers: tuple[str, ...], current: str) -> tuple[SpineLink, ...]:
    """The same for every page of a folder, so it is made once for each."""
    return tuple(
        SpineLink(url.layer(checkpoint, layer), layer.removeprefix("mixed"), current.split("_")[0] == layer)
        for layer in layers
    )


def _front(catalog: Catalog) -> Preview | None:
    """The preview of the atlas as a whole, which pages without units share."""
    first = catalog.checkpoints[0]
    return sheet_preview(addresses.HOME, checkpoint_units(first), f"the hierarchy of {first.name}")


def _home(catalog: Catalog) -> HomePage:
    first, *others = catalog.checkpoints
    hierarchy = columns(first)
    shown = next((u for column in reversed(hierarchy) for u in column.units), None)
    description = (
        f"One picture for each channel of InceptionV1, from edges in conv2d0 to objects in mixed5b: "
        f"{first.rendered:,} units of {first.name}, each with the recipe that makes it again."
    )
    common = _common(catalog, first, addresses.HOME, catalog.config.title, description, _front(catalog))
    return HomePage(
        **{**common, "schema": schema.site(common["url"], catalog.config.title, description)},
        columns=hierarchy,
        others=tuple(others),
        example=shown or first.layers["mixed4a"].units[11],
    )


def _about(catalog: Catalog) -> AboutPage:
    first = catalog.checkpoints[0]
    description = "How the pictures of this atlas are made, what they do not show, and where to read on."
    return AboutPage(
        **_common(catalog, first, addresses.ABOUT, "About the pictures", description, _front(catalog)),
        recipe=catalog.config.recipe,
        settings=settings(catalog.config.recipe),
        frieze=tuple(column.units[0] for column in columns(first) if column.units),
        checkpoints=catalog.checkpoints,
    )


def _how(catalog: Catalog) -> HowPage:
    first = catalog.checkpoints[0]
    lesson = catalog.config.lesson
    unit = lesson.unit if lesson else None
    description = "Activation maximisation from noise to picture, step by step, and what a picture does not say."
    return HowPage(
        **_common(catalog, first, addresses.HOW, "How these pictures are made", description, _front(catalog)),
        recipe=catalog.config.recipe_for(unit.layer) if unit else catalog.config.recipe,
        lesson=read_lesson(catalog),
    )


def _find(catalog: Catalog) -> FindPage:
    first = catalog.checkpoints[0]
    description = "Find a unit by its number, its name, or an address; every layer and every family."
    return FindPage(
        **_common(catalog, first, addresses.FIND, "Find a unit", description, _front(catalog)),
        checkpoints=catalog.checkpoints,
    )


def _not_found(catalog: Catalog) -> NotFoundPage:
    description = "There is no page at this address."
    return NotFoundPage(**_common(catalog, catalog.checkpoints[0], addresses.NOT_FOUND, "Not found", description, None))


def _checkpoint(catalog: Catalog, checkpoint: AtlasCheckpoint) -> CheckpointPage:
    address = addresses.checkpoint_address(checkpoint.name)
    description = f"{checkpoint.rendered:,} units of {checkpoint.name}, layer by layer."
    preview = sheet_preview(address, checkpoint_units(checkpoint), f"the hierarchy of {checkpoint.name}")
    return CheckpointPage(
        **_collection(_common(catalog, checkpoint, address, checkpoint.name, description, preview)),
        columns=columns(checkpoint),
    )


def _families(catalog: Catalog, checkpoint: AtlasCheckpoint, shown: tuple[FamilyShown, ...]) -> FamiliesPage:
    address, title = addresses.families_address(checkpoint.name), f"Families of {checkpoint.name}"
    description = f"{len(shown)} families of units that people have named alike."
    preview = sheet_preview(address, families_units(shown), f"families of {checkpoint.name}")
    return FamiliesPage(
        **_collection(_common(catalog, checkpoint, address, title, description, preview)), families=shown
    )


def _family(catalog: Catalog, checkpoint: AtlasCheckpoint, shown: tuple[FamilyShown, ...], place: int) -> FamilyPage:
    family = shown[place]
    address, title = addresses.family_address(checkpoint.name, family.name), f"{family.name} of {checkpoint.name}"
    layers = ", ".join(layer.name for layer, _ in family.layers)
    description = f"{len(family.members)} units named “{family.name}”, in {layers}."
    preview = sheet_preview(address, family.rendered, family.name)
    return FamilyPage(
        **_collection(_common(catalog, checkpoint, address, title, description, preview)),
        family=family,
        previous=shown[place - 1] if place else None,
        next=shown[place + 1] if place + 1 < len(shown) else None,
    )


def _layer(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer) -> LayerPage:
    around = tuple(checkpoint.layers.values())
    place = around.index(layer)
    of = layer.layer
    address, title = addresses.layer_address(checkpoint.name, layer.name), f"{layer.name} of {checkpoint.name}"
    description = (
        f"{len(layer.rendered)} of the {of.channels} units of {layer.name}: what excites each most. "
        f"A grid of {layer.grid} × {layer.grid}, each position seeing {of.receptive_field} pixels."
    )
    preview = sheet_preview(address, layer_units(layer), f"units of {title}")
    return LayerPage(
        **_collection(_common(catalog, checkpoint, address, title, description, preview, layer.name)),
        layer=layer,
        families=families_of(layer),
        command=missing_command(layer, checkpoint.name),
        previous=around[place - 1] if place else None,
        next=around[place + 1] if place + 1 < len(around) else None,
        bottlenecks=tuple(x for x in around if x.name.startswith(f"{layer.name}_")),
    )


def _collection(common: dict[str, Any]) -> dict[str, Any]:
    said = schema.collection(common["url"], common["address"], common["title"], common["description"])
    return {**common, "schema": said}


def _unit(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer, place: int) -> UnitPage:
    units = layer.rendered
    unit = units[place]
    record = unit.record
    assert record is not None, "only rendered units have a page"
    branch = f", {unit.branch.name} branch" if unit.branch else ""
    named = f"“{unit.labels[0].name}”: the" if unit.labels else "The"
    description = (
        f"{named} picture that most excites channel {unit.unit.channel} of {layer.name}{branch}, "
        f"in {checkpoint.name}, with the recipe that makes it again."
    )
    address, title = addresses.unit_address(checkpoint.name, unit.unit), f"{unit.unit} of {checkpoint.name}"
    preview = unit_preview(checkpoint.name, unit)
    common = _common(catalog, checkpoint, address, title, description, preview, layer.name)
    return UnitPage(
        **{**common, "schema": schema.unit(common["url"], address, title, description, unit, record)},
        layer=layer,
        unit=unit,
        previous=units[place - 1] if place else None,
        next=units[place + 1] if place + 1 < len(units) else None,
        neighbours=neighbours(units, place),
        settings=settings(record.question.recipe),
        facts=facts(record),
        command=render_command(record, checkpoint.name, catalog.config),
        quotes=quotes(unit, record, checkpoint.name, catalog.config),
        pictures=other_pictures(record, unit.others),
    )


def _embed(catalog: Catalog, checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> EmbedPage:
    url = _url(catalog, addresses.embed_address(checkpoint.name, unit.unit))
    page = addresses.unit_address(checkpoint.name, unit.unit)
    return EmbedPage(url=url, canonical=url.whole(page), checkpoint=checkpoint, unit=unit)
