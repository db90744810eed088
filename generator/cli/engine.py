"""What renders for `atlas render`: this machine, or a Ray cluster. Torch and Ray are imported when one is asked.

Both give the fingerprint of the weights at once, and something to enter when there is a plan: whether it has GPUs, and
the function that renders the plan.

>>> fingerprint, engine = on_this_machine(config.checkpoint(), None, "auto")            # doctest: +SKIP
>>> with engine as (is_gpu, run):                                                       # doctest: +SKIP
...     outcome = run(plan, store=store, checkpoint="inception5h")
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from generator.config.atlas_toml import Checkpoint
from generator.core.errors import AtlasError

if TYPE_CHECKING:
    from generator.render.local import Outcome

    Engine = AbstractContextManager[tuple[bool, Callable[..., Outcome]]]

HERE = "local"
"""The address of a Ray cluster of our own, on this machine."""


def is_address(word: str) -> bool:
    """Whether a word is the address of a cluster: ``auto``, or HOST:PORT.

    ``mixed4a:11`` is none: ports of Ray begin where channels end, at 1024.

    >>> [is_address(word) for word in ("10.0.0.5:6379", "head:6379", "[::1]:6379", "mixed5b:1023", "mixed4a", "auto")]
    [True, True, True, False, False, True]
    """
    found = re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):([0-9]{4,5})", word)
    return word == "auto" or (found is not None and 1024 <= int(found[1]) < 65536)


def on_this_machine(checkpoint: Checkpoint, weights: Path | None, device: str) -> tuple[str, Engine]:
    """The network on a device. Raises AtlasError if it, or torch, cannot be had."""
    need("torch", "safetensors", "google.protobuf", extra="render")
    from generator.network import load_checkpoint
    from generator.render.local import pick_device, run

    chosen = pick_device(device)
    net = load_checkpoint(checkpoint.name, weights, chosen, architecture=checkpoint.architecture)
    return net.fingerprint, nullcontext((chosen.type == "cuda", partial(run, net=net)))


def on_cluster(
    checkpoint: Checkpoint, weights: Path | None, device: str, address: str, workers: int | None
) -> tuple[str, Engine]:
    """A Ray cluster, which is joined or started when it is entered. Raises AtlasError if it, or ray, cannot be had."""
    need("torch", "safetensors", "google.protobuf", "ray", extra="ray")
    from generator.network.load import load_tensors
    from generator.render.ray.cluster import connect
    from generator.render.ray.scheduler import run

    def warn(text: str) -> None:
        tqdm.write(f"warning: {text}", file=sys.stderr)

    @contextmanager
    def engine() -> Iterator[tuple[bool, Callable[..., Outcome]]]:
        with connect(address, workers=workers, device=device) as crew:
            click.echo(str(crew), err=True)
            yield crew.gpu, partial(run, loaded=loaded, crew=crew, warn=warn)

    loaded = load_tensors(checkpoint.name, weights, architecture=checkpoint.architecture)
    return loaded.fingerprint, engine()


def installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package it would be in is not there
        return False


def need(*modules: str, extra: str, what: str = "rendering") -> None:
    """Raise AtlasError if one of these cannot be imported."""
    for needed in modules:
        if not installed(needed):
            raise AtlasError(
                f"{what} needs {needed}, which is not installed; type `pip install 'inception-atlas[{extra}]'` "
                "(in a checkout: `make install`)"
            )
