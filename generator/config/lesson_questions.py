"""The pictures of the page "How these pictures are made", as questions to the store.

The page needs pictures that no unit's page shows: snapshots of an ascent, one unit by three presets, one unit from
several seeds. ``[lesson]`` in atlas.toml names the units. `atlas render` renders these pictures, and the page shows
those that are there. Its other pictures, the poster and its control, are ordinary units of the atlas.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from generator.config.config import Config
from generator.core.recipe import PRESETS, Question

RAW_STEPS = (0, 8, 16, 32, 64, 128, 255)
FULL_STEPS = (0, 4, 8, 16, 32, 64)
SEEDS = 4
POSTER_LAYERS, POSTER_CHANNELS = ("mixed3a", "mixed4a", "mixed5b"), (0, 5, 9)
"""Layers from shallow to deep and channels of each: what the poster and the page show of the hierarchy."""


@dataclass(frozen=True, slots=True)
class LessonQuestions:
    """``raw`` and ``full`` are ascents, each with its end last; ``naive`` is one picture.

    ``seeds`` are of one unit at one place of its grid. There is room for one thing only: a unit that responds to
    several things shows another from each seed.
    """

    raw: tuple[Question, ...]
    naive: Question
    full: tuple[Question, ...]
    seeds: tuple[Question, ...]

    def __iter__(self) -> Iterator[Question]:
        yield from (*self.raw, self.naive, *self.full, *self.seeds)


def lesson_questions(config: Config, fingerprint: str) -> LessonQuestions | None:
    """The lesson's questions to the first checkpoint, or None if atlas.toml has no ``[lesson]``."""
    if config.lesson is None:
        return None
    unit, several = config.lesson.unit, config.lesson.seeds

    def ascent(preset: str, steps: tuple[int, ...]) -> tuple[Question, ...]:
        whole = config.question(fingerprint, unit, **PRESETS[preset])
        return (*snapshot_questions(whole, steps), whole)

    return LessonQuestions(
        raw=ascent("raw", RAW_STEPS),
        naive=config.question(fingerprint, unit, **PRESETS["naive"]),
        full=ascent("full", FULL_STEPS),
        seeds=tuple(config.question(fingerprint, several, "neuron", seed=seed) for seed in range(SEEDS))
        if several
        else (),
    )


def snapshot_questions(question: Question, steps: Iterable[int]) -> tuple[Question, ...]:
    """The question with each of these numbers of steps, up to its own: its snapshots."""
    recipe = question.recipe
    return tuple(replace(question, recipe=replace(recipe, steps=n)) for n in steps if n < recipe.steps)
