"""What a unit prefers among simple stimuli: gratings, edges, lines, curves, colours and brightness."""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel
from generator.store.facets import CLEAR

_DIRECTED = {"orientation": ("grating", "line"), "hue": ("disc",)}
_NAMES = {"step": "disc of another brightness", "disc": "coloured disc", "brightness": "plain field"}


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the panel shows of one unit. Angles are in degrees, None where the unit is not choosy about them.

    ``best_photo`` is the response to the best stimulus in multiples of that to the best photograph, None without one.
    ``bars`` and ``hues`` are charts of its responses to orientations and hues; "" where it has none.
    """

    count: int
    best: str
    best_photo: float | None
    orientation: float | None
    orientation_selectivity: float
    hue: float | None
    hue_selectivity: float
    bars: Markup
    hues: Markup


def read(catalog: Catalog) -> Lookup:
    @lru_cache(maxsize=4)
    def by_angle(fingerprint: str | None, layer: str, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        return _by(catalog.arrays("study/tuning", fingerprint, layer), name)

    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Tuning | None:
        of, channel = (checkpoint.fingerprint, unit.unit.layer), unit.unit.channel
        arrays, photos = catalog.arrays("study/tuning", *of), catalog.arrays("study/photos", *of)
        if "stimulus_family" not in arrays:
            return None
        photo = float(photos["best_mean"][channel]) if "best_mean" in photos else 0.0
        bars, hues = (by_angle(*of, name) for name in _DIRECTED)
        choosy, picky = (float(arrays[f"{name}_selectivity"][channel]) for name in ("orientation", "hue"))
        return Tuning(
            count=len(arrays["stimulus_family"]),
            best=_name(arrays, int(arrays["best"][channel])) if arrays["strongest"][channel] > 0 else "",
            best_photo=float(arrays["strongest"][channel]) / photo if photo > 0 else None,
            orientation=float(arrays["orientation"][channel]) if choosy >= CLEAR else None,
            orientation_selectivity=choosy,
            hue=float(arrays["hue"][channel]) if picky >= CLEAR else None,
            hue_selectivity=picky,
            bars=_rose(bars[0], bars[1][channel], half=True),
            hues=_rose(hues[0], hues[1][channel], half=False),
        )

    return lookup


def _name(arrays: Mapping[str, NDArray[Any]], index: int) -> str:
    """A stimulus in words."""
    family = str(arrays["stimulus_family"][index])
    orientation, scale, hue = (float(arrays[f"stimulus_{name}"][index]) for name in ("orientation", "scale", "hue"))
    size = {"grating": "period", "line": "width", "curve": "radius", "disc": "radius", "step": "radius"}.get(family, "")
    said = [f"{scale:.0f} pixels {size}"] if size else []
    said += [f"at {orientation:.0f}°"] if orientation == orientation else []
    said += [f"hue {hue:.0f}°"] if hue == hue else []
    return ", ".join([_NAMES.get(family, family), *said])


def _by(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """The angles of stimuli that have one, and the mean response of each unit to each, units x angles."""
    of = np.isin(arrays["stimulus_family"], _DIRECTED[name])
    angles = np.unique(arrays[f"stimulus_{name}"][of])
    each = [arrays["response"][:, of & (arrays[f"stimulus_{name}"] == angle)].mean(1) for angle in angles]
    return angles, np.array(each).reshape(len(angles), -1).T


def _rose(angles: NDArray[Any], means: NDArray[Any], *, half: bool) -> Markup:
    """Spokes from the middle, as long as the response: of hues in their colours, of orientations to both sides."""
    if not len(means) or means.max() <= 0:
        return Markup("")
    spokes = []
    radians, lengths = np.deg2rad(angles), means / means.max() * 46
    ends = np.rint([lengths * np.cos(radians), -lengths * np.sin(radians)]).astype(int).T
    for angle, (x, y) in zip(radians.tolist(), ends.tolist(), strict=True):
        if half:
            spokes.append(f"M{-x} {-y} {x} {y}")
        elif x or y:
            colour = "".join(f"{round(c * 15):x}" for c in colorsys.hls_to_rgb(angle / (2 * np.pi), 0.5, 0.75))
            spokes.append(f"<path d=M0,0,{x},{y} stroke=#{colour} />")
    drawn = Markup("".join(spokes))  # noqa: S704 - numbers alone; Markup.format would escape each
    drawn = Markup('<path d="{}"/>').format(drawn) if half else drawn
    return Markup(
        '<svg class="rose" viewBox="-50 -50 100 100" role="img" aria-label="Response by {}"><circle r="48"/>{}</svg>'
    ).format("orientation" if half else "hue", drawn)


PANEL = Panel(order=30, template="panels/tuning.html", read=read)
