"""The home page: the hierarchy of the first checkpoint, the plan of the network, and what else there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit
from generator.publish.content.selection import Column, columns
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class HomePage:
    """``others`` are the checkpoints besides the first; ``example`` is a unit to speak of."""

    template: ClassVar[str] = "home.html"
    columns: tuple[Column, ...]
    others: tuple[AtlasCheckpoint, ...]
    example: AtlasUnit


def _pages(site: Site) -> Iterator[Page]:
    description = (
        f"One picture for each channel of InceptionV1, from edges in conv2d0 to objects in mixed5b: "
        f"{site.first.rendered:,} units of {site.first.name}, each with the recipe that makes it again."
    )
    yield Page(addresses.HOME, site.config.title, description, lambda: _page(site), site.preview, schema=schema.dataset)


def _page(site: Site) -> HomePage:
    hierarchy = columns(site.first)
    shown = next((unit for column in reversed(hierarchy) for unit in column.units), None)
    return HomePage(hierarchy, site.checkpoints[1:], shown or site.first.layers["mixed4a"].units[11])


PAGES = PageKind(0, _pages)
