"""How every unit responds to photographs: one pass over all of them, through all layers, with flat memory.

>>> with TemporaryDirectory() as folder:                                          # doctest: +SKIP
...     responses = gather(net, photographs, Path(folder))
...     responses.layers["mixed4a"].best_value[11]
array([812.4, 790.1, ...], dtype=float32)

What grows with the number of photographs lies on disk, as arrays that are mapped into memory; what is held is one batch
and the best of each unit. Values are those of the layer after the ReLU unless they are said to be before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.core.architecture import CLASSIFIER
from generator.core.errors import AtlasError
from generator.network import Inception
from generator.photos.photographs import Photograph, read_batches

BEST = 60  # photographs of a unit whose strongest positions are described, to see whether it answers to several things
WORST = 3
SAMPLES = 20_000  # positions at which all units are compared, spread evenly over the photographs


@dataclass(frozen=True)
class LayerResponses:
    """One layer's C units over P photographs. Positions are indices into the flattened grid, row by row.

    ``maxima``, ``positions`` and ``means`` are P x C on disk: the strongest value, where it is, and the mean over the
    grid. ``best_*`` are C x BEST, the strongest photographs first; ``worst_*`` C x WORST, the most negative values
    before the ReLU. ``fires`` is C: the share of positions above zero. ``samples`` is S x C on disk, the units at the
    same places of the same photographs in every layer.
    """

    grid: int
    maxima: NDArray[np.float32]
    positions: NDArray[np.uint16]
    means: NDArray[np.float32]
    best_value: NDArray[np.float32]
    best_photo: NDArray[np.int64]
    best_position: NDArray[np.int64]
    worst_value: NDArray[np.float32]
    worst_photo: NDArray[np.int64]
    worst_position: NDArray[np.int64]
    fires: NDArray[np.float64]
    samples: NDArray[np.float16]


@dataclass(frozen=True)
class Responses:
    """All layers; ``seen`` are the photographs that could be read, by index, in the order of the rows of the arrays.

    ``top_class`` and ``probability`` are what the network itself says of each of them. ``left_out`` says why a
    photograph is not among them.
    """

    layers: Mapping[str, LayerResponses]
    seen: NDArray[np.int64]
    top_class: NDArray[np.int64]
    probability: NDArray[np.float32]
    left_out: Mapping[str, str]


class _Tally:
    """What is known of one layer so far."""

    def __init__(self, folder: Path, name: str, channels: int, grid: int, photos: int, samples: int) -> None:
        def on_disk(what: str, dtype: type[np.generic], rows: int) -> NDArray[Any]:
            return np.lib.format.open_memmap(
                folder / f"{name}.{what}.npy", mode="w+", dtype=dtype, shape=(rows, channels)
            )

        self.grid, self.each = grid, samples // max(photos, 1)
        self.maxima = on_disk("maxima", np.float32, photos)
        self.positions = on_disk("positions", np.uint16, photos)
        self.means = on_disk("means", np.float32, photos)
        self.samples = on_disk("samples", np.float16, photos * self.each)
        self.best = _Best(channels, BEST, largest=True)
        self.worst = _Best(channels, WORST, largest=False)
        self.fires = torch.zeros(channels, dtype=torch.float64)

    def add(self, before: Tensor, row: int, places: Tensor) -> None:
        """One batch: N x C x H x W before the ReLU. ``places`` is N x each x 2 in 0..1."""
        flat = before.flatten(2)
        rows = slice(row, row + len(flat))
        low, low_at = flat.min(2)
        self.worst.add(low, low_at, row)
        high, high_at = flat.max(2)
        high = high.clamp_min_(0)
        self.best.add(high, high_at, row)
        self.maxima[rows], self.positions[rows] = high.cpu().numpy(), high_at.cpu().numpy()
        after = flat.relu()
        self.fires += after.sign().sum((0, 2)).cpu().double()
        self.means[rows] = after.mean(2).cpu().numpy()
        at = (places * self.grid).long()
        index = at[..., 0] * self.grid + at[..., 1]
        sampled = after.gather(2, index[:, None].expand(-1, after.shape[1], -1).to(after.device))
        sampled = sampled.transpose(1, 2).reshape(-1, after.shape[1])
        self.samples[row * self.each : (row + len(flat)) * self.each] = sampled.cpu().numpy()

    def done(self, rows: int) -> LayerResponses:
        return LayerResponses(
            grid=self.grid,
            maxima=self.maxima[:rows],
            positions=self.positions[:rows],
            means=self.means[:rows],
            best_value=self.best.value.numpy(),
            best_photo=self.best.photo.numpy(),
            best_position=self.best.position.numpy(),
            worst_value=self.worst.value.numpy(),
            worst_photo=self.worst.photo.numpy(),
            worst_position=self.worst.position.numpy(),
            fires=(self.fires / max(rows * self.grid**2, 1)).numpy(),
            samples=self.samples[: rows * self.each],
        )


class _Best:
    """The ``keep`` largest (or smallest) values of each channel, at most one a photograph; of equal ones the first."""

    def __init__(self, channels: int, keep: int, *, largest: bool) -> None:
        self._keep, self._sign = keep, 1.0 if largest else -1.0
        self.value = torch.empty(channels, 0)
        self.photo = torch.empty(channels, 0, dtype=torch.int64)
        self.position = torch.empty(channels, 0, dtype=torch.int64)

    def add(self, value: Tensor, position: Tensor, row: int) -> None:
        """N x C values and positions of the photographs from ``row`` on."""
        photo = torch.arange(row, row + len(value)).expand(value.shape[1], -1)
        values = torch.cat([self.value, value.T.float().cpu()], 1)
        photos, positions = torch.cat([self.photo, photo], 1), torch.cat([self.position, position.T.cpu()], 1)
        order = torch.argsort(values * -self._sign, dim=1, stable=True)[:, : self._keep]
        self.value, self.photo, self.position = (x.gather(1, order) for x in (values, photos, positions))


def gather(
    net: Inception,
    photographs: tuple[Photograph, ...],
    folder: Path,
    *,
    batch: int = 16,
    advance: Callable[[int], object] = lambda photographs: None,
) -> Responses:
    """Show every photograph to the network (float32, on any device) and keep how every unit responds.

    ``folder`` is for the arrays on disk, about 15 bytes a unit and photograph; it must outlive the result. Equal
    photographs give equal results on one machine, whatever the size of the batches, up to the last digits.
    """
    count, left_out = len(photographs), dict[str, str]()
    tallies: dict[str, _Tally] = {}
    seen: list[int] = []
    classes, probabilities = list[Tensor](), list[Tensor]()
    device, layers = net.mean.device, net.architecture.layers
    places = torch.rand(count, _each(count), 2, generator=torch.Generator().manual_seed(0))
    for indices, pixels in read_batches(photographs, batch, lambda p, why: left_out.setdefault(p.name, why)):
        rgb = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255)
        with torch.inference_mode():
            for name, values in net.every_layer(rgb):
                if name == CLASSIFIER:
                    strongest = values.max(1)
                    classes.append(strongest.indices.cpu())
                    probabilities.append(strongest.values.cpu())
                    continue
                if name not in tallies:
                    grid = values.shape[-1]
                    tallies[name] = _Tally(folder, name, layers[name].channels, grid, count, _each(count) * count)
                tallies[name].add(values, len(seen), places[indices])
        seen += indices
        advance(len(indices))
    done = {name: tally.done(len(seen)) for name, tally in tallies.items()}
    return Responses(done, np.array(seen), torch.cat(classes).numpy(), torch.cat(probabilities).numpy(), left_out)


def describe_best(
    net: Inception,
    photographs: tuple[Photograph, ...],
    responses: Responses,
    folder: Path,
    *,
    batch: int = 16,
    advance: Callable[[int], object] = lambda photographs: None,
) -> Mapping[str, NDArray[np.float16]]:
    """What each layer sees at the strongest positions of its units: C x BEST x C on disk, a second pass.

    Row i of unit c is the whole layer, after the ReLU, at ``best_position[c, i]`` of ``best_photo[c, i]``.
    """
    vectors: dict[str, NDArray[np.float16]] = {}
    wanted: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for name, layer in responses.layers.items():
        units, best = layer.best_photo.shape
        vectors[name] = np.lib.format.open_memmap(
            folder / f"{name}.vectors.npy", mode="w+", dtype=np.float16, shape=(units, best, units)
        )
        flat = layer.best_photo.ravel()
        order = np.argsort(flat, kind="stable")
        wanted[name] = order, flat[order]
    row = 0
    readable = tuple(photographs[i] for i in responses.seen)
    for indices, pixels in read_batches(readable, batch, _changed):
        rgb = torch.from_numpy(pixels).to(net.mean.device).permute(0, 3, 1, 2).float().div_(255)
        with torch.inference_mode():
            for name, values in net.every_layer(rgb):
                if name == CLASSIFIER:
                    continue
                order, photos = wanted[name]
                here = order[np.searchsorted(photos, row) : np.searchsorted(photos, row + len(indices))]
                unit, place = np.unravel_index(here, vectors[name].shape[:2])
                layer = responses.layers[name]
                photo = torch.from_numpy(layer.best_photo[unit, place] - row)
                position = torch.from_numpy(layer.best_position[unit, place])
                seen = values.permute(0, 2, 3, 1).flatten(1, 2)[photo, position].relu()
                vectors[name][unit, place] = seen.half().cpu().numpy()
        row += len(indices)
        advance(len(indices))
    return vectors


def _changed(photograph: Photograph, why: str) -> None:
    raise AtlasError(f"{photograph.path} changed while it was studied ({why}); type the same command again")


def _each(photographs: int) -> int:
    """Places at which a photograph is sampled."""
    return max(1, min(16, SAMPLES // max(photographs, 1)))
