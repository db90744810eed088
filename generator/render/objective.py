"""What is maximised: one number for each picture of a batch, by a view of :mod:`generator.core.views`."""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.core.architecture import OUTPUT
from generator.core.directions import AT, base_layer
from generator.core.views import VIEWS
from generator.network import Inception
from generator.render.robustness import enlarge


def evaluate(net: Inception, pictures: Tensor, size: int, layer: str, channels: Sequence[int], view: str) -> Tensor:
    """The objective of finished pictures, enlarged to ``size`` and not transformed: N values.

    Activations of pictures are compared by this, so ``net`` must be in float32.
    """
    wanted = choose(net, layer, channels, pictures.device)
    with torch.no_grad():
        return measure(net, enlarge(pictures, size), layer, wanted, view)


def choose(net: Inception, layer: str, channels: Sequence[int], device: torch.device | str) -> Tensor:
    """What a view measures in each picture: N indices of channels of a convolution or the output; of a set of
    directions N x C vectors, scaled to length 1."""
    if AT not in layer:
        return torch.tensor(list(channels), device=device)
    return net.vectors(layer, channels).to(device)


def probabilities(net: Inception, pictures: Tensor, size: int, classes: Sequence[int]) -> Tensor:
    """The probability that the network gives picture i of being of class ``classes[i]``, measured as :func:`evaluate`
    does: N values from 0 to 1."""
    wanted = torch.tensor(list(classes), device=pictures.device)
    with torch.no_grad():
        given: Tensor = net(enlarge(pictures, size), OUTPUT).flatten(1).softmax(1)
    return given.gather(1, wanted[:, None]).squeeze(1)


def measure(net: Inception, rgb: Tensor, layer: str, channels: Tensor, view: str, leak: float = 0.0) -> Tensor:
    """The objective of picture i for channel ``channels[i]`` of a layer or convolution: N values in float32.

    ``rgb`` is N x 3 x H x W in 0..1, ``channels`` those of :func:`choose` on the same device: N, or for a view of
    several ``pictures`` one for each unit. With ``leak`` every ReLU of the network leaks by that slope.
    """
    bare = net(rgb, base_layer(layer), leak=leak, activate=False)
    relu = partial(F.leaky_relu, negative_slope=leak) if leak else F.relu
    return VIEWS[view].measure(bare, channels.repeat_interleave(VIEWS[view].pictures, 0), relu)
