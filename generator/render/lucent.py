"""Lucent as its users call it, to compare our pictures with: ``render_vis`` on a network with a module for each layer.

Lucent 0.1.8 leaves its hooks on the model. A fresh model for each unit avoids that; one model for all units is what a
user's loop over units does. Nothing else imports Lucent, or what it installs.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.core.errors import AtlasError
from generator.core.units import Unit
from generator.network.hooked import InceptionV1
from generator.network.load import Loaded
from generator.render.encode import to_pixels
from generator.render.objective import evaluate

STEPS, SIZE = 512, 128  # the defaults of render_vis
INPUT = 224  # what the networks were trained on, and what Lucent enlarges smaller pictures to


def model(loaded: Loaded, device: torch.device) -> InceptionV1:
    """A fresh network. Raises AtlasError where Lucent would not use this device."""
    if device.type == "cpu" and torch.cuda.is_available():
        raise AtlasError("Lucent takes a GPU wherever there is one; type CUDA_VISIBLE_DEVICES= before the command")
    if device.type not in ("cpu", "cuda") or device.index:
        raise AtlasError(f"Lucent knows the CPU and the first GPU, not {device}; type --device cpu")
    return InceptionV1(loaded.architecture, loaded.tensors).to(device).eval()


def render_vis(
    net: InceptionV1, unit: Unit, steps: int, on_step: Callable[[], object], *, size: int = SIZE, naive: bool = False
) -> tuple[Tensor, float]:
    """One call of Lucent's ``render_vis`` for the mean of a channel, with everything else at its default.

    ``naive`` is its pixel parameterisation, colours not decorrelated, without transformations. The picture is
    1 x 3 x size x size in 0..1; with it come the seconds of the call.
    """
    with warnings.catch_warnings(action="ignore"):  # of what it imports, and of layers that do not fit the picture
        from lucent.optvis import objectives, param, render

        torch.manual_seed(unit.channel)
        np.random.seed(unit.channel)  # Lucent draws from the global state
        channel = objectives.channel(unit.layer, unit.channel)

        def objective(hook: Callable[[str], Tensor]) -> Tensor:
            on_step()
            loss: Tensor = channel(hook)
            return loss

        begun = time.perf_counter()
        images = render.render_vis(
            net,
            objective,
            lambda: param.image(size, fft=not naive, decorrelate=not naive),
            transforms=[] if naive else None,
            thresholds=(steps,),
            progress=False,
            show_image=False,
        )
        seconds = time.perf_counter() - begun  # the picture is on the host, so a GPU has finished
    return torch.from_numpy(images[-1]).permute(0, 3, 1, 2), seconds


def picture(
    loaded: Loaded,
    unit: Unit,
    steps: int,
    device: torch.device,
    on_step: Callable[[], object],
    *,
    size: int,
    naive: bool,
) -> tuple[NDArray[np.uint8], float]:
    """A picture by Lucent, size x size x 3 pixels, and its activation by our own evaluation."""
    made, _ = render_vis(model(loaded, device), unit, steps, on_step, size=size, naive=naive)
    layer, channel = loaded.architecture.locate(unit.layer, unit.channel)
    activation = evaluate(loaded.network(), made, INPUT, layer, [channel], "channel")
    return to_pixels(made)[0], float(activation)
