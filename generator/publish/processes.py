"""Work on many items with all cores, in the order of the items.

>>> list(in_processes(lambda numbers: [sum(numbers)], range(10)))      # too few for it to pay: done here, in one go
[45]

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

_shared: list[tuple[Callable[[Sequence[Any]], Any], Sequence[Any]]] = []  # what the processes inherit


def in_processes(work: Callable[[Sequence[Item]], list[Result]], items: Sequence[Item]) -> Iterator[Result]:
    """The results of ``work``, which is given some of the items at a time and returns a list that can be pickled.

    What it raises is raised here. It must not change anything but files, for each process has a copy of all else.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    if len(items) < _FEWEST or cores == 1:
        yield from work(items)
        return
    _shared.append((work, items))
    try:
        with ProcessPoolExecutor(cores, mp_context=get_context("fork")) as pool:
            for done in pool.map(_work, [len(_shared) - 1] * len(items), range(0, len(items), _AT_ONCE)):
                yield from done
    finally:
        _shared.pop()


def _work(place: int, first: int) -> Any:
    work, items = _shared[place]
    return work(items[first : first + _AT_ONCE])
