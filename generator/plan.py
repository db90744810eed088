"""What has to be rendered, in which batches. Needs no torch, so that a dry run is at hand everywhere.

A batch holds units that run through the network together: channels of one convolution, by one recipe. A unit of a mixed
layer is a channel of one branch, and the other branches need not be run for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from generator.architecture import Architecture
from generator.errors import UsageError
from generator.recipe import Question, Recipe, View
from generator.store import Store


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions that one ascent answers: ``channels[i]`` of the convolution ``layer`` for ``questions[i]``."""

    layer: str
    view: View
    recipe: Recipe
    questions: tuple[Question, ...]
    channels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def only(self, wanted: Iterable[int]) -> Batch:
        """The batch with some of its questions, by index."""
        members = [(self.questions[i], self.channels[i]) for i in wanted]
        return Batch(
            self.layer, self.view, self.recipe, tuple(q for q, _ in members), tuple(channel for _, channel in members)
        )

    def split(self, size: int) -> list[Batch]:
        return [self.only(part) for part in evenly(len(self), size)]


def evenly(count: int, size: int) -> list[range]:
    """Parts of at most ``size``, as even as can be: a unit that is left over costs twice as much alone.

    >>> evenly(16, 15), evenly(5, 2)
    ([range(0, 8), range(8, 16)], [range(0, 2), range(2, 4), range(4, 5)])
    """
    each = math.ceil(count / math.ceil(count / size))
    return [range(i, min(i + each, count)) for i in range(0, count, each)]


@dataclass(frozen=True, slots=True)
class Plan:
    """Batches to render, shallow layers first, and how many units asked for are in the store already."""

    batches: tuple[Batch, ...]
    present: int

    @property
    def units(self) -> int:
        return sum(len(batch) for batch in self.batches)


def make_plan(
    questions: Iterable[Question], net: Architecture, store: Store, *, size: int, force: bool = False
) -> Plan:
    """Batches of at most ``size`` for the questions that the store cannot answer; with ``force``, for all of them."""
    groups: dict[tuple[str, View, Recipe], list[tuple[Question, int]]] = {}
    present = 0
    for question in dict.fromkeys(questions):
        if not force and question.key in store:
            present += 1
            continue
        if net.grid(question.unit.layer, question.recipe.input) < 1:
            least = next(n for n in range(16, 1024) if net.grid(question.unit.layer, n) > 0)
            raise UsageError(
                f"input = {question.recipe.input} is too small for {question.unit.layer}; type --input {least}"
            )
        layer, channel = net.locate(question.unit.layer, question.unit.channel)
        groups.setdefault((layer, question.view, question.recipe), []).append((question, channel))
    batches = []
    for (layer, view, recipe), members in groups.items():
        asked, channels = zip(*members, strict=True)
        batches += Batch(layer, view, recipe, asked, channels).split(size)
    return Plan(tuple(batches), present)
