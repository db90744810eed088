"""From questions to answers in the store, for every command that may have to render: `atlas render`, `atlas figure`.

Torch and Ray are imported when something has to be rendered, and not before.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from generator.cli.options import BATCH, GPU_BATCH, RenderOptions
from generator.cli.output import echo
from generator.config.config import CheckpointConfig, Config
from generator.core.architecture import OUTPUT, Architecture
from generator.core.errors import AtlasError
from generator.core.progress import progress
from generator.core.recipe import Question
from generator.store.plan import Plan, make_plan
from generator.store.status import NOT_KNOWN, known_fingerprint
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.network.load import Loaded
    from generator.render.local import Outcome

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
        return PlanResult("", plan_for(NOT_KNOWN, how.batch or BATCH))
    if how.ray:
        need("torch", "safetensors", "ray", extra="ray")
    asks_classes = any(question.unit.layer == OUTPUT for question in ask(NOT_KNOWN))
    loaded = load_weights(chosen, how.weights, classes=asks_classes)
    if chosen.fingerprint and chosen.fingerprint != loaded.fingerprint:
        raise AtlasError(
            f"these weights are not those of {chosen.name} in {config.path} (fingerprint {loaded.fingerprint[:12]}, "
            f"not {chosen.fingerprint[:12]}); give them a section [checkpoints.NAME] of their own"
        )
    plan = plan_for(loaded.fingerprint, how.batch or BATCH, loaded.architecture)
    if dry_run or not plan.units:
        return PlanResult(loaded.fingerprint, plan)
    with _engine(loaded, how) as (is_gpu, run):
        if is_gpu and not how.batch:
            plan = plan_for(loaded.fingerprint, GPU_BATCH, loaded.architecture)
        with progress(chosen.name, "units", plan.units, keep=True) as bar:
            outcome = run(plan, store=store, force=force, forced=how.forced, advance=bar.advance)
    return PlanResult(loaded.fingerprint, plan, outcome)


def at_hand(checkpoint: CheckpointConfig, how: RenderOptions) -> bool:
    """Whether the weights are on this machine and can be read here."""
    if not installed("torch"):
        return False
    from generator.network.load import local_weights

    return local_weights(checkpoint.name, how.weights or checkpoint.weights) is not None


def load_weights(
    checkpoint: CheckpointConfig, weights: Path | None, *, what: str = "rendering", classes: bool = False
) -> Loaded:
    """The weights of a checkpoint; ``classes`` if some are asked for, so that it must be known how many there are.

    Raises AtlasError if they, or torch, cannot be had, or if atlas.toml names another number of classes.
    """
    need("torch", "safetensors", extra="render", what=what)
    from generator.network.load import load_tensors

    loaded = load_tensors(checkpoint.name, weights or checkpoint.weights, architecture=checkpoint.architecture)
    found, known = loaded.architecture.classes, checkpoint.architecture.classes
    if 0 < found != known and (classes or checkpoint.class_names):
        raise AtlasError(
            f"these weights tell {found} classes apart, not {known}: write their names into a file, one a line, and "
            'classes = "FILE" into a section of their own, [checkpoints.NAME]'
        )
    return loaded


@contextmanager
def _engine(loaded: Loaded, how: RenderOptions) -> Iterator[tuple[bool, Callable[..., Outcome]]]:
    """Whether there is a GPU, and what carries out a plan: this machine, or a Ray cluster that is joined or started.

    Raises AtlasError if device or cluster cannot be had.
    """
    if how.ray:
        from generator.cluster.pool import connect
        from generator.render import distributed

        with connect(how.ray, workers=how.workers, device=how.device) as pool:
            echo(pool, err=True)
            yield pool.gpu, partial(distributed.run, loaded=loaded, pool=pool, warn=warn)
    else:
        from generator.render import local

        net = loaded.network(local.pick_device(how.device))
        yield net.mean.is_cuda, partial(local.run, net=net)


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
