"""The page about the pictures: how they are made and what they do not show, under one picture of each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.core.recipe import Recipe
from generator.links import addresses
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit
from generator.publish.content.previews import checkpoint_preview
from generator.publish.content.provenance import Setting, settings
from generator.publish.content.selection import columns
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class AboutPage:
    """``frieze`` has one unit of each layer."""

    template: ClassVar[str] = "about.html"
    frame: Frame
    recipe: Recipe
    settings: tuple[Setting, ...]
    frieze: tuple[AtlasUnit, ...]
    checkpoints: tuple[AtlasCheckpoint, ...]


def _pages(site: Site) -> Iterator[Page]:
    yield Page(addresses.ABOUT, partial(_page, site))


def _page(site: Site) -> AboutPage:
    description = "How the pictures of this atlas are made, what they do not show, and where to read on."
    preview = checkpoint_preview(addresses.HOME, site.first)
    return AboutPage(
        frame(site, addresses.ABOUT, "About the pictures", description, preview=preview),
        recipe=site.config.recipe,
        settings=settings(site.config.recipe),
        frieze=tuple(column.units[0] for column in columns(site.first) if column.units),
        checkpoints=site.checkpoints,
    )


PAGES = PageKind(10, AboutPage, _pages)
