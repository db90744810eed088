"""The page about the pictures: how they are made and what they do not show, under one picture of each layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.core.recipe import Recipe
from generator.links import addresses
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit
from generator.publish.content.provenance import Setting, settings
from generator.publish.content.selection import columns
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class AboutPage:
    """``frieze`` has one unit of each layer."""

    template: ClassVar[str] = "about.html"
    recipe: Recipe
    settings: tuple[Setting, ...]
    frieze: tuple[AtlasUnit, ...]
    checkpoints: tuple[AtlasCheckpoint, ...]


def _pages(site: Site) -> Iterator[Page]:
    description = "How the pictures of this atlas are made, what they do not show, and where to read on."
    yield Page(addresses.ABOUT, "About the pictures", description, lambda: _page(site), site.preview)


def _page(site: Site) -> AboutPage:
    frieze = tuple(column.units[0] for column in columns(site.first) if column.units)
    return AboutPage(site.config.recipe, settings(site.config.recipe), frieze, site.checkpoints)


PAGES = PageKind(10, _pages)
