"""How alike units of any layers and networks respond: correlation over photographs and a grid that all layers share.

>>> r = correlate({"": net, "untrained": random}, photographs, [(("", "mixed4a"), ("", "mixed4b"))])  # doctest: +SKIP
>>> r[("", "mixed4a"), ("", "mixed4b")].shape                                     # doctest: +SKIP
(512, 512)

Each layer's responses after the ReLU are averaged within the cells of a GRID x GRID grid over the photograph, so that a
cell is the same place in each. Only sums and products are kept, so memory does not grow with the photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generator.network import Inception
from generator.photos.photographs import Photograph, read_batches

GRID = 7  # cells a side; the deepest layers have no more positions
Place = tuple[str, str]
"""A network, by its name in the mapping, and one of its main layers."""
Pair = tuple[Place, Place]


def correlate(
    nets: Mapping[str, Inception],
    photographs: Sequence[Photograph],
    pairs: Iterable[Pair],
    *,
    batch: int = 32,
    advance: Callable[[int], object] = lambda photographs: None,
) -> dict[Pair, NDArray[np.float32]]:
    """Pearson's r of each unit of one place with each of another, C x D for each pair; 0 for a unit that never changes.

    Networks are in float32, on any device. A photograph that cannot be read is passed over.
    """
    pairs = list(pairs)
    places = {place for pair in pairs for place in pair}
    products: dict[Pair, Tensor] = {}
    sums: dict[Place, Tensor] = {}
    squares: dict[Place, Tensor] = {}
    rows = 0
    for indices, pixels in read_batches(photographs, batch, lambda photograph, why: None):
        seen = {
            (name, layer): values
            for name, net in nets.items()
            for layer, values in _pooled(net, pixels, {layer for of, layer in places if of == name})
        }
        rows += len(indices) * GRID**2
        for place, values in seen.items():
            _add(sums, place, values.sum(0))
            _add(squares, place, values.square().sum(0))
        for one, other in pairs:
            _add(products, (one, other), seen[one].T @ seen[other])
        advance(len(indices))
    mean = {place: total / rows for place, total in sums.items()}
    scale = {place: (squares[place] / rows - mean[place] ** 2).clamp_min(0).sqrt() for place in sums}
    found = {}
    for one, other in pairs:
        r = products[one, other] / rows - mean[one][:, None] * mean[other]
        r /= (scale[one][:, None] * scale[other]).clamp_min(1e-12)
        steady = (scale[one] < 1e-6 * (1 + mean[one]))[:, None] | (scale[other] < 1e-6 * (1 + mean[other]))
        found[one, other] = r.masked_fill(steady, 0).clamp(-1, 1).float().cpu().numpy()
    return found


def _pooled(net: Inception, pixels: NDArray[np.uint8], layers: set[str]) -> list[tuple[str, Tensor]]:
    """What these layers respond to N photographs, each (N * GRID * GRID) x C."""
    rgb = torch.from_numpy(pixels).to(net.mean.device).permute(0, 3, 1, 2).float().div_(255)
    found = []
    with torch.inference_mode():
        for name, values in net.every_layer(rgb):
            if name in layers:
                pooled = F.adaptive_avg_pool2d(values.relu(), GRID)
                found.append((name, pooled.permute(0, 2, 3, 1).flatten(0, 2)))
            if len(found) == len(layers):
                break  # what is deeper is not asked for
    return found


def _add(totals: dict[Any, Tensor], key: Any, value: Tensor) -> None:
    """Add in float64: the sums of a batch are exact enough in float32, those of all photographs are not."""
    value = value.cpu().double()  # Apple's GPUs have no float64
    if key in totals:
        totals[key] += value
    else:
        totals[key] = value
