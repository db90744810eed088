"""Lucent as its users call it: ``render_vis`` with its defaults, on the network module by module.

Lucent 0.1.8 leaves its hooks on the model that it was given. A fresh model for each unit keeps that from counting
against it; one model for all units is what a loop over units meets.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generator.errors import AtlasError
from generator.network.checkpoints import Loaded
from generator.network.hooked import InceptionV1
from generator.units import Unit

STEPS = 512  # the default of render_vis


@dataclass(frozen=True, slots=True)
class Vis:
    """What one call took, and its picture, 1 x 3 x 128 x 128 in 0..1."""

    seconds: float
    picture: Tensor


def model(loaded: Loaded, device: torch.device) -> InceptionV1:
    """A fresh network. Raises AtlasError where Lucent would not use this device."""
    if device.type == "cpu" and torch.cuda.is_available():
        raise AtlasError("Lucent takes a GPU wherever there is one; type CUDA_VISIBLE_DEVICES= before atlas bench")
    if device.type not in ("cpu", "cuda") or device.index:
        raise AtlasError(f"Lucent knows the CPU and the first GPU, not {device}; type --device cpu")
    return InceptionV1(loaded.architecture, loaded.tensors).to(device).eval()


def render_vis(net: InceptionV1, unit: Unit, steps: int, on_step: Callable[[], object]) -> Vis:
    """One call of Lucent's ``render_vis`` for the mean of a channel, with everything but the steps at its default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lucent.optvis import objectives, render
    torch.manual_seed(unit.channel)
    np.random.seed(unit.channel)  # Lucent draws from the global state
    channel = objectives.channel(unit.layer, unit.channel)

    def objective(hook: Callable[[str], Tensor]) -> Tensor:
        on_step()
        loss: Tensor = channel(hook)
        return loss

    begun = time.perf_counter()
    images = render.render_vis(net, objective, thresholds=(steps,), progress=False, show_image=False)
    seconds = time.perf_counter() - begun  # the picture is on the host, so a GPU has finished
    return Vis(seconds, torch.from_numpy(images[-1]).permute(0, 3, 1, 2))
