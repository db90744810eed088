"""A step that is repeated many times, launched as one CUDA graph on a GPU.

A step of the ascent is several hundred small operations. A GPU runs them faster than Python can launch them, so the
step is recorded once as a CUDA graph and replayed. On every other device it is simply called.

A step can be replayed if it reads its input from the same tensors each time, copies nothing between host and device,
and runs the same operations whatever the values are.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

Step = Callable[[], Tensor]
_EAGER = 3  # calls before recording: libraries choose kernels, the optimiser makes its state


def replayable(step: Step, device: torch.device) -> Step:
    """The step itself; on a GPU, a step that is recorded at its fourth call and replayed from then on.

    It may return the same tensor at each call: clone it to keep its values.
    """
    return _Graph(step) if device.type == "cuda" else step


@cache
def _aside_of(device: int) -> torch.cuda.Stream:
    """One side stream for all calls: memory that was freed on one stream is not given out on another, so a new stream
    for each call would ask the driver for the memory of a whole step each time."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


class _Graph:
    """Records as torch's "CUDA semantics" asks for: some calls on a side stream, then the capture."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.calls = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> Tensor:
        if self.calls < _EAGER:
            self.calls += 1
            return self._aside()
        if self.graph is None:
            self.graph = self._recorded()
        self.graph.replay()
        return self.result

    def _recorded(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):  # runs nothing, only records
            self.result = self.step()
        return graph

    def _aside(self) -> Tensor:
        here, aside = torch.cuda.current_stream(), _aside_of(torch.cuda.current_device())
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            result = self.step()
        here.wait_stream(aside)
        result.record_stream(here)
        return result
