"""The question that a picture answers: which weights, which unit, which view, which recipe.

A :class:`Recipe` holds all settings that change the pixels, and nothing else. A :class:`Question` adds weights, unit
and view. Its ``key``, a sha256 over canonical JSON, is the name of the answer in the store. Another value in any field
gives another key and another picture.

>>> from dataclasses import replace
>>> from generator.core.units import Unit
>>> q = Question("0" * 64, Unit("mixed4a", 11), "channel", Recipe(steps=64))
>>> len(q.key), q.key == replace(q, recipe=Recipe(steps=65)).key
(64, False)

The random draws of a unit come from the unit, the view and ``Recipe.seed`` alone. So two recipes or two checkpoints
start from the same noise and see the same transformations. Their pictures do not differ by chance.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from generator.core.directions import has_vector
from generator.core.errors import UsageError
from generator.core.text import SHA256
from generator.core.units import Unit
from generator.core.views import view_named, views_of
from generator.core.views.view import RENDERER

UNIT = re.compile(r"([a-z0-9_]{1,64}(?:@[a-z0-9_]{1,64})?):([0-9]{1,6})")
"""The name of a unit, as records and the index of an atlas have it: its layer and its number."""
_CANVAS_HELP = "what is optimised: Fourier coefficients, pixels held in range by a sigmoid, or raw pixels"
_CANVASES = ("fourier", "pixel", "raw")


def _setting(
    default: Any, help: str, low: float | None = None, high: float | None = None, of: tuple[str, ...] = ()
) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high, "of": of})


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings that change the pixels. Each field is a key of ``[recipe]`` in atlas.toml and an option of ``atlas
    render``.

    The defaults are those of Olah et al., "Feature Visualization" (Distill 2017): Fourier coefficients of decorrelated
    colours, small random transformations, Adam. Only the decay is steeper, 1.3 and not 1: it gives more activation in
    fewer steps. Raises UsageError for a value out of range.
    """

    size: int = _setting(224, "side of the square canvas, in pixels", 16, 1024)
    input: int = _setting(224, "side of the square the network sees, in pixels; the canvas is warped to it", 16, 1024)
    parameterization: str = _setting("fourier", _CANVAS_HELP, of=_CANVASES)
    decorrelate: bool = _setting(True, "optimise decorrelated colours rather than RGB")
    decay: float = _setting(1.3, "Fourier amplitudes are 1 / frequency ** decay", 0, 4)
    init: float = _setting(0.01, "standard deviation of the noise the parameters start from", 0, 10)
    steps: int = _setting(128, "steps of gradient ascent; after 0 it is the noise it starts from", 0, 100_000)
    step_size: float = _setting(0.05, "learning rate of Adam", 1e-6, 100)
    rotate: float = _setting(10.0, "largest random rotation, in degrees", 0, 180)
    scale: float = _setting(0.1, "largest random change of scale: 0.1 is 0.9 to 1.1", 0, 0.9)
    shift: float = _setting(10.0, "largest random shift, in pixels of what the network sees", 0, 512)
    wake_steps: int = _setting(16, "first steps in which every ReLU leaks, so that no unit stays dead", 0, 100_000)
    leak: float = _setting(0.1, "slope of the leaking ReLU below zero", 0, 1)
    precision: str = _setting(
        "bfloat16",
        "least exact arithmetic of the network; a device uses float32 where that is faster",
        of=("bfloat16", "float32"),
    )
    seed: int = _setting(0, "another seed gives other noise and another picture of the same unit", 0, 2**63 - 1)
    renderer: int = _setting(RENDERER, "version of the renderer; no option, the code sets it", 1, 1_000_000)

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, check_setting(f, getattr(self, f.name)))


SETTINGS: tuple[Field[Any], ...] = tuple(f for f in fields(Recipe) if f.name != "renderer")
"""The settings of a user, with help and range in each field's metadata."""


def check_setting(f: Field[Any], value: Any) -> Any:
    """The value in the field's own type. Raises UsageError with the field's name and the values that it may have."""
    default: Any = f.default
    want, said = type(default), f.metadata
    if want is float and type(value) is int:
        value = float(value) if abs(value) < 2**63 else math.inf
    if type(value) is not want:
        kind = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[want]
        raise UsageError(f"{f.name} = {value!r}: must be {kind}, for example {f.name} = {json.dumps(default)}")
    if said["of"] and value not in said["of"]:
        raise UsageError(f"{f.name} = {value!r}: must be one of {', '.join(said['of'])}")
    if said["low"] is not None and not said["low"] <= value <= said["high"]:  # also refuses nan
        raise UsageError(f"{f.name} = {value!r}: must be {said['low']:g} to {said['high']:g}")
    return value


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "raw": {
        "size": 224, "input": 224, "parameterization": "raw", "decorrelate": False, "init": 1.0, "steps": 256,
        "step_size": 0.05, "rotate": 0.0, "scale": 0.0, "shift": 0.0,
    },
    "naive": {"parameterization": "pixel", "decorrelate": False, "rotate": 0.0, "scale": 0.0, "shift": 0.0},
    "full": {},
}  # fmt: skip
"""Three presets, each as the settings that it changes: raw pixels from standard normal noise; pixels kept in range by a
sigmoid (naive in Lucent); Fourier coefficients of decorrelated colours under random transformations."""


_PRESET_SETTINGS = ("parameterization", "decorrelate", "rotate", "scale", "shift")


def apply_preset(preset: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a preset and other settings together, which change the default recipe.

    Raises UsageError for a preset that does not exist, and for a setting without which raw or naive is something else.
    """
    if preset not in PRESETS:
        raise UsageError(f"no preset “{preset}”: there are {', '.join(PRESETS)}")
    fixed = PRESETS[preset]
    for name in _PRESET_SETTINGS:
        if name in fixed and settings.get(name, fixed[name]) != fixed[name]:
            raise UsageError(f"{name} = {settings[name]} is not for {preset}; leave it out")
    return {**fixed, **settings}


@dataclass(frozen=True)
class Question:
    """The question that exactly one picture answers. ``fingerprint`` is the sha256 of the checkpoint's tensors,
    ``vector`` that of the vector of a direction; of channels, classes and sums of channels it is "".

    Raises UsageError for a view that does not exist, or that units of this layer do not have.
    """

    fingerprint: str
    unit: Unit
    view: str
    recipe: Recipe
    vector: str = ""

    def __post_init__(self) -> None:
        if bool(self.vector) != has_vector(self.unit.layer):
            raise UsageError(f"{self.unit}: a direction has the sha256 of its vector, and nothing else has one")
        view_named(self.view)
        if self.view not in (views := views_of(self.unit.layer)):
            raise UsageError(f"{self.unit} has no view “{self.view}”: it has {', '.join(views)}")

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; :meth:`from_dict` reads it, and the key is its hash."""
        return {
            "fingerprint": self.fingerprint,
            "unit": str(self.unit),
            "view": self.view,
            "recipe": asdict(self.recipe),
            **({"vector": self.vector} if self.vector else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Question:
        """The inverse of as_dict. Raises KeyError, TypeError, ValueError or UsageError for anything else."""
        if not (unit := UNIT.fullmatch(data["unit"])):
            raise ValueError(f"no unit {data['unit']!r}")
        if not SHA256.fullmatch(data["fingerprint"]):
            raise ValueError(f"no fingerprint {data['fingerprint']!r}")
        vector = data.get("vector", "")
        if vector and not SHA256.fullmatch(vector):
            raise ValueError(f"no sha256 {vector!r}")
        return cls(data["fingerprint"], Unit(unit[1], int(unit[2])), data["view"], Recipe(**data["recipe"]), vector)

    @cached_property
    def key(self) -> str:
        """The name of the answer: 64 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.as_dict())).hexdigest()

    @property
    def draw_seed(self) -> int:
        """The seed of the unit's noise and transformations: 0 to 2**64 - 1."""
        drawn_by = {"unit": str(self.unit), "view": self.view, "seed": self.recipe.seed}
        return int.from_bytes(hashlib.sha256(canonical_json(drawn_by)).digest()[:8], "big")


def canonical_json(data: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
