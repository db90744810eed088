"""The page of a checkpoint: its hierarchy, and the plan of its network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint
from generator.publish.content.previews import Preview, checkpoint_preview
from generator.publish.content.selection import Column, columns
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    template: ClassVar[str] = "checkpoint.html"
    frame: Frame
    columns: tuple[Column, ...]


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        address = addresses.checkpoint_address(checkpoint.name)
        preview = checkpoint_preview(address, checkpoint)
        yield Page(address, partial(_page, site, checkpoint, address, preview), preview)


def _page(site: Site, checkpoint: AtlasCheckpoint, address: str, preview: Preview | None) -> CheckpointPage:
    name = checkpoint.name
    description = f"{checkpoint.rendered:,} units of {name}, layer by layer."
    framed = frame(site, address, name, description, preview=preview, checkpoint=checkpoint, schema=schema.collection)
    return CheckpointPage(framed, columns(checkpoint))


PAGES = PageKind(50, CheckpointPage, _pages)
