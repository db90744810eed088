"""Whose the photographs are that the pages of units show or name, and under which licence."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import ClassVar

from generator.links import addresses
from generator.photos.credits import Credit
from generator.publish.album import KIND
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class Author:
    """All photographs by one author under one licence, by title."""

    name: str
    licence: str
    photographs: tuple[Credit, ...]


@dataclass(frozen=True, slots=True)
class PhotographsPage:
    """``unknown`` are titles of photographs of which neither author nor licence is known."""

    template: ClassVar[str] = "photographs.html"
    count: int
    shown: int
    authors: tuple[Author, ...]
    unknown: tuple[str, ...]


def _pages(site: Site) -> Iterator[Page]:
    if any(result.kind == KIND for result in site.catalog.results):
        description = "Authors, licences and sources of the photographs that excite the units of this atlas."
        yield Page(addresses.CREDITS, "Photographs", description, partial(_page, site), site.preview)


def _page(site: Site) -> PhotographsPage:
    album = site.catalog.album
    credits = sorted(album.credits.values(), key=_order)
    authors = tuple(
        Author(author, licence, tuple(some))
        for (author, licence), some in groupby(credits, key=lambda c: (c.author, c.licence))
        if author or licence
    )
    unknown = tuple(c.title for c in credits if not (c.author or c.licence))
    return PhotographsPage(len(credits), len(album.files), authors, unknown)


def _order(credit: Credit) -> tuple[str, ...]:
    return credit.author.casefold(), credit.author, credit.licence, credit.title.casefold()


PAGES = PageKind(25, _pages)
