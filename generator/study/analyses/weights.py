"""What each unit is made of, and what uses it: from the weights alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from generator.core.architecture import OUTPUT
from generator.study.analysis import Advance, Analysis, Finding, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEEP = 12  # units of each sign, and classes for and against; part of the key


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """Each layer's strongest inputs and outputs, and for the last the classes that it argues for and against.

    Arrays ``input_*`` are of the layer before, ``output_*`` of the layer after, ``class_*`` of the classifier: the
    channel or class (-1 for none), norm, sum and map of each; see :func:`generator.study.expanded.strongest`. The units
    of ``output`` are the classes; their inputs are the last layer's.
    """
    import torch

    from generator.study.expanded import expanded_weights, strongest

    net, main = subject.network, subject.architecture.main_layers
    with torch.no_grad():
        for layer in layers:
            place = subject.architecture.weighted_layers.index(layer)
            arrays: dict[str, NDArray[np.generic]] = {}
            if place:
                found = strongest(expanded_weights(net, layer), KEEP)
                arrays |= {f"input_{name}": array for name, array in found.items()}
            if place + 1 < len(main):
                found = strongest(expanded_weights(net, main[place + 1]).transpose(0, 1), KEEP)
                arrays |= {f"output_{name}": array for name, array in found.items()}
            elif layer != OUTPUT:
                logits = expanded_weights(net, OUTPUT)[:, :, 0, 0].T  # units x classes
                for name, order in (("for", logits), ("against", -logits)):
                    top = order.topk(min(KEEP, logits.shape[1]), dim=1)
                    arrays[f"class_{name}"] = top.indices.cpu().numpy().astype("int16")
                    arrays[f"class_{name}_weight"] = logits.gather(1, top.indices).cpu().numpy()
            advance(1 / len(layers))
            yield Finding(layer, arrays, {"before": main[place - 1] if place else None})


ANALYSIS = Analysis(
    name="weights",
    help="What each unit is made of and what uses it, through the bottlenecks, from the weights alone.",
    compute=compute,
    settings={"keep": KEEP, "version": 1},
    layers=lambda architecture: architecture.weighted_layers,
)
