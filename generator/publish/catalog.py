"""What the atlas shows: atlas.toml and the store, brought together.

The store may hold several answers for one unit: other recipes, other weights, other views. Shown is the one that
atlas.toml asks for now. If that is not rendered yet, the one by the nearest recipe is shown (of several the newest) and
marked as not ``current``. A picture that was made for a figure, of raw pixels or after a few steps, is never shown as
the unit's own. All other pictures of the same weights are listed on the unit's page.

Damage in the store does not stop a build: a record that cannot be read counts as not rendered, with a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from generator.config.config import CheckpointConfig, Config
from generator.config.labels import Label, Labels, LabelSource, dangling_links, read_labels
from generator.core.architecture import OUTPUT, Architecture, Branch, Layer
from generator.core.directions import AT, Directions, base_layer, has_vector, sum_terms
from generator.core.package import package_folder
from generator.core.recipe import SETTINGS, Question, Recipe
from generator.core.record import Record
from generator.core.result import Result
from generator.core.units import Unit
from generator.core.views import VIEWS, main_view, views_of
from generator.publish.album import Album
from generator.store.findings import newest
from generator.store.status import known_fingerprint
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
        return Album(self.config, self.results)

    @cached_property
    def _latest(self) -> Mapping[tuple[str, str | None, str], Result]:
        return newest(self.results)


def read_catalog(config: Config) -> Catalog:
    """Bring atlas.toml and its store together."""
    store = Store(config.store)
    records, results, warnings = _answers(store)
    warnings += config.notes
    dead = (path for folder in (config.labels, config.templates) for path in dangling_links(folder))
    warnings += [f"{path} is a link to nothing; remove it, or mend it" for path in dead]
    labels = read_labels((config.labels, package_folder("labels")), config.checkpoint)
    checkpoints = tuple(
        _checkpoint(config, checkpoint, records, labels.get(checkpoint.name, Labels()))
        for checkpoint in config.checkpoints
    )
    return Catalog(config, checkpoints, tuple(warnings), tuple(results))


def _class_labels(checkpoint: CheckpointConfig) -> Mapping[Unit, tuple[Label, ...]]:
    """What the classes of the network are called, as names of the units of its output."""
    source = LabelSource(checkpoint.class_source or "classes")
    return {
        unit: (Label(unit, name, "", "published", source, ""),)
        for unit, name in ((Unit(OUTPUT, place), name) for place, name in enumerate(checkpoint.class_names))
    }


def _nearness(wanted: Recipe, recipe: Recipe, is_same: bool) -> tuple[bool, int, int]:
    """Whether an answer is the one asked for, else how near its recipe comes. ``is_same`` if its weights are those of
    now, and the vector if it is of a direction."""
    if recipe == wanted:
        return is_same, len(SETTINGS), 0
    alike = sum(getattr(recipe, f.name) == getattr(wanted, f.name) for f in SETTINGS if f.name != "steps")
    return False, alike, -abs(recipe.steps - wanted.steps)


def _others(records: Iterable[Record], shown: Record | None, views: Iterable[ViewShown]) -> tuple[Record, ...]:
    """The answers that are not shown, the nearest to the shown one first, and of one ascent the one of most steps."""
    if shown is None:
        return ()
    wanted, fingerprint = shown.question.recipe, shown.question.fingerprint
    seen = {shown.key, *(view.record.key for view in views)}
    rest = [record for record in records if record.key not in seen]

    def far(record: Record) -> tuple[Any, ...]:
        question = record.question
        near = _nearness(replace(wanted, steps=question.recipe.steps), question.recipe, True)
        return (
            question.fingerprint != fingerprint,
            question.view != shown.question.view,
            [-n for n in near],
            -question.recipe.steps,
        )

    return tuple(sorted(rest, key=lambda record: (*far(record), record.key)))


def _is_of_a_figure(recipe: Recipe, wanted: Recipe) -> bool:
    """Whether a picture was made for a figure: in another parameterisation, or after a few steps."""
    hardly_begun = recipe.steps < min(recipe.wake_steps, wanted.steps)
    return hardly_begun or recipe.parameterization != wanted.parameterization


def _answers(store: Store) -> tuple[list[Record], list[Result], list[str]]:
    """Every picture and every other answer that can be shown, and what is wrong with the rest."""
    records, results, warnings = list[Record](), list[Result](), list[str]()

    def damaged(error: DamagedError) -> None:
        if isinstance(error, UnreadableError):  # it may be whole, and its pages are not to go
            raise error
        warnings.append(str(error))

    for answer in store.answers(damaged):
        needed = (answer.picture, answer.thumbnail) if isinstance(answer, Record) else answer.files
        absent = [file.name for file in needed if not store.path(file).is_file()]
        if absent and os.path.lexists(store.root / absent[0]):  # a link whose target is not here now, and may return
            raise UnreadableError(f"{store.root / absent[0]} cannot be read: it is a link to nothing, or no file")
        if absent:
            warnings.append(f"{store.root / absent[0]} is missing; type `atlas verify` to set its record aside")
        elif isinstance(answer, Record):
            records.append(answer)
        else:
            try:
                for role in answer.stored:
                    store.data(answer, role)
                results.append(answer)
            except DamagedError as error:
                damaged(error)
    return records, results, warnings


def _with_directions(net: Architecture, units: Iterable[Unit]) -> Architecture:
    """The architecture with the sums of channels among these units, and with the sets of directions that atlas.toml
    does not name: they were pulled, and their vectors are not known."""
    counts: dict[str, int] = {}
    for unit in units:
        counts[unit.layer] = max(counts.get(unit.layer, 0), unit.channel + 1)
    net = net.including(counts)
    unknown = {layer: n for layer, n in counts.items() if has_vector(layer) and layer not in net.layers}
    named = ((base_layer(layer), layer.partition(AT)[2], n) for layer, n in unknown.items())
    pulled = (Directions(base, name, n) for base, name, n in named if base in net.layers)
    return replace(net, directions=(*net.directions, *pulled)) if unknown else net


def _is_same_vector(net: Architecture, question: Question) -> bool:
    """Whether a direction is what it is now, as far as that is known."""
    if not has_vector(question.unit.layer):
        return True
    found = net.direction_set(question.unit.layer)
    return found.vectors is None or found.checksum(question.unit.channel) == question.vector


def _checkpoint(
    config: Config, checkpoint: CheckpointConfig, records: Iterable[Record], labels: Labels
) -> AtlasCheckpoint:
    fingerprint = known_fingerprint(checkpoint, records)
    own = (record.question.unit for record in records if record.question.fingerprint == fingerprint)
    net = _with_directions(checkpoint.architecture, own)
    checkpoint = replace(checkpoint, architecture=net)
    recipe_for = cache(config.recipe_for)
    best: dict[tuple[Unit, str], tuple[tuple[bool, int, int], tuple[str, str], Record]] = {}
    known: dict[Unit, list[Record]] = {}
    for record in records:
        unit, asked = record.question.unit, record.question.recipe
        same_weights = record.question.fingerprint == fingerprint
        if not same_weights and record.provenance.checkpoint != checkpoint.name:
            continue
        if unit.layer not in net.layers or unit.channel >= net.layers[unit.layer].channels:
            continue  # another architecture under the same name
        known.setdefault(unit, []).append(record)
        of = (unit, record.question.view)
        wanted = recipe_for(unit.layer, of[1])
        if _is_of_a_figure(asked, wanted):
            continue
        is_same = same_weights and _is_same_vector(net, record.question)
        rank = (_nearness(wanted, asked, is_same), record.age)
        if of not in best or rank > best[of][:2]:
            best[of] = (*rank, record)
    asked_for = {unit.layer for unit in (*checkpoint.units, *(unit for unit, _ in best))}
    asked_for |= {base_layer(name) for name in asked_for}  # pages of directions link the channels they are of
    classes = _class_labels(checkpoint)
    layers = {}
    for name, layer in net.layers.items():
        if layer.kind in ("conv", "mixed") or (
            layer.kind in ("bottleneck", "output", "directions") and name in asked_for
        ):
            units = []
            for channel in range(layer.channels):
                unit = Unit(name, channel)
                near, _, shown = best.get((unit, main_view(name)), ((False, 0, 0), None, None))
                found = ((view, best[unit, view]) for view in views_of(name)[1:] if (unit, view) in best)
                views = tuple(ViewShown(view, record, near[0]) for view, (near, _, record) in found)
                others = _others(known.get(unit, ()), shown, views)
                branch, named = layer.branch_of(channel), (*classes.get(unit, ()), *labels.of.get(unit, ()))
                units.append(AtlasUnit(unit, branch, shown, near[0], named, others, views))
            layers[name] = AtlasLayer(layer, net.grid(name, INPUT), tuple(units))
    return AtlasCheckpoint(checkpoint, fingerprint, layers, labels)
