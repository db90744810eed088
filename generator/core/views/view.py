"""What a view is. This file needs no torch: ``measure`` only calls methods of tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the reading half knows the names of views and has no torch
    from torch import Tensor

    Measure = Callable[[Tensor, Tensor, Callable[[Tensor], Tensor]], Tensor]

RENDERER = 1
"""Raised whenever a change of the code changes the pictures of every view."""


@dataclass(frozen=True, slots=True)
class View:
    """One view: the words for it, and the objective that is maximised.

    ``help`` completes the sentence "What is maximised: ...". ``wakes`` says whether a unit may be dead, that is 0 with
    a gradient of 0, so that every ReLU has to leak in the first steps; a view before the ReLU needs none of that.

    ``measure(bare, channels, relu)`` gives the objective of each picture, N values in float32. ``bare`` is what one
    convolution gives before its ReLU, N x C x H x W, and may be bfloat16; ``channels`` are N indices of it, one for
    each picture, on the same device; ``relu`` is the network's ReLU, or the leaking one while units are woken. Nothing
    in it may depend on other pictures of the batch, or move values to the host (a GPU replays it).

    A view of several ``pictures``, a square number, optimises so many together for each unit. They follow one another
    in the batch, may depend on each other, and are shown as one square sheet, row by row. For a view of the
    ``whole_layer``, ``bare`` and ``channels`` are those of all branches of the layer together.

    A view is ``of`` channels, classes or directions. Of classes, ``bare`` has one logit for each: N x classes x 1 x 1.
    Of directions, ``channels`` are N x C vectors of length 1 over the C channels of the whole layer.

    ``renderer`` is the version that its recipes have: raised whenever a change of ``measure`` changes its pictures, so
    that what was promised of earlier ones keeps its address.
    """

    help: str
    wakes: bool
    measure: Measure
    of: Literal["channels", "classes", "directions"] = "channels"
    pictures: int = 1
    whole_layer: bool = False
    renderer: int = RENDERER


def maps_of(bare: Tensor, channels: Tensor) -> Tensor:
    """The map of each picture's own channel, N x H x W, from N x C x H x W.

    This is done before the ReLU, so that no ReLU is computed for other channels. In memory activations have their
    channels last, and are gathered in that order.
    """
    last = bare.permute(0, 2, 3, 1)
    wanted = channels[:, None, None, None].expand(-1, *last.shape[1:3], 1)
    return last.gather(3, wanted).squeeze(3)
