"""Which units of a layer are made alike: for atlases without photographs, from the weights alone."""

from collections.abc import Iterator, Sequence

from generator.study.analysis import Advance, Analysis, Finding, Subject


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """Arrays ``same_unit`` and ``same_r``, C x 6: the units of the layer with the largest cosine between kernels.

    Kernels are those on the layer before, through the bottlenecks: :mod:`generator.study.expanded`.
    """
    import torch
    import torch.nn.functional as F

    from generator.study.expanded import expanded_weights
    from generator.study.similarity import most_similar

    with torch.no_grad():
        for layer in layers:
            kernels = F.normalize(expanded_weights(subject.network, layer).flatten(1))
            advance(1 / len(layers))
            yield Finding(layer, most_similar("same", (kernels @ kernels.T).cpu().numpy(), same=True))


ANALYSIS = Analysis(
    name="kernels",
    help="Which units of the layer are made alike, from the weights alone.",
    compute=compute,
    settings={"version": 1},
)
