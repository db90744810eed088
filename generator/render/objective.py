"""What is maximised: one number for each picture of a batch.

``channel`` is the mean of a channel over the grid, ``neuron`` the value at the grid's central position, ``negative``
the mean before the ReLU with its sign turned, that is what the channel is most against.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from generator.network import Inception
from generator.recipe import View


def measure(net: Inception, rgb: Tensor, layer: str, channels: Tensor, view: View, leak: float = 0.0) -> Tensor:
    """The objective of picture i for channel ``channels[i]`` of a single convolution: N values, float32.

    ``rgb`` is N x 3 x H x W in 0..1, ``channels`` N indices on the same device.
    """
    bare = net(rgb, layer, leak=leak, activate=False).permute(0, 2, 3, 1)  # as it lies in memory, channels last
    wanted = channels[:, None, None, None].expand(-1, *bare.shape[1:3], 1)
    maps: Tensor = bare.gather(3, wanted).squeeze(3)  # so that no ReLU is taken of channels that nobody wants
    if view == "negative":
        return -maps.float().mean((1, 2))
    maps = (F.leaky_relu(maps, leak) if leak else F.relu(maps)).float()
    if view == "neuron":
        centre = maps.shape[-1] // 2
        return maps[:, centre, centre]
    return maps.mean((1, 2))
