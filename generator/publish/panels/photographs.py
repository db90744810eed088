"""What excites a unit in photographs: the strongest, how rarely it fires, whether it is one thing or several."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.core.architecture import CLASSIFIER
from generator.core.units import Unit
from generator.photos.credits import Credit
from generator.publish.album import KIND, MIDDLING, QUANTILE, STRONGEST
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel
from generator.store.findings import CLASSES, SIDE, class_name, middle, receptive_box


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph by its credits, what the network says of it, and where it fires, in pixels of the photograph.

    ``box`` is the path around what the position sees, ``at`` its middle. ``pixels`` is the address of the
    photograph, "" if it is not shown, and ``crop`` (left, top, side) the square that is cut out of it.
    """

    credit: Credit
    said: str
    probability: float
    value: float
    box: str
    at: tuple[int, int]
    pixels: str
    crop: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of strong positions: its share of them, and the classes that the network gives its photographs."""

    share: float
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Several:
    """Groups that are several things. ``silhouette`` is how clear they are, ``null`` how clear those of one cloud can
    be; ``kinship`` is how much the two largest have in common, ``akin`` how much those of two units can have."""

    groups: tuple[Group, ...]
    silhouette: float
    null: float
    kinship: float
    akin: float


@dataclass(frozen=True, slots=True)
class Photographs:
    """What the panel shows of one unit. ``best_mean`` is of the photograph with the largest mean over the grid.

    ``several`` is None where the study takes the strongest positions for one thing.
    """

    count: int
    fires: tuple[float, float]
    best_mean: float
    strongest: tuple[Photo, ...]
    middling: tuple[Photo, ...]
    several: Several | None


def read(catalog: Catalog) -> Lookup:
    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Photographs | None:
        layer = checkpoint.layers[unit.unit.layer]
        arrays, photos = (catalog.arrays(KIND, checkpoint.fingerprint, name) for name in (layer.name, CLASSIFIER))
        result = catalog.latest(KIND, checkpoint.fingerprint, layer.name)
        if not arrays or not photos or not result:
            return None
        facts = result.facts
        names = checkpoint.checkpoint.class_names
        channel, width = unit.unit.channel, unit.branch.receptive_field if unit.branch else None

        def photo(index: int, value: float, position: int) -> Photo:
            credit, shown = catalog.album.shown(photos, index)
            said = class_name(names, int(photos["top_class"][index]))
            left, top, right, bottom = receptive_box(layer.layer, position, facts["grid"], width)
            box = f"M{left} {top}H{right}V{bottom}H{left}z"
            at = middle(layer.layer, position, facts["grid"])
            probability = float(photos["probability"][index])
            return Photo(
                credit, said, probability, value, box, at, shown, _crop(at, width or layer.layer.receptive_field)
            )

        def shown(which: str, at: tuple[int, ...], count: int) -> tuple[Photo, ...]:
            index, value, position = (
                arrays[f"{which}_{x}"][(channel, *at)][:count] for x in ("photo", "value", "position")
            )
            each = zip(index.tolist(), value.tolist(), position.tolist(), strict=True)
            return tuple(photo(*row) for row in each)

        return Photographs(
            count=int(facts["photographs"]),
            fires=(float(arrays["fires"][channel, 0]), float(arrays["fires"][channel, 1])),
            best_mean=float(arrays["best_mean"][channel]),
            strongest=shown("best", (), STRONGEST),
            middling=shown("quantile", (QUANTILE,), MIDDLING),
            several=_several(arrays, photos, names, unit.unit, facts),
        )

    return lookup


def _crop(middle: tuple[int, int], width: int) -> tuple[int, int, int]:
    """A square as wide as what a position sees, and all of it inside the photograph."""
    side = min(width, SIDE)
    left, top = (max(0, min(at - width // 2, SIDE - side)) for at in middle)
    return left, top, side


def _several(
    arrays: Mapping[str, NDArray[Any]],
    photos: Mapping[str, NDArray[Any]],
    names: tuple[str, ...],
    unit: Unit,
    facts: Mapping[str, Any],
) -> Several | None:
    channel = unit.channel
    if "several" not in arrays or not arrays["several"][channel]:
        return None
    label, index = arrays["group"][channel], arrays["best_photo"][channel]
    groups = []
    for k in range(min(int(arrays["groups"][channel]), len(label))):
        members = index[label == k]
        common = Counter(class_name(names, int(c)) for c in photos["top_class"][members]).most_common(CLASSES)
        groups.append(Group(float(np.mean(label == k)), tuple(name for name, _ in common)))
    silhouette, null, kinship = (float(arrays[name][channel]) for name in ("silhouette", "null", "kinship"))
    return Several(tuple(groups), silhouette, null, kinship, float(facts["akin"]))


PANEL = Panel(order=10, template="panels/several.html", read=read, beside="panels/photographs.html")
