"""Gradient ascent on a batch of pictures, one for each unit.

:func:`gradient_ascent` takes any objective; :func:`ascend` applies it to units by a recipe. A step reads and writes the
same tensors each time and decides nothing on the host, so that a GPU can replay it: :mod:`generator.render.replay`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.optim import Optimizer

from generator.core.recipe import Recipe
from generator.network import Inception
from generator.render import canvas
from generator.render.objective import choose, measure
from generator.render.replay import replayable
from generator.render.robustness import transformations, warp


def gradient_ascent(numbers: Tensor, objective: Callable[[Tensor], Tensor], optimizer: Optimizer) -> Iterator[Tensor]:
    """Move numbers up the gradient of an objective: one step for each value that is taken from this iterator.

    ``objective(numbers)`` gives one activation for each of N pictures; the iterator gives these N values, as they were
    before the step. Raw pixels need nothing more:

    >>> pixels = torch.randn(1, 3, 224, 224, requires_grad=True)                  # doctest: +SKIP
    >>> steps = gradient_ascent(                                                  # doctest: +SKIP
    ...     pixels, lambda x: net(x / 4 + 0.5, "mixed4a")[:, 9].mean((1, 2)), torch.optim.Adam([pixels], lr=0.05)
    ... )
    >>> curve = [next(steps).item() for _ in range(256)]                          # doctest: +SKIP
    """

    def step() -> Tensor:
        activations = objective(numbers)
        optimizer.zero_grad()
        (-activations.sum()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return activations.detach()

    take_step = replayable(step, numbers.device)
    while True:
        yield take_step()


@dataclass(frozen=True, slots=True)
class Ascent:
    """Pictures, N x 3 x size x size in 0..1, and the objective before each step, N x steps.

    ``snapshots`` has the pictures before some steps, by step.
    """

    pictures: Tensor
    activations: Tensor
    snapshots: Mapping[int, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draws:
    """What units draw at random, on the host: the numbers to start from, N x :func:`canvas.shape`, and the warps of all
    steps, steps x N x 2 x 3."""

    numbers: Tensor
    thetas: Tensor


def draw(recipe: Recipe, seeds: Sequence[int]) -> Draws:
    """The draws of the units with these seeds. It needs no device, so a thread can do it for the next batch."""
    return Draws(canvas.start(recipe, seeds), transformations(recipe, seeds))


def ascend(
    net: Inception,
    layer: str,
    channels: Sequence[int],
    view: str,
    recipe: Recipe,
    seeds: Sequence[int],
    on_step: Callable[[], None] = lambda: None,
    snapshots: Collection[int] = (),
    drawn: Draws | None = None,
) -> Ascent:
    """Maximise each unit's objective on a picture of its own.

    ``layer`` is one convolution, or what the view needs, and ``channels`` one channel of it for each unit, which has
    as many seeds as the view has pictures. The objectives are summed, and Adam scales each number's step by its own
    gradients, so no picture depends on other units of the batch. ``snapshots`` are steps, from 0, before which the
    pictures are kept: a snapshot is what a recipe with so many steps ends with. ``drawn`` are the draws of these seeds,
    if they were drawn before.
    """
    if len(seeds) == 1:
        # For a single picture a CPU computes convolutions in another way. Last digits differ, and steps amplify that.
        pair = ascend(net, layer, [*channels] * 2, view, recipe, [*seeds] * 2, on_step, snapshots)
        return Ascent(pair.pictures[:1], pair.activations[:1], {s: p[:1] for s, p in pair.snapshots.items()})
    device = net.mean.device
    drawn = drawn or draw(recipe, seeds)
    numbers, thetas = drawn.numbers.to(device).requires_grad_(), drawn.thetas.to(device)
    theta = thetas.new_empty(thetas.shape[1:])
    wanted = choose(net, layer, channels, device)
    optimizer = torch.optim.Adam([numbers], lr=recipe.step_size, fused=True, capturable=device.type == "cuda")

    def objective(numbers: Tensor, leak: float) -> Tensor:
        seen = warp(canvas.picture(numbers, recipe), theta, recipe.input)
        return measure(net, seen, layer, wanted, view, leak)

    def picture() -> Tensor:
        with torch.no_grad():
            return canvas.picture(numbers, recipe).clamp(0, 1)

    kept: dict[int, Tensor] = {}
    reached = torch.empty(recipe.steps, len(seeds), device=device)  # one: many small ones would fragment the heap
    for step in range(recipe.steps):
        if step in snapshots:
            kept[step] = picture()
        if step in (0, recipe.wake_steps):  # another leak is another graph; the old one is freed
            leak = recipe.leak if step < recipe.wake_steps else 0.0
            ascent = gradient_ascent(numbers, partial(objective, leak=leak), optimizer)
        theta.copy_(thetas[step])
        reached[step] = next(ascent)
        on_step()
    return Ascent(picture(), reached.T, kept)
