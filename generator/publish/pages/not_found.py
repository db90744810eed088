"""The page that a host serves where there is nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class NotFoundPage:
    template: ClassVar[str] = "404.html"


def _pages(site: Site) -> Iterator[Page]:
    yield Page(addresses.NOT_FOUND, "Not found", "There is no page at this address.", NotFoundPage, listed=False)


PAGES = PageKind(40, _pages)
