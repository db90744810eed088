"""Units by what a study found: ``orientation:45``, ``hue:red``, ``class:beagle``, ``like:4a:11``, ``groups:3``.

>>> read_facet("hue: red")
('hue', 'red')
>>> read_facet("mixed4a:11") is None
True

Each facet is an index from values to units, the clearest first. The search box has the same index as a script.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from generator.core.directions import base_layer
from generator.core.errors import UsageError, did_you_mean
from generator.core.units import Unit, parse_unit
from generator.store.findings import EXAMPLES, Study, class_name

CLEAR = 0.3  # a selectivity below it is said to be none: the unit answers to nearly all alike
MOST = 48  # units of a class
Found = Iterator[tuple[str, float, Unit]]
"""Values that units have, how clearly, and the units."""


@dataclass(frozen=True)
class Facet:
    """One facet. ``help`` completes “units …”. Numbers are taken to the nearest multiple of ``step``, which begin anew
    at ``period``; ``names`` are numbers that have a name. Without a step, values are words or units."""

    help: str
    found: Callable[[Study, str], Found]
    step: int = 0
    period: int = 0
    names: Mapping[str, int] = field(default_factory=dict)

    def value(self, text: str) -> str:
        """The value that is meant. Raises UsageError."""
        if not self.step:
            return text
        try:
            number = self.names[text] if text in self.names else float(text.removesuffix("°"))
            near = math.floor(number / self.step + 0.5) * self.step
        except (ValueError, OverflowError):
            wanted = did_you_mean(text, self.names) if self.names else "write a number"
            raise UsageError(f"“{text}” is no value: {wanted}") from None
        return str(near % self.period if self.period else near)


def _tuned(name: str) -> Callable[[Study, str], Found]:
    def found(study: Study, layer: str) -> Found:
        if answer := study.read("tuning", layer):
            angles, selectivity = answer[1][name].tolist(), answer[1][f"{name}_selectivity"].tolist()
            for channel, (angle, clear) in enumerate(zip(angles, selectivity, strict=True)):
                if clear >= CLEAR:
                    yield FACETS[name].value(str(angle)), clear, Unit(layer, channel)

    return found


def _groups(study: Study, layer: str) -> Found:
    answer = study.read("photos", layer)
    if answer and "several" in answer[1]:
        several, count, silhouette = (answer[1][name].tolist() for name in ("several", "groups", "silhouette"))
        for channel, is_several in enumerate(several):
            if is_several:
                yield str(count[channel]), silhouette[channel], Unit(layer, channel)


def _classes(study: Study, layer: str) -> Found:
    """What the network calls the nine photographs that excite a unit most, and the classes that the unit argues for."""
    answer, weights = study.read("photos", layer), study.read("weights", layer)
    if not answer or study.photos is None:
        return
    of = study.architecture.main_layers
    depth = of.index(base_layer(layer)) / 100  # of equals the deepest: it sees most of what is there
    arguing = weights[1]["class_for"].tolist() if weights and "class_for" in weights[1] else []
    for channel, best in enumerate(answer[1]["best_photo"][:, :EXAMPLES].tolist()):
        said = Counter(study.photos.named[i]["class"] for i in best)
        said.update(class_name(study.classes, i) for i in (arguing[channel] if arguing else ()))
        for name, count in said.items():
            yield name, count + depth, Unit(layer, channel)


def _like(study: Study, layer: str) -> Found:
    answer = study.read("similar", layer)
    for name, (checkpoint, other) in study.compared(layer).items():
        if answer and f"{name}_unit" in answer[1] and checkpoint == study.checkpoint:
            units, r = answer[1][f"{name}_unit"].tolist(), answer[1][f"{name}_r"].tolist()
            for channel, like in enumerate(units):
                for unit, value in zip(like, r[channel], strict=True):
                    if value > 0:
                        yield f"{layer}:{channel}", value, Unit(other, unit)


FACETS: dict[str, Facet] = {
    "orientation": Facet("that prefer bars at an angle in degrees", _tuned("orientation"), 15, 180),
    "hue": Facet(
        "that prefer a colour",
        _tuned("hue"),
        30,
        360,
        {
            "red": 0, "orange": 30, "yellow": 60, "lime": 90, "green": 120, "turquoise": 150, "cyan": 180, "azure": 210,
            "blue": 240, "purple": 270, "violet": 270, "magenta": 300, "pink": 330,
        },
    ),
    "class": Facet("excited by photographs of a class", _classes),
    "like": Facet("that respond like a unit", _like),
    "groups": Facet("that answer to so many things", _groups, 1),
}  # fmt: skip
_ASKED = re.compile(rf"({'|'.join(FACETS)}):\s*(\S.*)", re.DOTALL)


def read_facet(text: str) -> tuple[str, str] | None:
    """The facet and the value that a text asks for, in lower case, or None if it asks for something else."""
    asked = _ASKED.fullmatch(text.strip().lower())
    return (asked[1], asked[2].strip()) if asked else None


def facet_index(study: Study, name: str, layers: tuple[str, ...] = ()) -> dict[str, tuple[Unit, ...]]:
    """The units of each value, the clearest first; with ``layers``, what is said of the units of these alone."""
    found: dict[str, list[tuple[float, Unit]]] = {}
    for layer in layers or study.architecture.seeing_layers:
        for value, clear, unit in FACETS[name].found(study, layer):
            found.setdefault(value, []).append((clear, unit))
    most = MOST if name == "class" else None
    ordered = {value: sorted(units, key=lambda pair: -pair[0])[:most] for value, units in found.items()}
    return {value: tuple(unit for _, unit in units) for value, units in ordered.items()}


def find_facet(study: Study, name: str, text: str) -> tuple[Unit, ...]:
    """The units that a facet's value finds, the clearest first. Raises UsageError for what is no value of it."""
    if name == "like":
        unit = parse_unit(text, study.architecture, study.checkpoint)
        return facet_index(study, name, (unit.layer,)).get(str(unit), ())
    index = facet_index(study, name)
    if name == "class":
        words = text.split()
        hits = [units for value, units in sorted(index.items()) if all(word in value.lower() for word in words)]
        return tuple(dict.fromkeys(unit for units in hits for unit in units))
    return index.get(FACETS[name].value(text), ())
