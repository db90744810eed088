"""What a unit is built from and what uses it, each with the kernel between them."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.core.architecture import OUTPUT
from generator.core.directions import base_layer
from generator.core.units import Unit
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel
from generator.store.findings import class_name

SHOWN = 6  # of each sign; the store has twice as many
BAR, KERNEL = 84, 30  # pixels: the width of the longest bar, and of a kernel
SHADES = 7  # of red and of blue: with grey, a pixel takes four bits
_RED, _BLUE, _NONE = np.array([214, 60, 50]), np.array([50, 100, 200]), np.array([236, 236, 236])
_PALETTE = [
    int(level)
    for shade in range(-SHADES, SHADES + 1)
    for level in _NONE + ((_RED if shade > 0 else _BLUE) - _NONE) * abs(shade) // SHADES
]


@dataclass(frozen=True, slots=True)
class Tie:
    """Another unit. ``bar`` is how strongly it is tied to this one, of BAR pixels for the strongest tie; ``kernel`` is
    where their kernel begins in the picture of all, in pixels."""

    unit: AtlasUnit
    bar: int
    kernel: int


@dataclass(frozen=True, slots=True)
class Ties:
    """The strongest ties to one layer. ``explained`` is the share of the squared weight that the store's 24 hold.

    ``kernels`` are those of the ties, none if each is one weight.
    """

    layer: str
    exciting: tuple[Tie, ...]
    inhibiting: tuple[Tie, ...]
    explained: float
    kernels: NDArray[Any]


@dataclass(frozen=True, slots=True)
class ClassTie:
    """A class, and its unit of the output if the atlas has one."""

    name: str
    unit: AtlasUnit | None


@dataclass(frozen=True, slots=True)
class Weights:
    """What the panel shows: ``inputs`` of the layer before, ``outputs`` of the layer after; either may be None.
    ``kernels`` is a picture of all their kernels side by side, shown ``width`` pixels wide.

    Units of the last layer have ``argues_for`` and ``against``: classes, the strongest first.
    """

    inputs: Ties | None
    outputs: Ties | None
    kernels: str = ""
    width: int = 0
    argues_for: tuple[ClassTie, ...] = ()
    against: tuple[ClassTie, ...] = ()


def read(catalog: Catalog) -> Lookup:
    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Weights | None:
        layers = checkpoint.checkpoint.architecture.weighted_layers
        found = catalog.arrays("study/weights", checkpoint.fingerprint, unit.unit.layer)
        if not found or (base := base_layer(unit.unit.layer)) not in layers:
            return None
        place = layers.index(base)
        before = _ties(checkpoint, found, "input", unit.unit, layers[place - 1], 0) if place else None
        drawn = len(before.kernels) if before else 0
        last = place + 1 == len(layers)
        after = None if last else _ties(checkpoint, found, "output", unit.unit, layers[place + 1], drawn)
        kernels = [ties.kernels for ties in (before, after) if ties and len(ties.kernels)]
        picture = kernels_picture(_of_one_size(kernels)) if kernels else ""
        argues_for, against = (_classes(checkpoint, found, way, unit.unit) for way in ("for", "against"))
        return Weights(before, after, picture, sum(map(len, kernels)) * KERNEL, argues_for, against)

    return lookup


def _ties(
    checkpoint: AtlasCheckpoint, arrays: Mapping[str, NDArray[Any]], way: str, unit: Unit, layer: str, place: int
) -> Ties | None:
    """``place`` is that of its first kernel in the picture of all."""
    if f"{way}_unit" not in arrays:
        return None
    channels, norms = arrays[f"{way}_unit"][unit.channel], arrays[f"{way}_norm"][unit.channel]
    kernels, explained = arrays[f"{way}_map"][unit.channel], arrays[f"{way}_explained"][unit.channel]
    others, half = checkpoint.layers[layer].units, len(channels) // 2

    exciting, inhibiting = ([i for i in range(at, at + SHOWN) if channels[i] >= 0] for at in (0, half))
    if not (shown := [*exciting, *inhibiting]):
        return None
    bars = np.rint(norms / norms.max() * BAR).astype(int).tolist()
    ties = tuple(Tie(others[channels[i]], bars[i], at * KERNEL) for at, i in enumerate(shown, place))
    first, rest = ties[: len(exciting)], ties[len(exciting) :]
    return Ties(layer, first, rest, float(explained), kernels[shown] if kernels.shape[-1] > 1 else kernels[:0])


def _of_one_size(kernels: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Kernels of several sizes together: each weight is repeated until the sizes are the same."""
    side = math.lcm(*(some.shape[-1] for some in kernels))
    return np.concatenate([some.repeat(n, 1).repeat(n, 2) for some in kernels for n in (side // some.shape[-1],)])


def _classes(
    checkpoint: AtlasCheckpoint, arrays: Mapping[str, NDArray[Any]], way: str, unit: Unit
) -> tuple[ClassTie, ...]:
    if f"class_{way}" not in arrays:
        return ()
    names, output = checkpoint.checkpoint.class_names, checkpoint.layers.get(OUTPUT)
    indices = arrays[f"class_{way}"][unit.channel].tolist()
    return tuple(ClassTie(class_name(names, index), output.units[index] if output else None) for index in indices)


def kernels_picture(kernels: NDArray[np.floating[Any]]) -> str:
    """Square kernels, N x side x side, as the address of a small PNG, side by side, a pixel a weight.

    Red excites, blue inhibits, grey is nothing; the darkest pixel of each kernel is its largest weight.

    >>> kernels_picture(np.array([[[1.0, 0.0], [-0.5, 0.0]]]))[:22]
    'data:image/png;base64,'
    """
    values = kernels.astype(np.float32)
    largest = np.abs(values).max((1, 2), keepdims=True)
    shades = np.round(values / np.where(largest > 0, largest, 1) * SHADES) + SHADES
    picture = Image.fromarray(np.hstack(list(shades)).astype(np.uint8), "P")
    picture.putpalette(_PALETTE)
    file = io.BytesIO()
    picture.save(file, "PNG", bits=4)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


PANEL = Panel(order=20, template="panels/weights.html", read=read)
