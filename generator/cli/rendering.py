"""From questions to answers in the store, for every command that may have to render: `atlas render`, `atlas figure`.

Torch and Ray are imported when something has to be rendered, and not before.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from generator.cli.options import BATCH, GPU_BATCH, RenderOptions
from generator.cli.output import echo
from generator.config.config import CheckpointConfig, Config
from generator.core.architecture import Architecture
from generator.core.errors import AtlasError
from generator.core.progress import progress
from generator.core.recipe import Question
from generator.store.plan import Plan, make_plan
from generator.store.status import known_fingerprint
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.network import Inception
    from generator.render.local import Outcome

    Engine = AbstractContextManager[tuple[bool, Callable[..., Outcome]]]

_UNKNOWN = "0" * 64

Ask = Callable[[str], Iterable[Question]]
"""Gives the questions, once the fingerprint of the weights is known."""


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan that was made for the weights with this fingerprint, and what came of it, if it was carried out."""

    fingerprint: str
    plan: Plan
    outcome: Outcome | None = None


def answer(
    config: Config,
    chosen: CheckpointConfig,
    ask: Ask,
    how: RenderOptions,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> PlanResult:
    """Have the store answer these questions of a checkpoint: what it lacks is rendered, with a progress bar.

    Raises AtlasError if weights, device or cluster cannot be had, or are not those that atlas.toml names.
    """
    store = Store(config.store)

    def plan_for(fingerprint: str, size: int, architecture: Architecture = chosen.architecture) -> Plan:
        return make_plan(ask(fingerprint), architecture, store, size=size, force=force)

    # Weights whose fingerprint is not written down may have changed since the store was filled: they are read first,
    # if that can be done.
    given = how.weights or ((chosen.weights or os.environ.get("ATLAS_WEIGHTS")) and not chosen.fingerprint)
    expected = chosen.fingerprint or known_fingerprint(chosen, store.records())
    if expected and not (given and installed("torch")):
        plan = plan_for(expected, how.batch or BATCH)
        if dry_run or not plan.units:
            return PlanResult(expected, plan)
    if dry_run and not expected and not at_hand(chosen, how):  # nothing is downloaded to say that all is missing
        return PlanResult("", plan_for(_UNKNOWN, how.batch or BATCH))
    fingerprint, architecture, engine = (on_cluster if how.ray else on_this_machine)(chosen, how)
    if chosen.fingerprint not in (None, fingerprint):
        raise AtlasError(
            f"these weights are not those of {chosen.name} in {config.path} (fingerprint {fingerprint[:12]}, not "
            f"{(chosen.fingerprint or '')[:12]}); give them a section [checkpoints.NAME] of their own"
        )
    plan = plan_for(fingerprint, how.batch or BATCH, architecture)
    if dry_run or not plan.units:
        return PlanResult(fingerprint, plan)
    with engine as (is_gpu, run):
        if is_gpu and not how.batch:
            plan = plan_for(fingerprint, GPU_BATCH, architecture)
        with progress(chosen.name, "units", plan.units, keep=True) as bar:
            outcome = run(plan, store=store, checkpoint=chosen.name, force=force, advance=bar.advance)
    return PlanResult(fingerprint, plan, outcome)


def at_hand(checkpoint: CheckpointConfig, how: RenderOptions) -> bool:
    """Whether the weights are on this machine and can be read here."""
    if not installed("torch"):
        return False
    from generator.network.load import local_weights

    return local_weights(checkpoint.name, how.weights or checkpoint.weights) is not None


def on_this_machine(checkpoint: CheckpointConfig, how: RenderOptions) -> tuple[str, Architecture, Engine]:
    """Fingerprint and architecture of the weights, and a context: whether there is a GPU, and what renders.

    Raises AtlasError if weights, device or torch cannot be had.
    """
    net = load_network(checkpoint, how.weights, how.device)
    from generator.render.local import run

    return net.fingerprint, net.architecture, nullcontext((net.mean.is_cuda, partial(run, net=net, forced=how.forced)))


def load_network(
    checkpoint: CheckpointConfig, weights: Path | None, device: str, *, what: str = "rendering"
) -> Inception:
    """The network of a checkpoint in float32 on a device. Raises AtlasError if weights, device or torch are missing."""
    need("torch", "safetensors", extra="render", what=what)
    from generator.network import load_checkpoint

    net = load_checkpoint(checkpoint.name, weights or checkpoint.weights, architecture=checkpoint.architecture)
    from generator.network.memory import keep_freed_memory
    from generator.render.local import pick_device  # imports torch: a file that is none is refused before

    keep_freed_memory()
    return net.to(pick_device(device))


def on_cluster(checkpoint: CheckpointConfig, how: RenderOptions) -> tuple[str, Architecture, Engine]:
    """The same on a Ray cluster, which is joined or started when the context is entered."""
    need("torch", "safetensors", "ray", extra="ray")
    from generator.cluster.pool import LOCAL, connect
    from generator.network.load import load_tensors
    from generator.render.distributed import run

    loaded = load_tensors(checkpoint.name, how.weights or checkpoint.weights, architecture=checkpoint.architecture)

    @contextmanager
    def engine() -> Iterator[tuple[bool, Callable[..., Outcome]]]:
        with connect(how.ray or LOCAL, workers=how.workers, device=how.device) as pool:
            echo(pool, err=True)
            yield pool.gpu, partial(run, loaded=loaded, pool=pool, warn=warn, forced=how.forced)

    return loaded.fingerprint, loaded.architecture, engine()


def warn(text: str) -> None:
    """A warning, above a progress bar if there is one."""
    from tqdm import tqdm

    with tqdm.external_write_mode():
        echo(f"warning: {text}", err=True)


def installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package it would be in is not there
        return False


def need(*modules: str, extra: str, what: str = "rendering") -> None:
    """Raise AtlasError, with what to type, if one of these cannot be imported."""
    for needed in modules:
        if not installed(needed):
            raise AtlasError(
                f"{what} needs {needed}, which is not installed; type `pip install 'inception-atlas[{extra}]'` "
                "(in a checkout: `make install`)"
            )
