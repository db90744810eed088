"""A layer with every unit of it, and the command that renders those that are not rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer
from generator.publish.content.families import FamilyCount, families_of
from generator.publish.content.previews import Preview, layer_preview
from generator.publish.content.provenance import missing_command
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class LayerPage:
    """``command`` is "" if all is rendered. ``bottlenecks`` are the layers that feed this one's wide branches."""

    template: ClassVar[str] = "layer.html"
    frame: Frame
    families: tuple[FamilyCount, ...]
    layer: AtlasLayer
    command: str
    previous: AtlasLayer | None
    next: AtlasLayer | None
    bottlenecks: tuple[AtlasLayer, ...]


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        for place, layer in enumerate(checkpoint.layers.values()):
            address = addresses.layer_address(checkpoint.name, layer.name)
            preview = layer_preview(address, checkpoint.name, layer)
            yield Page(address, partial(_page, site, checkpoint, place, address, preview), preview)


def _page(site: Site, checkpoint: AtlasCheckpoint, place: int, address: str, preview: Preview | None) -> LayerPage:
    around = tuple(checkpoint.layers.values())
    layer = around[place]
    title = f"{layer.name} of {checkpoint.name}"
    description = (
        f"{len(layer.rendered)} of the {layer.layer.channels} units of {layer.name}: what excites each most. "
        f"A grid of {layer.grid} × {layer.grid}, each position seeing {layer.layer.receptive_field} pixels."
    )
    return LayerPage(
        frame(
            site, address, title, description,
            preview=preview, checkpoint=checkpoint, layer=layer.name, schema=schema.collection,
        ),
        layer=layer,
        families=families_of(layer),
        command=missing_command(layer, checkpoint.name),
        previous=around[place - 1] if place else None,
        next=around[place + 1] if place + 1 < len(around) else None,
        bottlenecks=tuple(other for other in around if other.name.startswith(f"{layer.name}_")),
    )  # fmt: skip


PAGES = PageKind(80, LayerPage, _pages)
