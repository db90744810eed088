"""Which units respond alike: the most similar ones, an order of a layer, and a map of it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEEP = 6
PERPLEXITY = 15.0  # neighbours that count on a map
_MANY = 2048  # units; the best order of the leaves takes hours for tens of thousands of directions


def correlation(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """Pearson's r of the units of a layer, C x C, from S x C samples; 0 for a unit that never changes."""
    values = samples.astype(np.float32)
    values -= values.mean(0)
    length = np.linalg.norm(values, axis=0)
    values /= np.where(length > 0, length, np.inf).astype(np.float32)
    r: NDArray[np.float32] = values.T @ values
    return r


def most_similar(name: str, r: NDArray[np.float32], *, same: bool) -> dict[str, NDArray[Any]]:
    """The ``KEEP`` most similar units of each of C, by a C x D correlation, as arrays ``NAME_unit`` and ``NAME_r``.

    With ``same`` the layers are one, and no unit is its own like; then fewer units than that have fewer.
    """
    if same:
        r = r.copy()
        np.fill_diagonal(r, -2.0)
    order = np.argsort(-r, axis=1, kind="stable")[:, : min(KEEP, r.shape[1] - same)]
    return {f"{name}_unit": _small(order, r.shape[1]), f"{name}_r": np.take_along_axis(r, order, 1).astype(np.float16)}


def order_alike(r: NDArray[np.float32]) -> NDArray[Any]:
    """The units of a layer in an order in which neighbours respond alike, from their C x C correlation.

    Hierarchical clustering (average linkage on 1 - r), its leaves in the best order (Bar-Joseph et al., 2001) where
    units are not very many.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    if len(r) < 2:
        return _small(np.arange(len(r)), len(r))
    distance = np.clip(1 - (r + r.T) / 2, 0, 2)
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    tree = linkage(condensed, "average")
    leaves = leaves_list(optimal_leaf_ordering(tree, condensed) if len(r) <= _MANY else tree)
    return _small(leaves, len(r))


def _small(units: NDArray[Any], count: int) -> NDArray[Any]:
    """Numbers of so many units, in as few bytes as hold them."""
    return units.astype(np.int16 if count <= 2**15 else np.int32)


def grid_layout(r: NDArray[np.float32]) -> NDArray[np.int16]:
    """A map of a layer: row and column of each of C units, C x 2, from their C x C correlation.

    t-SNE (van der Maaten and Hinton, 2008) lays the units out by 1 - r. Then each gets a cell of its own in a grid of
    ceil(sqrt(C)) cells a side, so that they move as little as possible in all (the assignment problem).
    Equal correlations give equal places on one machine. Fewer than four units come in their order.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    count = len(r)
    side = math.ceil(math.sqrt(count))
    cells = np.stack(np.unravel_index(np.arange(side * side), (side, side)), 1)
    places: NDArray[np.int16]
    if count < 4:
        places = cells[:count].astype(np.int16)
        return places
    points = _tsne(np.clip(1 - (r + r.T) / 2, 0, 2))
    points -= points.min(0)
    points *= (side - 1) / max(float(points.max()), 1e-9)
    points += (side - 1 - points.max(0)) / 2  # in the middle of the grid
    _, cell = linear_sum_assignment(cdist(points, cells, "sqeuclidean"))
    places = cells[cell].astype(np.int16)
    return places


def _tsne(distance: NDArray[np.float32]) -> NDArray[np.float64]:
    """Places in the plane, C x 2, begun from the two main axes, so that no draw decides what lies where."""
    from sklearn.manifold import TSNE

    np.fill_diagonal(distance, 0)
    middle = distance**2
    middle = -(middle - middle.mean(0) - middle.mean(1)[:, None] + middle.mean()) / 2
    value, vector = np.linalg.eigh(middle.astype(np.float64))
    begin = vector[:, -2:] * np.sqrt(np.maximum(value[-2:], 1e-9))
    begin *= np.sign(begin[np.abs(begin).argmax(0), [0, 1]])  # an axis has no direction of its own
    begin *= 1e-4 / max(float(begin[:, 1].std()), 1e-9)
    perplexity = min(PERPLEXITY, (len(distance) - 1) / 3)
    laid = TSNE(metric="precomputed", init=begin.astype(np.float32), perplexity=perplexity, random_state=0)
    return np.asarray(laid.fit_transform(distance), dtype=np.float64)
