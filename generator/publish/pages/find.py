"""The page "Find a unit": what the search box reads, and the layers and families of each checkpoint as links."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FindPage:
    template: ClassVar[str] = "find.html"
    checkpoints: tuple[AtlasCheckpoint, ...]


def _pages(site: Site) -> Iterator[Page]:
    description = "Find a unit by its number, its name, or an address; every layer and every family."
    yield Page(addresses.FIND, "Find a unit", description, lambda: FindPage(site.checkpoints), site.preview)


PAGES = PageKind(30, _pages)
