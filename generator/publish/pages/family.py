"""A family: every unit that has a name of it, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.families import FamilyShown, families
from generator.publish.content.previews import sheet_preview
from generator.publish.content.selection import beside
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FamilyPage:
    template: ClassVar[str] = "family.html"
    family: FamilyShown
    previous: FamilyShown | None
    next: FamilyShown | None


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        for around in beside(families(checkpoint)):
            yield _page(checkpoint, FamilyPage(*around))


def _page(checkpoint: AtlasCheckpoint, page: FamilyPage) -> Page:
    family = page.family
    layers = ", ".join(layer.name for layer, _ in family.layers)
    address = addresses.family_address(checkpoint.name, family.name)
    return Page(
        address,
        f"{family.name} of {checkpoint.name}",
        f"{len(family.members)} units named “{family.name}”, in {layers}.",
        lambda: page,
        sheet_preview(address, family.rendered, family.name),
        checkpoint,
        schema=schema.collection,
    )


PAGES = PageKind(70, _pages)
