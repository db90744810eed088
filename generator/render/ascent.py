"""Gradient ascent on a batch of pictures, one for each unit.

>>> net = load_checkpoint("untrained")                                            # doctest: +SKIP
>>> result = ascend(net, "mixed4a_1x1", range(8), "channel", Recipe(), seeds)     # doctest: +SKIP
>>> result.pictures.shape, result.activations.shape                               # doctest: +SKIP
(torch.Size([8, 3, 224, 224]), torch.Size([8, 128]))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from generator.network import Inception
from generator.recipe import Recipe, View
from generator.render import canvas
from generator.render.objective import measure
from generator.render.robustness import transformations, warp


@dataclass(frozen=True, slots=True)
class Ascent:
    """Pictures, N x 3 x size x size in 0..1, and the objective at each step before that step was taken, N x steps."""

    pictures: Tensor
    activations: Tensor


def ascend(
    net: Inception,
    layer: str,
    channels: Sequence[int],
    view: View,
    recipe: Recipe,
    seeds: Sequence[int],
    on_step: Callable[[], None] = lambda: None,
) -> Ascent:
    """Maximise each unit's objective on a picture of its own.

    ``layer`` is one convolution and ``channels`` one channel of it for each seed. Adam scales every number's step by
    its own gradients, and the objectives are summed, so that no picture depends on the others of the batch.
    """
    if len(seeds) == 1:
        # A CPU's convolutions take another path for a single picture, and the last digits differ; steps amplify them.
        pair = ascend(net, layer, [*channels] * 2, view, recipe, [*seeds] * 2, on_step)
        return Ascent(pair.pictures[:1], pair.activations[:1])
    device = net.mean.device
    numbers = canvas.start(recipe, seeds).to(device).requires_grad_()
    thetas = transformations(recipe, seeds).to(device)
    wanted = torch.tensor(list(channels), device=device)
    optimizer = torch.optim.Adam([numbers], lr=recipe.step_size, fused=True)
    reached = []
    for step in range(recipe.steps):
        leak = recipe.leak if step < recipe.wake_steps else 0.0
        seen = warp(canvas.picture(numbers, recipe), thetas[step], recipe.input)
        activations = measure(net, seen, layer, wanted, view, leak)
        optimizer.zero_grad()
        (-activations.sum()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        reached.append(activations.detach())
        on_step()
    with torch.no_grad():
        return Ascent(canvas.picture(numbers, recipe), torch.stack(reached, dim=1))
