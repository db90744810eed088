"""What is maximised: one number for each picture of a batch.

``channel`` is the mean of a channel over the grid, ``neuron`` the value at the grid's central position, ``negative``
the mean before the ReLU with its sign turned, that is what the channel is most against.
"""

from __future__ import annotations

import torch
from torch import Tensor

from generator.network import Inception
from generator.recipe import View


def measure(net: Inception, rgb: Tensor, layer: str, channels: Tensor, view: View, leak: float = 0.0) -> Tensor:
    """The objective of picture i for channel ``channels[i]`` of a single convolution: N values, float32.

    ``rgb`` is N x 3 x H x W in 0..1, ``channels`` N indices on the same device.
    """
    activations = net(rgb, layer, leak=leak, activate=view != "negative")
    maps: Tensor = activations[torch.arange(len(channels), device=channels.device), channels].float()
    if view == "neuron":
        centre = maps.shape[-1] // 2
        return maps[:, centre, centre]
    mean = maps.mean((1, 2))
    return -mean if view == "negative" else mean
