"""How much of a picture is coarse and how much is fine: its power by spatial frequency.

Photographs hold most of their power in low frequencies, about 1 / frequency ** 2 (Field, "Relations between the
statistics of natural images and the response properties of cortical cells", 1987). A picture with far more power
than that at high frequencies looks like noise, however high a unit's activation is.

>>> import numpy as np
>>> rows = np.sin(np.arange(64) * 2 * np.pi * 5 / 64) * 100 + 128
>>> stripes = np.repeat(np.tile(rows, (64, 1))[..., None], 3, axis=2).astype(np.uint8)
>>> power = power_spectrum(stripes)
>>> len(power), 1 + int(power.argmax())
(32, 5)
"""

import numpy as np
from numpy.typing import NDArray

from generator.core.errors import UsageError

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_SILENCE = 1e-12  # less than 8 bits can show, but above 0: for pictures of one colour


def power_spectrum(pixels: NDArray[np.uint8], canvas: int | None = None) -> NDArray[np.float64]:
    """Mean power of the brightness at 1, 2, ... side / 2 cycles across a square picture, of H x W x 3 pixels.

    A picture that was enlarged from a smaller ``canvas`` has nothing of its own beyond that canvas's side / 2. Raises
    UsageError for a picture that is not square or smaller than 16 x 16.

    A Hann window removes the jump between opposite edges. The values are comparable between pictures
    of any size: the variance is the sum over all frequencies.
    """
    side = len(pixels)
    if pixels.shape != (side, side, 3) or side < 16:
        raise UsageError(f"a spectrum is of a square picture of 16 pixels or more, not of {pixels.shape}")
    brightness = pixels @ np.array(_LUMA) / 255
    window = np.hanning(side)[:, None] * np.hanning(side)
    brightness = (brightness - brightness.mean()) * window / np.sqrt((window**2).mean())
    power = np.abs(np.fft.fft2(brightness) / side**2) ** 2
    cycles = np.fft.fftfreq(side, 1 / side)
    ring = np.round(np.hypot(cycles[:, None], cycles)).astype(int).ravel()
    total, count = np.bincount(ring, power.ravel()), np.bincount(ring)
    mean: NDArray[np.float64] = np.maximum(total / count, _SILENCE)[1 : min(side, canvas or side) // 2 + 1]
    return mean


def like_photographs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """The spectrum that falls as 1 / frequency ** 2 and has the same power at 4 to 12 cycles."""
    cycles = np.arange(1, len(power) + 1)
    here = slice(3, 12)
    line: NDArray[np.float64] = np.exp(np.log(power * cycles**2.0)[here].mean()) / cycles**2.0
    return line
