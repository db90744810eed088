"""What is optimised: the numbers that parameterise a picture, and the picture they make.

``start`` draws the numbers and ``picture`` turns them into RGB. The numbers of a unit are drawn from its own seed, so
that no picture depends on the others of a batch.

The Fourier parameterisation and the decorrelated colours are those of Olah et al., "Feature Visualization" (Distill
2017) and of Lucid: coefficients are scaled by 1 / frequency ** decay, and colours have a basis in which those of
natural pictures are not correlated. Constants are Lucid's, whose decay is 1.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from generator.core.recipe import Recipe
from generator.kernels.choice import operations

NOISE, TRANSFORMATIONS = 0, 1  # streams of random numbers that a unit has
_RAW_CONTRAST = 0.25  # of raw pixels: standard normal noise gets the contrast of a photograph around grey
_MAGIC = 4.0  # Lucid's: keeps the sigmoid from saturating
_COLOR_CORRELATION_SQRT = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


def draw(seed: int, stream: int) -> np.random.Generator:
    """One of a unit's two streams of random numbers: the same on every device, whatever else is rendered."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)))


def shape(recipe: Recipe) -> tuple[int, ...]:
    """The shape of one picture's numbers: 3 x size x size for pixels, 3 x size x (size // 2 + 1) x 2 for Fourier."""
    size = recipe.size
    return (3, size, size // 2 + 1, 2) if recipe.parameterization == "fourier" else (3, size, size)


def start(recipe: Recipe, seeds: Sequence[int]) -> Tensor:
    """The numbers to start from, N x :func:`shape`."""
    with ThreadPoolExecutor() as pool:  # numpy releases the GIL while it draws; a GPU would wait otherwise
        noise = list(pool.map(lambda seed: draw(seed, NOISE).standard_normal(shape(recipe), dtype=np.float32), seeds))
    return torch.from_numpy(np.stack(noise)).mul_(recipe.init)


def picture(numbers: Tensor, recipe: Recipe) -> Tensor:
    """The picture that the numbers make: N x 3 x size x size, RGB in 0..1, float32 and differentiable.

    Only raw pixels may leave 0..1.
    """
    size = recipe.size
    if recipe.parameterization == "fourier":
        scaled = torch.view_as_complex(numbers * _amplitudes(size, recipe.decay, numbers.device))
        image = torch.fft.irfft2(scaled, s=(size, size), norm="ortho")
    else:
        image = numbers
    if recipe.decorrelate:
        colors = _colors(numbers.device)
        if recipe.parameterization != "raw":
            return operations(image.device, image.dtype).colors(image, colors)
        image = torch.matmul(colors, image.flatten(2)).view_as(image)
    rgb: Tensor = image * _RAW_CONTRAST + 0.5 if recipe.parameterization == "raw" else image.sigmoid()
    return rgb


@lru_cache(maxsize=8)
def _amplitudes(size: int, decay: float, device: torch.device) -> Tensor:
    """1 / frequency ** decay for each Fourier coefficient, in cycles a pixel; the constant one counts as 1 / size."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    frequency = np.maximum(np.hypot(fy, fx), 1 / size)
    return torch.from_numpy((frequency**-decay / _MAGIC).astype(np.float32)).to(device)[..., None]


@lru_cache(maxsize=8)
def _colors(device: torch.device) -> Tensor:
    """The square root of the colour correlation of natural pictures, scaled so that no column is longer than 1."""
    matrix = np.array(_COLOR_CORRELATION_SQRT)
    return torch.from_numpy((matrix / np.linalg.norm(matrix, axis=0).max()).astype(np.float32)).to(device)
