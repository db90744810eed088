"""The page of a checkpoint: what these weights are, and layer by layer what a study found about their units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median_high
from typing import TYPE_CHECKING, Any, ClassVar

from generator.checkpoints import CHECKPOINTS
from generator.checkpoints.spec import CheckpointSpec
from generator.links import addresses
from generator.publish.assets import schema
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, Catalog
from generator.publish.content.previews import checkpoint_preview
from generator.publish.page import Page, PageKind
from generator.publish.pages.map import has_map
from generator.publish.site import Site
from generator.store.facets import CLEAR
from generator.store.findings import as_written

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LayerFindings:
    """A layer, and what was found about its units: None where that is not studied.

    ``silent`` counts the units that fire on no photograph, ``several`` those that are several things, ``oriented`` and
    ``coloured`` those with a clear orientation or hue. ``fires`` is the share of positions in photographs at which the
    median unit fires, ``times`` its picture's activation in multiples of the best photograph's. ``same`` and
    ``other`` are Pearson's r of the median unit with the unit most like it, in the layer and in the first of the other
    checkpoints.
    """

    layer: AtlasLayer
    named: int
    mapped: bool
    silent: int | None
    fires: float | None
    times: float | None
    several: int | None
    oriented: int | None
    coloured: int | None
    same: float | None
    other: float | None


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """``known`` says where the weights are from, or is None if they are the user's own. ``compared`` is the name of the
    checkpoint that units were compared with, ``photographs`` the number of those that were studied."""

    template: ClassVar[str] = "checkpoint.html"
    known: CheckpointSpec | None
    rows: tuple[LayerFindings, ...]
    photographs: int
    compared: str


def _pages(site: Site) -> Iterator[Page]:
    for checkpoint in site.checkpoints:
        address = addresses.checkpoint_address(checkpoint.name)
        yield Page(
            address,
            checkpoint.name,
            f"What the weights {checkpoint.name} are, and what was found about their units, layer by layer.",
            partial(_context, site, checkpoint),
            checkpoint_preview(address, checkpoint),
            checkpoint,
            schema=schema.collection,
        )


def _context(site: Site, checkpoint: AtlasCheckpoint) -> CheckpointPage:
    catalog, known = site.catalog, CHECKPOINTS.get(checkpoint.name)
    facts: dict[str, Any] = {}
    for layer in checkpoint.hierarchy:
        for name in ("photos", "similar"):
            if found := catalog.latest(f"study/{name}", checkpoint.fingerprint, layer.name):
                facts |= found.facts
    rows = []
    for layer in (*checkpoint.hierarchy, *checkpoint.direction_sets):
        with as_written(layer.name):
            rows.append(_findings(catalog, checkpoint, layer))
    return CheckpointPage(
        known if known and checkpoint.fingerprint in (None, known.fingerprint) else None,
        tuple(rows),
        int(facts.get("photographs", 0)),
        next(iter(facts.get("others", ())), ""),
    )


def _findings(catalog: Catalog, checkpoint: AtlasCheckpoint, layer: AtlasLayer) -> LayerFindings:
    photos, tuning, similar = (
        catalog.arrays(f"study/{name}", checkpoint.fingerprint, layer.name) for name in ("photos", "tuning", "similar")
    )

    def count(found: Mapping[str, NDArray[Any]], name: str, least: float) -> int | None:
        return int((found[name] >= least).sum()) if name in found else None

    def nearest(found: Mapping[str, NDArray[Any]], name: str) -> float | None:
        return _median(found[name][:, 0].tolist()) if name in found and found[name].size else None

    fires, best = (photos[name].tolist() if name in photos else None for name in ("fires", "best_mean"))
    fires = None if layer.is_directions else fires  # a projection has no threshold
    return LayerFindings(
        layer,
        sum(bool(unit.labels) for unit in layer.units),
        has_map(catalog, checkpoint, layer),
        None if fires is None else sum(share == 0 for share, _ in fires),
        None if fires is None else _median([positions for _, positions in fires]),
        None if best is None else _median(list(_multiples(layer, best))),
        count(photos, "several", 1),
        count(tuning, "orientation_selectivity", CLEAR),
        count(tuning, "hue_selectivity", CLEAR),
        nearest(photos, "alike_r") if layer.is_directions else nearest(similar, "same_r"),
        nearest(similar, "other0_r"),
    )


def _multiples(layer: AtlasLayer, best: list[float]) -> Iterator[float]:
    """The activation of each picture in multiples of the best photograph's, of units that a photograph excites."""
    for unit in layer.rendered:
        if unit.record and best[unit.unit.channel] > 0:
            yield unit.record.provenance.activation / best[unit.unit.channel]


def _median(values: list[float]) -> float | None:
    return median_high(values) if values else None


PAGES = PageKind(50, _pages)
