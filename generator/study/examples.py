"""Photographs that stand for what a unit responds to: the strongest, those at some percentiles, the most negative."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.study.responses import LayerResponses

BEST = 60  # photographs of a unit whose strongest positions are described, to see whether it answers to several things
QUANTILES = (99, 95, 90, 75, 50)
EACH = 9  # photographs at each quantile
_CURVE = np.linspace(0, 1, 21)
_UNITS = 64  # that are read from disk at once


def examples(layer: LayerResponses) -> dict[str, NDArray[Any]]:
    """The arrays ``best_*``, ``quantile_*``, ``worst_*``, ``*_curve`` and ``fires`` of a layer's C units, as
    :mod:`generator.study.analyses.photos` describes them. Of equal values the first photograph counts."""
    found: list[dict[str, NDArray[Any]]] = []
    for first in range(0, layer.maxima.width, _UNITS):
        some = slice(first, first + _UNITS)
        maxima, positions, means = (rows.columns(some) for rows in (layer.maxima, layer.positions, layer.means))
        order = np.argsort(-maxima, axis=0, kind="stable")
        found.append(
            {
                **_chosen("best", order[:BEST], maxima, positions),
                **_chosen("quantile", order[_ranks(len(maxima))], maxima, positions),
                "max_curve": np.quantile(maxima, _CURVE, axis=0).T.astype(np.float32),
                "mean_curve": np.quantile(means, _CURVE, axis=0).T.astype(np.float32),
                "fires": (maxima > 0).mean(0, dtype=np.float32),
                "best_mean": means.max(0),
            }
        )
    arrays = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    quantiles = {name: arrays[name].reshape(-1, len(QUANTILES), EACH) for name in arrays if name.startswith("quantile")}
    return {
        **arrays,
        **quantiles,
        "worst_photo": layer.worst_photo.astype(np.int32),
        "worst_value": layer.worst_value,
        "worst_position": layer.worst_position.astype(np.int16),
        "fires": np.stack([arrays["fires"], layer.fires.astype(np.float32)], axis=1),
    }


def _chosen(
    name: str, order: NDArray[np.int64], maxima: NDArray[np.float32], positions: NDArray[np.uint16]
) -> dict[str, NDArray[Any]]:
    """Photographs of U units by their indices, n x U, as U x n."""
    return {
        f"{name}_photo": order.T.astype(np.int32),
        f"{name}_value": np.take_along_axis(maxima, order, 0).T,
        f"{name}_position": np.take_along_axis(positions, order, 0).T.astype(np.int16),
    }


def _ranks(photographs: int) -> NDArray[np.int64]:
    """The ranks around each percentile, one after another."""
    around = np.arange(EACH) - EACH // 2
    last = photographs - 1
    return np.concatenate([np.clip(round((1 - q / 100) * last) + around, 0, last) for q in QUANTILES])
