"""A direction: the mean over the grid of the projection of the activations on a vector over the layer's channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from generator.core.views.view import View

if TYPE_CHECKING:
    from torch import Tensor


def _measure(bare: Tensor, vectors: Tensor, relu: Callable[[Tensor], Tensor]) -> Tensor:
    return (relu(bare).float().mean((2, 3)) * vectors).sum(1)


view = View("the mean over the grid of the projection on the direction", wakes=True, measure=_measure, of="directions")
