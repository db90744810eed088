"""All families of a checkpoint, each with the few of its units that are rendered first; and a family with all units
that have a name of it, layer by layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.families import FamilyShown, families
from generator.publish.content.previews import families_preview, sheet_preview
from generator.publish.content.selection import beside
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class FamiliesPage:
    template: ClassVar[str] = "families.html"
    families: tuple[FamilyShown, ...]


@dataclass(frozen=True, slots=True)
class FamilyPage:
    template: ClassVar[str] = "family.html"
    family: FamilyShown
    previous: FamilyShown | None
    next: FamilyShown | None


def _pages(site: Site) -> Iterator[Page]:
    having = [(checkpoint, shown) for checkpoint in site.checkpoints if (shown := families(checkpoint))]
    yield from (_all(checkpoint, shown) for checkpoint, shown in having)
    yield from (_one(checkpoint, FamilyPage(*around)) for checkpoint, shown in having for around in beside(shown))


def _all(checkpoint: AtlasCheckpoint, shown: tuple[FamilyShown, ...]) -> Page:
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


def _one(checkpoint: AtlasCheckpoint, page: FamilyPage) -> Page:
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


PAGES = PageKind(60, _pages)
