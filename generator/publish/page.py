"""What a page is: an address, the context that its template reads, and the picture that stands for it elsewhere.

A module of :mod:`generator.publish.pages` describes one kind of page by a :class:`PageKind`. Everything that
``base.html`` needs is one value, the :class:`Frame`; a context has it beside what is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from generator.links import addresses
from generator.publish.assets import schema as schemas
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.previews import Preview
from generator.publish.site import Site
from generator.publish.urls import Urls


class Context(Protocol):
    """A frozen dataclass whose fields are the variables of its template, those of ``frame`` among them."""

    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site. ``make`` gives its context when it is needed, so an atlas takes the memory of one page.

    ``listed`` pages are for people and search engines to find. ``preview`` becomes a file beside the page.
    """

    address: str
    make: Callable[[], Context]
    preview: Preview | None = None
    listed: bool = True


@dataclass(frozen=True, slots=True)
class PageKind:
    """All pages of one kind. Kinds come in their ``order``; ``context`` is what each of their pages gives."""

    order: int
    context: type[Context]
    pages: Callable[[Site], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class SpineLink:
    """A link of the header, to one of the main layers; ``current`` if the page is of that layer."""

    href: str
    name: str
    current: bool


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What ``base.html`` needs. ``checkpoint`` is the one whose layers, the ``spine``, the header links to.

    ``preview`` stands for the page where it is linked; ``schema`` says what it is in the words of schema.org.
    """

    url: Urls
    address: str
    site: str
    title: str
    description: str
    preview: Preview | None
    schema: Mapping[str, Any]
    checkpoint: AtlasCheckpoint
    spine: tuple[SpineLink, ...]


def frame(
    site: Site,
    address: str,
    title: str,
    description: str,
    *,
    preview: Preview | None = None,
    checkpoint: AtlasCheckpoint | None = None,
    layer: str = "",
    schema: schemas.Schema = schemas.article,
) -> Frame:
    """The frame of a page. It is of the first checkpoint, and something to read, unless it is told otherwise."""
    checkpoint = checkpoint or site.first
    url = Urls(address.rpartition("/")[0], site.config.url, anywhere=address == addresses.NOT_FOUND)
    return Frame(
        url=url,
        address=address,
        site=site.config.title,
        title=title,
        description=description,
        preview=preview,
        schema=schema(url, address, title, description),
        checkpoint=checkpoint,
        spine=_spine(url, checkpoint.name, checkpoint.checkpoint.architecture.main_layers, layer),
    )


@lru_cache
def _spine(url: Urls, checkpoint: str, layers: tuple[str, ...], current: str) -> tuple[SpineLink, ...]:
    """The same for every page of a folder, so it is made once for each."""
    return tuple(
        SpineLink(url.layer(checkpoint, layer), layer.removeprefix("mixed"), current.split("_")[0] == layer)
        for layer in layers
    )
