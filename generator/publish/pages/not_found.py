"""The page that a host serves where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class NotFoundPage:
    template: ClassVar[str] = "404.html"
    frame: Frame


def _pages(site: Site) -> Iterator[Page]:
    yield Page(addresses.NOT_FOUND, partial(_page, site), listed=False)


def _page(site: Site) -> NotFoundPage:
    return NotFoundPage(frame(site, addresses.NOT_FOUND, "Not found", "There is no page at this address."))


PAGES = PageKind(40, NotFoundPage, _pages)
