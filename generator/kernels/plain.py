"""The operations in torch, for every device: what the kernels are compared with.

Normalisation has a backward of its own, which computes what autograd would, several times faster on a CPU.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.core.architecture import Norm


def leaky(x: Tensor, slope: float) -> Tensor:
    """ReLU with a slope below zero, written into ``x``; 1 leaves it out."""
    if slope == 1:
        return x
    return F.leaky_relu(x, slope, inplace=True) if slope else F.relu(x, inplace=True)


def pool(x: Tensor, size: int, stride: int, padding: int = 0, slope: float = 1.0) -> Tensor:
    """:func:`leaky`, then max-pooling over ``size`` x ``size`` positions. The last window may reach over the edge."""
    return F.max_pool2d(leaky(x, slope), size, stride, padding, ceil_mode=True)


def local_response_norm(x: Tensor, norm: Norm, slope: float = 1.0) -> Tensor:
    """:func:`leaky`, then x / (k + alpha / size * sum of squares over ``size`` neighbouring channels) ** beta
    (Krizhevsky et al., 2012)."""
    out: Tensor = _LocalResponseNorm.apply(leaky(x, slope), norm)
    return out


def colors(image: Tensor, matrix: Tensor) -> Tensor:
    """The sigmoid of a 3 x 3 matrix times the colours of each pixel: N x 3 x H x W in, RGB from 0 to 1 out."""
    return torch.matmul(matrix, image.flatten(2)).view_as(image).sigmoid()


class _LocalResponseNorm(torch.autograd.Function):
    """Sums over neighbouring channels as a 1x1 convolution with a banded matrix: a matrix product in any precision."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: Norm) -> Tensor:
        band = _band(x.shape[1], norm.size // 2, x.dtype, x.device)
        total = F.conv2d(x * x, band).mul_(norm.alpha / norm.size).add_(norm.k)
        power = total.rsqrt()
        if norm.beta == 0.75:
            power = power * power.sqrt()  # total ** -0.75, in a tenth of pow's time
        elif norm.beta != 0.5:
            power = total.pow(-norm.beta)
        ctx.save_for_backward(x, total, power, band)
        ctx.norm = norm
        return x * power

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        x, total, power, band = ctx.saved_tensors
        norm: Norm = ctx.norm
        direct = gradients[0] * power
        shared = F.conv2d((direct * x).div_(total), band)
        return direct.sub_(shared.mul_(x), alpha=2 * norm.alpha * norm.beta / norm.size), None


@lru_cache(maxsize=8)
def _band(channels: int, reach: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A 1x1 kernel that sums each channel with its ``reach`` neighbours on both sides."""
    with torch.inference_mode(False):  # what is kept must serve for gradients too, whoever asked for it first
        return torch.ones(channels, channels).tril(reach).triu(-reach).to(device, dtype)[:, :, None, None]
