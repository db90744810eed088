"""What a study found about one unit, as one JSON object for programs.

`atlas study 4a:11 --json` prints it, a built atlas has it as ``study/CHECKPOINT/LAYER/CHANNEL.json.gz``, and
``generator.Atlas`` gives it; ``static/schema/study-1.json`` describes it. What no analysis has answered is left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from generator.core.architecture import CLASSIFIER, OUTPUT, Architecture, Layer
from generator.core.directions import AT, base_layer
from generator.core.errors import AtlasError
from generator.core.result import Result
from generator.core.text import legible
from generator.core.units import Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
SIDE = 224  # pixels of a photograph as the network saw it
EXAMPLES, EACH, CLASSES = 9, 3, 3  # strongest photographs; those at a percentile and of a group; classes of a group
QUANTILES = (99, 95, 90, 75, 50)
ANALYSES = ("photos", "similar", "tuning", "weights")

Arrays = Mapping[str, "NDArray[Any]"]
Read = Callable[[str, str], tuple[Result, Arrays] | None]
"""Gives the newest answer of an analysis about a layer, with its arrays, or None."""


def age(result: Result) -> tuple[str, str]:
    """Larger for newer answers; the same order on every machine."""
    return str(result.provenance.get("date")), result.key


def newest(results: Iterable[Result]) -> Mapping[tuple[str, str | None, str], Result]:
    """The newest answers, by kind, fingerprint of the weights, and layer."""
    ordered = sorted(results, key=age)
    return {(r.kind, r.question.get("fingerprint"), r.question.get("layer", "")): r for r in ordered}


def is_of_these(result: Result, architecture: Architecture) -> bool:
    """Whether an answer about directions is about the vectors that they have now, as far as these are known."""
    layer, asked = result.question.get("layer", ""), result.question.get("vectors")
    known = (found for found in architecture.directions if str(found) == layer and found.vectors is not None)
    return asked is None or all(found.checksum() == asked for found in known)


@contextmanager
def as_written(studied: str) -> Iterator[None]:
    """While an answer is read. Raises AtlasError if it does not hold what its analysis computes."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {legible(error, 100)}"
        raise AtlasError(f"the study of {studied} is not as this version writes it ({why})") from error


@dataclass(frozen=True)
class Study:
    """The answers about one checkpoint. ``classes`` are the names of its classes, () if they are not known."""

    checkpoint: str
    architecture: Architecture
    classes: Sequence[str]
    read: Read

    def of(self, unit: Unit, synthetic_mean: float | None = None) -> dict[str, Any]:
        """All that is known of a unit. ``synthetic_mean`` is the activation of its picture.

        Raises AtlasError if an answer does not hold what its analysis computes.
        """
        found: dict[str, Any] = {"format": FORMAT, "checkpoint": self.checkpoint, "unit": str(unit)}
        with as_written(f"{self.checkpoint}/{unit}"):
            photographs = self._called(unit) or self._photographs(unit, synthetic_mean)
            similar = self._similar(unit)
            return found | photographs | similar | self._weights(unit) | self._tuning(unit)

    def lacks(self, layer: str) -> tuple[str, ...]:
        """The analyses that have not answered for a layer."""
        asked = ("weights",) if layer == OUTPUT else ("photos", "tuning", "weights") if AT in layer else ANALYSES
        return tuple(name for name in asked if self.read(name, layer) is None)

    def _called(self, unit: Unit) -> dict[str, Any]:
        """Of a class, the photographs that the network takes for it; each is one position that sees all of it."""
        answer, photos = self.read("photos", CLASSIFIER), self.photos
        if unit.layer != OUTPUT or not answer or not photos:
            return {}
        taken = called(answer[1], unit.channel)
        whole = {"row": 0, "column": 0, "box": [0, 0, SIDE, SIDE]}
        return {
            "photos": {"count": len(photos.named), "fingerprint": photos.fingerprint},
            "called": len(taken),
            "examples": [
                photos.named[i] | {"value": photos.named[i]["probability"], **whole} for i in taken[:EXAMPLES]
            ],
        }

    def _photographs(self, unit: Unit, synthetic_mean: float | None) -> dict[str, Any]:
        answer, photos = self.read("photos", unit.layer), self.photos
        if not answer or not photos or answer[0].question.get("photographs") != photos.fingerprint:
            return {}
        result, arrays = answer
        channel, grid, layer = unit.channel, result.facts["grid"], self.architecture.layers[unit.layer]
        branch = layer.branch_of(channel)
        width = branch.receptive_field if branch else None

        def examples(which: str, some: Any) -> list[dict[str, Any]]:
            index, value, position = (arrays[f"{which}_{x}"][channel][some] for x in ("photo", "value", "position"))
            each = zip(index.tolist(), value.tolist(), position.tolist(), strict=True)
            return [
                photos.named[i]
                | {
                    "value": _short(v),
                    "row": p // grid,
                    "column": p % grid,
                    "box": [*receptive_box(layer, p, grid, width)],
                }
                for i, v, p in each
            ]

        label, best = arrays["group"][channel], arrays["best_photo"][channel]
        groups = []
        for k in range(min(int(arrays["groups"][channel]), len(label))):
            members = (label == k).nonzero()[0]
            common = Counter(photos.named[i]["class"] for i in best[members].tolist()).most_common(CLASSES)
            groups.append(
                {
                    "share": _short(len(members) / len(label)),
                    "classes": [name for name, _ in common],
                    "examples": examples("best", members[:EACH]),
                }
            )
        middle = arrays["quantile_photo"].shape[2] // 2
        near = slice(middle - EACH // 2, middle + EACH // 2 + 1)
        fires = arrays["fires"][channel].tolist()
        alike = zip(arrays["alike_unit"][channel].tolist(), arrays["alike_r"][channel].tolist(), strict=True)
        return {
            "photos": {"count": result.facts["photographs"], "fingerprint": photos.fingerprint},
            "examples": examples("best", slice(EXAMPLES)),
            "quantiles": [
                {"quantile": q, "examples": examples("quantile", (i, near))} for i, q in enumerate(QUANTILES)
            ],
            "negative": examples("worst", slice(None)),
            "fires": {"photographs": _short(fires[0]), "positions": _short(fires[1])},
            "best_photo_mean": _short(float(arrays["best_mean"][channel])),
            "synthetic_mean": None if synthetic_mean is None else _short(synthetic_mean),
            "similar": [
                {"unit": f"{unit.layer}:{i}", "r": _short(r, 3), "checkpoint": self.checkpoint} for i, r in alike
            ],
        } | _several(arrays, channel, groups)

    def compared(self, layer: str) -> dict[str, tuple[str, str]]:
        """The checkpoint and layer with which a layer was compared, by the name of the arrays."""
        answer = self.read("similar", layer)
        others = answer[0].facts.get("others", ()) if answer else ()
        own = {name: (self.checkpoint, there) for name, there in self.architecture.beside(layer).items()}
        return own | {f"other{i}": (other, layer) for i, other in enumerate(others)}

    def _similar(self, unit: Unit) -> dict[str, Any]:
        """Units that respond alike; without photographs, those of the layer that are made alike."""
        answer = self.read("similar", unit.layer) or (
            None if self.read("photos", unit.layer) else self.read("kernels", unit.layer)
        )
        if not answer:
            return {}
        arrays = answer[1]
        similar = [
            {"unit": f"{layer}:{i}", "r": _short(r, 3), "checkpoint": checkpoint}
            for name, (checkpoint, layer) in self.compared(unit.layer).items()
            if f"{name}_unit" in arrays
            for i, r in zip(
                arrays[f"{name}_unit"][unit.channel].tolist(), arrays[f"{name}_r"][unit.channel].tolist(), strict=True
            )
        ]
        return {"similar": similar}

    @cached_property
    def photos(self) -> StudiedPhotographs | None:
        """The photographs that were studied, or None."""
        answer = self.read("photos", CLASSIFIER)
        if not answer:
            return None
        result, arrays = answer
        each = (arrays[name].tolist() for name in ("name", "sha256", "top_class", "probability"))
        named = tuple(
            {"photo": name, "sha256": sha256, "class": class_name(self.classes, i), "probability": _short(probability)}
            for name, sha256, i, probability in zip(*each, strict=True)
        )
        return StudiedPhotographs(result.question.get("photographs"), named)

    def _weights(self, unit: Unit) -> dict[str, Any]:
        answer, layers = self.read("weights", unit.layer), self.architecture.weighted_layers
        if not answer:
            return {}
        arrays, channel, place = answer[1], unit.channel, layers.index(base_layer(unit.layer))
        ties = {
            f"{way}s": list(_ties(arrays, way, channel, layers[other]))
            for way, other in (("input", place - 1), ("output", place + 1))
            if f"{way}_unit" in arrays
        }
        explained = {
            f"{way}s": _short(float(arrays[f"{way}_explained"][channel]))
            for way in ("input", "output")
            if f"{way}_explained" in arrays
        }
        classes = {
            way: [
                {"class": class_name(self.classes, i), "weight": _short(w)}
                for i, w in zip(
                    arrays[f"class_{way}"][channel].tolist(),
                    arrays[f"class_{way}_weight"][channel].tolist(),
                    strict=True,
                )
            ]
            for way in ("for", "against")
            if f"class_{way}" in arrays
        }
        return {**ties, "explained": explained, **({"classes": classes} if classes else {})}

    def _tuning(self, unit: Unit) -> dict[str, Any]:
        answer = self.read("tuning", unit.layer)
        if not answer:
            return {}
        arrays, channel = answer[1], unit.channel
        strongest, best = float(arrays["strongest"][channel]), int(arrays["best"][channel])
        stimulus = {name: _number(arrays[f"stimulus_{name}"][best]) for name in ("orientation", "scale", "hue")}
        preferred = {
            name: {
                "degrees": _number(arrays[name][channel]),
                "selectivity": _short(selectivity),
                "circular_variance": _short(1 - selectivity),
            }
            for name in ("orientation", "hue")
            for selectivity in (float(arrays[f"{name}_selectivity"][channel]),)
        }
        family = str(arrays["stimulus_family"][best])
        best_stimulus = {"family": family, **stimulus} if strongest > 0 else None
        return {"tuning": {"strongest": _short(strongest), "best": best_stimulus, **preferred}}


@dataclass(frozen=True, slots=True)
class StudiedPhotographs:
    """What is said of each photograph wherever it is an example."""

    fingerprint: str | None
    named: tuple[dict[str, Any], ...]


def class_name(names: Sequence[str], index: int) -> str:
    """What a class is called, or its number."""
    return names[index] if index < len(names) else f"class {index}"


def called(photographs: Arrays, index: int) -> list[int]:
    """The photographs that the network takes for a class, the surest first, by their places in the list of all."""
    of_class = (photographs["top_class"] == index).nonzero()[0]
    order = (-photographs["probability"][of_class]).argsort(kind="stable")
    places: list[int] = of_class[order].tolist()
    return places


def _several(arrays: Arrays, channel: int, groups: Sequence[Any]) -> dict[str, Any]:
    if "several" not in arrays:  # answers of the first version judged groups in another way
        return {}
    silhouette, null = (_short(float(arrays[name][channel])) for name in ("silhouette", "null"))
    several = bool(arrays["several"][channel])
    return {"groups": {"several": several, "silhouette": silhouette, "null": null, "groups": groups}}


def _ties(arrays: Arrays, way: str, channel: int, other: str) -> Iterator[dict[str, Any]]:
    """Units of another layer, first those that excite. A kernel has three digits where it is largest."""
    kernels = arrays[f"{way}_map"][channel].astype("float64")
    digits = 2 - math.floor(math.log10(abs(kernels).max() or 1.0))
    each = (arrays[f"{way}_{name}"][channel].tolist() for name in ("unit", "norm", "sum"))
    for i, norm, total, kernel in zip(*each, (kernels.round(digits) + 0.0).tolist(), strict=True):
        if i >= 0:
            yield {"unit": f"{other}:{i}", "norm": _short(norm), "sum": _short(total), "map": kernel}


def receptive_box(layer: Layer, position: int, grid: int, width: int | None = None) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what one position of a layer's grid sees, in pixels, as far as it is inside.

    ``width`` is the receptive field of the unit's branch; without it that of the layer.
    """
    half = (width or layer.receptive_field) // 2
    x, y = middle(layer, position, grid)
    return max(0, x - half), max(0, y - half), min(SIDE, x + half + 1), min(SIDE, y + half + 1)


def middle(layer: Layer, position: int, grid: int) -> tuple[int, int]:
    """Across and down, in pixels: the middle of what one position of a layer's grid sees."""
    row, column = divmod(position, grid)
    return layer.stride * column + layer.offset, layer.stride * row + layer.offset


def _short(value: float, digits: int = 4) -> float:
    """A number as it is worth writing: a response has no more digits that mean anything.

    >>> _short(0.123456), _short(812.4179)
    (0.1235, 812.4)
    """
    return float(f"{value:.{digits}g}")


def _number(value: float) -> float | None:
    """A number, or None for what a stimulus or a unit does not have."""
    return None if math.isnan(value) else _short(float(value))
