"""How units respond to synthetic stimuli: what each prefers, and how choosy it is about orientation and hue.

A unit's response to a stimulus is its mean over the grid after the ReLU, of a direction its mean projection, less the
response to plain grey; what is below that counts as 0. Selectivity is 1 less the circular variance (Mardia, 1972): 0
for a unit that answers to all orientations alike, 1 for one that answers to one alone. Orientations of bars repeat
after 180 degrees, hues after 360.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from generator.core.directions import AT
from generator.network import Inception
from generator.study.shards import layers_of
from generator.study.stimuli import SIDE, Stimulus, draw

_BATCH = 16  # stimuli that go through the network at once


def tune(
    net: Inception, layers: Sequence[str], stimuli: Sequence[Stimulus], advance: Callable[[int], object]
) -> dict[str, NDArray[np.float32]]:
    """Show every stimulus to the network, in float32: C x stimuli responses of the units of each layer."""
    found: dict[str, list[NDArray[np.float32]]] = {}
    base = _means(net, layers, np.full((1, SIDE, SIDE, 3), 0.5, dtype=np.float32))
    for start in range(0, len(stimuli), _BATCH):
        shown = stimuli[start : start + _BATCH]
        for layer, means in _means(net, layers, np.stack([draw(stimulus) for stimulus in shown])).items():
            found.setdefault(layer, []).append(np.maximum(means - base[layer], 0))
        advance(len(shown))
    return {layer: np.concatenate(means).T for layer, means in found.items()}


def sum_up(response: NDArray[np.float32], stimuli: Sequence[Stimulus]) -> dict[str, NDArray[Any]]:
    """The tuning of C units from their C x S responses: ``best``, the strongest stimulus; ``orientation`` (0..180) and
    ``hue`` (0..360), in degrees, nan where no stimulus of that kind gets a response; the selectivities, then 0."""
    bars = [i for i, s in enumerate(stimuli) if s.family in ("grating", "line")]
    discs = [i for i, s in enumerate(stimuli) if s.family == "disc"]
    orientation, choosy = circular(response[:, bars], [stimuli[i].orientation or 0.0 for i in bars], 180.0)
    hue, picky = circular(response[:, discs], [stimuli[i].hue or 0.0 for i in discs], 360.0)
    return {
        "best": response.argmax(1).astype(np.int16),
        "orientation": orientation,
        "orientation_selectivity": choosy,
        "hue": hue,
        "hue_selectivity": picky,
    }


def circular(
    response: NDArray[np.float32], degrees: Sequence[float], period: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The preferred angle of C units, in degrees (nan without any response), and 1 less the circular variance."""
    total = response.sum(1)
    vector = response @ np.exp(2j * np.pi * np.asarray(degrees) / period)
    angle = np.where(total > 0, np.degrees(np.angle(vector)) / 360 * period % period, np.nan)
    selectivity = np.abs(vector) / np.where(total > 0, total, np.inf)
    return angle.astype(np.float32), selectivity.astype(np.float32)


def _means(net: Inception, layers: Sequence[str], pictures: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
    """The mean over the grid of each unit of the layers, N x C, for N x SIDE x SIDE x 3 pictures in 0..1."""
    rgb = torch.from_numpy(pictures).to(net.mean.device).permute(0, 3, 1, 2)
    return {
        name: (values if AT in name else values.relu()).mean((2, 3)).cpu().numpy()
        for name, values in layers_of(net, rgb, layers)
    }
