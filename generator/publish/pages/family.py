"""A family: every unit that has a name of it, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.families import FamilyShown, families
from generator.publish.content.previews import Preview, sheet_preview
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FamilyPage:
    template: ClassVar[str] = "family.html"
    frame: Frame
    family: FamilyShown
    previous: FamilyShown | None
    next: FamilyShown | None


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        shown = families(checkpoint)
        for place, family in enumerate(shown):
            address = addresses.family_address(checkpoint.name, family.name)
            preview = sheet_preview(address, family.rendered, family.name)
            yield Page(address, partial(_page, site, checkpoint, shown, place, address, preview), preview)


def _page(
    site: Site,
    checkpoint: AtlasCheckpoint,
    shown: tuple[FamilyShown, ...],
    place: int,
    address: str,
    preview: Preview | None,
) -> FamilyPage:
    family = shown[place]
    title = f"{family.name} of {checkpoint.name}"
    layers = ", ".join(layer.name for layer, _ in family.layers)
    description = f"{len(family.members)} units named “{family.name}”, in {layers}."
    return FamilyPage(
        frame(site, address, title, description, preview=preview, checkpoint=checkpoint, schema=schema.collection),
        family=family,
        previous=shown[place - 1] if place else None,
        next=shown[place + 1] if place + 1 < len(shown) else None,
    )


PAGES = PageKind(70, FamilyPage, _pages)
