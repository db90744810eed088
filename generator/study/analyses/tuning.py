"""How each unit responds to gratings, edges, lines, curves, colours and brightness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from generator.study.analysis import Advance, Analysis, Finding, Subject


def compute(subject: Subject, layers: Sequence[str], advance: Advance) -> Iterator[Finding]:
    """One pass over all stimuli. Arrays, for C units and S stimuli in the order of ``all_stimuli``:

    ``response``, C x S, in 1/255 of the unit's strongest, ``strongest``, C, and ``best``, ``orientation``, ``hue`` and
    the selectivities of :class:`generator.study.tuning.Tuning`.
    """
    from generator.study.stimuli import all_stimuli
    from generator.study.tuning import tune

    stimuli = all_stimuli()
    count = len(stimuli)
    shown = {
        f"stimulus_{name}": np.array([getattr(s, name) for s in stimuli], dtype=np.float32)  # None becomes nan
        for name in ("orientation", "scale", "hue")
    }
    tuned = tune(subject.network, advance=lambda stimuli: advance(stimuli / count))
    for layer in layers:
        found = tuned[layer]
        top = found.response.max(1)
        scaled = found.response / np.where(top > 0, top, 1)[:, None]
        yield Finding(
            layer,
            {
                **shown,
                "stimulus_family": np.array([s.family for s in stimuli]),
                "response": np.round(scaled * 255).astype(np.uint8),
                "strongest": top,
                "best": found.best.astype(np.int16),
                "orientation": found.orientation,
                "orientation_selectivity": found.orientation_selectivity,
                "hue": found.hue,
                "hue_selectivity": found.hue_selectivity,
            },
            {"stimuli": count},
        )


ANALYSIS = Analysis(
    name="tuning",
    help="What simple stimulus each unit prefers: orientation, size, curvature, colour, brightness.",
    compute=compute,
    settings={"version": 2},
)
