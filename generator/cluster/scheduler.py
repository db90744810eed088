"""Has workers of the cluster that is connected answer what they are given, and gives back what was lost with a worker.

A worker is a Ray actor with one GPU, or with a group of cores, and the networks that it is started with. The weights go
into Ray's object store, which copies them once to each node. A worker has at most two pieces of work: the one it is at,
and the next, so that it never waits. If a worker is lost, its work goes to the front of the queue and another worker is
started.
"""

import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import torch

from generator.cluster.pool import WorkerPool
from generator.core.errors import AtlasError
from generator.network.fingerprint import fingerprint
from generator.network.load import Loaded
from generator.network.versions import versions

Work = TypeVar("Work")
Answer = TypeVar("Answer")

_QUEUED = 2  # pieces of work of a worker: the one it is at and the next
_LOSSES = 3  # workers that may be lost over one piece of work, or one after another at their start
_START_SECONDS = 600


class Worker:
    """The Ray actor: the networks of some checkpoints on a node. Those that inherit from it say what it answers."""

    def start(self, loaded: Iterable[Loaded], pool: WorkerPool, asked: Mapping[str, str], *more: Any) -> list[str]:
        """Build the networks; gives warnings. Raises AtlasError if this node has another version of inception-atlas."""
        mine, node = versions(), f"the node {socket.gethostname()}"
        if mine["inception-atlas"] != asked["inception-atlas"]:
            raise AtlasError(
                f"{node} has inception-atlas {mine['inception-atlas']}, not {asked['inception-atlas']}; type there: "
                f"pip install 'inception-atlas[ray]=={asked['inception-atlas']}'"
            )
        if any(fingerprint(each.tensors) != each.fingerprint for each in loaded):
            raise AtlasError(f"the weights came to {node} damaged; type the same command again")
        torch.set_num_threads(max(1, pool.cores))
        device = "cuda" if pool.gpu else "cpu"
        self.networks = {each.name: each.network(device) for each in loaded}
        self.begin(pool, *more)
        other = [f"{name} {mine[name]}, not {asked[name]}" for name in ("torch", "python") if mine[name] != asked[name]]
        return [f"{node} has {' and '.join(other)}; last digits may differ there"] if other else []

    def begin(self, pool: WorkerPool, *more: Any) -> None:
        """What else is to be there before the first work; ``more`` is what the scheduler was given."""

    def answer(self, work: Any) -> Any:
        """Two calls may run at a time, so that one can use the device while the other does what needs none."""
        raise NotImplementedError


@dataclass(eq=False, slots=True)
class _Task:
    """A piece of work, and how many workers were lost over it."""

    work: Any
    losses: int = 0


@dataclass(eq=False, slots=True)
class WorkerHandle:
    """A worker as the scheduler sees it: its actor, and its unanswered calls in the order they were made."""

    actor: Any
    started: Any
    ready: bool = False
    calls: dict[Any, _Task] = field(default_factory=dict)

    @property
    def pending(self) -> list[Any]:
        """What Ray is to be asked about: the calls, or the start."""
        return list(self.calls) if self.ready else [self.started]


class Scheduler(Generic[Work, Answer]):
    """Gives work to workers, and takes back that of workers that are lost."""

    def __init__(
        self,
        worker: type[Worker],
        loaded: Iterable[Loaded],
        pool: WorkerPool,
        warn: Callable[[str], object],
        failed: Callable[[Work, str], Answer],
        *more: Any,
    ) -> None:
        """``warn`` gets a line for a lost worker and for a node with another torch. ``failed`` gives the answer to work
        that lost too many workers, or raises. ``more`` is given to the worker's ``begin``.
        """
        import ray

        self._ray, self._warn, self._failed, self._size, self._left = ray, warn, failed, pool.workers, 0
        self._start_args = (ray.put(tuple(loaded)), pool, versions(), *more)
        actor: Any = ray.remote(worker)
        self._actor = actor.options(
            num_cpus=pool.cores, num_gpus=int(pool.gpu), max_restarts=0, max_task_retries=0, max_concurrency=_QUEUED
        )
        self._returned: deque[_Task] = deque()
        self._failed_starts = 0
        self._workers = [self._start_worker() for _ in range(pool.workers)]

    def _start_worker(self) -> WorkerHandle:
        actor = self._actor.remote()
        return WorkerHandle(actor, actor.start.remote(*self._start_args))

    def close(self) -> None:
        """Kill all workers, also those that are at work."""
        for worker in self._workers:
            self._ray.kill(worker.actor)

    def answers(self, work: Iterator[Work], count: int) -> Iterator[Answer]:
        """The answers to ``count`` pieces of work, as they are ready.

        Raises AtlasError if a worker does, or if none can start.
        """
        seen, self._left = time.monotonic(), count
        while True:
            self._give(work)
            if any(worker.ready for worker in self._workers):
                seen = time.monotonic()
                if not any(worker.calls for worker in self._workers):
                    return
            elif time.monotonic() > seen + _START_SECONDS:
                raise AtlasError(f"no worker could start in {_START_SECONDS} s; see `ray status`, type fewer --workers")
            pending = {ref: worker for worker in self._workers for ref in worker.pending}
            done, _ = self._ray.wait(list(pending), timeout=1)
            for ref in done:
                yield from self._take(ref, pending[ref], work)

    def _give(self, work: Iterator[Work]) -> None:
        while idle := [worker for worker in self._workers if self._has_room(worker)]:
            if self._returned:
                task = self._returned.popleft()
            elif (following := next(work, None)) is not None:
                task, self._left = _Task(following), self._left - 1
            else:
                return
            worker = min(idle, key=lambda worker: len(worker.calls))
            worker.calls[worker.actor.answer.remote(task.work)] = task

    def _has_room(self, worker: WorkerHandle) -> bool:
        """Whether a worker gets one more piece of work.

        It gets none in advance when fewer are left than workers, so that all end together. Work that lost a worker
        before is done alone, so that no other is lost with it.
        """
        lost = self._returned or any(task.losses for task in worker.calls.values())
        return worker.ready and len(worker.calls) < (1 if lost or self._left <= self._size else _QUEUED)

    def _take(self, ref: Any, worker: WorkerHandle, work: Iterator[Work]) -> Iterator[Answer]:
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
            self._give(work)  # before the result is used
            yield result

    def _lose(self, worker: WorkerHandle, error: Exception) -> Iterator[Answer]:
        """Take back the work of a lost worker and start another. Work that lost too many workers has failed."""
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
        for task in reversed(worker.calls.values()):
            task.losses += 1
            if task.losses < _LOSSES:
                self._returned.appendleft(task)
            else:
                yield self._failed(task.work, f"{_LOSSES} workers were lost over")
        if worker.ready:
            self._warn("a worker was lost; its work goes to another")
        else:
            self._failed_starts += 1
            if self._failed_starts >= _LOSSES:
                if not self._workers:
                    why = str(error).strip().splitlines()[-1]
                    raise AtlasError(f"no worker could start ({why}); each node needs inception-atlas[ray]")
                return
        self._workers.append(self._start_worker())
