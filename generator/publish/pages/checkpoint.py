"""The page of a checkpoint: its hierarchy, and the plan of its network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.previews import checkpoint_preview
from generator.publish.content.selection import Column, columns
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    template: ClassVar[str] = "checkpoint.html"
    columns: tuple[Column, ...]


def _pages(site: Site) -> Iterator[Page]:
    return map(_page, site.checkpoints)


def _page(checkpoint: AtlasCheckpoint) -> Page:
    address = addresses.checkpoint_address(checkpoint.name)
    return Page(
        address,
        checkpoint.name,
        f"{checkpoint.rendered:,} units of {checkpoint.name}, layer by layer.",
        lambda: CheckpointPage(columns(checkpoint)),
        checkpoint_preview(address, checkpoint),
        checkpoint,
        schema=schema.collection,
    )


PAGES = PageKind(50, _pages)
