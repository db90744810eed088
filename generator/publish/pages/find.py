"""The page "Find a unit": what the search box reads, and the layers and families of each checkpoint as links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.previews import checkpoint_preview
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FindPage:
    template: ClassVar[str] = "find.html"
    frame: Frame
    checkpoints: tuple[AtlasCheckpoint, ...]


def _pages(site: Site) -> Iterator[Page]:
    yield Page(addresses.FIND, partial(_page, site))


def _page(site: Site) -> FindPage:
    description = "Find a unit by its number, its name, or an address; every layer and every family."
    preview = checkpoint_preview(addresses.HOME, site.first)
    return FindPage(frame(site, addresses.FIND, "Find a unit", description, preview=preview), site.checkpoints)


PAGES = PageKind(30, FindPage, _pages)
