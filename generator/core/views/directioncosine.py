"""A direction, with little else: its projection at each position, times the cosine between activations and direction.

This is ``direction`` of Lucid with ``cossim_pow=1``; below 0.1 the cosine counts as 0.1, so that there is a gradient
where the picture is still noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from generator.core.views.view import View

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 0.1


def _measure(bare: Tensor, vectors: Tensor, relu: Callable[[Tensor], Tensor]) -> Tensor:
    activations = relu(bare).float()
    projected = (activations * vectors[:, :, None, None]).sum(1)
    cosine = projected / (activations.square().sum(1) + 1e-8).sqrt()
    return (projected * cosine.clamp(min=_LEAST)).mean((1, 2))


view = View(
    "the projection on the direction, times their cosine: as little else as may be",
    wakes=True,
    measure=_measure,
    of="directions",
)
