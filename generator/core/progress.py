"""The one progress bar, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

_FORMAT = "{desc} {percentage:3.0f}% {bar} {n:.0f}/{total:.0f}{unit}, {rate_noinv_fmt}, {remaining} left"
_LOG_SECONDS = 30  # between two lines in a log file


class Progress:
    """The progress of one task. Fractions may add up to a little more than the total; the bar stops at its end."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar

    def advance(self, count: float = 1) -> None:
        """Add what is done since the last call; negative, if something has to be done again."""
        self._bar.update(min(count, (self._bar.total or 0) - self._bar.n))

    def at(self, done: float, total: float) -> None:
        """Set what is done and the total, as far as they are known by now."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)


@contextmanager
def progress(
    what: str, unit: str, total: float = 0, *, keep: bool = False, show: bool | None = None
) -> Iterator[Progress]:
    """A bar while the block runs.

    It is removed at the end, and not drawn where stderr is no terminal. With ``keep`` it stays, and a log file gets a
    line from time to time. ``show`` decides by itself whether it is drawn.
    """
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        total=total, desc=what, unit=f" {unit}", bar_format=_FORMAT, file=sys.stderr, smoothing=0.1, leave=keep,
        disable=not (terminal or keep if show is None else show), dynamic_ncols=terminal,
        mininterval=0.2 if terminal else _LOG_SECONDS, ascii=None if terminal else True,
    ) as bar:  # fmt: skip
        yield Progress(bar)
