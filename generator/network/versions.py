"""The versions that the last digits of what a network computes may depend on."""

import platform

import torch

from generator import __version__


def versions() -> dict[str, str]:
    """Name and version of each, as records give them."""
    return {"inception-atlas": __version__, "torch": torch.__version__, "python": platform.python_version()}
