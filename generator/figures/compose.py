"""The figures, each a function of pictures: gallery, filmstrip, parameterisations, poster, contact sheet.

Pictures are :class:`generator.core.record.Rendered`, whether they come from the store or straight from the renderer.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from generator.core.errors import UsageError
from generator.core.record import Rendered, printed
from generator.core.spectrum import like_photographs, power_spectrum
from generator.figures.layout import BLUE, EDGE, QUIET, VERMILION, Sheet

_GAP, _LINE, _TITLE = 0.08, 0.15, 0.32  # inches
_SIDE = 1.3


@dataclass(frozen=True, slots=True)
class ExternalPicture:
    """A picture by another program: H x W x 3 pixels, its activation as we measure it, and the program's name."""

    pixels: NDArray[np.uint8]
    activation: float
    steps: int
    made_by: Mapping[str, Any]


def gallery(pictures: Sequence[Rendered], *, columns: int = 5, title: str = "") -> Sheet:
    """Units side by side, each with its name, in rows of ``columns``. Raises UsageError if there is none."""
    rows, columns = _grid(pictures, columns)
    top = _top(title)
    width = 2 * EDGE + columns * _SIDE + (columns - 1) * _GAP
    sheet = Sheet(width, top + rows * (_SIDE + _LINE + _GAP) + EDGE - _GAP, sources(pictures), title)
    for picture, (x, y) in _placed(pictures, columns, top, _SIDE + _GAP, _SIDE + _LINE + _GAP):
        sheet.picture(picture.pixels, x, y, _SIDE)
        sheet.word(_name(picture, pictures), x, y + _SIDE + 0.03)
    return sheet


def contact_sheet(pictures: Sequence[Rendered], *, columns: int | None = None, title: str = "") -> Sheet:
    """Every unit of a layer, small, each with its channel. Raises UsageError if there is none."""
    rows, columns = _grid(pictures, columns or math.ceil(math.sqrt(1.4 * len(pictures))) or 1)
    side, gap, line, top = 0.5, 0.04, 0.09, _top(title)
    width = 2 * EDGE + columns * side + (columns - 1) * gap
    sheet = Sheet(width, top + rows * (side + line + gap) + EDGE, sources(pictures), title)
    for picture, (x, y) in _placed(pictures, columns, top, side + gap, side + line + gap):
        sheet.picture(picture.pixels, x, y, side)
        sheet.word(str(picture.unit.channel), x, y + side + 0.01, fontsize=5, color=QUIET)
    return sheet


def poster(rows: Sequence[Sequence[Rendered]], *, title: str = "") -> Sheet:
    """A table: a row for each channel, a column for each layer, from shallow to deep.

    Raises UsageError if there is none, or if rows differ in length.
    """
    _check_some(rows)
    if len({len(row) for row in rows}) > 1:
        raise UsageError("the rows of a poster are of equal length; give each a picture from every layer")
    side, left, top = 1.9, 0.9, _top(title) + 0.22
    columns = len(rows[0])
    sheet = Sheet(
        left + columns * (side + _GAP) - _GAP + EDGE,
        top + len(rows) * (side + _GAP) - _GAP + EDGE,
        sources([picture for row in rows for picture in row]),
        title,
    )
    for j, picture in enumerate(rows[0]):
        x = left + j * (side + _GAP) + side / 2
        sheet.word(picture.unit.layer, x, top - 0.05, ha="center", va="bottom", fontsize=9)
    for i, row in enumerate(rows):
        y = top + i * (side + _GAP)
        sheet.word(f"neuron {row[0].unit.channel}", left - 0.1, y + side / 2, ha="right", va="center", fontsize=9)
        for j, picture in enumerate(row):
            sheet.picture(picture.pixels, left + j * (side + _GAP), y, side)
    return sheet


def filmstrip(frames: Sequence[Rendered], activations: Sequence[float], *, columns: int = 5, title: str = "") -> Sheet:
    """Snapshots of one ascent, each after the steps of its recipe, and beside them the activation at each step.

    The steps in which every ReLU leaks are shaded. They give a gradient to a unit that has no activation on noise.
    Raises UsageError if there is no picture, or no step.
    """
    rows, columns = _grid(frames, columns)
    if not activations:
        raise UsageError("an ascent of 0 steps has nothing to show; take more steps")
    if (last := max(frame.question.recipe.steps for frame in frames)) > len(activations):
        raise UsageError(f"there are activations of {len(activations)} steps, and a picture after {last}")
    line, curve = 2 * _LINE, 2.3
    top = _top(title)
    strip = 2 * EDGE + columns * (_SIDE + _GAP)
    height = rows * (_SIDE + line + _GAP) - _GAP
    sheet = Sheet(strip + 0.45 + curve + EDGE, top + height + 0.3, sources(frames), title)
    reached = [*activations, activations[-1]]
    for frame, (x, y) in _placed(frames, columns, top, _SIDE + _GAP, _SIDE + line + _GAP):
        step = frame.question.recipe.steps
        sheet.picture(frame.pixels, x, y, _SIDE)
        sheet.word(f"step {step}", x, y + _SIDE + 0.03)
        sheet.word(f"activation {printed(reached[step])}", x, y + _SIDE + 0.03 + _LINE, color=QUIET, fontsize=7)
    axes = sheet.plot(strip + 0.45, top + 0.05, curve, height - 0.15)
    if wake := min(frames[0].question.recipe.wake_steps, len(activations)):
        axes.axvspan(0, wake, color="#ececec", linewidth=0)  # here every ReLU leaks
    axes.plot(range(len(activations)), activations, color=BLUE, linewidth=1.2)
    at = [frame.question.recipe.steps for frame in frames]
    axes.plot(at, [reached[n] for n in at], "o", color=VERMILION, markersize=3.5, clip_on=False, zorder=3)
    axes.set_xlim(0, max(len(activations), 1))
    axes.set_ylim(bottom=min(0, *activations))
    axes.set_xlabel("step")
    axes.set_ylabel("activation")
    return sheet


def parameterizations(pictures: Mapping[str, Rendered | ExternalPicture], *, title: str = "") -> Sheet:
    """One unit by several presets, named by the keys, and under each picture its power by spatial frequency.

    The dashed line falls as 1 / frequency ** 2, as the power of photographs does, through the picture's own power at
    4 to 12 cycles.
    """
    side, gap, left, spectrum = 1.9, 0.28, 0.55, 1.15
    top = _top(title)
    plots = top + side + 2 * _LINE + 0.2
    width = left + len(pictures) * (side + gap) - gap + EDGE
    ours = [picture for picture in pictures.values() if isinstance(picture, Rendered)]
    others = [dict(picture.made_by) for picture in pictures.values() if isinstance(picture, ExternalPicture)]
    shown = sources(ours) | ({"others": others} if others else {})
    sheet = Sheet(width, plots + spectrum + 0.42, shown, title)
    power = {name: power_spectrum(picture.pixels, _canvas(picture)) for name, picture in pictures.items()}
    span = min(p.min() for p in power.values()) / 3, max(p.max() for p in power.values()) * 3
    for i, (name, picture) in enumerate(pictures.items()):
        x = left + i * (side + gap)
        sheet.picture(picture.pixels, x, top, side)
        sheet.word(_caption(name, picture), x, top + side + 0.03)
        steps = picture.steps if isinstance(picture, ExternalPicture) else picture.question.recipe.steps
        said = f"activation {printed(picture.activation)}, {steps} steps"
        sheet.word(said, x, top + side + 0.03 + _LINE, color=QUIET, fontsize=7)
        axes = sheet.plot(x, plots, side, spectrum)
        _spectrum(axes, power[name], span)
        if i == 0:
            axes.set_ylabel("power")
        else:
            axes.set_yticklabels([])
    return sheet


def _canvas(picture: Rendered | ExternalPicture) -> int:
    return len(picture.pixels) if isinstance(picture, ExternalPicture) else picture.question.recipe.size


def _caption(name: str, picture: Rendered | ExternalPicture) -> str:
    """A preset as a caption: for the full one, what is optimised and whether it is transformed."""
    if name != "full" or isinstance(picture, ExternalPicture):
        return {"raw": "raw pixels", "naive": "naive: pixels kept in range"}.get(name, name)
    recipe = picture.question.recipe
    moved = recipe.rotate or recipe.scale or recipe.shift
    what = {"fourier": "Fourier", "pixel": "pixels", "raw": "raw pixels"}[recipe.parameterization]
    return f"full: {what}, transformations" if moved else f"full: {what}"


def sources(pictures: Sequence[Rendered]) -> dict[str, Any]:
    """What a figure shows: weights, units, and every recipe with its units."""
    recipes: dict[Any, list[str]] = {}
    for picture in pictures:
        recipes.setdefault(picture.question.recipe, []).append(str(picture.unit))
    return {
        "checkpoints": sorted({p.provenance.checkpoint for p in pictures}),
        "fingerprints": sorted({p.question.fingerprint for p in pictures}),
        "views": sorted({p.question.view for p in pictures}),
        "recipes": [{"units": units, **asdict(recipe)} for recipe, units in recipes.items()],
    }


def _check_some(pictures: Sequence[Any]) -> None:
    if not pictures:
        raise UsageError("no pictures to show; name some units")


def _grid(pictures: Sequence[Any], columns: int) -> tuple[int, int]:
    """The numbers of rows and columns for pictures in at most ``columns`` columns."""
    _check_some(pictures)
    if columns < 1:
        raise UsageError(f"columns = {columns}: must be 1 or more")
    columns = min(columns, len(pictures))
    return math.ceil(len(pictures) / columns), columns


def _placed(
    pictures: Sequence[Rendered], columns: int, top: float, across: float, down: float
) -> Iterator[tuple[Rendered, tuple[float, float]]]:
    """Each picture with the position of its upper left corner, row by row."""
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        yield picture, (EDGE + column * across, top + row * down)


def _name(picture: Rendered, among: Sequence[Rendered]) -> str:
    """The unit, and the seed too if one unit is shown from several."""
    seeds = {other.question.recipe.seed for other in among if other.unit == picture.unit}
    return str(picture.unit) if len(seeds) == 1 else f"{picture.unit}, seed {picture.question.recipe.seed}"


def _spectrum(axes: Axes, power: NDArray[np.float64], span: tuple[float, float]) -> None:
    cycles = np.arange(1, len(power) + 1)
    axes.loglog(cycles, like_photographs(power), color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.loglog(cycles, power, color=BLUE, linewidth=1.2)
    axes.set_xlim(1, len(power))
    axes.set_ylim(*span)
    axes.minorticks_off()
    axes.set_xticks([1, 10, 100])
    axes.set_xticklabels(["1", "10", "100"])
    axes.set_xlabel("cycles a picture")


def _top(title: str) -> float:
    """Where pictures begin."""
    return _TITLE if title else EDGE
