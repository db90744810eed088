"""One thing or several: the strongest positions of a unit, grouped by what else the layer sees there.

Each position is described by the layer's other channels. Positions that are described alike are of one kind; a unit
whose best photographs fall into clear groups that have little in common answers to several things.

Spherical k-means (Dhillon and Modha, 2001) needs the cosines between positions and nothing else, so that all units of a
layer are grouped at once from small matrices. The number of groups is that of the best silhouette (Rousseeuw, 1987).

Any cloud of points can be grouped. So two things are asked of the groups. Are they clearer than those of one cloud?
:func:`one_cloud` turns the positions at random, which keeps their mean and their covariance; were they drawn from one
normal distribution, what it gives would be as likely as what was seen (a rotation test: Langsrud, 2005). And do they
have little in common? :func:`centres` gives what two groups share, to be held against the groups of other units.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FEWEST, MOST = 2, 6
LOW, HIGH = -3.0, 8.0  # of a standardised channel: a few that are far out must not decide alone
_STARTS, _STEPS = 8, 20
ROTATIONS = 19  # clearer than all of them: p <= 1 / 20


@dataclass(frozen=True, slots=True)
class Grouped:
    """For each of U units: the number of groups, how clear they are, and the group of each of its N positions.

    ``silhouette`` is -1..1, the mean over the positions, by cosine distance. ``label`` is U x N, the largest group 0.
    """

    count: NDArray[np.int64]
    silhouette: NDArray[np.float32]
    label: NDArray[np.int8]


def describe(vectors: Tensor, mean: Tensor, deviation: Tensor, own: Tensor) -> Tensor:
    """U x N x C activations, standardised by ``mean`` and ``deviation`` (C) and cut to LOW..HIGH.

    ``own`` is what each unit is of the layer's channels, U x C: a one for a channel, a vector for a direction. It
    describes nothing, as it is high at all of the unit's positions, and is taken out.
    """
    deviation = deviation.clamp_min(1e-6)
    x = ((vectors - mean) / deviation).clamp_(LOW, HIGH)
    own = torch.nn.functional.normalize(own * deviation, dim=1, eps=0)[:, None]
    return x - (x * own).sum(2, keepdim=True) * own


def gram(described: Tensor) -> Tensor:
    """The inner products, U x N x N, of the N positions of each unit, their mean taken off."""
    x = described - described.mean(1, keepdim=True)
    return x @ x.transpose(1, 2)


def cosines(products: Tensor) -> Tensor:
    """How alike positions are, -1..1, from their U x N x N inner products."""
    length = products.diagonal(dim1=1, dim2=2).clamp_min(1e-9).sqrt()
    return products / length[:, :, None] / length[:, None, :]


def one_cloud(products: Tensor) -> NDArray[np.float32]:
    """The clearest silhouette of ROTATIONS groupings of one cloud of the same mean and covariance, for each unit.

    Turning the N positions by a random rotation that keeps their mean changes the N x N products alone.
    """
    n = products.shape[1]
    generator = torch.Generator().manual_seed(0)
    first = torch.cat([torch.ones(n, 1), torch.randn(n, n - 1, generator=generator)], 1)
    basis = torch.linalg.qr(first)[0][:, 1:]  # of what is at a right angle to the mean
    clearest = np.full(len(products), -1, dtype=np.float32)
    for _ in range(ROTATIONS):
        q, r = torch.linalg.qr(torch.randn(n - 1, n - 1, generator=generator))
        turn = basis @ (q * r.diagonal().sign()) @ basis.T  # uniform over all rotations: Mezzadri, 2007
        clearest = np.maximum(clearest, group(cosines(turn @ products @ turn.T)).silhouette)
    return clearest


def centres(described: Tensor, label: NDArray[np.int8]) -> Tensor:
    """The directions of the two largest groups of each unit, U x 2 x C, of unit length; their product is a cosine."""
    member = torch.nn.functional.one_hot(torch.from_numpy(label).long(), MOST)[:, :, :2].float()
    return torch.nn.functional.normalize(member.transpose(1, 2) @ described, dim=2)


def group(alike: Tensor) -> Grouped:
    """Group the positions of each unit by their U x N x N cosines, into FEWEST to MOST groups."""
    units, n, _ = alike.shape
    best = torch.full((units,), -2.0)
    count = torch.zeros(units, dtype=torch.int64)
    label = torch.zeros(units, n, dtype=torch.int64)
    for k in range(FEWEST, MOST + 1):
        labels = _spherical_k_means(alike, k)
        value = silhouette(alike, labels, k)
        better = value > best + 1e-6
        best, count = torch.where(better, value, best), torch.where(better, k, count)
        label = torch.where(better[:, None], labels, label)
    ordered = [_largest_first(row) for row in label.numpy()]
    return Grouped(count.numpy(), best.numpy().astype(np.float32), np.array(ordered, dtype=np.int8).reshape(units, n))


def silhouette(alike: Tensor, labels: Tensor, k: int) -> Tensor:
    """The mean silhouette of U groupings (U x N labels of k groups) by cosine distance; a position alone counts 0."""
    member = torch.nn.functional.one_hot(labels, k).float()
    size = member.sum(1)
    total = (1 - alike) @ member  # U x N x k: distances to all of each group
    own_size = (member @ size[:, :, None]).squeeze(2)
    within = (total * member).sum(2) / (own_size - 1).clamp_min(1)
    other = (total / size[:, None].clamp_min(1)).masked_fill(member.bool() | (size[:, None] == 0), torch.inf).amin(2)
    value = (other - within) / torch.maximum(other, within).clamp_min(1e-9)
    alone = (own_size <= 1) | torch.isinf(other)
    return value.masked_fill(alone, 0).mean(1)


def _spherical_k_means(alike: Tensor, k: int) -> Tensor:
    """The labels, U x N, of the best of some starts: the largest sum of cosines to the centres of the groups.

    All starts take their steps together, as columns of one product: three times sooner than one after another.
    """
    units, n, _ = alike.shape
    generator = torch.Generator().manual_seed(k)
    first = torch.cat([torch.randint(n, (1,), generator=generator) for _ in range(_STARTS)])
    now = _farthest_first(alike, k, first)
    for _ in range(_STEPS):
        member = torch.nn.functional.one_hot(now, k).float().transpose(1, 2)  # U x N x starts x k
        dot = (alike @ member.reshape(units, n, -1)).view_as(member)  # each position with the sum of each group
        length = (member * dot).sum(1, keepdim=True).clamp_min(1e-9).sqrt()  # of the sums
        empty = member.sum(1, keepdim=True) == 0
        near, following = (dot / length).masked_fill(empty, -torch.inf).max(3)
        if torch.equal(following.transpose(1, 2), now):
            break
        now = following.transpose(1, 2)
    return now[torch.arange(units), near.sum(1).argmax(1)]


def _farthest_first(alike: Tensor, k: int, first: Tensor) -> Tensor:
    """Labels by k centres, U x starts x N, each the position least like those before it; the ``first`` are given."""
    unit = torch.arange(len(alike))[:, None]
    centres = [first.expand(len(alike), -1)]
    nearest = alike[:, first]
    for _ in range(k - 1):
        centres.append(nearest.argmin(2))
        nearest = torch.maximum(nearest, alike[unit, centres[-1]])
    return torch.stack([alike[unit, centre] for centre in centres], 3).argmax(3)


def _largest_first(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    found, size = np.unique(labels, return_counts=True)
    rank = np.argsort(-size, kind="stable")
    renamed = np.empty(found.max() + 1, dtype=np.int64)
    renamed[found[rank]] = np.arange(len(found))
    return renamed[labels]
