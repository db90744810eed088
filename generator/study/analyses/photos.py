"""What excites each unit in photographs, how strongly, how rarely, and whether it is one thing or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator.core.architecture import CLASSIFIER, Architecture
from generator.core.directions import AT, base_layer
from generator.core.errors import AtlasError
from generator.study.analysis import Advance, Analysis, Finding, Subject

if TYPE_CHECKING:
    from torch import Tensor

    from generator.study.responses import Responses

_CHUNK = 64
_CREDIT = ("title", "author", "licence", "source")


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """Two passes over the photographs answer for all layers, and for sets of directions in them.

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
    from generator.study.examples import examples
    from generator.study.responses import describe, gather

    if not subject.architecture.classes:
        raise AtlasError("these weights have no classifier, and photographs are told by their classes; use others")
    of_units = [layer for layer in layers if layer != CLASSIFIER]
    looked_at = tuple(dict.fromkeys(name for layer in layers for name in (base_layer(layer), layer)))
    responses = gather(subject, looked_at, advance=lambda share: advance(0.5 * share))
    arrays = {layer: examples(responses.layers[layer]) for layer in of_units}
    best = {layer: (found["best_photo"], found["best_position"]) for layer, found in arrays.items()}
    vectors = describe(subject, responses, best, advance=lambda share: advance(0.2 * share)) if best else {}
    units = sum(subject.architecture.layers[layer].channels for layer in of_units)
    for layer in of_units:
        found = responses.layers[layer]
        samples = found.samples.columns()
        whole = responses.layers[base_layer(layer)].samples.columns() if AT in layer else samples
        own = subject.network.vectors(layer).cpu() if AT in layer else None
        several, akin = _groups(whole, vectors.pop(layer), own, lambda done: advance(0.3 * done / units))
        facts = {"photographs": len(responses.seen), "grid": found.grid, **akin}
        if own is not None:
            facts["directions"] = len(own)
        yield Finding(layer, {**arrays[layer], **several, **_alike(samples)}, facts)
    if CLASSIFIER in layers:
        yield Finding(CLASSIFIER, _photographs(subject, responses), {"left_out": dict(responses.left_out)})


def _photographs(subject: Subject, responses: Responses) -> dict[str, NDArray[Any]]:
    seen = [subject.every_photograph[i] for i in responses.seen]
    credits = {name: np.array([getattr(p.credit, name) for p in seen]) for name in _CREDIT}
    return {
        "name": np.array([p.name for p in seen]),
        "sha256": np.array([p.sha256 for p in seen]),
        **credits,
        "top_class": responses.top_class.astype(np.int16),
        "probability": responses.probability,
    }


def _groups(
    samples: NDArray[np.float16], vectors: NDArray[np.float16], own: Tensor | None, advance: Callable[[int], object]
) -> tuple[dict[str, NDArray[Any]], dict[str, float]]:
    """``samples`` are those of the layer; without ``own``, what units are of it, they are its channels."""
    import torch

    from generator.study.groups import centres, cosines, describe, gram, group, one_cloud

    wide = samples.astype(np.float32)
    mean, deviation = torch.from_numpy(wide.mean(0)), torch.from_numpy(wide.std(0))
    own = torch.eye(len(mean)) if own is None else own
    groups, nulls, middles = [], [], []
    for first in range(0, len(vectors), _CHUNK):
        seen = torch.from_numpy(np.asarray(vectors[first : first + _CHUNK], dtype=np.float32))
        described = describe(seen, mean, deviation, own[first : first + len(seen)])
        products = gram(described)
        groups.append(group(cosines(products)))
        nulls.append(one_cloud(products))
        middles.append(centres(described, groups[-1].label))
        advance(len(seen))
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


def _alike(samples: NDArray[np.float16]) -> dict[str, NDArray[Any]]:
    from generator.study.similarity import correlation, most_similar, order_alike

    r = correlation(samples)
    return most_similar("alike", r, same=True) | {"alike_order": order_alike(r)}


def _layers(architecture: Architecture) -> Sequence[str]:
    return (*architecture.main_layers, *architecture.known_directions, CLASSIFIER)


ANALYSIS = Analysis(
    name="photos",
    help="What excites each unit in photographs, how rarely, and whether it is one thing or several.",
    compute=compute,
    settings={"version": 2},
    of_photographs=True,
    layers=_layers,
)
