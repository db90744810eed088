"""Renders a plan on the cluster that is connected: workers render batches, and only this process writes.

A worker is a Ray actor with one GPU, or with a group of cores, and a :class:`Renderer`. The weights go into Ray's
object store, which copies them once to each node. A worker has at most two batches: the one it renders, and the next,
so that it never waits for the writer. If a worker is lost, its batches go to the front of the queue and another worker
is started. What was answered before is in the store.

>>> with connect("10.0.0.5:6379") as pool:                                                # doctest: +SKIP
...     outcome = run(plan, load_tensors("inception5h"), store, pool, checkpoint="inception5h")
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
    """The Ray actor: a renderer on a node, with threads that encode."""

    def start(
        self, loaded: Loaded, checkpoint: str, pool: WorkerPool, asked: Mapping[str, str], forced: bool
    ) -> list[str]:
        """Build the network; gives warnings. Raises AtlasError if this node has another version of inception-atlas."""
        mine, node = versions(), f"the node {socket.gethostname()}"
        if mine["inception-atlas"] != asked["inception-atlas"]:
            raise AtlasError(
                f"{node} has inception-atlas {mine['inception-atlas']}, not {asked['inception-atlas']}; type there: "
                f"pip install 'inception-atlas[ray]=={asked['inception-atlas']}'"
            )
        if fingerprint(loaded.tensors) != loaded.fingerprint:
            raise AtlasError(f"the weights came to {node} damaged; type the same command again")
        torch.set_num_threads(max(1, pool.cores))
        net = Inception(loaded.architecture, loaded.tensors, loaded.fingerprint)
        net = net.to(memory_format=torch.channels_last).to("cuda" if pool.gpu else "cpu").eval()
        self._renderer = Renderer(net, checkpoint, forced=forced)
        self._device = ThreadPoolExecutor(1)
        self._encoders = ThreadPoolExecutor(max(1, pool.cores))
        other = [f"{name} {mine[name]}, not {asked[name]}" for name in ("torch", "python") if mine[name] != asked[name]]
        return [f"{node} has {' and '.join(other)}; last digits of its pictures may differ"] if other else []

    def answer(self, batch: Batch) -> list[EncodedImage | Failure]:
        """Render and encode a batch. Two calls may run at a time: one uses the device while the other encodes."""
        return list(self._encoders.map(finish, self._device.submit(self.render, batch).result()))

    def render(self, batch: Batch) -> list[Rendered | Failure]:
        return [each for part in self._renderer.render([batch]) for each in part]


def run(
    plan: Plan,
    loaded: Loaded,
    store: Store,
    pool: WorkerPool,
    *,
    checkpoint: str,
    force: bool = False,
    forced: bool = False,
    advance: Advance = lambda units: None,
    warn: Callable[[str], object] = lambda text: None,
) -> Outcome:
    """Render every batch of a plan on the cluster that is connected and keep the pictures, as
    :func:`generator.render.local.run` does.

    ``advance`` is called after each batch; ``warn`` gets a line for a lost worker and for a node with another torch.
    """

    def answer(batches: Iterator[Batch]) -> Generator[list[EncodedImage | Failure]]:
        with closing(Scheduler(loaded, checkpoint, pool, len(plan.batches), warn, forced)) as scheduler:
            for answers in scheduler.answers(batches):
                advance(len({each.question.unit for each in answers}))
                yield answers

    return keep(plan, store, answer, force=force, advance=advance)


@dataclass(eq=False, slots=True)
class WorkerHandle:
    """A worker as the scheduler sees it: its actor, and its unanswered calls in the order they were made."""

    actor: Any
    started: Any
    ready: bool = False
    calls: dict[Any, Batch] = field(default_factory=dict)

    @property
    def pending(self) -> list[Any]:
        """What Ray is to be asked about: the calls, or the start."""
        return list(self.calls) if self.ready else [self.started]


class Scheduler:
    """Gives batches to workers, and takes back those of workers that are lost."""

    def __init__(
        self,
        loaded: Loaded,
        checkpoint: str,
        pool: WorkerPool,
        batches: int,
        warn: Callable[[str], object],
        forced: bool = False,
    ) -> None:
        import ray

        self._ray, self._warn, self._size, self._left = ray, warn, pool.workers, batches
        self._start_args = (ray.put(loaded), checkpoint, pool, versions(), forced)
        actor: Any = ray.remote(Worker)
        self._actor = actor.options(
            num_cpus=pool.cores, num_gpus=int(pool.gpu), max_restarts=0, max_task_retries=0, max_concurrency=_QUEUED
        )
        self._returned: deque[Batch] = deque()
        self._losses: Counter[str] = Counter()
        self._failed_starts = 0
        self._workers = [self._start_worker() for _ in range(pool.workers)]

    def _start_worker(self) -> WorkerHandle:
        actor = self._actor.remote()
        return WorkerHandle(actor, actor.start.remote(*self._start_args))

    def close(self) -> None:
        for worker in self._workers:
            self._ray.kill(worker.actor)

    def answers(self, batches: Iterator[Batch]) -> Iterator[list[EncodedImage | Failure]]:
        """The answers to each batch, as they are ready. Raises AtlasError if a worker does, or if none can start."""
        seen = time.monotonic()
        while True:
            self._give(batches)
            if any(worker.ready for worker in self._workers):
                seen = time.monotonic()
                if not any(worker.calls for worker in self._workers):
                    return
            elif time.monotonic() > seen + _START_SECONDS:
                raise AtlasError(f"no worker could start in {_START_SECONDS} s; see `ray status`, type fewer --workers")
            pending = {ref: worker for worker in self._workers for ref in worker.pending}
            done, _ = self._ray.wait(list(pending), timeout=1)
            for ref in done:
                yield from self._take(ref, pending[ref], batches)

    def _give(self, batches: Iterator[Batch]) -> None:
        while idle := [worker for worker in self._workers if self._has_room(worker)]:
            if self._returned:
                batch = self._returned.popleft()
            elif (following := next(batches, None)) is not None:
                batch, self._left = following, self._left - 1
            else:
                return
            worker = min(idle, key=lambda worker: len(worker.calls))
            worker.calls[worker.actor.answer.remote(batch)] = batch

    def _has_room(self, worker: WorkerHandle) -> bool:
        """Whether a worker gets one more batch.

        It gets none in advance when fewer batches are left than workers, so that all end together. A batch that lost a
        worker before runs alone, so that no other batch is lost with it.
        """
        lost = self._returned or any(self._losses[batch.questions[0].key] for batch in worker.calls.values())
        return worker.ready and len(worker.calls) < (1 if lost or self._left <= self._size else _QUEUED)

    def _take(self, ref: Any, worker: WorkerHandle, batches: Iterator[Batch]) -> Iterator[list[EncodedImage | Failure]]:
        try:
            result = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, AtlasError) else error) from None
        except self._ray.exceptions.RayError as error:
            yield from self._lose(worker, error)
            return
        if not worker.ready:
            worker.ready, self._failed_starts = True, 0
            for text in result:
                self._warn(text)
        else:
            del worker.calls[ref]
            self._give(batches)  # before the result is written
            yield result

    def _lose(self, worker: WorkerHandle, error: Exception) -> Iterator[list[EncodedImage | Failure]]:
        """Take back the batches of a lost worker and start another. A batch that lost too many workers has failed."""
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
        for batch in reversed(worker.calls.values()):
            key = batch.questions[0].key
            self._losses[key] += 1
            if self._losses[key] < _LOSSES:
                self._returned.appendleft(batch)
            else:
                why = f"{_LOSSES} workers were lost over its batch; type a smaller --batch"
                yield [Failure(question, why) for part in batch.parts for question in part.questions]
        if worker.ready:
            self._warn("a worker was lost; its batches go to another")
        else:
            self._failed_starts += 1
            if self._failed_starts >= _LOSSES:
                if not self._workers:
                    why = str(error).strip().splitlines()[-1]
                    raise AtlasError(f"no worker could start ({why}); each node needs inception-atlas[ray]")
                return
        self._workers.append(self._start_worker())
