"""Renders a plan on the cluster that is connected: workers render batches, and only this process writes."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from generator.cluster import scheduler
from generator.cluster.pool import WorkerPool
from generator.cluster.scheduler import Scheduler
from generator.network.load import Loaded
from generator.render.local import Outcome, keep
from generator.render.renderer import Advance, EncodedImage, Failure, Pending, Renderer, finish
from generator.store.plan import Batch, Plan
from generator.store.store import Store


class Worker(scheduler.Worker):
    """A renderer on a node, with threads that encode."""

    def begin(self, pool: WorkerPool, forced: bool = False) -> None:
        (net,) = self.networks.values()
        self._renderer = Renderer(net, forced=forced)
        self._device = ThreadPoolExecutor(1)
        self._encoders = ThreadPoolExecutor(max(1, pool.cores))

    def answer(self, batch: Batch) -> list[EncodedImage | Failure]:
        """Render and encode a batch."""
        return list(self._encoders.map(finish, self._device.submit(self.render, batch).result()))

    def render(self, batch: Batch) -> list[Pending]:
        return [each for part in self._renderer.render([batch]) for each in part]


def run(
    plan: Plan,
    loaded: Loaded,
    store: Store,
    pool: WorkerPool,
    *,
    force: bool = False,
    forced: bool = False,
    advance: Advance = lambda units: None,
    warn: Callable[[str], object] = lambda text: None,
) -> Outcome:
    """Render every batch of a plan on the cluster that is connected and keep the pictures, as
    :func:`generator.render.local.run` does.

    ``advance`` is called after each batch; ``warn`` gets a line for a lost worker and for a node with another torch.
    """

    def failed(batch: Batch, why: str) -> list[EncodedImage | Failure]:
        why = f"{why} its batch; type a smaller --batch"
        return [Failure(question, why) for part in batch.parts for question in part.questions]

    def answer(batches: Iterator[Batch]) -> Generator[list[EncodedImage | Failure]]:
        with closing(Scheduler(Worker, (loaded,), pool, warn, failed, forced)) as scheduler:
            for answers in scheduler.answers(batches, len(plan.batches)):
                advance(len({each.question.unit for each in answers}))
                yield answers

    return keep(plan, store, answer, force=force, advance=advance)
