"""A class of the classifier: its logit, less the mean of the ten strongest.

The logit alone may rise together with those of rivals, so that the network gives the picture to another class; the
logarithm of the probability is flat where the class is far behind, and its pictures stay grey.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from generator.core.views.view import View, maps_of

if TYPE_CHECKING:
    from torch import Tensor

_STRONGEST = 10


def _measure(bare: Tensor, channels: Tensor, relu: Callable[[Tensor], Tensor]) -> Tensor:
    logits = bare.float()
    rivals = logits.flatten(1).topk(min(_STRONGEST, logits.shape[1])).values
    return maps_of(logits, channels).flatten(1).squeeze(1) - rivals.mean(1)


view = View("of a class, its logit less the mean of the ten strongest", wakes=False, measure=_measure, of="classes")
