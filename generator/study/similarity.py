"""Which units respond alike: correlation over the same places of the same photographs.

>>> like = most_similar(samples_4a, samples_4b)                                   # doctest: +SKIP
>>> like.unit[11], like.r[11]                                                     # doctest: +SKIP
(array([ 40, 211, ...]), array([0.71, 0.66, ...], dtype=float32))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEEP = 6


@dataclass(frozen=True, slots=True)
class Similar:
    """For each of C units the ``KEEP`` most similar units of a layer, C x KEEP: their channels, and Pearson's r."""

    unit: NDArray[np.int64]
    r: NDArray[np.float32]


def standardized(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """S x C samples with mean 0 and length 1 in each column; a column that never changes is 0, like nothing."""
    values = samples.astype(np.float32)
    values -= values.mean(0)
    length = np.linalg.norm(values, axis=0)
    values /= np.where(length > 0, length, np.inf).astype(np.float32)
    return values


def correlation(samples: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float32]:
    """Pearson's r of each unit with each other one, C x D, from S x C and S x D samples at the same places."""
    r: NDArray[np.float32] = standardized(samples).T @ standardized(others)
    return r


def most_similar(r: NDArray[np.float32], *, same: bool = False, keep: int = KEEP) -> Similar:
    """The most similar units by a C x D correlation; with ``same`` the layers are one, and no unit is its own like."""
    r = r.copy()
    if same:
        np.fill_diagonal(r, -2.0)
    order = np.argsort(-r, axis=1, kind="stable")[:, :keep]
    return Similar(order, np.take_along_axis(r, order, 1))


def order_alike(r: NDArray[np.float32]) -> NDArray[np.int64]:
    """The units of a layer in an order in which neighbours respond alike, from their C x C correlation.

    Hierarchical clustering (average linkage on 1 - r) with optimal leaf ordering (Bar-Joseph et al., 2001).
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    distance = np.clip(1 - (r + r.T) / 2, 0, 2)
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    leaves: NDArray[np.int64] = leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed))
    return leaves
