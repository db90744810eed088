"""Have the store answer what a study asks: each layer's answer is computed once and kept as soon as it is there."""

import io
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from generator import __version__
from generator.core.result import Result
from generator.store.store import Store
from generator.study.analysis import Advance, Analysis, Finding, Subject


@dataclass(frozen=True, slots=True)
class Todo:
    """An analysis, and the layers for which the store has no answer of it."""

    analysis: Analysis
    layers: tuple[str, ...]
    present: int


def missing(store: Store, subject: Subject, analyses: Iterable[Analysis], layers: Sequence[str] = ()) -> list[Todo]:
    """What is to be done, analysis by analysis; with ``layers``, for these alone."""
    todo = []
    for analysis in analyses:
        wanted = [x for x in analysis.layers(subject.architecture) if not layers or x in layers]
        lacking = tuple(layer for layer in wanted if analysis.key(subject, layer) not in store)
        todo.append(Todo(analysis, lacking, len(wanted) - len(lacking)))
    return todo


def run(
    store: Store, subject: Subject, todo: Iterable[Todo], advance: Advance = lambda share: None
) -> Iterator[tuple[Analysis, Result]]:
    """Compute and keep what is to be done. What is given has been written, so that Ctrl-C loses the layer at hand.

    ``advance`` is told shares of the whole. Raises AtlasError if the store cannot be written.
    """
    waiting = [each for each in todo if each.layers]
    for each in waiting:
        began = time.perf_counter()
        for found in each.analysis.compute(subject, each.layers, lambda share: advance(share / len(waiting))):
            seconds = round(time.perf_counter() - began, 3)
            yield each.analysis, _keep(store, subject, each.analysis, found, seconds)
            began = time.perf_counter()


def _keep(store: Store, subject: Subject, analysis: Analysis, found: Finding, seconds: float) -> Result:
    file = io.BytesIO()
    np.savez_compressed(file, **dict[str, Any](found.arrays))
    provenance = {
        "checkpoint": subject.checkpoint,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "versions": {"inception-atlas": __version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    return store.keep(
        analysis.kind,
        analysis.question(subject, found.layer),
        provenance,
        facts=found.facts,
        files={"arrays": ("npz", file.getvalue())},
    )
