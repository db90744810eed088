"""Trained networks: one InceptionV1 built from an architecture, with the weights of a checkpoint.

>>> net = load_checkpoint("bvlc_googlenet")                         # doctest: +SKIP
>>> net(torch.rand(1, 3, 224, 224), "mixed4a").shape                # doctest: +SKIP
torch.Size([1, 512, 14, 14])
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.core.architecture import Architecture
from generator.network.load import load_tensors

if TYPE_CHECKING:
    import torch

    from generator.network.inception import Inception

__all__ = ["Inception", "load_checkpoint"]


def __getattr__(name: str) -> Any:
    """Inception, when it is asked for: it imports torch, and a weights file is judged before that."""
    if name != "Inception":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from generator.network.inception import Inception

    return Inception


def load_checkpoint(
    name: str,
    weights: Path | str | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    *,
    architecture: Architecture | None = None,
) -> Inception:
    """A network with its weights, frozen and ready to run; ``net.fingerprint`` is the sha256 of its tensors.

    ``weights`` is a file or a folder with ``NAME.safetensors``, ``.pth`` or ``.caffemodel``; without it they are
    looked for in ATLAS_WEIGHTS and the user's cache, and downloaded. A name of your own needs ``weights`` and
    ``architecture``. Its numbers are float32 if no ``dtype`` is given. Raises AtlasError when the weights cannot be
    found or do not fit.
    """
    loaded = load_tensors(name, Path(weights) if weights is not None else None, architecture=architecture)
    return loaded.network(device, dtype)
