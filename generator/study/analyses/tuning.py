"""How each unit responds to gratings, edges, lines, curves, colours and brightness."""

from collections.abc import Iterator, Sequence

import numpy as np

from generator.study.analysis import Advance, Analysis, Finding, Subject


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """One pass over all stimuli. Arrays, for C units and S stimuli in the order of ``all_stimuli``:

    ``response``, C x S, in 1/255 of the unit's strongest, ``strongest``, C, and those of
    :func:`generator.study.tuning.sum_up`.
    """
    from generator.study.stimuli import all_stimuli
    from generator.study.tuning import sum_up, tune

    stimuli = all_stimuli()
    count = len(stimuli)
    shown = {
        f"stimulus_{name}": np.array([getattr(s, name) for s in stimuli], dtype=np.float32)  # None becomes nan
        for name in ("orientation", "scale", "hue")
    }
    responses = tune(subject.network, layers, stimuli, lambda shown: advance(shown / count))
    for layer in layers:
        response = responses[layer]
        top = response.max(1)
        scaled = response / np.where(top > 0, top, 1)[:, None]
        yield Finding(
            layer,
            {
                **shown,
                "stimulus_family": np.array([s.family for s in stimuli]),
                "response": np.round(scaled * 255).astype(np.uint8),
                "strongest": top,
                **sum_up(response, stimuli),
            },
            {"stimuli": count},
        )


ANALYSIS = Analysis(
    name="tuning",
    help="What simple stimulus each unit prefers: orientation, size, curvature, colour, brightness.",
    compute=compute,
    settings={"version": 2},
    layers=lambda net: (*net.main_layers, *net.known_directions),
)
