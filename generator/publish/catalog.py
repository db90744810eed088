"""What the atlas shows: atlas.toml and the store, brought together.

The store may hold several answers for one unit: other recipes, other weights, other views. Shown is the one that
atlas.toml asks for now. If that is not rendered yet, the one by the nearest recipe is shown (of several the newest) and
marked as not ``current``. A picture that was made for a figure, of raw pixels or after a few steps, is never shown as
the unit's own. All other pictures of the same weights are listed on the unit's page.

>>> catalog = read_catalog(config)                                # doctest: +SKIP
>>> catalog.checkpoints[0].layers["mixed4a"].units[11].record     # doctest: +SKIP
Record(...)

Damage in the store does not stop a build: a record that cannot be read counts as not rendered, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from generator.config.atlas_toml import CheckpointConfig, Config
from generator.config.labels import Label, Labels, dangling_links, read_labels
from generator.core.architecture import Branch, Layer
from generator.core.package import package_folder
from generator.core.recipe import SETTINGS, Recipe
from generator.core.record import Record
from generator.core.result import Result
from generator.core.units import Unit
from generator.publish.album import Album
from generator.store.findings import newest
from generator.store.status import known_fingerprint
from generator.store.store import DamagedError, Store, UnreadableError

INPUT = 224  # side of the pictures that the network was trained on, in pixels


@dataclass(frozen=True, slots=True)
class AtlasUnit:
    """One unit and its answer, if there is one. ``current`` if it answers exactly what atlas.toml asks.

    ``others`` are answers to other questions about it, the nearest first: other recipes, views, figures' pictures.
    """

    unit: Unit
    branch: Branch | None
    record: Record | None
    current: bool
    labels: tuple[Label, ...] = ()
    others: tuple[Record, ...] = ()


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
        return tuple(u for u in self.units if u.record)

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
        return tuple(self.layers[name] for name in self.checkpoint.architecture.main_layers)

    @cached_property
    def named_by_eye(self) -> bool:
        """Whether every name of its units is a guess from pictures and photographs."""
        return all(label.confidence in ("photographs", "eye") for labels in self.labels.of.values() for label in labels)

    @cached_property
    def rendered(self) -> int:
        return sum(len(layer.rendered) for layer in self.layers.values())

    @cached_property
    def total(self) -> int:
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
    warnings += [f"{path} is a link to nothing; remove it, or mend it" for path in dangling_links(config.labels)]
    labels = read_labels((config.labels, package_folder("labels")), config.checkpoint)
    checkpoints = tuple(
        _checkpoint(config, checkpoint, records, labels.get(checkpoint.name, Labels()))
        for checkpoint in config.checkpoints
    )
    return Catalog(config, checkpoints, tuple(warnings), tuple(results))


def _nearness(wanted: Recipe, recipe: Recipe, same_weights: bool) -> tuple[bool, int, int]:
    """Whether an answer is the one asked for, else how near its recipe comes."""
    if recipe == wanted:
        return same_weights, len(SETTINGS), 0
    alike = sum(getattr(recipe, f.name) == getattr(wanted, f.name) for f in SETTINGS if f.name != "steps")
    return False, alike, -abs(recipe.steps - wanted.steps)


def _others(records: Iterable[Record], shown: Record | None) -> tuple[Record, ...]:
    """The answers that are not shown, the nearest to the shown one first, and of one ascent the one of most steps."""
    if shown is None:
        return ()
    wanted, fingerprint = shown.question.recipe, shown.question.fingerprint
    rest = [record for record in records if record is not shown]

    def far(record: Record) -> tuple[Any, ...]:
        question = record.question
        near = _nearness(replace(wanted, steps=question.recipe.steps), question.recipe, True)
        return (
            question.fingerprint != fingerprint,
            question.view != "channel",
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
        if absent:
            warnings.append(f"{store.root / absent[0]} is missing; type `atlas verify` to set its record aside")
        elif isinstance(answer, Record):
            records.append(answer)
        else:
            results.append(answer)
    return records, results, warnings


def _checkpoint(
    config: Config, checkpoint: CheckpointConfig, records: Iterable[Record], labels: Labels
) -> AtlasCheckpoint:
    fingerprint = known_fingerprint(checkpoint, records)
    net = checkpoint.architecture
    recipes: dict[str, Recipe] = {layer: config.recipe_for(layer) for layer in net.layers}
    best: dict[Unit, tuple[tuple[bool, int, int], tuple[str, str], Record]] = {}
    known: dict[Unit, list[Record]] = {}
    for record in records:
        unit, asked = record.question.unit, record.question.recipe
        same_weights = record.question.fingerprint == fingerprint
        if not same_weights and record.provenance.checkpoint != checkpoint.name:
            continue
        if unit.layer not in recipes or unit.channel >= net.layers[unit.layer].channels:
            continue  # another architecture under the same name
        known.setdefault(unit, []).append(record)
        if record.question.view != "channel" or _is_of_a_figure(asked, recipes[unit.layer]):
            continue
        rank = (_nearness(recipes[unit.layer], asked, same_weights), record.age, record)
        if unit not in best or rank[:2] > best[unit][:2]:
            best[unit] = rank
    bottlenecks = {u.layer for u in (*checkpoint.units, *best) if net.layers[u.layer].kind == "bottleneck"}
    layers = {}
    for name, layer in net.layers.items():
        if layer.kind in ("conv", "mixed") or name in bottlenecks:
            units = []
            for channel in range(layer.channels):
                unit = Unit(name, channel)
                near, _, shown = best.get(unit, ((False, 0, 0), None, None))
                others = _others(known.get(unit, ()), shown)
                branch, named = layer.branch_of(channel), labels.of.get(unit, ())
                units.append(AtlasUnit(unit, branch, shown, near[0], named, others))
            layers[name] = AtlasLayer(layer, net.grid(name, INPUT), tuple(units))
    return AtlasCheckpoint(checkpoint, fingerprint, layers, labels)
