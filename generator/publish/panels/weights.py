"""What a unit is built from and what uses it, each with the kernel between them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.core.architecture import OUTPUT
from generator.core.units import Unit
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel, layer_arrays
from generator.store.findings import class_name

SHOWN = 6  # of each sign; the store has twice as many
ARGUING = 12  # units for a class, and against it
_RED, _BLUE, _NONE = np.array([214, 60, 50]), np.array([50, 100, 200]), np.array([236, 236, 236])


@dataclass(frozen=True, slots=True)
class Tie:
    """Another unit, how strongly it is tied to this one (1 is the strongest tie), and the kernel as a picture."""

    unit: AtlasUnit
    share: float
    kernel: str


@dataclass(frozen=True, slots=True)
class Ties:
    """The strongest ties to one layer. ``explained`` is the share of the squared weight that the store's 24 hold."""

    layer: str
    exciting: tuple[Tie, ...]
    inhibiting: tuple[Tie, ...]
    explained: float


@dataclass(frozen=True, slots=True)
class ClassTie:
    """A class, and its unit of the output if the atlas has one."""

    name: str
    unit: AtlasUnit | None


@dataclass(frozen=True, slots=True)
class Weights:
    """What the panel shows: ``inputs`` of the layer before, ``outputs`` of the layer after; either may be None.

    Units of the last layer have ``argues_for`` and ``against``: classes, the strongest first. A class has such units.
    """

    inputs: Ties | None
    outputs: Ties | None
    argues_for: tuple[ClassTie, ...] = ()
    against: tuple[ClassTie, ...] = ()
    units_for: tuple[AtlasUnit, ...] = ()
    units_against: tuple[AtlasUnit, ...] = ()


def read(catalog: Catalog) -> Lookup:
    arrays_of = layer_arrays(catalog, "study/weights")

    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Weights | None:
        main = checkpoint.checkpoint.architecture.main_layers
        if unit.unit.layer == OUTPUT:
            last = arrays_of(checkpoint.fingerprint, main[-1])
            ways = [_units(checkpoint, last, way, unit.unit) for way in ("for", "against")]
            return Weights(None, None, units_for=ways[0], units_against=ways[1]) if any(ways) else None
        found = arrays_of(checkpoint.fingerprint, unit.unit.layer)
        if not found or unit.unit.layer not in main:
            return None
        place = main.index(unit.unit.layer)
        before = _ties(checkpoint, found, "input", unit.unit, main[place - 1]) if place else None
        after = _ties(checkpoint, found, "output", unit.unit, main[place + 1]) if place + 1 < len(main) else None
        argues_for, against = (_classes(checkpoint, found, way, unit.unit) for way in ("for", "against"))
        return Weights(before, after, argues_for, against)

    return lookup


def _ties(
    checkpoint: AtlasCheckpoint, arrays: Mapping[str, NDArray[Any]], way: str, unit: Unit, layer: str
) -> Ties | None:
    if f"{way}_unit" not in arrays:
        return None
    channels, norms = arrays[f"{way}_unit"][unit.channel], arrays[f"{way}_norm"][unit.channel]
    kernels, explained = arrays[f"{way}_map"][unit.channel], arrays[f"{way}_explained"][unit.channel]
    others, strongest, half = checkpoint.layers[layer].units, float(norms.max()), len(channels) // 2

    def ties(first: int) -> tuple[Tie, ...]:
        some: Sequence[int] = [i for i in range(first, first + SHOWN) if channels[i] >= 0]
        return tuple(Tie(others[channels[i]], float(norms[i]) / strongest, kernel_picture(kernels[i])) for i in some)

    return Ties(layer, ties(0), ties(half), float(explained))


def _classes(
    checkpoint: AtlasCheckpoint, arrays: Mapping[str, NDArray[Any]], way: str, unit: Unit
) -> tuple[ClassTie, ...]:
    if f"class_{way}" not in arrays:
        return ()
    names, output = checkpoint.checkpoint.class_names, checkpoint.layers.get(OUTPUT)
    indices = arrays[f"class_{way}"][unit.channel].tolist()
    return tuple(ClassTie(class_name(names, index), output.units[index] if output else None) for index in indices)


def _units(
    checkpoint: AtlasCheckpoint, arrays: Mapping[str, NDArray[Any]], way: str, unit: Unit
) -> tuple[AtlasUnit, ...]:
    """The units of the last layer that argue most for a class, or against it, the strongest first: of those that have
    it among their own classes."""
    if f"class_{way}" not in arrays:
        return ()
    channels, places = np.nonzero(arrays[f"class_{way}"] == unit.channel)
    strength = np.abs(arrays[f"class_{way}_weight"][channels, places])
    units = checkpoint.main_layers[-1].units
    return tuple(units[channel] for channel in channels[np.argsort(-strength, kind="stable")][:ARGUING].tolist())


def kernel_picture(kernel: NDArray[np.floating[Any]]) -> str:
    """A kernel as the address of a small PNG, a pixel a weight: red excites, blue inhibits, grey is nothing.

    >>> kernel_picture(np.array([[1.0, 0.0], [-0.5, 0.0]]))[:22]
    'data:image/png;base64,'
    """
    values = kernel.astype(np.float32)
    scale = float(np.abs(values).max()) or 1.0
    share = (np.abs(values) / scale)[..., None]
    colour = np.where((values > 0)[..., None], _RED, _BLUE)
    pixels = np.round(_NONE + (colour - _NONE) * share).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


PANEL = Panel(order=20, template="panels/weights.html", read=read)
