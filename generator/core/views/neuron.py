"""One neuron of a channel: the value at the central position of the grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from generator.core.views.view import View, maps_of

if TYPE_CHECKING:
    from torch import Tensor


def _measure(bare: Tensor, channels: Tensor, relu: Callable[[Tensor], Tensor]) -> Tensor:
    maps = relu(maps_of(bare, channels)).float()
    centre = maps.shape[-1] // 2
    return maps[:, centre, centre]


view = View("the value at the grid's centre", wakes=True, measure=_measure)
