"""A map of a layer: every unit at a place of a square grid, beside units that respond alike.

>>> place = grid_layout(r)                                                        # doctest: +SKIP
>>> place.shape, place[11]                                                        # doctest: +SKIP
((512, 2), array([ 3, 17], dtype=int16))

t-SNE (van der Maaten and Hinton, 2008; scikit-learn's) lays the units out by 1 - r. Then each gets a cell of its own,
so that they move as little as possible in all (the assignment problem, by scipy).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

PERPLEXITY = 15.0  # neighbours that count


def grid_layout(r: NDArray[np.float32]) -> NDArray[np.int16]:
    """Row and column of each of C units, C x 2, from their C x C correlation; the grid has ceil(sqrt(C)) cells a side.

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
