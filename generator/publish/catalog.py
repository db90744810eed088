"""What the atlas shows: checkpoints, their layers, and of each unit the pictures, names and answers of studies.

How it is put together from atlas.toml and the store is :mod:`generator.publish.catalog_reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from generator.config.config import CheckpointConfig, Config
from generator.config.labels import Label, Labels
from generator.core.architecture import OUTPUT, Branch, Layer
from generator.core.directions import AT, base_layer, sum_terms
from generator.core.recipe import Recipe
from generator.core.record import Record
from generator.core.result import Result
from generator.core.units import Unit
from generator.core.views import VIEWS, main_view, views_of
from generator.publish.album import Album
from generator.store.findings import newest
from generator.store.store import DamagedError, Store, UnreadableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT = 224  # side of the pictures that the network was trained on, in pixels


@dataclass(frozen=True, slots=True)
class ViewShown:
    """A unit's picture by one more view. ``current`` if it answers exactly what atlas.toml asks."""

    name: str
    record: Record
    current: bool

    @property
    def help(self) -> str:
        """What was maximised."""
        return VIEWS[self.name].help

    @property
    def is_sheet(self) -> bool:
        """Whether it is several pictures side by side."""
        return VIEWS[self.name].pictures > 1


@dataclass(frozen=True, slots=True)
class AtlasUnit:
    """One unit and its answer, if there is one. ``current`` if it answers exactly what atlas.toml asks.

    ``views`` are its pictures by other views than the one of ``record``. ``others`` are the rest of the answers about
    it, the nearest first: other recipes, figures' pictures.
    """

    unit: Unit
    branch: Branch | None
    record: Record | None
    current: bool
    labels: tuple[Label, ...] = ()
    others: tuple[Record, ...] = ()
    views: tuple[ViewShown, ...] = ()


@dataclass(frozen=True)
class AtlasLayer:
    """One layer with all its units, rendered or not. ``grid`` is its side for an input of INPUT pixels."""

    layer: Layer
    grid: int
    units: tuple[AtlasUnit, ...]

    @property
    def name(self) -> str:
        return self.layer.name

    @cached_property
    def rendered(self) -> tuple[AtlasUnit, ...]:
        """The units that have a picture, by number."""
        return tuple(u for u in self.units if u.record)

    @property
    def is_output(self) -> bool:
        """Whether its units are classes, and not channels."""
        return self.layer.kind == "output"

    @property
    def is_directions(self) -> bool:
        """Whether its units are directions in another layer, its ``base``."""
        return self.layer.kind == "directions"

    @property
    def base(self) -> str:
        """The layer whose channels a direction or a sum is of; else the layer itself."""
        return base_layer(self.name)

    @property
    def said_sum(self) -> str:
        """Of a sum of channels, the sum as it is written; else ""."""
        terms = sum_terms(self.name.partition(AT)[2])
        return " ".join(f"{'−' if sign < 0 else '+'} {self.base}:{n}" for n, sign in terms).removeprefix("+ ")

    @property
    def unit_word(self) -> str:
        """What its units are."""
        return {"output": "class", "directions": "direction"}.get(self.layer.kind, "channel")

    @property
    def main_view(self) -> str:
        """The view that is shown first."""
        return main_view(self.name)

    @cached_property
    def by_view(self) -> Mapping[str, tuple[tuple[AtlasUnit, ViewShown], ...]]:
        """The units that have a picture by each further view."""
        found: dict[str, list[tuple[AtlasUnit, ViewShown]]] = {}
        for unit in self.rendered:
            for shown in unit.views:
                found.setdefault(shown.name, []).append((unit, shown))
        return {view: tuple(found[view]) for view in views_of(self.name) if view in found}

    @cached_property
    def activations(self) -> Mapping[Recipe, list[float]]:
        """The activations of the rendered units in ascending order, by the recipe of their pictures."""
        found: dict[Recipe, list[float]] = {}
        for record in (unit.record for unit in self.rendered if unit.record):
            found.setdefault(record.question.recipe, []).append(record.provenance.activation)
        return {recipe: sorted(activations) for recipe, activations in found.items()}

    @cached_property
    def groups(self) -> tuple[tuple[Branch | None, tuple[AtlasUnit, ...]], ...]:
        """The units branch by branch; a layer without branches is one group."""
        if not self.layer.branches:
            return ((None, self.units),)
        return tuple((b, self.units[b.first : b.last + 1]) for b in self.layer.branches)


@dataclass(frozen=True)
class AtlasCheckpoint:
    """One set of weights: its layers by name, in the order of the network."""

    checkpoint: CheckpointConfig
    fingerprint: str | None
    layers: Mapping[str, AtlasLayer]
    labels: Labels = field(default_factory=Labels)

    @property
    def name(self) -> str:
        return self.checkpoint.name

    @cached_property
    def main_layers(self) -> tuple[AtlasLayer, ...]:
        """The twelve layers of the hierarchy, from conv2d0 to mixed5b."""
        return tuple(self.layers[name] for name in self.checkpoint.architecture.main_layers)

    @cached_property
    def named_by_eye(self) -> bool:
        """Whether every name of its units is a guess from pictures and photographs."""
        return all(label.confidence in ("photographs", "eye") for labels in self.labels.of.values() for label in labels)

    @cached_property
    def rendered(self) -> int:
        """How many channels have a picture; classes and directions are not counted."""
        return sum(len(layer.rendered) for layer in self.layers.values() if layer.unit_word == "channel")

    def directions_in(self, layer: str) -> tuple[AtlasLayer, ...]:
        """The sets of directions in a layer, and the sums of its channels."""
        return tuple(x for x in self.layers.values() if x.is_directions and x.base == layer)

    @cached_property
    def direction_sets(self) -> tuple[AtlasLayer, ...]:
        """The sets of directions of which something is rendered, and the sums of channels."""
        return tuple(layer for layer in self.layers.values() if layer.is_directions and layer.rendered)

    @cached_property
    def hierarchy(self) -> tuple[AtlasLayer, ...]:
        """The main layers, and the output where classes of it are rendered."""
        output = self.layers.get(OUTPUT)
        return (*self.main_layers, *((output,) if output and output.rendered else ()))

    @cached_property
    def total(self) -> int:
        """How many units the main layers have, rendered or not."""
        return sum(layer.layer.channels for layer in self.main_layers)


@dataclass(frozen=True)
class Catalog:
    """Everything the pages are made from. ``results`` are the answers that are not pictures; panels read them."""

    config: Config
    checkpoints: tuple[AtlasCheckpoint, ...]
    warnings: tuple[str, ...]
    results: tuple[Result, ...] = ()

    def latest(self, kind: str, fingerprint: str | None, layer: str) -> Result | None:
        """The newest answer of a kind about a layer of these weights."""
        return self._latest.get((kind, fingerprint, layer))

    @cached_property
    def arrays(self) -> Callable[[str, str | None, str], Mapping[str, NDArray[Any]]]:
        """Gives the arrays of the newest answer of a kind about a layer of these weights; without one, none.

        They are read when a page of the layer comes, once for all that stands on it; those of a few layers are held.
        """
        store = Store(self.config.store)

        @lru_cache(maxsize=24)
        def arrays(kind: str, fingerprint: str | None, layer: str) -> Mapping[str, NDArray[Any]]:
            result = self.latest(kind, fingerprint, layer)
            try:
                return store.arrays(result) if result else {}
            except UnreadableError:
                raise
            except DamagedError:  # `atlas check` tells of it
                return {}

        return arrays

    @cached_property
    def album(self) -> Album:
        """The photographs that pages name and show."""
        outputs = ((c.fingerprint, c.layers[OUTPUT].rendered) for c in self.checkpoints if OUTPUT in c.layers)
        classes = {fingerprint: [unit.unit.channel for unit in units] for fingerprint, units in outputs}
        return Album(self.config, self.results, classes)

    @cached_property
    def _latest(self) -> Mapping[tuple[str, str | None, str], Result]:
        return newest(self.results)
