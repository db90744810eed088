"""All families of a checkpoint, each with the few of its units that are rendered first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.families import FamilyShown, families
from generator.publish.content.previews import families_preview
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FamiliesPage:
    template: ClassVar[str] = "families.html"
    families: tuple[FamilyShown, ...]


def _pages(site: Site) -> Iterator[Page]:
    return (_page(checkpoint, shown) for checkpoint in site.checkpoints if (shown := families(checkpoint)))


def _page(checkpoint: AtlasCheckpoint, shown: tuple[FamilyShown, ...]) -> Page:
    address = addresses.families_address(checkpoint.name)
    return Page(
        address,
        f"Families of {checkpoint.name}",
        f"{len(shown)} families: units that seem to look for the same kind of thing.",
        lambda: FamiliesPage(shown),
        families_preview(address, checkpoint.name, shown),
        checkpoint,
        schema=schema.collection,
    )


PAGES = PageKind(60, _pages)
