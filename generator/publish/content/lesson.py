"""What the page "How these pictures are made" shows of the lesson, as far as the store has it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.config.lesson_questions import POSTER_CHANNELS, POSTER_LAYERS, lesson_questions
from generator.core.errors import UsageError
from generator.core.recipe import Question
from generator.core.record import Picture, Record
from generator.core.spectrum import power_spectrum
from generator.core.units import Unit
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.store.store import DamagedError, Store

CONTROL = "untrained"


@dataclass(frozen=True, slots=True)
class Frame:
    """A snapshot of an ascent: the steps that led to it, and its activation on the moved picture; at the end, on the
    finished picture."""

    step: int
    activation: float
    picture: Picture


@dataclass(frozen=True, slots=True)
class Ascent:
    """One gradient ascent: some of its pictures, the finished one last, and the record of that."""

    unit: Unit
    frames: tuple[Frame, ...]
    end: Record


@dataclass(frozen=True, slots=True)
class PresetShown:
    """A unit's picture by one of the presets, and the power of its brightness at 1, 2, ... cycles a picture."""

    name: str
    record: Record
    power: NDArray[np.float64]


Poster = tuple[tuple[AtlasUnit, ...], ...]
"""Rows of units: a row for each channel, its columns from shallow to deep."""


@dataclass(frozen=True, slots=True)
class AtlasLesson:
    """The lesson as far as it is rendered; what is not is None or empty. ``asked`` if atlas.toml has a ``[lesson]``."""

    asked: bool
    raw: Ascent | None
    full: Ascent | None
    presets: tuple[PresetShown, ...]
    seeds: tuple[Record, ...]
    seeds_note: str
    poster: Poster
    control: AtlasCheckpoint | None
    control_poster: Poster


def read_lesson(catalog: Catalog) -> AtlasLesson:
    """Bring the lesson and the store together."""
    first = catalog.checkpoints[0]
    asked = lesson_questions(catalog.config, first.fingerprint) if first.fingerprint else None
    raw = full = None
    presets: tuple[PresetShown, ...] = ()
    seeds: tuple[Record, ...] = ()
    if asked:
        store = Store(catalog.config.store)
        raw, full = _ascent(store, asked.raw), _ascent(store, asked.full)
        presets = _presets(store, {"raw": asked.raw[-1], "naive": asked.naive, "full": asked.full[-1]})
        seeds = _all(store, asked.seeds) or ()
    control = next((c for c in catalog.checkpoints[1:] if c.name == CONTROL), None)
    return AtlasLesson(
        asked=catalog.config.lesson is not None,
        raw=raw,
        full=full,
        presets=presets,
        seeds=seeds,
        seeds_note=catalog.config.lesson.seeds_note if catalog.config.lesson else "",
        poster=_poster(first),
        control=control,
        control_poster=_poster(control) if control else (),
    )


def _all(store: Store, questions: Sequence[Question]) -> tuple[Record, ...] | None:
    """The answers, or None if one cannot be shown."""
    found = []
    for question in questions:
        try:
            record = store.read(question.key)
        except DamagedError:  # the catalog tells of it
            return None
        if record is None or not store.path(record.picture).is_file():
            return None
        found.append(record)
    return tuple(found)


def _ascent(store: Store, questions: Sequence[Question]) -> Ascent | None:
    if not (records := _all(store, questions)):
        return None
    end = records[-1]
    if not 0 < end.question.recipe.steps == len(end.provenance.activations):
        return None
    reached = (*end.provenance.activations, end.provenance.activation)
    frames = [(record.question.recipe.steps, record.picture) for record in records]
    return Ascent(
        end.question.unit, tuple(Frame(step, reached[step], picture) for step, picture in frames), end
    )  # fmt: skip


def _presets(store: Store, questions: dict[str, Question]) -> tuple[PresetShown, ...]:
    if not (records := _all(store, list(questions.values()))):
        return ()
    try:
        power = [power_spectrum(store.show(record).pixels, record.question.recipe.size) for record in records]
    except (DamagedError, UsageError):
        return ()
    return tuple(PresetShown(*each) for each in zip(questions, records, power, strict=True))


def _poster(checkpoint: AtlasCheckpoint) -> Poster:
    """The poster's units, if all of them are rendered."""
    rows = tuple(
        tuple(checkpoint.layers[layer].units[channel] for layer in POSTER_LAYERS) for channel in POSTER_CHANNELS
    )
    return rows if all(unit.record for row in rows for unit in row) else ()
