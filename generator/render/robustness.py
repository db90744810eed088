"""Small random transformations between canvas and network, so that a picture also works when it is moved a little.

At each step one affine warp rotates, scales and shifts the canvas and enlarges it to the network's input. Lucid and
Lucent have a chain of pad, jitter, scale, rotate and upsample instead. Outside the canvas the network sees grey.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from generator.core.recipe import Recipe
from generator.render.canvas import TRANSFORMATIONS, draw

_GREY = 0.5


def transformations(recipe: Recipe, seeds: Sequence[int]) -> Tensor:
    """The warps of all steps: steps x N x 2 x 3, from positions in the network's input to positions on the canvas.

    Positions are -1 at one edge and 1 at the other. A unit's warps come from its own seed; the first n are the same
    however many steps there are.
    """
    draws = np.stack([draw(seed, TRANSFORMATIONS).uniform(-1, 1, (recipe.steps, 4)) for seed in seeds], axis=1)
    angle = np.deg2rad(recipe.rotate) * draws[..., 0]
    scale = 1 + recipe.scale * draws[..., 1]
    shift = recipe.shift * 2 / recipe.input * draws[..., 2:]
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    rows = [np.stack([cos, -sin, shift[..., 0]], -1), np.stack([sin, cos, shift[..., 1]], -1)]
    return torch.from_numpy(np.stack(rows, axis=-2).astype(np.float32))


def warp(image: Tensor, thetas: Tensor, size: int) -> Tensor:
    """The canvas as the network sees it: N x 3 x size x size, each picture warped by its own 2 x 3 matrix."""
    n, channels = image.shape[:2]
    grid = F.affine_grid(thetas, [n, channels, size, size], align_corners=False)
    return F.grid_sample(image - _GREY, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + _GREY


def enlarge(image: Tensor, size: int) -> Tensor:
    """The canvas at the network's input size, without transformations."""
    if image.shape[-1] == size:
        return image
    return F.interpolate(image, (size, size), mode="bilinear", align_corners=False)
