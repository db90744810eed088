"""Runs a plan on this machine: batch after batch through the network, each finished picture at once into the store.

While a batch runs, threads draw for the next and encode the pictures of those before, and one writes them in order. If
a run is interrupted only the current batch is lost, and what is in the store is not rendered again.
"""

import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import torch

from generator.core.errors import AtlasError
from generator.core.text import legible
from generator.network import Inception
from generator.render.renderer import Advance, EncodedImage, Failure, Renderer, finish
from generator.store.plan import Batch, Plan
from generator.store.store import Store

Answers = Iterable[EncodedImage | Failure]

_ENCODERS = min(16, os.cpu_count() or 1)
_WAITING = 2  # batches that are encoded or written; a small one must not have the device wait for a large one
_SHORT = 70  # characters; some messages of torch have a thousand


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the units of a plan.

    ``failed`` has a line for each unit that failed, ``stopped`` is True after Ctrl-C or SIGTERM, and ``error`` is what
    ended the run early.
    """

    rendered: int
    present: int
    failed: tuple[str, ...] = ()
    stopped: bool = False
    error: AtlasError | None = None


def pick_device(name: str = "auto") -> torch.device:
    """A device by its torch name; ``auto`` is a GPU if there is one. Raises AtlasError if it cannot be used."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        with warnings.catch_warnings(action="ignore"):  # of names that no torch has any more
            device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        first = str(error).partition("\n")[0].partition(". ")[0]
        reason = first if len(first) <= _SHORT else "this torch has none of that name"
        raise AtlasError(f"cannot use the device “{legible(name, 40)}” ({reason}); type --device cpu") from error
    return device


def run(
    plan: Plan,
    net: Inception,
    store: Store,
    *,
    force: bool = False,
    forced: bool = False,
    advance: Advance = lambda units: None,
) -> Outcome:
    """Render every batch of a plan with a float32 network, on the network's device, and keep the results.

    ``forced`` is that of :class:`Renderer`. Ctrl-C, a full disk and the like end the run; the batch that they interrupt
    is lost, the rest is kept. Raises AtlasError if the store cannot be written at all.
    """
    renderer = Renderer(net, forced=forced)

    def answer(batches: Iterator[Batch]) -> Generator[Answers]:
        with ThreadPoolExecutor(_ENCODERS) as encoders:
            for rendered in renderer.render(batches, advance):
                yield encoders.map(finish, rendered)

    return keep(plan, store, answer, force=force, advance=advance)


def keep(
    plan: Plan,
    store: Store,
    answer: Callable[[Iterator[Batch]], Generator[Answers]],
    *,
    force: bool = False,
    advance: Advance = lambda units: None,
) -> Outcome:
    """Have the batches of a plan answered, and write the answers in a thread as they come. Every run writes by this.

    ``answer`` gets the batches one by one, each without the pictures that another renderer has kept by then.
    """
    store.prepare()
    rendered = skipped = lost_races = 0
    failed: list[str] = []
    stopped, ended = False, None

    def missing() -> Iterator[Batch]:
        nonlocal skipped
        for batch in plan.batches:
            parts = batch.parts
            asked = zip(*(part.questions for part in parts), strict=True)
            wanted = [i for i, each in enumerate(asked) if force or any(q.key not in store for q in each)]
            there = len(batch) - len(wanted)
            skipped += there * len(parts)
            advance(there)
            if wanted:
                yield batch.only(wanted)

    def write(answers: Answers) -> None:
        nonlocal rendered, lost_races
        for each in answers:
            if isinstance(each, Failure):
                failed.append(f"{each.question.unit}: {each.why}")
            elif store.write(each.question, each.provenance, each.picture, each.thumbnail, force=force):
                rendered += 1
            else:
                lost_races += 1

    try:
        with ThreadPoolExecutor(1) as writer, closing(answer(missing())) as answered:
            waiting: deque[Future[None]] = deque()
            for answers in answered:
                waiting.append(writer.submit(write, answers))
                if len(waiting) > _WAITING:
                    waiting.popleft().result()  # a full disk ends the run here
            while waiting:
                waiting.popleft().result()
    except KeyboardInterrupt:
        stopped = True
    except AtlasError as error:
        ended = error
    return Outcome(rendered, plan.present + skipped + lost_races, tuple(failed), stopped, ended)
