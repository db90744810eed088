"""How every unit responds to photographs: one pass over all of them, through all layers, with flat memory.

What grows with the number of photographs lies on disk and is read a few units at a time; what is held is one shard of
them. Values are those of the layer after the ReLU unless they are said to be before it. Those of directions are
projections on them, and have no ReLU.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryFile
from typing import Any, NamedTuple, NoReturn
from weakref import finalize

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.core.architecture import CLASSIFIER
from generator.core.directions import AT, base_layer
from generator.core.errors import AtlasError
from generator.network import Inception
from generator.photos.photographs import SIDE, Photograph
from generator.study.analysis import Advance, Shard, Subject
from generator.study.shards import batches, layers_of, read_shards, shards_in

SHARD = 128  # photographs
WORST = 3
SAMPLES = 20_000  # positions at which all units are compared, spread evenly over the photographs
_BLOCK = 4096  # rows that are read at once


class Rows:
    """An array on disk that is written row by row and read column by column. Its file has no name: nothing is left."""

    def __init__(self, dtype: type[np.generic], width: int) -> None:
        self.width, self._dtype = width, dtype
        self._file = TemporaryFile()  # noqa: SIM115 - closed when nobody has the rows any more
        finalize(self, self._file.close)

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows, N x width."""
        self._file.write(np.ascontiguousarray(rows, self._dtype).data)

    def columns(self, some: slice = slice(None)) -> NDArray[Any]:
        """All rows, or ``some`` columns of them: rows x columns, in memory."""
        blocks = [np.empty((0, self.width), self._dtype)[:, some]]
        self._file.seek(0)
        while len(read := np.fromfile(self._file, self._dtype, _BLOCK * self.width)):
            blocks.append(read.reshape(-1, self.width)[:, some].copy())
        return np.concatenate(blocks)


class _Seen(NamedTuple):
    """What one layer of C units says of N photographs, N x C each, and S x C ``samples``.

    The strongest value and where it is, the most negative before the ReLU, the mean over the grid, and the number of
    positions above zero. Positions are indices into the flattened grid, row by row.
    """

    high: NDArray[np.float32]
    high_at: NDArray[np.uint16]
    low: NDArray[np.float32]
    low_at: NDArray[np.uint16]
    mean: NDArray[np.float32]
    fired: NDArray[np.int32]
    samples: NDArray[np.float16]


@dataclass(frozen=True)
class LayerResponses:
    """One layer's C units over P photographs, as :class:`_Seen` has them.

    ``maxima``, ``positions`` and ``means`` are P x C; ``samples`` is S x C, the units at the same places of the same
    photographs in every layer. ``worst_*`` are C x WORST. ``fires`` is C: the share of positions above zero.
    """

    grid: int
    maxima: Rows
    positions: Rows
    means: Rows
    samples: Rows
    worst_value: NDArray[Any]
    worst_photo: NDArray[Any]
    worst_position: NDArray[Any]
    fires: NDArray[Any]


@dataclass(frozen=True)
class Responses:
    """The layers that were asked for; ``seen`` are the photographs that could be read, by index, in the order of rows.

    ``top_class`` and ``probability`` are what the network itself says of each, if it was asked. ``left_out`` says why
    a photograph is not among them.
    """

    layers: Mapping[str, LayerResponses]
    seen: NDArray[np.int64]
    top_class: NDArray[np.int64]
    probability: NDArray[np.float32]
    left_out: Mapping[str, str]


def gather(subject: Subject, layers: Sequence[str], *, advance: Advance = lambda share: None) -> Responses:
    """Show every photograph to the network and keep how every unit of these layers responds.

    Temporary files take about 10 bytes a unit and photograph. Raises AtlasError if no photograph can be read.
    """
    photographs, left_out = subject.every_photograph, dict[str, str]()
    tallies = {name: _Tally(name, subject) for name in layers if name != CLASSIFIER}
    seen, said = list[int](), [(np.empty(0, np.int64), np.empty(0, np.float32))]
    shards = read_shards(photographs, lambda photograph, why: left_out.setdefault(photograph.name, why), SHARD)
    look = partial(_look, subject.checkpoint, tuple(layers), len(photographs))
    count = shards_in(photographs, SHARD)
    for places, found, classes in subject.look(look, shards, count):
        for name, each in found.items():
            tallies[name].add(each, len(seen))
        said += classes
        seen += places
        advance(1 / count)
    if not seen:
        raise AtlasError(f"none of {len(photographs)} photographs can be read ({next(iter(left_out.values()))})")
    done = {name: tally.done(len(seen)) for name, tally in tallies.items()}
    top, probability = (np.concatenate(each) for each in zip(*said, strict=True))
    return Responses(done, np.array(seen), top, probability, left_out)


def describe(
    subject: Subject,
    responses: Responses,
    best: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    *,
    advance: Advance = lambda share: None,
) -> dict[str, NDArray[np.float16]]:
    """What each layer sees at the strongest positions of its units: U x n x C on disk, a second pass.

    ``best`` has the photographs of a layer's units, U x n, and the positions. Row i of unit u is the whole layer of C
    channels, after the ReLU, at ``position[u, i]`` of ``photo[u, i]``; of a direction, the layer that it is in.
    """
    rows = np.unique(np.concatenate([photo.ravel() for photo, _ in best.values()]))
    chosen = [subject.every_photograph[i] for i in responses.seen[rows]]
    vectors, wanted = dict[str, NDArray[np.float16]](), {}
    for name, (photo, position) in best.items():
        with TemporaryFile() as file:
            wide = subject.architecture.layers[base_layer(name)].channels
            vectors[name] = np.memmap(file, np.float16, "w+", shape=(*photo.shape, wide))
        of = np.searchsorted(rows, photo.ravel())
        order = np.argsort(of, kind="stable")
        wanted[name] = order, of[order], position.ravel()[order].astype(np.int64)
    waiting = deque[Mapping[str, NDArray[np.int64]]]()

    def ask() -> Iterator[Shard]:
        for shard in read_shards(chosen, _changed, SHARD):
            ends = (shard.places[0], shard.places[-1] + 1)
            cuts = {name: slice(*np.searchsorted(of, ends)) for name, (_, of, _) in wanted.items()}
            waiting.append({name: wanted[name][0][cut] for name, cut in cuts.items()})
            asked = {name: (wanted[name][1][cut] - ends[0], wanted[name][2][cut]) for name, cut in cuts.items()}
            yield replace(shard, asked=asked)

    count = shards_in(chosen, SHARD)
    for found in subject.look(partial(_look_again, subject.checkpoint), ask(), count):
        for name, places in waiting.popleft().items():
            vectors[name].reshape(-1, vectors[name].shape[2])[places] = found[name]
        advance(1 / count)
    return vectors


def _look(
    checkpoint: str, layers: Sequence[str], photographs: int, networks: Mapping[str, Inception], shard: Shard
) -> tuple[list[int], Mapping[str, _Seen], list[tuple[NDArray[np.int64], NDArray[np.float32]]]]:
    """The places of the photographs, what each layer says of them, and the class and its probability."""
    net, parts = networks[checkpoint], dict[str, list[_Seen]]()
    each, step = _sampled(photographs)
    places = torch.rand(photographs, each, 2, generator=torch.Generator().manual_seed(0))[shard.places]
    chosen = torch.tensor(shard.places) % step == 0
    classes = []
    for some, rgb in batches(net, shard):
        for name, values in layers_of(net, rgb, layers):
            if name == CLASSIFIER:
                strongest = values.max(1)
                classes.append((strongest.indices.cpu().numpy(), strongest.values.cpu().numpy()))
            else:
                parts.setdefault(name, []).append(_summed_up(values, places[some], chosen[some], AT not in name))
    return (
        shard.places,
        {name: _Seen(*map(np.concatenate, zip(*of, strict=True))) for name, of in parts.items()},
        classes,
    )


def _summed_up(before: Tensor, places: Tensor, chosen: Tensor, rectified: bool) -> _Seen:
    """N x C x H x W before the ReLU, if the layer has one. ``places`` is N x each x 2 in 0..1; ``chosen`` says which of
    the N are sampled."""
    flat, grid = before.flatten(2), before.shape[-1]
    low, low_at = flat.min(2)
    high, high_at = flat.max(2)
    after = flat.relu() if rectified else flat
    at = (places[chosen] * grid).long()
    index = (at[..., 0] * grid + at[..., 1]).to(after.device)
    samples = after[chosen].gather(2, index[:, None].expand(-1, after.shape[1], -1)).transpose(1, 2).flatten(0, 1)
    numbers = (high.relu() if rectified else high, high_at, low, low_at, after.mean(2), (flat > 0).sum(2), samples)
    dtypes = (np.float32, np.uint16, np.float32, np.uint16, np.float32, np.int32, np.float16)
    return _Seen(*(x.cpu().numpy().astype(dtype) for x, dtype in zip(numbers, dtypes, strict=True)))


def _look_again(checkpoint: str, networks: Mapping[str, Inception], shard: Shard) -> dict[str, NDArray[np.float16]]:
    """The whole layer at each position that is asked about."""
    net, parts = networks[checkpoint], dict[str, list[NDArray[np.float16]]]()
    bases = [base_layer(name) for name in shard.asked]
    for some, rgb in batches(net, shard):
        for base, values in layers_of(net, rgb, bases):
            for name in (each for each in shard.asked if base_layer(each) == base):
                photo, position = shard.asked[name]
                here = slice(*np.searchsorted(photo, (some.start, some.stop)))
                index = (torch.from_numpy(photo[here] - some.start), torch.from_numpy(position[here]))
                seen = values.permute(0, 2, 3, 1).flatten(1, 2)[index].relu()
                parts.setdefault(name, []).append(seen.half().cpu().numpy())
    return {name: np.concatenate(of) for name, of in parts.items()}


class _Tally:
    """What is known of one layer so far."""

    def __init__(self, name: str, subject: Subject) -> None:
        width = subject.architecture.layers[name].channels
        self._rows = [Rows(dtype, width) for dtype in (np.float32, np.uint16, np.float32, np.float16)]
        self._grid = subject.architecture.grid(name, SIDE)
        self._fired = np.zeros(width, np.int64)
        self._worst: list[NDArray[Any]] = [np.empty((0, width), of) for of in (np.float32, np.int64, np.int64)]

    def add(self, seen: _Seen, row: int) -> None:
        """The photographs from ``row`` on."""
        kept: tuple[NDArray[Any], ...] = (seen.high, seen.high_at, seen.mean, seen.samples)
        for rows, each in zip(self._rows, kept, strict=True):
            rows.append(each)
        self._fired += seen.fired.sum(0)
        photo = np.broadcast_to(np.arange(row, row + len(seen.low))[:, None], seen.low.shape)
        low: tuple[NDArray[Any], ...] = (seen.low, photo, seen.low_at)
        worst = [np.concatenate(pair) for pair in zip(self._worst, low, strict=True)]
        order = np.argsort(worst[0], axis=0, kind="stable")[:WORST]
        self._worst = [np.take_along_axis(each, order, 0) for each in worst]

    def done(self, rows: int) -> LayerResponses:
        maxima, positions, means, samples = self._rows
        value, photo, position = (each.T for each in self._worst)
        fires = self._fired / (rows * self._grid**2)
        return LayerResponses(self._grid, maxima, positions, means, samples, value, photo, position, fires)


def _changed(photograph: Photograph, why: str) -> NoReturn:
    raise AtlasError(f"{photograph.path} changed while it was studied ({why}); type the same command again")


def _sampled(photographs: int) -> tuple[int, int]:
    """Places at which a photograph is sampled, and that only every so many photographs are."""
    return max(1, min(16, SAMPLES // photographs)), -(-photographs // SAMPLES)
