"""A layer with every unit of it, and the command that renders those that are not rendered."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.core.directions import has_vector
from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, Catalog
from generator.publish.content.families import FamilyCount, families_of
from generator.publish.content.previews import layer_preview
from generator.publish.content.provenance import missing_command
from generator.publish.content.selection import beside
from generator.publish.page import Page, PageKind
from generator.publish.pages.map import has_map
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class LayerPage:
    """``command`` is "" if all is rendered. ``bottlenecks`` are the layers that feed this one's wide branches.

    ``alike`` is the place of each channel in an order in which neighbours respond alike to photographs, ``fires`` the
    percentage of positions in photographs at which it is above zero. They are empty where that is not studied.
    ``mapped`` if the layer has a map. ``vectors`` is the sha256 of a set of directions, "" where it is not known.
    """

    template: ClassVar[str] = "layer.html"
    families: tuple[FamilyCount, ...]
    layer: AtlasLayer
    command: str
    previous: AtlasLayer | None
    next: AtlasLayer | None
    bottlenecks: tuple[AtlasLayer, ...]
    directions: tuple[AtlasLayer, ...]
    alike: tuple[int, ...]
    fires: tuple[float, ...]
    mapped: bool
    vectors: str


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        for around in beside(tuple(checkpoint.layers.values())):
            yield _page(site.catalog, checkpoint, *around)


def _page(
    catalog: Catalog,
    checkpoint: AtlasCheckpoint,
    layer: AtlasLayer,
    previous: AtlasLayer | None,
    following: AtlasLayer | None,
) -> Page:
    def context() -> LayerPage:
        command = missing_command(layer, checkpoint.name)
        beneath = (x for x in checkpoint.layers.values() if x.name.startswith(f"{layer.name}_"))
        bottlenecks = tuple(x for x in beneath if not x.is_directions)
        found = catalog.arrays("study/photos", checkpoint.fingerprint, layer.name)
        order, shares = found.get("alike_order"), None if layer.is_directions else found.get("fires")
        alike = () if order is None else tuple(order.argsort().tolist())
        fires = () if shares is None else tuple(float(f"{share * 100:.2g}") for share in shares[:, 1].tolist())
        of = checkpoint.checkpoint.architecture.direction_set(layer.name) if has_vector(layer.name) else None
        return LayerPage(
            families=families_of(layer),
            layer=layer,
            command=command,
            previous=previous,
            next=following,
            bottlenecks=bottlenecks,
            directions=checkpoint.directions_in(layer.name),
            alike=alike,
            fires=fires,
            mapped=has_map(catalog, checkpoint, layer),
            vectors=of.checksum() if of and of.vectors is not None else "",
        )

    address = addresses.layer_address(checkpoint.name, layer.name)
    description = f"{len(layer.rendered)} of the {layer.layer.channels} units of {layer.name}: what excites each most. "
    if layer.is_directions:
        description += f"Each is a vector over the channels of {layer.base}."
    elif layer.is_output:
        description += "Each is a class that the network tells apart."
    else:
        description += (
            f"A grid of {layer.grid} × {layer.grid}, each position seeing {layer.layer.receptive_field} pixels."
        )
    preview = layer_preview(address, checkpoint.name, layer)
    title = f"{layer.name} of {checkpoint.name}"
    return Page(address, title, description, context, preview, checkpoint, layer.name, schema.collection)


PAGES = PageKind(80, _pages)
