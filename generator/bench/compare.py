"""One comparison: Lucent and this renderer on the same units of a layer, and the convolutions alone (the floor).

The pictures of both are measured in the same way: the unit's mean activation in float32, on the picture enlarged to the
network's input, without transformations.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor

from generator.bench.floor import Floor, matrix_rate, synchronize
from generator.bench.machine import Peak, describe
from generator.bench.parts import parts
from generator.bench.result import Comparison, Side
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.network.load import Loaded
from generator.render import lucent
from generator.render.arithmetic import fastest
from generator.render.ascent import Ascent, ascend
from generator.render.capacity import bytes_per_unit, fits, free_bytes
from generator.render.objective import evaluate
from generator.render.robustness import enlarge
from generator.store.plan import Batch, make_plan

EVERY = 4  # steps between two measurements of the activation
LONGER = 4  # times the steps of the recipe, if these end below Lucent's activation

Progress = Callable[[int, int], object]
"""Called with the steps done and the total, as far as it is known."""


def compare(
    loaded: Loaded,
    units: Sequence[Unit],
    recipe: Recipe,
    device: torch.device,
    *,
    batch: int = 16,
    repeats: int = 3,
    lucent_steps: int = lucent.STEPS,
    loop: bool = True,
    forced: bool = False,
    progress: Progress = lambda done, total: None,
) -> Comparison:
    """Measure some units of one layer, ours in batches of at most ``batch``, as far as memory allows.

    What is said of units is in the order of :attr:`Comparison.units`: those of a branch follow one another.
    With ``lucent_steps`` of 0 Lucent is left out; ``loop`` also times it on one model for all units. If
    ``forced``, the arithmetic is the recipe's precision; otherwise the one that a run would use.
    """
    arithmetic = recipe.precision if forced else fastest(recipe.precision, device)
    bench = _Bench(loaded, units, replace(recipe, precision=arithmetic), device, batch, progress)
    bench.expect(len(units) * lucent_steps * (2 if loop else 1) + len(bench.batches) * recipe.steps * (repeats + 1))
    theirs = bench.lucent(lucent_steps, fresh=True) if lucent_steps else None
    looped = bench.lucent(lucent_steps, fresh=False) if lucent_steps and loop else None
    with Peak(device) as peak:
        clocks = [bench.clock(recipe) for _ in range(repeats)]
    floors = bench.floors()
    floor_ms = [sum(each) / len(units) for each in zip(*(floor.timed(repeats) for floor in floors), strict=True)]
    paths = bench.paths(recipe, EVERY if theirs else recipe.steps)
    activations = tuple(path[recipe.steps] for path in paths)
    reached = _first(paths, theirs.activations) if theirs else ()
    if theirs and None in reached:  # the recipe ends below Lucent: go on, to find the steps that it needs
        longer = replace(recipe, steps=LONGER * recipe.steps)
        bench.expect(2 * len(bench.batches) * longer.steps)
        reached = _first(bench.paths(longer, EVERY), theirs.activations)
        clocks_to = [bench.clock(longer)]
    else:
        clocks_to = clocks
    last = None if None in reached else max((step for step in reached if step), default=None)
    seconds = tuple(clock[-1] / len(units) for clock in clocks)
    return Comparison(
        checkpoint=loaded.name,
        fingerprint=loaded.fingerprint,
        layer=units[0].layer,
        units=tuple(map(str, bench.units)),
        recipe=recipe,
        batches=tuple(map(len, bench.batches)),
        lucent_steps=lucent_steps,
        arithmetic=arithmetic,
        lucent=theirs,
        lucent_loop=looped,
        ours=Side(seconds, 1000 * median(seconds) / recipe.steps, peak.bytes, activations),
        steps_to_lucent=reached,
        seconds_to_lucent=median(clock[last] for clock in clocks_to) / len(units) if last else None,
        floor_ms=tuple(floor_ms),
        flops_per_step=sum(floor.flops for floor in floors) / len(units),
        matrix_flops=matrix_rate(bench.dtype, device),
        parts=bench.parts(),
        machine=describe(device),
    )


class _Bench:
    """What is compared, and the single measurements."""

    def __init__(
        self,
        loaded: Loaded,
        units: Sequence[Unit],
        recipe: Recipe,
        device: torch.device,
        batch: int,
        progress: Progress,
    ) -> None:
        self.loaded, self.recipe, self.device = loaded, recipe, device
        self.progress, self.done, self.total = progress, 0, 0
        self.dtype: torch.dtype = getattr(torch, recipe.precision)
        self.evaluator = loaded.network(device)
        self.net = copy.deepcopy(self.evaluator).to(self.dtype)
        asked = [Question(loaded.fingerprint, unit, "channel", recipe) for unit in units]
        free = free_bytes(device)
        self.batches = [
            part
            for whole in make_plan(asked, loaded.architecture, (), size=batch).batches
            for part in whole.split(fits(bytes_per_unit(self.evaluator, whole.layer, recipe), free))
        ]
        self.units = [question.unit for batch in self.batches for question in batch.questions]

    def expect(self, steps: int) -> None:
        """Add steps to the total."""
        self.total += steps
        self.progress(self.done, self.total)

    def step_done(self) -> None:
        self.done += 1
        self.progress(self.done, self.total)

    def lucent(self, steps: int, *, fresh: bool) -> Side:
        """Lucent's calls, one for each unit, each on a fresh model or all on one."""
        with Peak(self.device) as peak:
            shared = None if fresh else lucent.model(self.loaded, self.device)
            made = [
                lucent.render_vis(shared or lucent.model(self.loaded, self.device), unit, steps, self.step_done)
                for unit in self.units
            ]
        pictures, seconds = zip(*made, strict=True)
        return Side(seconds, 1000 * median(seconds) / steps, peak.bytes, self._measure(torch.cat(pictures)))

    def clock(self, recipe: Recipe) -> list[float]:
        """Seconds until each number of steps is done, from 0 on; all batches together."""
        clocks = []
        for batch in self.batches:
            marks: list[float] = []

            def mark(marks: list[float] = marks) -> None:
                synchronize(self.device)
                marks.append(time.perf_counter())
                self.step_done()

            begun = time.perf_counter()
            self._ascend(batch, recipe, mark).pictures.cpu()
            marks[-1] = time.perf_counter()  # the last step comes with the finished picture
            clocks.append([0.0, *(at - begun for at in marks)])
        return [sum(at_step) for at_step in zip(*clocks, strict=True)]

    def floors(self) -> list[Floor]:
        """The convolutions of each batch, on the pictures that its units start from."""
        first = replace(self.recipe, steps=1)
        pictures = [enlarge(self._ascend(b, first).pictures, self.recipe.input) for b in self.batches]
        return [Floor(self.net, batch.layer, rgb) for batch, rgb in zip(self.batches, pictures, strict=True)]

    def paths(self, recipe: Recipe, every: int) -> list[dict[int, float]]:
        """Each unit's activation on its picture, after every few steps and after the last."""
        looks = [*range(every, recipe.steps, every), recipe.steps]
        ascents = [self._ascend(batch, recipe, self.step_done, looks) for batch in self.batches]
        at_look = [
            self._measure(torch.cat([ascent.snapshots.get(look, ascent.pictures) for ascent in ascents]))
            for look in looks
        ]
        return [dict(zip(looks, path, strict=True)) for path in zip(*at_look, strict=True)]

    def parts(self) -> dict[str, float]:
        """Shares of the time of a few steps of the first batch."""
        few = replace(self.recipe, steps=4, wake_steps=0)
        return parts(lambda: self._ascend(self.batches[0], few), self.device)

    def _ascend(
        self, batch: Batch, recipe: Recipe, on_step: Callable[[], None] = lambda: None, looks: Sequence[int] = ()
    ) -> Ascent:
        return ascend(self.net, batch.layer, batch.channels, "channel", recipe, batch.seeds, on_step, looks)

    def _measure(self, pictures: Tensor) -> tuple[float, ...]:
        """The activation of each unit on its picture, in float32."""
        parts = zip(self.batches, torch.split(pictures, [len(batch) for batch in self.batches]), strict=True)
        return tuple(
            activation
            for batch, shown in parts
            for activation in evaluate(
                self.evaluator, shown.to(self.device), lucent.INPUT, batch.layer, batch.channels, "channel"
            ).tolist()
        )


def _first(paths: Sequence[dict[int, float]], goals: Sequence[float]) -> tuple[int | None, ...]:
    """For each unit the first measured step at which its activation is not below its goal, or None."""
    return tuple(
        next((step for step, activation in path.items() if activation >= goal), None)
        for path, goal in zip(paths, goals, strict=True)
    )
