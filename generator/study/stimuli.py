"""Synthetic stimuli: gratings, edges, lines, curves, coloured discs and steps of brightness, each with its parameters.

>>> stimuli = all_stimuli()
>>> len(stimuli), stimuli[0]
(776, Stimulus(family='grating', orientation=0.0, scale=4.0, hue=None, level=None, variant=0))
>>> draw(stimuli[0]).shape
(224, 224, 3)

Orientations are in degrees, counter-clockwise: 0 is a horizontal bar, 45 rises to the right. Edges and curves have a
direction besides, so theirs go to 360: an edge of 0 is bright above, a curve of 0 bulges upwards. Scales are in pixels:
the period of a grating, the width of a line, the radius of a curve or disc. Hues are in degrees, as in HSV.
"""

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SIDE = 224
GREY, CONTRAST = 0.5, 0.45
_SOFT = 0.75  # pixels over which an edge goes from dark to bright, so that no orientation has steps of its own


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One stimulus. What its family does not have is None; ``variant`` is its phase or which side is bright."""

    family: str
    orientation: float | None = None
    scale: float | None = None
    hue: float | None = None
    level: float | None = None
    variant: int = 0


def all_stimuli() -> tuple[Stimulus, ...]:
    """All of them, family by family."""
    half = [180 * i / 16 for i in range(16)]
    whole = [360 * i / 24 for i in range(24)]
    return (
        *(Stimulus("grating", o, s, variant=v) for s in (4.0, 8.0, 16.0, 32.0, 64.0) for o in half for v in (0, 1)),
        *(Stimulus("edge", o) for o in whole),
        *(Stimulus("line", o, s, variant=v) for s in (2.0, 6.0, 16.0) for o in half for v in (0, 1)),
        *(Stimulus("curve", o, s, variant=v) for s in (8.0, 16.0, 28.0, 48.0, 80.0) for o in whole for v in (0, 1)),
        *(Stimulus("disc", None, s, h, x) for s in (20.0, 80.0) for x in (0.25, 0.5, 0.75, 1.0) for h in whole),
        *(Stimulus("brightness", None, None, None, i / 15) for i in range(16)),
        *(Stimulus("step", None, s, None, i / 15) for s in (20.0, 60.0, 90.0) for i in range(16)),
    )


def draw(stimulus: Stimulus) -> NDArray[np.float32]:
    """A stimulus as SIDE x SIDE x 3 in 0..1."""
    y, x = _grid()
    if stimulus.family == "brightness":
        return _painted(np.full_like(x, _given(stimulus.level)))
    if stimulus.family in ("disc", "step"):
        inside = _smooth(_given(stimulus.scale) - np.hypot(x, y))[..., None]
        if stimulus.family == "step":
            return _painted(GREY + (_given(stimulus.level) - GREY) * inside[..., 0])
        colour = np.array(colorsys.hsv_to_rgb(_given(stimulus.hue) / 360, _given(stimulus.level), 0.9))
        mixed: NDArray[np.float32] = (GREY + (colour - GREY) * inside).astype(np.float32)
        return mixed
    angle = np.deg2rad(_given(stimulus.orientation))
    across = y * np.cos(angle) - x * np.sin(angle)  # at right angles to the bar; up where the bar is horizontal
    sign = 1 if stimulus.variant == 0 else -1
    if stimulus.family == "grating":
        phase = 0.0 if stimulus.variant == 0 else np.pi / 2
        return _painted(GREY + CONTRAST * np.sin(2 * np.pi * -across / _given(stimulus.scale) + phase))
    if stimulus.family == "edge":
        return _painted(GREY + CONTRAST * (2 * _smooth(across) - 1))
    if stimulus.family == "line":
        return _painted(GREY + sign * CONTRAST * _smooth(_given(stimulus.scale) / 2 - np.abs(across)))
    radius = _given(stimulus.scale)
    along = x * np.cos(angle) + y * np.sin(angle)
    distance = np.hypot(along, across + radius)  # the arc's top lies at the centre of the picture
    near = _smooth(3.0 - np.abs(distance - radius)) * _smooth(across + radius * 0.7)
    return _painted(GREY + sign * CONTRAST * near)


def _given(value: float | None) -> float:
    assert value is not None
    return value


@lru_cache(maxsize=1)
def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels upwards and to the right of the centre."""
    at = np.arange(SIDE) - (SIDE - 1) / 2
    return np.broadcast_to(-at[:, None], (SIDE, SIDE)).copy(), np.broadcast_to(at, (SIDE, SIDE)).copy()


def _smooth(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 inside, 0 outside, by the distance to the border in pixels."""
    return np.clip(distance / (2 * _SOFT) + 0.5, 0, 1)


def _painted(brightness: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.repeat(np.clip(brightness, 0, 1)[..., None], 3, axis=2).astype(np.float32)
