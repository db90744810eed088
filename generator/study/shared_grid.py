"""How alike units of any layers and networks respond: correlation over photographs and a grid that all layers share.

Each layer's responses after the ReLU are averaged within the cells of a GRID x GRID grid over the photograph, so that a
cell is the same place in each. Only sums and products are kept, so memory does not grow with the photographs.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generator.core.errors import AtlasError
from generator.network import Inception
from generator.photos.photographs import Photograph
from generator.study.analysis import Advance, Shard, Subject
from generator.study.shards import batches, layers_of, read_shards, shards_in

GRID = 7  # cells a side; the deepest layers have no more positions
SHARD = 256  # photographs; what is found in a shard is as large as all products are
Place = tuple[str, str]
"""A checkpoint, and one of its main layers."""
Pair = tuple[Place, Place]


def correlate(
    subject: Subject, photographs: Sequence[Photograph], pairs: Iterable[Pair], *, advance: Advance = lambda share: None
) -> tuple[dict[Pair, NDArray[np.float32]], int, dict[str, str]]:
    """Pearson's r of each unit of one place with each of another, C x D for each pair; 0 for a unit that never changes.

    Checkpoints are those of the subject and of its others. With them come the number of photographs that could be read,
    and why each of the rest could not. Raises AtlasError if none can be read.
    """
    wanted, left_out = list(dict.fromkeys(pairs)), dict[str, str]()
    once = [pair for i, pair in enumerate(wanted) if pair[::-1] not in wanted[:i]]
    checkpoints = {checkpoint for pair in once for checkpoint, _ in pair}
    others = [other for other in subject.others if other.checkpoint in checkpoints]
    shards = read_shards(photographs, lambda photograph, why: left_out.setdefault(photograph.name, why), SHARD)
    total, seen, count = dict[Any, NDArray[np.float64]](), 0, shards_in(photographs, SHARD)
    for photos, found in subject.look(partial(_look, once), shards, count, *others):
        seen += photos
        for key, value in found.items():  # the sums of a shard are exact enough in float32, those of all are not
            total[key] = total.get(key, np.zeros((), np.float64)) + value
        advance(1 / count)
    if not seen:
        raise AtlasError(f"none of {len(photographs)} photographs can be read ({next(iter(left_out.values()))})")
    rows = seen * GRID**2
    mean = {place: total["sum", place] / rows for pair in once for place in pair}
    scale = {at: np.sqrt(np.maximum(total["square", at] / rows - mean[at] ** 2, 0)) for at in mean}
    steady = {at: scale[at] < 1e-6 * (1 + mean[at]) for at in mean}
    r: dict[Pair, NDArray[np.float32]] = {}
    for one, other in once:
        values = total.pop((one, other)) / rows - np.outer(mean[one], mean[other])
        values /= np.maximum(np.outer(scale[one], scale[other]), 1e-12)
        values[steady[one][:, None] | steady[other]] = 0
        r[one, other] = np.clip(values, -1, 1).astype(np.float32)
    return {pair: r[pair] if pair in r else r[pair[::-1]].T for pair in wanted}, seen, left_out


def _look(pairs: Sequence[Pair], networks: Mapping[str, Inception], shard: Shard) -> tuple[int, dict[Any, Any]]:
    """The number of photographs; the sum of each unit and of its square, and the products of the pairs in float32."""
    places = {place for pair in pairs for place in pair}
    found: dict[Any, Any] = {}
    products: dict[Pair, Tensor] = {}
    nets = {name: networks[name] for name, _ in places}
    for batch in zip(*(batches(net, shard) for net in nets.values()), strict=True):
        seen = {
            (name, layer): F.adaptive_avg_pool2d(values.relu(), GRID).permute(0, 2, 3, 1).flatten(0, 2)
            for (name, net), (_, rgb) in zip(nets.items(), batch, strict=True)
            for layer, values in layers_of(net, rgb, [layer for of, layer in places if of == name])
        }
        for place, values in seen.items():
            for what, each in (("sum", values.sum(0)), ("square", values.square().sum(0))):
                found[what, place] = found.get((what, place), 0) + each.cpu().double().numpy()
        for one, other in pairs:
            if (one, other) not in products:
                products[one, other] = values.new_zeros(seen[one].shape[1], seen[other].shape[1])
            products[one, other].addmm_(seen[one].T, seen[other])
    return len(shard.places), found | {pair: product.cpu().numpy() for pair, product in products.items()}
