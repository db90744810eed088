"""What has to be rendered, in which batches. Needs no torch, so that a dry run works everywhere.

A batch holds units that run through the network together: channels of one convolution, by one recipe. A unit of a mixed
layer is a channel of one branch, so the other branches are not run, unless the view needs them. Questions that differ
only in their number of steps share one ascent: the pictures of the shorter ones are snapshots of the longest.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from generator.core.architecture import Architecture
from generator.core.errors import UsageError
from generator.core.recipe import Question, Recipe
from generator.core.views import VIEWS
from generator.store.store import Store


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions that one ascent answers: ``channels[i]`` of ``layer``, a convolution or a whole module, for
    ``questions[i]``.

    ``at`` are the steps of snapshots: after each, the same question with that many steps is answered.
    """

    layer: str
    view: str
    recipe: Recipe
    questions: tuple[Question, ...]
    channels: tuple[int, ...]
    at: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each picture's draws; where a view has several of a unit, they follow one another."""
        more = range(VIEWS[self.view].pictures)
        return tuple((question.draw_seed + i) % 2**64 for question in self.questions for i in more)

    def only(self, wanted: Iterable[int]) -> Batch:
        """The batch with some of its questions, by index."""
        questions, channels = zip(*((self.questions[i], self.channels[i]) for i in wanted), strict=True)
        return replace(self, questions=questions, channels=channels)

    def after(self, steps: int) -> Batch:
        """The batch as if only this number of steps had been asked for."""
        recipe = replace(self.recipe, steps=steps)
        questions = tuple(replace(question, recipe=recipe) for question in self.questions)
        return replace(self, recipe=recipe, questions=questions, at=())

    @property
    def parts(self) -> tuple[Batch, ...]:
        """The questions that are answered, in the order of the ascent."""
        return (*(self.after(steps) for steps in self.at), replace(self, at=()))

    def split(self, size: int) -> list[Batch]:
        """Parts of at most ``size`` units."""
        return [self.only(part) for part in evenly(len(self), size)]


def evenly(count: int, size: int) -> list[range]:
    """Parts of at most ``size`` and of nearly equal length, because a unit alone costs twice as much.

    >>> evenly(16, 15), evenly(5, 2)
    ([range(0, 8), range(8, 16)], [range(0, 2), range(2, 4), range(4, 5)])
    """
    each = math.ceil(count / math.ceil(count / size))
    return [range(i, min(i + each, count)) for i in range(0, count, each)]


@dataclass(frozen=True, slots=True)
class Plan:
    """Batches to render, shallow layers first, and the number of pictures that are in the store already."""

    batches: tuple[Batch, ...]
    present: int

    @property
    def units(self) -> int:
        """The number of ascents: a unit counts once for each ascent that it needs."""
        return sum(len(batch) for batch in self.batches)

    @property
    def pictures(self) -> int:
        """The number of pictures."""
        return sum(len(batch) * (1 + len(batch.at)) for batch in self.batches)


def make_plan(
    questions: Iterable[Question], net: Architecture, store: Store | Container[str], *, size: int, force: bool = False
) -> Plan:
    """Batches of at most ``size`` for the questions whose key is not in the store; with ``force``, for all of them."""
    ascents: dict[Question, list[Question]] = {}
    present = 0
    asked = tuple(dict.fromkeys(questions))
    net = net.including(question.unit.layer for question in asked)
    for question in asked:
        if not force and question.key in store:
            present += 1
            continue
        if question.unit.channel >= (count := net.layers[question.unit.layer].channels):  # fewer classes than selected
            has = f"{count} channels, not {question.unit}" if count else "no channels in these weights"
            raise UsageError(f"{question.unit.layer} has {has}; select others")
        if net.grid(question.unit.layer, question.recipe.input) < 1:
            least = next(n for n in range(16, 1024) if net.grid(question.unit.layer, n) > 0)
            raise UsageError(
                f"input = {question.recipe.input} is too small for {question.unit.layer}; type --input {least}"
            )
        ascents.setdefault(replace(question, recipe=replace(question.recipe, steps=0)), []).append(question)
    groups: dict[tuple[str, str, Recipe, tuple[int, ...]], list[tuple[Question, int]]] = {}
    for of_one in ascents.values():
        *shorter, longest = sorted(of_one, key=lambda question: question.recipe.steps)
        at = tuple(question.recipe.steps for question in shorter)
        unit = longest.unit
        whole = VIEWS[longest.view].whole_layer
        layer, channel = (unit.layer, unit.channel) if whole else net.locate(unit.layer, unit.channel)
        groups.setdefault((layer, longest.view, longest.recipe, at), []).append((longest, channel))
    batches = []
    for (layer, view, recipe, at), members in groups.items():
        questions, channels = zip(*members, strict=True)
        batches += Batch(layer, view, recipe, questions, channels, at).split(size)
    return Plan(tuple(batches), present)
