"""What is maximised: one number for each picture of a batch.

``channel`` is the mean of a channel over the grid, ``neuron`` the value at the grid's central position, ``negative``
the mean before the ReLU with its sign turned, that is what the channel is most against.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.core.recipe import View
from generator.network import Inception
from generator.render.robustness import enlarge


def evaluate(net: Inception, pictures: Tensor, size: int, layer: str, channels: Sequence[int], view: View) -> Tensor:
    """The yardstick: the objective of finished pictures, enlarged to ``size``, without transformations.

    ``net`` is in float32 wherever activations are to be compared.
    """
    wanted = torch.tensor(list(channels), device=pictures.device)
    with torch.no_grad():
        return measure(net, enlarge(pictures, size), layer, wanted, view)


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
