"""What excites each unit in photographs, how strongly, how rarely, and whether it is one thing or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator.core.architecture import CLASSIFIER, Architecture
from generator.core.errors import AtlasError
from generator.study.analysis import Advance, Analysis, Finding, Subject

if TYPE_CHECKING:
    from generator.study.responses import LayerResponses, Responses

QUANTILES = (99, 95, 90, 75, 50)
EACH = 9  # photographs at each quantile
_CURVE = np.linspace(0, 1, 21)
_CHUNK = 64
_CREDIT = ("title", "author", "licence", "source")


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """Two passes over the photographs answer for all layers.

    The layer ``softmax2`` stands for the photographs themselves: what each is called, whose it is, and what the network
    says of it. The others have, for C units, P photographs by their place in that list, and n = 60:

    - ``best_photo``, ``best_value``, ``best_position``, C x n: the strongest, and where in the flattened grid;
    - ``quantile_*``, C x 5 x 9: the same around the 99th, 95th, 90th, 75th and 50th percentile of the photographs;
    - ``worst_*``, C x 3: the most negative before the ReLU;
    - ``max_curve``, ``mean_curve``, C x 21: quantiles over the photographs of the strongest value and of the mean;
    - ``fires``, C x 2: the share of photographs and of positions at which it fires at all; ``best_mean``, C;
    - ``group``, C x n: which group each strong position is of; ``groups``, C; ``silhouette``, C, ``null``, C: how clear
      they are, and how clear those of one cloud can be; ``kinship``, C: the cosine between the two largest;
    - ``several``, C: whether they are clearer than the null and no more akin than groups of two units mostly are, which
      is the fact ``akin``;
    - ``alike_unit``, ``alike_r``, C x 6: the most similar units of the layer; ``alike_order``, C.
    """
    from generator.study.responses import describe_best, gather

    assert subject.photographs is not None, "the question was asked with photographs"
    if not subject.architecture.classes:
        raise AtlasError("these weights have no classifier, and photographs are told by their classes; use others")
    photographs = subject.photographs.photographs
    with TemporaryDirectory(prefix="atlas-study-") as name:
        folder, share = Path(name), 1 / len(photographs)
        responses = gather(subject.network, photographs, folder, advance=lambda count: advance(0.55 * share * count))
        vectors = describe_best(
            subject.network, photographs, responses, folder, advance=lambda count: advance(0.3 * share * count)
        )
        for layer in layers:
            if layer == CLASSIFIER:
                yield Finding(layer, _photographs(subject, responses), {"left_out": dict(responses.left_out)})
            else:
                found = responses.layers[layer]
                arrays, facts = _examples(found), {"photographs": len(responses.seen), "grid": found.grid}
                several, akin = _groups(found, vectors[layer])
                yield Finding(layer, {**arrays, **several, **_alike(found)}, {**facts, **akin})
            advance(0.15 / len(layers))


def _photographs(subject: Subject, responses: Responses) -> dict[str, NDArray[Any]]:
    assert subject.photographs is not None
    seen = [subject.photographs.photographs[i] for i in responses.seen]
    credits = {name: np.array([getattr(p.credit, name) for p in seen]) for name in _CREDIT}
    return {
        "name": np.array([p.name for p in seen]),
        "sha256": np.array([p.sha256 for p in seen]),
        **credits,
        "top_class": responses.top_class.astype(np.int16),
        "probability": responses.probability,
    }


def _examples(layer: LayerResponses) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "best_photo": layer.best_photo.astype(np.int32),
        "best_value": layer.best_value,
        "best_position": layer.best_position.astype(np.int16),
        "worst_photo": layer.worst_photo.astype(np.int32),
        "worst_value": layer.worst_value,
        "worst_position": layer.worst_position.astype(np.int16),
    }
    photos, units = layer.maxima.shape
    around = np.arange(EACH) - EACH // 2
    ranks = np.array([np.clip(round((1 - q / 100) * (photos - 1)) + around, 0, photos - 1) for q in QUANTILES])
    chosen: list[list[NDArray[Any]]] = []
    for first in range(0, units, _CHUNK):
        columns = slice(first, first + _CHUNK)
        maxima, positions = layer.maxima[:, columns], layer.positions[:, columns]
        means = layer.means[:, columns]
        order = np.argsort(-maxima, axis=0, kind="stable")[ranks.ravel()]
        shape = (-1, *ranks.shape)
        chosen.append(
            [
                order.T.reshape(shape).astype(np.int32),
                np.take_along_axis(maxima, order, 0).T.reshape(shape),
                np.take_along_axis(positions, order, 0).T.reshape(shape).astype(np.int16),
                np.quantile(maxima, _CURVE, axis=0).T.astype(np.float32),
                np.quantile(means, _CURVE, axis=0).T.astype(np.float32),
                (maxima > 0).mean(0, dtype=np.float32),
                means.max(0),
            ]
        )
    names = ("quantile_photo", "quantile_value", "quantile_position", "max_curve", "mean_curve", "fires", "best_mean")
    arrays |= {name: np.concatenate(parts) for name, parts in zip(names, zip(*chosen, strict=True), strict=True)}
    arrays["fires"] = np.stack([arrays["fires"], layer.fires.astype(np.float32)], axis=1)
    return arrays


def _groups(layer: LayerResponses, vectors: NDArray[np.float16]) -> tuple[dict[str, NDArray[Any]], dict[str, float]]:
    import torch

    from generator.study.groups import centres, cosines, describe, gram, group, one_cloud

    samples = np.asarray(layer.samples, dtype=np.float32)
    mean, deviation = torch.from_numpy(samples.mean(0)), torch.from_numpy(samples.std(0))
    groups, nulls, middles = [], [], []
    for first in range(0, len(vectors), _CHUNK):
        seen = torch.from_numpy(np.asarray(vectors[first : first + _CHUNK], dtype=np.float32))
        described = describe(seen, mean, deviation, torch.arange(first, first + len(seen)))
        products = gram(described)
        groups.append(group(cosines(products)))
        nulls.append(one_cloud(products))
        middles.append(centres(described, groups[-1].label))
    middle = torch.cat(middles)
    common = (middle[:, 0] @ middle[:, 1].T).numpy()  # of a group of one unit and a group of another
    silhouette, null = np.concatenate([part.silhouette for part in groups]), np.concatenate(nulls)
    kinship = common.diagonal().copy()
    akin = round(float(np.quantile(common[~np.eye(len(common), dtype=bool)], 0.95)), 4) if len(common) > 1 else -1.0
    arrays = {
        "group": np.concatenate([part.label for part in groups]),
        "groups": np.concatenate([part.count for part in groups]).astype(np.int8),
        "silhouette": silhouette,
        "null": null,
        "kinship": kinship,
        "several": (silhouette > null) & (kinship < akin),
    }
    return arrays, {"akin": akin}


def _alike(layer: LayerResponses) -> dict[str, NDArray[Any]]:
    from generator.study.similarity import correlation, most_similar, order_alike

    r = correlation(layer.samples, layer.samples)
    like = most_similar(r, same=True)
    return {
        "alike_unit": like.unit.astype(np.int16),
        "alike_r": like.r.astype(np.float16),
        "alike_order": order_alike(r).astype(np.int16),
    }


def _layers(architecture: Architecture) -> Sequence[str]:
    return (*architecture.main_layers, CLASSIFIER)


ANALYSIS = Analysis(
    name="photos",
    help="What excites each unit in photographs, how rarely, and whether it is one thing or several.",
    compute=compute,
    settings={"version": 2},
    of_photographs=True,
    layers=_layers,
)
