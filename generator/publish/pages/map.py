"""A map of a layer: its units on a square, each beside units that respond alike. One picture, with a link on each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.assets.cards import mosaic_side
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit, Catalog
from generator.publish.content.previews import layer_preview
from generator.publish.content.selection import beside
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class Cell:
    """A rendered unit and its place on the map."""

    unit: AtlasUnit
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class LayerMap:
    """The rendered units of a layer on a square of ``side`` cells, row by row. ``picture`` is its address, ``pixels``
    the side of the picture."""

    side: int
    cells: tuple[Cell, ...]
    picture: str

    @property
    def pixels(self) -> int:
        """The side of the picture."""
        return mosaic_side(self.side)

    @property
    def vacant(self) -> tuple[tuple[int, int], ...]:
        """Row and column of each cell without a unit."""
        taken = {(cell.row, cell.column) for cell in self.cells}
        every = ((row, column) for row in range(self.side) for column in range(self.side))
        return tuple(place for place in every if place not in taken)


@dataclass(frozen=True, slots=True)
class MapPage:
    template: ClassVar[str] = "map.html"
    layer: AtlasLayer
    map: LayerMap
    photographs: int
    previous: AtlasLayer | None
    next: AtlasLayer | None


def has_map(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer) -> bool:
    """Whether a layer has a map: its units were compared, and at least half of them are rendered."""
    compared = catalog.latest("study/similar", checkpoint.fingerprint, layer.name)
    return compared is not None and len(layer.rendered) >= layer.layer.channels / 2


def layer_map(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer) -> LayerMap:
    """The map of a layer that has one."""
    place = catalog.arrays("study/similar", checkpoint.fingerprint, layer.name)["map"].tolist()
    cells = sorted((Cell(u, *place[u.unit.channel]) for u in layer.rendered), key=lambda cell: (cell.row, cell.column))
    side = 1 + max(max(row, column) for row, column in place)
    return LayerMap(side, tuple(cells), addresses.mosaic_address(checkpoint.name, layer.name))


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        mapped = tuple(layer for layer in checkpoint.layers.values() if has_map(site.catalog, checkpoint, layer))
        for layer, previous, following in beside(mapped):
            address = addresses.map_address(checkpoint.name, layer.name)
            title = f"Map of {layer.name} of {checkpoint.name}"
            description = f"{len(layer.rendered)} units of {layer.name}, each beside units that respond alike."
            make = partial(_context, site.catalog, checkpoint, layer, previous, following)
            preview = layer_preview(address, checkpoint.name, layer)
            yield Page(address, title, description, make, preview, checkpoint, layer.name, schema.collection)


def _context(
    catalog: Catalog,
    checkpoint: AtlasCheckpoint,
    layer: AtlasLayer,
    previous: AtlasLayer | None,
    following: AtlasLayer | None,
) -> MapPage:
    result = catalog.latest("study/similar", checkpoint.fingerprint, layer.name)
    count = int(result.facts["photographs"]) if result else 0
    return MapPage(layer, layer_map(catalog, checkpoint, layer), count, previous, following)


PAGES = PageKind(85, _pages)
