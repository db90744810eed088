"""Work on many items with all cores, in the order of the items.

>>> list(in_processes(lambda number: number**2, range(4)))      # too few for other processes to pay: done here
[0, 1, 4, 9]

A process is a fork of this one, so it has all that was read before and nothing is sent to it. Only Linux forks safely
and at once; elsewhere, and for a few items, the work is done here.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

_FEWEST = 1000  # items for which a second process pays
_AT_ONCE = 200  # items that a process takes at once

Item = TypeVar("Item")
Result = TypeVar("Result")

_shared: list[tuple[Callable[[Any], Any], Sequence[Any]]] = []  # what the processes inherit


def in_processes(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results of ``work`` on each item; they can be pickled.

    What it raises is raised here. It must not change anything but files, for each process has a copy of all else.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    if len(items) < _FEWEST or cores == 1:
        yield from map(work, items)
        return
    _shared.append((work, items))
    try:
        with ProcessPoolExecutor(cores, mp_context=get_context("fork")) as pool:
            for done in pool.map(_work, [len(_shared) - 1] * len(items), range(0, len(items), _AT_ONCE)):
                yield from done
    finally:
        _shared.pop()


def _work(place: int, first: int) -> list[Any]:
    work, items = _shared[place]
    return [work(item) for item in items[first : first + _AT_ONCE]]
