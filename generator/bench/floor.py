"""The floor of a step's time: the convolutions of the network up to a layer, alone, forward and backward.

They are the convolutions that the renderer runs, on tensors of the same values, precision and layout, with nothing
between them. The time of a step above this floor is what could be saved.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from generator.network import Inception
from generator.render.replay import replayable

_FEW = 7
Call = tuple[Tensor, Tensor, Tensor | None, Mapping[str, Any]]  # input, weight, bias, the rest


class Floor:
    """The convolutions that a batch of units of one layer runs through."""

    def __init__(self, net: Inception, layer: str, rgb: Tensor) -> None:
        """``rgb`` is N x 3 x H x W in 0..1; ``layer`` one convolution, which is the last."""
        self.device = rgb.device
        with torch.no_grad(), _Convolutions(net) as recorded:
            net(rgb, layer)
        self.calls: Sequence[Call] = recorded.calls
        self.flops = sum(4 * _products(call) for call in self.calls)
        """Floating point operations of a step, forward and backward."""

    def timed(self, repeats: int) -> list[float]:
        """Milliseconds of a step, ``repeats`` numbers; each is the median of a few runs."""
        step = replayable(self._step, self.device)
        return [1000 * median(timed(step, self.device, _FEW)) for _ in range(repeats)]

    def _step(self) -> Tensor:
        total = torch.zeros((), device=self.device)
        for x, weight, bias, rest in self.calls:
            x = x.detach().requires_grad_()
            with torch.enable_grad():
                y = F.conv2d(x, weight, bias, **rest)
            torch.autograd.grad(y, x, y.detach())
        return total


class _Convolutions(TorchFunctionMode):
    """Records each convolution that has weights of the network; normalisation uses convolutions too, without such
    weights."""

    def __init__(self, net: Inception) -> None:
        super().__init__()
        self.weights = {buffer.data_ptr() for buffer in net.buffers()}
        self.calls: list[Call] = []

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        rest = dict(kwargs or {})
        if function is F.conv2d and args[1].data_ptr() in self.weights:
            self.calls.append((args[0], args[1], args[2], rest))
        return function(*args, **rest)


def _products(call: Call) -> int:
    """Multiplications of one convolution, forward."""
    x, weight, _, rest = call
    padding = 2 * rest.get("padding", 0)
    height, width = (side + padding - weight.shape[-1] + 1 for side in x.shape[2:])
    products: int = len(x) * height * width * weight.numel()
    return products


def matrix_rate(dtype: torch.dtype, device: torch.device) -> float:
    """Floating point operations a second of one large matrix product: the best rate of the device."""
    side = 8192 if device.type == "cuda" else 2048
    a, b = torch.rand(2, side, side, device=device).to(dtype)
    return 2 * side**3 / min(timed(lambda: a @ b, device, 5))


def timed(step: Callable[[], object], device: torch.device, repeats: int, warm: int = 4) -> list[float]:
    """Seconds of each of ``repeats`` calls, after ``warm`` that are not counted."""
    seconds = []
    for i in range(warm + repeats):
        synchronize(device)
        begun = time.perf_counter()
        step()
        synchronize(device)
        if i >= warm:
            seconds.append(time.perf_counter() - begun)
    return seconds


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
