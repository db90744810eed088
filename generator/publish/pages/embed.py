"""One unit, small, for the pages of other people to show in a frame. It stands alone, without base.html."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.catalog import AtlasUnit
from generator.publish.page import Page, PageKind
from generator.publish.site import Site
from generator.publish.urls import Urls


@dataclass(frozen=True, slots=True)
class EmbedPage:
    """``canonical`` is the address of the unit's own page, and there of the ``view``. The unit has the record that is
    shown."""

    template: ClassVar[str] = "embed.html"
    canonical: str
    unit: AtlasUnit
    view: str


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        for unit in (unit for layer in checkpoint.layers.values() for unit in layer.rendered):
            views = {"": unit} | {view.name: replace(unit, record=view.record) for view in unit.views}
            for view, shown in views.items():
                address = addresses.embed_address(checkpoint.name, unit.unit, view)
                page = addresses.unit_address(checkpoint.name, unit.unit)
                canonical = Urls(address.rpartition("/")[0], site.config.url).whole(page)
                canonical += f"#{addresses.view_fragment(view)}" if view else ""
                make = partial(EmbedPage, canonical, shown, view)
                yield Page(address, str(unit.unit), "", make, checkpoint=checkpoint, listed=False)


PAGES = PageKind(100, _pages)
