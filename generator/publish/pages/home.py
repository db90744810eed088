"""The home page: the hierarchy of the first checkpoint, the plan of the network, and what else there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit
from generator.publish.content.previews import Preview, checkpoint_preview
from generator.publish.content.selection import Column, columns
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class HomePage:
    """``others`` are the checkpoints besides the first; ``example`` is a unit to speak of."""

    template: ClassVar[str] = "home.html"
    frame: Frame
    columns: tuple[Column, ...]
    others: tuple[AtlasCheckpoint, ...]
    example: AtlasUnit


def _pages(site: Site) -> Iterator[Page]:
    preview = checkpoint_preview(addresses.HOME, site.first)
    yield Page(addresses.HOME, partial(_page, site, preview), preview)


def _page(site: Site, preview: Preview | None) -> HomePage:
    first, *others = site.checkpoints
    hierarchy = columns(first)
    shown = next((u for column in reversed(hierarchy) for u in column.units), None)
    description = (
        f"One picture for each channel of InceptionV1, from edges in conv2d0 to objects in mixed5b: "
        f"{first.rendered:,} units of {first.name}, each with the recipe that makes it again."
    )
    title = site.config.title
    return HomePage(
        frame(site, addresses.HOME, title, description, preview=preview, schema=schema.dataset),
        columns=hierarchy,
        others=tuple(others),
        example=shown or first.layers["mixed4a"].units[11],
    )


PAGES = PageKind(0, HomePage, _pages)
