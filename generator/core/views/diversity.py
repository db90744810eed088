"""Four pictures of a channel, optimised together: each excites it, and shows it something that the others do not.

What a picture shows where the channel fires is a Gram matrix: which other channels of the layer are active together,
each position weighted by the channel's own activation there. From the mean over the grid is taken how alike the four
matrices are. Gatys et al. (2015) compare textures by such matrices of all positions, and Lucid's ``diversity`` does;
but then any difference anywhere counts, and unrelated things are planted where the channel is silent. The channel
itself is left out: it is what the four have in common, and where it is loud it would hide the rest (docs/log.md).

Likeness costs more above a limit. Pictures of a loud channel hardly differ by themselves and need that; others keep
more of their activation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from generator.core.views.view import View, maps_of

if TYPE_CHECKING:
    from torch import Tensor

_PICTURES = 4
_WEIGHT = 0.3  # of likeness, as a share of the activation
_LIMIT, _ABOVE = 0.39, 0.3  # of likeness, and the weight of what is above


def _measure(bare: Tensor, channels: Tensor, relu: Callable[[Tensor], Tensor]) -> Tensor:
    maps = relu(bare).float().flatten(2)
    own = relu(maps_of(bare, channels)).float().flatten(1)
    activations = own.mean(1)
    others = maps.scatter(1, channels[:, None, None].expand(-1, 1, maps.shape[2]), 0)
    grams = ((others * own.detach().clamp(min=0)[:, None]) @ others.mT).flatten(1)
    grams = grams / grams.norm(dim=1, keepdim=True).clamp(min=1e-6)
    grams = grams.view(-1, _PICTURES, grams.shape[1])
    likeness = (grams.sum(1).square().sum(1) - grams.square().sum((1, 2))) / (_PICTURES * (_PICTURES - 1))
    cost = _WEIGHT * likeness + _ABOVE * (likeness - _LIMIT).clamp(min=0)
    taken = activations.detach().clamp(min=0).view(-1, _PICTURES).mean(1) * cost
    given: Tensor = activations - (taken - taken.detach()).repeat_interleave(_PICTURES)
    return given  # with the gradient of what is taken, and without its value: records have the activation as it is


view = View(
    "the mean of the channel in four pictures, unlike each other where it fires",
    wakes=True,
    measure=_measure,
    pictures=_PICTURES,
    whole_layer=True,
)
