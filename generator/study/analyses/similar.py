"""Which units respond alike: within a layer, in the layers beside it, in other checkpoints; and a map of each layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from generator.study.analysis import Advance, Analysis, Finding, Subject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generator.study.shared_grid import Pair, Place

MOST = 3_000  # photographs, spread evenly over all in the order of their hashes; of more, r would not change


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """One pass over the photographs through all networks. Arrays, for C units, each C x 6, the most similar first:

    - ``same_unit``, ``same_r``: units of the layer and Pearson's r over photographs and a grid of 7 x 7 places;
    - ``before_*``, ``after_*``: the same of the layers beside it, where there is one;
    - ``other0_*``, ``other1_*``, …: the same layer of other checkpoints, which the fact ``others`` names in order;
    - ``map``, C x 2: row and column of each unit on a map of the layer, beside units that respond alike.
    """
    from generator.study.shared_grid import correlate
    from generator.study.similarity import grid_layout, most_similar

    every = subject.every_photograph
    some = [every[i * len(every) // min(MOST, len(every))] for i in range(min(MOST, len(every)))]
    asked = {layer: _asked(subject, layer) for layer in layers}
    pairs = (pair for named in asked.values() for pair in named.values())
    r, seen, left_out = correlate(subject, some, pairs, advance=lambda share: advance(0.9 * share))
    for layer, named in asked.items():
        arrays: dict[str, NDArray[Any]] = {}
        for name, pair in named.items():
            arrays |= most_similar(name, r[pair], same=name == "same")
        arrays["map"] = grid_layout(r[named["same"]])
        others = [other.checkpoint for other in subject.others if layer in other.architecture.main_layers]
        yield Finding(
            layer, arrays, {"others": others, "photographs": seen} | ({"left_out": left_out} if left_out else {})
        )
        advance(0.1 / len(layers))


def _asked(subject: Subject, layer: str) -> dict[str, Pair]:
    """What a layer is compared with, by the name of its arrays."""
    others: dict[str, Place] = {
        name: (subject.checkpoint, there) for name, there in subject.architecture.beside(layer).items()
    }
    having = [other for other in subject.others if layer in other.architecture.main_layers]
    others |= {f"other{i}": (other.checkpoint, layer) for i, other in enumerate(having)}
    return {name: (others["same"], other) for name, other in others.items()}


ANALYSIS = Analysis(
    name="similar",
    help="Which units respond alike: in the layer, beside it, in other checkpoints; a map of each layer.",
    compute=compute,
    settings={"version": 1},
    of_photographs=True,
    of_others=True,
)
