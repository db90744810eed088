"""What each unit is made of, and what uses it: from the weights alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from generator.core.architecture import OUTPUT
from generator.core.directions import AT, base_layer
from generator.study.analysis import Advance, Analysis, Finding, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

KEEP = 12  # units of each sign, and classes for and against; part of the key
_CHUNK = 256  # directions whose kernels are held at once


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """Each layer's strongest inputs and outputs, and for the last the classes that it argues for and against.

    Arrays ``input_*`` are of the layer before, ``output_*`` of the layer after, ``class_*`` of the classifier: the
    channel or class (-1 for none), norm, sum and map of each; see :func:`generator.study.expanded.strongest`. The units
    of ``output`` are the classes; their inputs are the last layer's. A direction has what its channels have, each times
    what the vector has of the channel.
    """
    import torch

    from generator.study.expanded import expanded_weights

    net, main = subject.network, subject.architecture.main_layers
    with torch.no_grad():
        for layer in layers:
            base, vectors = base_layer(layer), net.vectors(layer) if AT in layer else None
            place = subject.architecture.weighted_layers.index(base)
            arrays: dict[str, NDArray[np.generic]] = {}
            if place:
                arrays |= _strongest("input", expanded_weights(net, base), vectors)
            if place + 1 < len(main):
                arrays |= _strongest("output", expanded_weights(net, main[place + 1]).transpose(0, 1), vectors)
            elif layer != OUTPUT:
                logits = expanded_weights(net, OUTPUT)[:, :, 0, 0].T  # units x classes
                logits = logits if vectors is None else vectors @ logits
                for name, order in (("for", logits), ("against", -logits)):
                    top = order.topk(min(KEEP, logits.shape[1]), dim=1)
                    arrays[f"class_{name}"] = top.indices.cpu().numpy().astype("int16")
                    arrays[f"class_{name}_weight"] = logits.gather(1, top.indices).cpu().numpy()
            advance(1 / len(layers))
            yield Finding(layer, arrays, {"before": main[place - 1] if place else None})


def _strongest(way: str, kernels: Tensor, vectors: Tensor | None) -> dict[str, NDArray[np.generic]]:
    """The strongest of the kernels of a layer's channels, or of directions in it: K x channels ``vectors``."""
    import numpy as np
    import torch

    from generator.study.expanded import strongest

    some = [kernels] if vectors is None else (torch.tensordot(few, kernels, 1) for few in torch.split(vectors, _CHUNK))
    parts = [strongest(each, KEEP) for each in some]
    return {f"{way}_{name}": np.concatenate([part[name] for part in parts]) for name in parts[0]}


ANALYSIS = Analysis(
    name="weights",
    help="What each unit is made of and what uses it, through the bottlenecks, from the weights alone.",
    compute=compute,
    settings={"keep": KEEP, "version": 1},
    layers=lambda net: (*net.weighted_layers, *net.known_directions),
)
