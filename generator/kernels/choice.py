"""Which operations a device computes with: plain ones, and a GPU with Triton the kernels that give the same there.

Triton comes with torch where there are GPUs of NVIDIA or AMD. A kernel must never cost anyone a render: before its
first use each is compared with the plain operation on the device itself, and left out with a warning if it cannot be
compiled or gives anything else. ``ATLAS_KERNELS=0`` leaves out all of them.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from generator.core.architecture import Norm
from generator.kernels import plain

Operation = Callable[..., Tensor]


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations, as :mod:`generator.kernels.plain` says them; ``fused`` names those that are kernels."""

    pool: Operation = plain.pool
    norm: Operation = plain.local_response_norm
    colors: Operation = plain.colors
    fused: tuple[str, ...] = ()


_PLAIN = Operations()
_NORM = Norm(5, alpha=0.1, beta=0.75)


def _pools(pool: Operation, x: Tensor) -> Tensor:
    return torch.cat([pool(x * 1, *how).flatten() for how in ((3, 2, 0, 0.1), (3, 2, 0, 0.0), (2, 2), (3, 1, 1))])


_CHECKS: dict[str, tuple[tuple[int, ...], Callable[[Operation, Tensor], Tensor]]] = {  # a shape, and what is computed
    "pool": ((1, 72, 7, 7), _pools),
    "norm": ((1, 48, 3, 3), lambda norm, x: norm(x, _NORM, 0.1)),
    "colors": ((2, 3, 9, 9), lambda colors, x: colors(x, torch.eye(3).to(x) + 0.1)),
}
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 3e-2}  # torch computes with TF32 on a GPU


def operations(device: torch.device, dtype: torch.dtype) -> Operations:
    """The fastest operations for tensors of this device and type. The first call for a GPU compiles, so it must not be
    one that is recorded."""
    return _PLAIN if device.type != "cuda" else _compared(device, dtype)


@cache
def _compared(device: torch.device, dtype: torch.dtype) -> Operations:
    if os.environ.get("ATLAS_KERNELS") == "0" or dtype not in _TOLERANCE or not importlib.util.find_spec("triton"):
        return _PLAIN
    try:
        from generator.kernels import fused
    except Exception as error:  # a Triton of another version, or one without a driver
        return _without("all", error)
    kernels: dict[str, Operation] = {"pool": fused.pool, "norm": fused.local_response_norm, "colors": fused.colors}
    return compare(kernels, device, dtype)


def compare(kernels: dict[str, Operation], device: torch.device, dtype: torch.dtype) -> Operations:
    """The plain operations, replaced by each kernel that gives the same on this device, forward and backward."""
    found = _PLAIN
    for name, kernel in kernels.items():
        try:
            with torch.inference_mode(False), torch.enable_grad():  # whoever asks first
                _check(name, kernel, device, dtype)
        except Exception as error:  # of a compiler, a driver, or the comparison
            _without(name, error)
        else:
            found = replace(found, **{name: kernel}, fused=(*found.fused, name))
    return found


def _check(name: str, kernel: Operation, device: torch.device, dtype: torch.dtype) -> None:
    shape, compute = _CHECKS[name]
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    numbers = numbers.contiguous(memory_format=torch.channels_last)

    def both_ways(operation: Operation) -> list[Tensor]:
        x = numbers.clone().requires_grad_()
        out = compute(operation, x * 1)  # a plain operation may write into what it is given
        return [out.detach(), *torch.autograd.grad(out, x, out.detach())]

    close = partial(torch.testing.assert_close, atol=_TOLERANCE[dtype], rtol=_TOLERANCE[dtype])
    for ours, theirs in zip(both_ways(kernel), both_ways(getattr(_PLAIN, name)), strict=True):
        close(ours, theirs)


def _without(name: str, error: Exception) -> Operations:
    why = str(error).strip().partition("\n")[0][:100] or type(error).__name__
    logging.getLogger(__name__).warning("the kernel “%s” is not used (%s); the plain operation is slower", name, why)
    return _PLAIN
