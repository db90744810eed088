"""From the name of a checkpoint to its tensors: find the file or download it, read it, compute the fingerprint.

Weights are looked for in this order, and the first that exists is used:

1. the file or folder that is given: ``--weights``, or ``weights`` in atlas.toml;
2. the file or folder that the variable ``ATLAS_WEIGHTS`` names;
3. the cache: ``inception-atlas/weights/`` in the user's cache folder, or ``weights/`` under ``ATLAS_CACHE``;
4. the network, once, into the cache (``generator.network.fetch``).

A folder is searched for ``CHECKPOINT.safetensors``, ``.pth``, ``.pt`` and ``.caffemodel``. The checkpoint ``untrained``
needs no file: it is drawn from a fixed seed, bit for bit the same on every machine.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from generator.checkpoints import CHECKPOINTS
from generator.core.architecture import CLASSIFIER, Architecture
from generator.core.errors import AtlasError, UsageError
from generator.network.fetch import NO_HOME, cache_folder, fetch
from generator.network.file_kinds import SUFFIXES, kind_of, reading
from generator.network.memory import keep_freed_memory

if TYPE_CHECKING:
    import torch

    from generator.network.inception import Inception


@dataclass(frozen=True, slots=True)
class Loaded:
    """The weights of the checkpoint ``name``: canonical tensors (see formats), and the fingerprint of these."""

    name: str
    architecture: Architecture
    tensors: Mapping[str, torch.Tensor]
    fingerprint: str

    def network(self, device: torch.device | str = "cpu", dtype: torch.dtype | None = None) -> Inception:
        """The network, ready to run; in float32 if no ``dtype`` is given."""
        import torch

        from generator.network.inception import Inception

        keep_freed_memory()
        net = Inception(self.architecture, self.tensors, self.fingerprint, self.name)
        return net.to(memory_format=torch.channels_last).to(device=device, dtype=dtype).eval()


def load_tensors(name: str, weights: Path | None = None, *, architecture: Architecture | None = None) -> Loaded:
    """The weights of a checkpoint, ready for its network.

    A checkpoint known by name brings its architecture, if none (with directions) is given, and must have its known
    fingerprint, if there is one: the numbers of units belong to one set of weights. Any other ``name`` needs
    ``architecture`` and finds its file in ``weights`` or ATLAS_WEIGHTS. Raises AtlasError, in one line that says what
    to type.
    """
    spec = CHECKPOINTS.get(name)
    net = architecture or (spec.architecture if spec else None)
    if net is None:
        raise UsageError(f"no checkpoint “{name}”; there are {', '.join(CHECKPOINTS)}")
    seed = spec.seed if spec else None
    if seed is None:
        path = find_weights(name, weights)
        with reading(path):
            kind_of(path)
    elif weights is not None:
        raise UsageError(f"{name} has no weights file, it is drawn from a seed; leave out {weights}")
    # Imported once the file is judged: torch takes ten times the memory of the weights.
    from generator.network.fingerprint import fingerprint
    from generator.network.formats import read_weights

    tensors = read_weights(path, net) if seed is None else draw_weights(net, seed)
    if (classes := len(tensors[f"{CLASSIFIER}.bias"])) != net.classes:
        net = replace(net, classes=classes)
    found = fingerprint(tensors)
    if spec and spec.fingerprint and found != spec.fingerprint:
        if seed is not None:
            raise AtlasError(f"numpy {np.__version__} draws other numbers than {name} is made of; update numpy")
        raise AtlasError(
            f"{path} holds other weights than {name} (fingerprint {found[:12]}…, not {spec.fingerprint[:12]}…); "
            f'give them a name of their own: [checkpoints.NAME] with architecture = "{net.name}" and weights'
        )
    return Loaded(name, net, tensors, found)


def find_weights(name: str, weights: Path | None = None) -> Path:
    """The file with a checkpoint's weights, downloaded if needed. Raises AtlasError if none can be found."""
    if file := local_weights(name, weights):
        return file
    spec = CHECKPOINTS.get(name)
    if spec is None or not spec.downloads:
        by_hand = f"download {spec.by_hand} and " if spec and spec.by_hand else ""
        raise UsageError(f"no weights for {name}; {by_hand}give --weights FILE, or weights under [checkpoints.{name}]")
    return fetch(name, spec.downloads, cache_folder())


def local_weights(name: str, weights: Path | None = None) -> Path | None:
    """The file with a checkpoint's weights, if it is on this machine. Raises UsageError if what is named is not."""
    if weights is not None:
        path = _expanded(weights)
        if path.is_dir():
            if file := _in_folder(path, name):
                return file
            raise UsageError(f"{path} has no {name} with one of {', '.join(SUFFIXES)}; name the file itself")
        if not path.exists():
            raise UsageError(f"no weights file {path}; name one that is there, or leave it out to download {name}")
        return path
    if said := os.environ.get("ATLAS_WEIGHTS"):
        path = _expanded(Path(said))
        if not path.exists():
            raise UsageError(f"ATLAS_WEIGHTS={said} does not exist; set it to a weights file or folder, or unset it")
        if not path.is_dir():
            return path
        if file := _in_folder(path, name):
            return file
    return _in_folder(cache_folder(), name)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"no weights at {path}: {NO_HOME}") from None


def _in_folder(folder: Path, name: str) -> Path | None:
    return next((file for suffix in SUFFIXES if (file := folder / f"{name}{suffix}").is_file()), None)


def draw_weights(architecture: Architecture, seed: int) -> dict[str, torch.Tensor]:
    """Random weights: He et al.'s normal distribution, with biases of zero.

    Each standard normal number is the sum of twelve uniform 16-bit integers minus its mean, scaled to variance 1. Its
    tails are somewhat thinner than those of a normal distribution. It is computed in whole numbers up to the last step,
    so its bits are the same on every machine and with every numpy; no library's ``standard_normal`` promises that.
    """
    import torch

    from generator.network.formats import shapes

    bits = np.random.Philox(seed)
    out: dict[str, torch.Tensor] = {}
    for name, shape in shapes(architecture).items():
        if name.endswith(".bias"):
            out[name] = torch.zeros(shape)
            continue
        count, std = math.prod(shape), math.sqrt(2 / math.prod(shape[1:]))
        uniform = np.asarray(bits.random_raw(count * 3)).astype("<u8").view("<u2").reshape(count, 12)
        normal = (uniform.sum(axis=1, dtype=np.int64) - 6 * 65535) / 65536
        out[name] = torch.from_numpy((normal * std).astype(np.float32).reshape(shape))
    return out
