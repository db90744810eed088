"""Renders a plan on the connected cluster: workers answer batches, and only this process writes.

A worker is an actor that holds one GPU, or a group of cores, and a :class:`Renderer`. The weights are put into Ray's
object store once, and sent once to each node. A worker has two batches at most, the one that it renders and the next,
so that it never waits for the writer. If a worker is lost, its batches go to the front of the queue, and another worker
is started. Batches that were answered before are in the store.

>>> with connect("10.0.0.5:6379") as crew:                                                # doctest: +SKIP
...     outcome = run(plan, load_tensors("inception5h"), store, crew, checkpoint="inception5h")
"""

from __future__ import annotations

import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import torch

from generator.core.errors import AtlasError
from generator.core.record import Rendered
from generator.network import Inception
from generator.network.fingerprint import fingerprint
from generator.network.load import Loaded
from generator.render.local import Outcome, keep
from generator.render.ray.cluster import WorkerPool
from generator.render.renderer import Advance, EncodedImage, Failure, Renderer, finish, versions
from generator.store.plan import Batch, Plan
from generator.store.store import Store

_QUEUED = 2  # batches of a worker: the one it renders and the next
_LOSSES = 3  # workers that may be lost over one batch, or one after another at their start
_START_SECONDS = 600


class Worker:
    """The actor: a renderer on a node, with threads that encode."""

    def begin(self, loaded: Loaded, checkpoint: str, crew: WorkerPool, asked: Mapping[str, str]) -> list[str]:
        """Build the network, and return warnings. Raises AtlasError if this node has another version of the package."""
        mine, node = versions(), f"the node {socket.gethostname()}"
        if mine["inception-atlas"] != asked["inception-atlas"]:
            raise AtlasError(
                f"{node} has inception-atlas {mine['inception-atlas']}, not {asked['inception-atlas']}; type there: "
                f"pip install 'inception-atlas[ray]=={asked['inception-atlas']}'"
            )
        if fingerprint(loaded.tensors) != loaded.fingerprint:
            raise AtlasError(f"the weights came to {node} damaged; type the same command again")
        torch.set_num_threads(max(1, crew.cores))
        net = Inception(loaded.architecture, loaded.tensors, loaded.fingerprint)
        net = net.to(memory_format=torch.channels_last).to("cuda" if crew.gpu else "cpu").eval()
        self._renderer = Renderer(net, checkpoint)
        self._device = ThreadPoolExecutor(1)
        self._encoders = ThreadPoolExecutor(max(1, crew.cores))
        other = [f"{name} {mine[name]}, not {asked[name]}" for name in ("torch", "python") if mine[name] != asked[name]]
        return [f"{node} has {' and '.join(other)}; last digits of its pictures may differ"] if other else []

    def answer(self, batch: Batch) -> list[EncodedImage | Failure]:
        """Render and encode. Two calls may run at a time: while one uses the device, the other encodes."""
        return list(self._encoders.map(finish, self._device.submit(self.render, batch).result()))

    def render(self, batch: Batch) -> list[Rendered | Failure]:
        return [each for part in self._renderer.render(batch) for each in part]


def run(
    plan: Plan,
    loaded: Loaded,
    store: Store,
    crew: WorkerPool,
    *,
    checkpoint: str,
    force: bool = False,
    advance: Advance = lambda units: None,
    warn: Callable[[str], object] = lambda text: None,
) -> Outcome:
    """Render every batch of a plan on the connected cluster and keep the results, like ``local.run``.

    ``advance`` is called when a batch is answered; ``warn`` is told of lost workers and of nodes with another torch.
    """

    def answer(batches: Iterator[Batch]) -> Generator[list[EncodedImage | Failure]]:
        with closing(Scheduler(loaded, checkpoint, crew, len(plan.batches), warn)) as foreman:
            for answers in foreman.answers(batches):
                advance(len({each.question.unit for each in answers}))
                yield answers

    return keep(plan, store, answer, force=force, advance=advance)


@dataclass(eq=False, slots=True)
class WorkerHandle:
    """A worker as this process knows it: its actor, and the calls that it has not answered yet, in their order."""

    actor: Any
    begun: Any
    ready: bool = False
    calls: dict[Any, Batch] = field(default_factory=dict)


class Scheduler:
    """Gives batches to workers, and takes back those of workers that are lost."""

    def __init__(
        self, loaded: Loaded, checkpoint: str, crew: WorkerPool, batches: int, warn: Callable[[str], object]
    ) -> None:
        import ray

        self._ray, self._warn, self._workers, self._left = ray, warn, crew.workers, batches
        self._orders = (ray.put(loaded), checkpoint, crew, versions())
        actor: Any = ray.remote(Worker)
        self._actor = actor.options(
            num_cpus=crew.cores, num_gpus=int(crew.gpu), max_restarts=0, max_task_retries=0, max_concurrency=_QUEUED
        )
        self._returned: deque[Batch] = deque()
        self._losses: Counter[str] = Counter()
        self._failed_starts = 0
        self._hands = [self._start_worker() for _ in range(crew.workers)]

    def _start_worker(self) -> WorkerHandle:
        actor = self._actor.remote()
        return WorkerHandle(actor, actor.begin.remote(*self._orders))

    def close(self) -> None:
        for hand in self._hands:
            self._ray.kill(hand.actor)

    def answers(self, batches: Iterator[Batch]) -> Iterator[list[EncodedImage | Failure]]:
        """The results of each batch, as they are done. Raises AtlasError if a worker does, or if no worker starts."""
        seen = time.monotonic()
        while True:
            self._give(batches)
            if any(hand.ready for hand in self._hands):
                seen = time.monotonic()
                if not any(hand.calls for hand in self._hands):
                    return
            elif time.monotonic() > seen + _START_SECONDS:
                raise AtlasError(f"no worker could start in {_START_SECONDS} s; see `ray status`, type fewer --workers")
            pending = {ref: hand for hand in self._hands for ref in (hand.calls if hand.ready else [hand.begun])}
            done, _ = self._ray.wait(list(pending), timeout=1)
            for ref in done:
                yield from self._take(ref, pending[ref], batches)

    def _give(self, batches: Iterator[Batch]) -> None:
        while idle := [hand for hand in self._hands if self._has_room(hand)]:
            if self._returned:
                batch = self._returned.popleft()
            elif (following := next(batches, None)) is not None:
                batch, self._left = following, self._left - 1
            else:
                return
            hand = min(idle, key=lambda hand: len(hand.calls))
            hand.calls[hand.actor.answer.remote(batch)] = batch

    def _has_room(self, hand: WorkerHandle) -> bool:
        """Whether a worker gets one more batch. It gets none in advance if there are fewer batches than workers, so
        that all end together; nor beside a batch that lost a worker before, so that no other batch is lost with it.
        """
        lost = self._returned or any(self._losses[batch.questions[0].key] for batch in hand.calls.values())
        return hand.ready and len(hand.calls) < (1 if lost or self._left <= self._workers else _QUEUED)

    def _take(self, ref: Any, hand: WorkerHandle, batches: Iterator[Batch]) -> Iterator[list[EncodedImage | Failure]]:
        try:
            came = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, AtlasError) else error) from None
        except self._ray.exceptions.RayError as error:
            yield from self._lose(hand, error)
            return
        if not hand.ready:
            hand.ready, self._failed_starts = True, 0
            for text in came:
                self._warn(text)
        else:
            del hand.calls[ref]
            self._give(batches)  # before the results are written
            yield came

    def _lose(self, hand: WorkerHandle, error: Exception) -> Iterator[list[EncodedImage | Failure]]:
        """Take a lost worker's batches back and start another worker. A batch that lost too many workers has failed."""
        self._hands.remove(hand)
        self._ray.kill(hand.actor)
        for batch in reversed(hand.calls.values()):
            key = batch.questions[0].key
            self._losses[key] += 1
            if self._losses[key] < _LOSSES:
                self._returned.appendleft(batch)
            else:
                why = f"{_LOSSES} workers were lost over its batch; type a smaller --batch"
                yield [Failure(question, why) for part in batch.parts for question in part.questions]
        if hand.ready:
            self._warn("a worker was lost; what it had goes to another")
        else:
            self._failed_starts += 1
            if self._failed_starts >= _LOSSES:
                if not self._hands:
                    why = str(error).strip().splitlines()[-1]
                    raise AtlasError(f"no worker could start ({why}); each node needs inception-atlas[ray]")
                return
        self._hands.append(self._start_worker())
