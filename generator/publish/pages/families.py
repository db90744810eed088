"""All families of a checkpoint, each with the few of its units that are rendered first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.families import FamilyShown, families
from generator.publish.content.previews import Preview, families_preview
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FamiliesPage:
    template: ClassVar[str] = "families.html"
    frame: Frame
    families: tuple[FamilyShown, ...]


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        if shown := families(checkpoint):
            address = addresses.families_address(checkpoint.name)
            preview = families_preview(address, checkpoint.name, shown)
            yield Page(address, partial(_page, site, checkpoint, shown, address, preview), preview)


def _page(
    site: Site, checkpoint: AtlasCheckpoint, shown: tuple[FamilyShown, ...], address: str, preview: Preview | None
) -> FamiliesPage:
    title = f"Families of {checkpoint.name}"
    description = f"{len(shown)} families: units that seem to look for the same kind of thing."
    framed = frame(site, address, title, description, preview=preview, checkpoint=checkpoint, schema=schema.collection)
    return FamiliesPage(framed, shown)


PAGES = PageKind(60, FamiliesPage, _pages)
