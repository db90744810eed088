"""Pixels to files: the picture and its thumbnail as WebP.

Sizes and qualities were chosen by looking and measuring; see docs/decisions/0003-picture-formats.md.
"""

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from generator.core.record import EncodedFile

SHARP = 256  # pixels: small canvases are enlarged by a whole factor, because WebP halves the resolution of colour
THUMBNAIL = 112
QUALITY, THUMBNAIL_QUALITY = 48, 40


def to_pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """N x 3 x H x W in 0..1 to N x H x W x 3 in 0..255, rounded on the device and copied as bytes."""
    whole = (pictures.clamp(0, 1) * 255).round().to(torch.uint8)
    pixels: NDArray[np.uint8] = whole.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


def encode(pixels: NDArray[np.uint8]) -> tuple[EncodedFile, EncodedFile]:
    """The picture and its thumbnail, from H x W x 3 pixels."""
    image = Image.fromarray(pixels)
    factor = max(1, SHARP // image.width)
    shown = image.resize((image.width * factor, image.height * factor), Image.Resampling.LANCZOS)
    thumbnail = image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return _webp(shown, QUALITY), _webp(thumbnail, THUMBNAIL_QUALITY)


def _webp(image: Image.Image, quality: int) -> EncodedFile:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=6)
    return EncodedFile(buffer.getvalue(), image.width, image.height)
