"""The units of a layer by another view than the one of the layer's own page: what lowers each, or its one neuron."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.core.units import write_channels
from generator.core.views import VIEWS
from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit, ViewShown
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class LayerViewPage:
    """``help`` says what is maximised. ``command`` renders the units that have no such picture, or is ""."""

    template: ClassVar[str] = "layer_view.html"
    layer: AtlasLayer
    view: str
    help: str
    units: tuple[tuple[AtlasUnit, ViewShown], ...]
    command: str


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        for layer in checkpoint.layers.values():
            for view in layer.by_view:
                yield _page(checkpoint, layer, view)


def _page(checkpoint: AtlasCheckpoint, layer: AtlasLayer, view: str) -> Page:
    units = layer.by_view[view]
    return Page(
        addresses.view_address(checkpoint.name, layer.name, view),
        f"{layer.name} of {checkpoint.name}, view {view}",
        f"{len(units)} of the {layer.layer.channels} units of {layer.name}, view {view}: {VIEWS[view].help}.",
        partial(LayerViewPage, layer, view, VIEWS[view].help, units, _command(checkpoint, layer, view)),
        checkpoint=checkpoint,
        layer=layer.name,
        schema=schema.collection,
    )


def _command(checkpoint: AtlasCheckpoint, layer: AtlasLayer, view: str) -> str:
    there = {unit.unit for unit, _ in layer.by_view[view]}
    missing = write_channels(u.unit.channel for u in layer.rendered if u.unit not in there)
    return f"atlas render {layer.name}:{missing} --view {view} --checkpoint {checkpoint.name}" if missing else ""


PAGES = PageKind(85, _pages)
