"""The result of a comparison, as values and as text."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from generator.core.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Side:
    """One renderer: ``seconds`` a unit, one number for each call; ``activations``, one for each unit."""

    seconds: tuple[float, ...]
    ms_per_step: float
    peak_bytes: int | None
    activations: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"seconds_per_unit": median(self.seconds), **asdict(self)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Lucent, this renderer and the floor on some units of a layer. Times are a unit's share, or a unit's and step's.

    ``arithmetic`` is that of our network. ``lucent`` is None where it was left out, ``lucent_loop`` is Lucent on one
    model for all units. ``steps_to_lucent`` has for each unit the first measured step at which its activation is that
    of Lucent's last picture, or None; ``seconds_to_lucent`` is the time until all units of the batch are there.
    ``flops_per_step`` are the operations of the convolutions, ``matrix_flops`` those a second of a large matrix
    product. ``parts`` are shares of a step's time.
    """

    checkpoint: str
    fingerprint: str
    layer: str
    units: tuple[str, ...]
    recipe: Recipe
    batches: tuple[int, ...]
    arithmetic: str
    lucent_steps: int
    lucent: Side | None
    lucent_loop: Side | None
    ours: Side
    steps_to_lucent: tuple[int | None, ...]
    seconds_to_lucent: float | None
    floor_ms: tuple[float, ...]
    flops_per_step: float
    matrix_flops: float
    parts: Mapping[str, float]
    machine: Mapping[str, Any]

    @property
    def speedup_to_lucent_activation(self) -> float | None:
        """How many times sooner all units reach the activation of Lucent's last pictures."""
        return median(self.lucent.seconds) / self.seconds_to_lucent if self.lucent and self.seconds_to_lucent else None

    @property
    def over_floor(self) -> float:
        """The time of a step divided by that of its convolutions alone."""
        return self.ours.ms_per_step / median(self.floor_ms)

    @property
    def matrix_share(self) -> float:
        """The convolutions' operations divided by those of large matrix products in the time of a step."""
        return self.flops_per_step / (self.ours.ms_per_step / 1000) / self.matrix_flops

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, the main result first."""
        headline = {
            "speedup_to_lucent_activation": self.speedup_to_lucent_activation,
            "over_floor": self.over_floor,
            "matrix_share": self.matrix_share,
            "arithmetic": self.arithmetic,
        }
        sides = {
            "lucent": self.lucent.as_dict() if self.lucent else None,
            "lucent_loop": self.lucent_loop.as_dict() if self.lucent_loop else None,
            "ours": self.ours.as_dict(),
        }
        return {**headline, **asdict(self), **sides}


_COLUMNS = (
    "layer", "units", "Lucent, s", "ours, s", "ours to Lucent's activation, s", "times sooner",
    "activation, ours / Lucent's", "ours, ms a step", "convolutions alone, ms", "times that",
)  # fmt: skip
HEADER = f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}"


def row(found: Comparison) -> str:
    """One line of a Markdown table under :data:`HEADER`."""
    theirs, speedup = found.lucent, found.speedup_to_lucent_activation
    gains = [a / b for a, b in zip(found.ours.activations, theirs.activations, strict=True)] if theirs else []
    reached = f"{found.seconds_to_lucent:.2g}" if found.seconds_to_lucent else "not reached"
    cells = (
        found.layer,
        str(len(found.units)),
        _spread(theirs.seconds) if theirs else "–",
        _spread(found.ours.seconds),
        reached if theirs else "–",
        f"**{speedup:.0f}**" if speedup else "–",
        f"{min(gains):.2f} to {max(gains):.2f}" if gains else "–",
        f"{found.ours.ms_per_step:.3g}",
        f"{_spread(found.floor_ms)}",
        f"{found.over_floor:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def account(found: Comparison) -> str:
    """The rest in sentences: the machine, memory, the loop, where the time goes."""
    told = found.machine
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    theirs = found.lucent
    with_lucent = f"; Lucent 128 px, {found.lucent_steps} steps, float32" if theirs else ""
    lines = [
        f"{told['processor']} ({', '.join(told['instructions']) or 'no vector instructions known'}), "
        f"{told['threads']} threads, on {told['device']}; {versions}; {told['date'][:10]}",
        f"{found.checkpoint}, {found.recipe.size} px, {found.recipe.steps} steps, {found.arithmetic}, "
        f"in batches of {', '.join(map(str, found.batches))}{with_lucent}",
        f"{found.layer}: {1 / median(found.ours.seconds):.3g} units a second; {found.matrix_share:.0%} of the rate of "
        f"a matrix product ({found.matrix_flops / 1e12:.3g} TFLOP/s); memory {_size(found.ours.peak_bytes)}",
        f"{found.layer}: time in {', '.join(f'{name} {share:.0%}' for name, share in found.parts.items())}",
    ]
    if theirs:
        lines.append(
            f"{found.layer}: steps to Lucent's activation {', '.join(str(s) for s in found.steps_to_lucent)}; "
            f"Lucent {theirs.ms_per_step:.0f} ms a step, memory {_size(theirs.peak_bytes)}"
        )
    if loop := found.lucent_loop:
        seconds = ", ".join(f"{s:.1f}" for s in loop.seconds)
        lines.append(f"{found.layer}: Lucent on one model, unit after unit: {seconds} s, {_size(loop.peak_bytes)}")
    return "\n".join(lines)


def whole(found: Iterable[Comparison], channels: Mapping[str, int]) -> str:
    """The time of all channels of the layers, at the measured times; ``channels`` is their number by layer."""
    each = [(channels[one.layer], median(one.ours.seconds)) for one in found]
    units, seconds = sum(n for n, _ in each), sum(n * s for n, s in each)
    return f"all {units:,} units of these {len(each)} layers at these times: {seconds:,.0f} s of optimisation"


def _spread(values: Iterable[float]) -> str:
    """The median with the least and the greatest, as ``1.9 (1.8–2.2)``."""
    values = list(values)
    return f"{median(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def _size(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e9:.2f} GB"
