"""How many units fit through the network at once.

The memory of a unit is counted, not estimated: one step is run on the "meta" device, where tensors have a shape and no
content, and the tensors that it saves for the backward pass are added up.
"""

import copy

import torch

from generator.core.recipe import Recipe
from generator.core.views import VIEWS
from generator.network import Inception
from generator.render import canvas
from generator.render.objective import choose, measure
from generator.render.robustness import warp

_CPU_BYTES = 2_500_000_000  # of a batch: with torch and the weights a process stays below 4 GB
_SHARE = 0.9  # of a GPU's free memory
_BACKWARD = 2.0  # with gradients and workspaces, in what the forward pass saves


def free_bytes(device: torch.device) -> float:
    """What a batch may use, while none is rendered."""
    if device.type != "cuda":
        return _CPU_BYTES
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return (torch.cuda.mem_get_info(device)[0] + cached) * _SHARE


def fits(needed: int, free: float) -> int:
    """How many units fit at a time, at least 2, if each needs so many bytes by :func:`bytes_per_unit`."""
    return max(2, int(free / (_BACKWARD * needed)))


def bytes_per_unit(net: Inception, layer: str, recipe: Recipe, view: str = "channel") -> int:
    """Bytes that a step of the ascent saves for the backward pass, for each unit of a batch."""
    shapes = copy.deepcopy(net).to("meta", getattr(torch, recipe.precision))
    return _kept(shapes, layer, recipe, view, 2) - _kept(shapes, layer, recipe, view, 1)


def _kept(net: Inception, layer: str, recipe: Recipe, view: str, units: int) -> int:
    sizes: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        sizes[storage._cdata] = storage.nbytes()
        return tensor

    pictures = units * VIEWS[view].pictures
    numbers = torch.empty(pictures, *canvas.shape(recipe), device="meta", requires_grad=True)
    theta = torch.empty(pictures, 2, 3, device="meta")
    channels = choose(net, layer, [0] * units, "meta")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        seen = warp(canvas.picture(numbers, recipe), theta, recipe.input)
        reached = measure(net, seen, layer, channels, view, recipe.leak)
    del reached
    return sum(sizes.values())
