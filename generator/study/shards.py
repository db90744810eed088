"""Photographs in shards, each looked at by all networks that are asked, on this machine or by the workers of a cluster.

Shards are the same whoever looks at them, and what is found comes in their order, so that a cluster finds what one
process finds. Photographs are read by the process that was started; workers get pixels, and need no files.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor

from generator.cluster import scheduler
from generator.cluster.pool import WorkerPool
from generator.core.directions import AT, base_layer
from generator.core.errors import AtlasError
from generator.network import Inception
from generator.network.load import Loaded
from generator.photos.photographs import Photograph, read_batches
from generator.study.analysis import Look, Shard, Spread

_BATCH, _GPU_BATCH = 16, 128  # photographs that go through the network at once


def read_shards(
    photographs: Sequence[Photograph], left_out: Callable[[Photograph, str], object], size: int
) -> Iterator[Shard]:
    """All that can be read, from each ``size`` of them; ``left_out`` is told of the others, with the reason."""
    for places, pixels in read_batches(photographs, size, left_out):
        yield Shard(places, pixels)


def shards_in(photographs: Sequence[Photograph], size: int) -> int:
    """How many shards of ``size`` photographs, the last maybe smaller."""
    return -(-len(photographs) // size)


def batches(net: Inception, shard: Shard) -> Iterator[tuple[slice, Tensor]]:
    """A shard as the network takes it, a few at a time: which of them, and N x 3 x SIDE x SIDE in 0..1."""
    device = net.mean.device
    size = _GPU_BATCH if device.type == "cuda" else _BATCH
    for start in range(0, len(shard.pixels), size):
        some = slice(start, start + size)
        yield some, torch.from_numpy(shard.pixels[some]).to(device).permute(0, 3, 1, 2).float().div_(255)


def layers_of(net: Inception, rgb: Tensor, wanted: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    """The layers that are wanted, as ``every_layer`` gives them; what is deeper than all of these is not computed.

    Of a set of directions, the projections of what its layer gives after the ReLU: N x directions x H x W.
    """
    waiting: dict[str, list[str]] = {}
    for name in dict.fromkeys(wanted):
        waiting.setdefault(base_layer(name), []).append(name)
    with torch.inference_mode():
        for base, values in net.every_layer(rgb):
            for name in waiting.pop(base, ()):
                yield name, F.conv2d(values.relu(), net.vectors(name)[..., None, None]) if AT in name else values
            if not waiting:
                return


class Worker(scheduler.Worker):
    """Looks at shards, one at a time."""

    def begin(self, pool: WorkerPool, *more: Any) -> None:
        self._one = threading.Lock()

    def answer(self, work: tuple[int, Look[Any], Shard]) -> tuple[int, Any]:
        number, look, shard = work
        with self._one:
            return number, look(self.networks, shard)


@contextmanager
def on_cluster(loaded: Iterable[Loaded], pool: WorkerPool, warn: Callable[[str], object]) -> Iterator[Spread]:
    """What has the workers of a cluster look at shards. A shard whose worker is lost goes to another."""

    def lost(work: object, why: str) -> NoReturn:
        raise AtlasError(f"{why} the same photographs; type fewer --workers, so that each has more memory")

    workers: scheduler.Scheduler[Any, tuple[int, Any]] = scheduler.Scheduler(Worker, loaded, pool, warn, lost)
    with closing(workers):

        def spread(look: Look[Any], shards: Iterator[Shard], count: int) -> Iterator[Any]:
            work = ((number, look, shard) for number, shard in enumerate(shards))
            waiting: dict[int, Any] = {}
            following = 0
            for number, found in workers.answers(work, count):
                waiting[number] = found
                while following in waiting:
                    yield waiting.pop(following)
                    following += 1

        yield spread
