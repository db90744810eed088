"""Weights through bottlenecks: the linear map from the units of one layer to those of the next.

A mixed layer reads the layer before it through 1x1 bottlenecks. With the ReLU between taken as the identity, pooling as
an average and normalisation as a constant, the path is linear, and its kernels multiply to one (Voss et al.,
"Visualizing Weights", Distill 2021):

>>> kernels = expanded_weights(net, "mixed4b")                                    # doctest: +SKIP
>>> kernels.shape                                                                 # doctest: +SKIP
torch.Size([512, 512, 5, 5])

Element [c, i, y, x] is what unit i of the layer before adds to unit c from (y - 2, x - 2) positions away. Where layers
are pooled between, a position is one of the grid after pooling.
"""

from typing import Any

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generator.core.architecture import BRANCHES, CLASSIFIER, OUTPUT, Conv, Mixed
from generator.network import Inception

SIDE = 5  # of the largest kernel of a branch; smaller ones are set into its middle


def expanded_weights(net: Inception, layer: str) -> Tensor:
    """The kernels of a main layer on the one before it: C x I x k x k, float32, on the network's device.

    k is SIDE for a mixed layer, the kernel's own side for a convolution. For ``output`` C are the classes and k is 1:
    what the mean of each unit of the last layer over the grid adds to their logits.
    """
    if layer == OUTPUT:
        return net.get_buffer(f"{CLASSIFIER}_weight").float()[:, :, None, None]
    step = next(s for s in net.architecture.steps if isinstance(s, Conv | Mixed) and s.name == layer)
    if isinstance(step, Conv):
        return net.get_buffer(f"{step.name}_weight").float()
    return torch.cat([_branch(net, step, branch) for branch in BRANCHES])


def _branch(net: Inception, module: Mixed, branch: str) -> Tensor:
    def weight(part: str) -> Tensor:
        return net.get_buffer(f"{module.convs[part].name}_weight").float()

    kernel = weight(branch)
    if branch == "pool_reduce":
        kernel = kernel.expand(-1, -1, 3, 3) / 9
    elif branch != "1x1":
        narrow = weight(f"{branch}_bottleneck")[:, :, 0, 0]
        kernel = torch.einsum("cbyx,bi->ciyx", kernel, narrow)
    margin = (SIDE - kernel.shape[-1]) // 2
    return F.pad(kernel, (margin,) * 4)


def strongest(kernels: Tensor, keep: int) -> dict[str, NDArray[Any]]:
    """The ``keep`` units that excite each of C units most and the ``keep`` that inhibit it most, from C x I x k x k.

    All are C x 2 keep, the exciting ones first, the strongest of each sign first: ``unit``, -1 where there are fewer
    than ``keep`` of a sign; ``norm``, the L2 norm of each kernel; ``sum``, its sum, which gives the sign; ``map``, the
    kernels, C x 2 keep x k x k. ``explained`` (C) is the share of the squared weight of the unit that all these hold.
    """
    norm, total = kernels.flatten(2).norm(dim=2), kernels.sum((2, 3))
    keep = min(keep, kernels.shape[1])
    chosen = []
    for sign in (1, -1):
        rank = norm.masked_fill(total * sign <= 0, -1.0)
        top = rank.topk(keep, dim=1)
        chosen.append(top.indices.masked_fill(top.values < 0, -1))
    unit = torch.cat(chosen, 1)
    there = unit >= 0
    at = unit.clamp_min(0)
    held = norm.gather(1, at) * there
    k = kernels.shape[-1]
    maps = kernels.gather(1, at[:, :, None, None].expand(-1, -1, k, k)) * there[:, :, None, None]
    explained = held.square().sum(1) / norm.square().sum(1).clamp_min(1e-12)
    return {
        "unit": unit.short().cpu().numpy(),
        "norm": held.cpu().numpy(),
        "sum": (total.gather(1, at) * there).cpu().numpy(),
        "map": maps.half().cpu().numpy(),
        "explained": explained.cpu().numpy(),
    }
