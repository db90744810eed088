"""Photographs to study in tests: smooth colours drawn from a seed, nobody's work."""

from pathlib import Path

import numpy as np
from PIL import Image

from generator.photos.photographs import Photographs, find_photographs


def made_up_photographs(folder: Path, count: int) -> Photographs:
    """So many photographs of 300 x 260 pixels, written into a folder: the same ones each time."""
    random = np.random.default_rng(0)
    for i in range(count):
        coarse = random.integers(0, 255, (7, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((300, 260), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return find_photographs([folder])
