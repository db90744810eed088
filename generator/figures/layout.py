"""A sheet in inches, with pictures, words and plots.

All figures of a paper look alike: each is one sheet, with coordinates in inches from its upper left corner, in the type
of captions.
"""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.visible": False,
    "image.composite_image": False,  # each picture stays a picture of its own in the file
    "svg.hashsalt": "inception-atlas",  # the same figure gives the same file
    "pdf.fonttype": 42,  # type that journals can read
}
INK, QUIET, BLUE, VERMILION = "#1a1a1a", "#6b6b6b", "#0072b2", "#d55e00"  # the last two of Okabe and Ito
EDGE = 0.12  # inches around what is on a sheet
_NOTEBOOK_DPI = 120
_TITLE_SIZE, _LEAST_SIZE, _LETTER = 10, 5, 0.075  # points, points, and inches that a letter of the former takes


class Sheet(Figure):
    """A sheet, ``width`` x ``height`` inches, with a title if there is one.

    ``sources`` says what its pictures show, for the saved file.
    """

    def __init__(self, width: float, height: float, sources: Mapping[str, Any], title: str) -> None:
        with mpl.rc_context(STYLE):
            super().__init__(figsize=(width, height), facecolor="white")
            self.sources = dict(sources)
            self._page = self.add_axes((0, 0, 1, 1))
        self._width, self._height = width, height
        self._page.set_axis_off()
        self._frame()
        if title:
            self._title(title)

    def picture(self, pixels: NDArray[np.uint8], left: float, top: float, side: float) -> None:
        """H x W x 3 pixels as a square."""
        self._page.imshow(pixels, extent=(left, left + side, top + side, top), aspect="auto")
        self._frame()

    def word(self, text: str, left: float, top: float, **style: Any) -> None:
        """Text whose upper left corner is here, unless ``ha`` or ``va`` says otherwise; ``$`` is a dollar sign."""
        with mpl.rc_context(STYLE):
            self._page.text(left, top, text, parse_math=False, **{"va": "top", "ha": "left", "color": INK, **style})

    def _title(self, text: str) -> None:
        """A line over the whole width: smaller if it is long, cut off if it is very long."""
        fits = (self._width - 2 * EDGE) / _LETTER
        size = min(_TITLE_SIZE, max(_LEAST_SIZE, _TITLE_SIZE * fits / max(len(text), 1)))
        most = int(fits * _TITLE_SIZE / size)
        self.word(text if len(text) <= most else f"{text[: most - 1]}…", EDGE, 0.1, fontsize=size)

    def plot(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose frame is here; ticks and labels are outside of it."""
        with mpl.rc_context(STYLE):
            return self.add_axes(
                (left / self._width, 1 - (top + height) / self._height, width / self._width, height / self._height)
            )

    def _repr_jpeg_(self) -> bytes:
        """What a notebook shows: a JPEG. As PNG, pictures of texture would be several times as large."""
        buffer = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.savefig(buffer, format="jpeg", dpi=_NOTEBOOK_DPI, pil_kwargs={"quality": 85})
        return buffer.getvalue()

    def _frame(self) -> None:
        self._page.set_xlim(0, self._width)
        self._page.set_ylim(self._height, 0)
