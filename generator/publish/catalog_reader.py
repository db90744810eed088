"""Which of the store's answers the atlas shows: atlas.toml and the store, brought together.

The store may hold several answers for one unit: other recipes, other weights, other views. Shown is the one that
atlas.toml asks for now. If that is not rendered yet, the one by the nearest recipe is shown (of several the newest) and
marked as not ``current``. A picture that was made for a figure, of raw pixels or after a few steps, is never shown as
the unit's own. All other pictures of the same weights are listed on the unit's page.

Damage in the store does not stop a build: a record that cannot be read counts as not rendered, with a warning.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from generator.config.config import CheckpointConfig, Config
from generator.config.directions import MOST
from generator.config.labels import Label, Labels, LabelSource, dangling_links, read_labels
from generator.core.architecture import OUTPUT, Architecture
from generator.core.directions import AT, Directions, base_layer, has_vector
from generator.core.package import package_folder
from generator.core.recipe import SETTINGS, UNIT, Question, Recipe
from generator.core.record import Record
from generator.core.result import Result
from generator.core.units import Unit
from generator.core.views import main_view, views_of
from generator.publish.catalog import INPUT, AtlasCheckpoint, AtlasLayer, AtlasUnit, Catalog, ViewShown
from generator.store.findings import is_of_these
from generator.store.status import known_fingerprint
from generator.store.store import DamagedError, Store, UnreadableError


def read_catalog(config: Config) -> Catalog:
    """Bring atlas.toml and its store together."""
    store = Store(config.store)
    records, results, warnings = _answers(store)
    warnings += config.notes
    dead = (path for folder in (config.labels, config.templates) for path in dangling_links(folder))
    warnings += [f"{path} is a link to nothing; remove it, or mend it" for path in dead]
    labels = read_labels((config.labels, package_folder("labels")), config.checkpoint)
    checkpoints = tuple(
        _checkpoint(config, checkpoint, records, results, labels.get(checkpoint.name, Labels()))
        for checkpoint in config.checkpoints
    )
    of = {checkpoint.fingerprint: checkpoint.checkpoint.architecture for checkpoint in checkpoints}
    nets = ((result, of.get(result.question.get("fingerprint"))) for result in results)
    current = tuple(result for result, net in nets if net is None or is_of_these(result, net))
    return Catalog(config, checkpoints, tuple(warnings), current)


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
    does not name: they were pulled, and their vectors are not known. A study knows how many they are."""
    counts: dict[str, int] = {}
    for unit in units:
        counts[unit.layer] = max(counts.get(unit.layer, 0), unit.channel + 1)
    net = net.including(counts)
    unknown = {layer: n for layer, n in counts.items() if has_vector(layer) and layer not in net.layers}
    named = ((base_layer(layer), layer.partition(AT)[2], n) for layer, n in unknown.items())
    pulled = (Directions(base, name, n) for base, name, n in named if base in net.layers)
    return replace(net, directions=(*net.directions, *pulled)) if unknown else net


def _last_direction(result: Result) -> Unit | None:
    """The last of a set of directions that a study answers for, if it is of one; the store may be from anybody."""
    layer, count = result.question.get("layer"), result.facts.get("directions")
    if type(count) is not int or not 0 < count <= MOST or not UNIT.fullmatch(f"{layer}:{count - 1}"):
        return None
    return Unit(str(layer), count - 1)


def _is_same_vector(net: Architecture, question: Question) -> bool:
    """Whether a direction is what it is now, as far as that is known."""
    if not has_vector(question.unit.layer):
        return True
    found = net.direction_set(question.unit.layer)
    return found.vectors is None or found.checksum(question.unit.channel) == question.vector


def _checkpoint(
    config: Config, checkpoint: CheckpointConfig, records: Iterable[Record], results: Iterable[Result], labels: Labels
) -> AtlasCheckpoint:
    fingerprint = known_fingerprint(checkpoint, records)
    own = (record.question.unit for record in records if record.question.fingerprint == fingerprint)
    studied = (_last_direction(result) for result in results if result.question.get("fingerprint") == fingerprint)
    net = _with_directions(checkpoint.architecture, (*own, *filter(None, studied)))
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
