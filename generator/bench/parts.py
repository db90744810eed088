"""Where the time of a step goes, by torch's profiler."""

import os
from collections import Counter
from collections.abc import Callable, Mapping

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

# By the name of the operation or of one that it is part of; the first match counts.
PARTS: Mapping[str, tuple[str, ...]] = {
    "normalisation": ("_LocalResponseNorm", "_Norm"),
    "optimiser": ("Optimizer.",),
    "pooling": ("max_pool", "_Pool"),
    "convolutions": ("convolution", "conv2d"),
    "activation": ("relu", "threshold", "clamp_min"),
    "warp": ("grid_sampler", "affine_grid"),
    "picture": ("fft", "bmm", "sigmoid", "_Colors", "view_as_complex", "view_as_real"),
}
REST = "joins, sums, copies"


def parts(step: Callable[[], object], device: torch.device, steps: int = 3) -> dict[str, float]:
    """Each part's share of the time, 0 to 1, largest first."""
    gpu = device.type == "cuda"
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler prints messages
    step()
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]) as profiled:
        for _ in range(steps):
            step()
    spent: Counter[str] = Counter()
    for event in profiled.events() or ():
        if event.device_type.name != "CPU":
            continue  # a GPU's own events repeat what the operations that launched them say
        spent[_part(event)] += event.self_device_time_total if gpu else event.self_cpu_time_total
    total = sum(spent.values()) or 1
    return {name: time / total for name, time in spent.most_common()}


def _part(event: FunctionEvent) -> str:
    names = []
    ancestor: FunctionEvent | None = event
    while ancestor is not None:
        names.append(ancestor.name)
        ancestor = ancestor.cpu_parent
    return next((part for part, marks in PARTS.items() for name in names if any(m in name for m in marks)), REST)
