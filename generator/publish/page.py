"""What a page is: its address, what all pages say of themselves, and the context that its template reads.

A module of :mod:`generator.publish.pages` describes one kind of page by a :class:`PageKind`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from generator.core.directions import base_layer
from generator.links import addresses
from generator.publish.assets.schema import Schema, article
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.previews import Preview
from generator.publish.site import Site
from generator.publish.urls import Urls


class Context(Protocol):
    """A frozen dataclass. Its fields are what the template of a kind of page reads, besides what all pages have."""

    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``make`` gives its context when it is needed, so an atlas takes the memory of one page.

    ``preview`` stands for the page where it is linked, and becomes a file beside it. ``checkpoint``, by default the
    first, is the one whose layers the header links to; ``layer`` is the one of them that the page is of. ``schema``
    says what the page is in the words of schema.org. ``listed`` pages are for search engines to find.
    """

    address: str
    title: str
    description: str
    make: Callable[[], Context]
    preview: Preview | None = None
    checkpoint: AtlasCheckpoint | None = None
    layer: str = ""
    schema: Schema = article
    listed: bool = True


@dataclass(frozen=True, slots=True)
class PageKind:
    """All pages of one kind. Kinds come in their ``order``."""

    order: int
    pages: Callable[[Site], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class SpineLink:
    """A link of the header, to one of the main layers or the output; ``current`` if the page is of that layer."""

    href: str
    name: str
    current: bool


def frame(site: Site, page: Page) -> dict[str, Any]:
    """The variables that every template has, which are those of ``base.html``."""
    checkpoint = page.checkpoint or site.first
    address = page.address
    url = Urls(address.rpartition("/")[0], site.config.url, anywhere=address == addresses.NOT_FOUND)
    return {
        "url": url,
        "address": address,
        "site": site.config.title,
        "title": page.title,
        "description": page.description,
        "preview": page.preview,
        "schema": page.schema(url, address, page.title, page.description),
        "checkpoint": checkpoint,
        "spine": _spine(
            url, checkpoint.name, tuple(layer.name for layer in checkpoint.hierarchy), base_layer(page.layer)
        ),
    }


def own_variables(context: Any) -> dict[str, Any]:
    """The variables of one kind of page."""
    return {f.name: getattr(context, f.name) for f in fields(context)}


@lru_cache
def _spine(url: Urls, checkpoint: str, layers: tuple[str, ...], current: str) -> tuple[SpineLink, ...]:
    """The same for every page of a folder, so it is made once for each."""
    return tuple(
        SpineLink(url.layer(checkpoint, layer), layer.removeprefix("mixed"), current.split("_")[0] == layer)
        for layer in layers
    )
