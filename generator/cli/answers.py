"""From questions to answers in the store, for every command that may have to render: `atlas render`, `atlas figure`.

How it is rendered is typed alike everywhere (:func:`render_options`), and so is the recipe (:func:`recipe_options`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from generator.cli.engine import HERE, installed, is_address, on_cluster, on_this_machine
from generator.config.atlas_toml import Checkpoint, Config
from generator.core.errors import AtlasError, UsageError
from generator.core.recipe import SETTINGS, Question
from generator.core.views import VIEWS
from generator.store.plan import Plan, make_plan
from generator.store.status import known_fingerprint
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.render.local import Outcome

STOPPED = 130  # the exit code after Ctrl-C
_BATCH, _GPU_BATCH = 16, 256
_BAR = "{desc} {percentage:3.0f}% {bar} {n:.0f}/{total:.0f} units, {rate_noinv_fmt}, {remaining} left"

Ask = Callable[[str], Iterable[Question]]
"""Gives the questions, once the fingerprint of the weights is known."""

batch_option = click.option(
    "--batch",
    type=click.IntRange(1, 4096),
    help=f"Units at once, as far as memory allows. [default: {_BATCH}; {_GPU_BATCH} on a GPU]",
)
checkpoint_option = click.option("--checkpoint", help="Which weights, by name. [default: the first of atlas.toml]")
view_option = click.option(
    "--view",
    type=click.Choice(list(VIEWS)),
    default="channel",
    show_default=True,
    help=f"What is maximised: {'; '.join(f'{name}, {view.help}' for name, view in VIEWS.items())}. Pages show channel.",
)
_RENDER_OPTIONS = (
    click.option("--weights", type=click.Path(path_type=Path), help="A weight file, or a folder of them."),
    batch_option,
    click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps."),
    click.option(
        "--ray", is_flag=False, flag_value=HERE, metavar="[ADDRESS]",
        help="Render on a Ray cluster: HOST:PORT of its head, or auto on one of its nodes. "
        "[without: one on this machine]",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 100_000),
        help="Workers on the cluster. [default: one for each GPU, or for 8 cores where there is none]",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Where and how something is rendered; nothing of it changes a picture."""

    weights: Path | None
    batch: int | None
    device: str
    ray: str | None
    workers: int | None

    def __post_init__(self) -> None:
        if self.ray and self.ray != HERE and not is_address(self.ray):
            raise UsageError(
                f"--ray {self.ray} is not HOST:PORT of a cluster; type what is to be rendered before --ray"
            )
        if self.workers and not self.ray:
            raise UsageError("--workers is for a cluster; type --ray too, as in `atlas render --ray --workers 2`")


def render_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each field of a :class:`RenderOptions`."""
    for option in reversed(_RENDER_OPTIONS):
        command = option(command)
    return command


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each setting of the recipe."""
    for setting in reversed(SETTINGS):
        said, flag = setting.metadata, setting.name.replace("_", "-")
        kind: Any = click.Choice(said["of"]) if said["of"] else type(setting.default)
        name = f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}"
        default = ("--" if setting.default else "--no-") + flag if kind is bool else setting.default
        text = f"{said['help'][0].upper()}{said['help'][1:]}. [default: {default}]"
        command = click.option(name, setting.name, type=kind, default=None, help=text)(command)
    return command


def typed_settings(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the recipe's options that were typed."""
    return {key: value for key, value in overrides.items() if value is not None}


def say_stopped() -> None:
    """What Ctrl-C left, and how to go on."""
    click.echo("atlas: stopped; what is finished is kept. Type the same command again to go on", err=True)


def default_batch(is_gpu: bool) -> int:
    return _GPU_BATCH if is_gpu else _BATCH


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan that was made for the weights with this fingerprint, and what came of it, if it was carried out."""

    fingerprint: str
    plan: Plan
    outcome: Outcome | None = None


def answer(
    config: Config, chosen: Checkpoint, ask: Ask, way: RenderOptions, *, force: bool = False, dry_run: bool = False
) -> PlanResult:
    """Have the store answer these questions of a checkpoint: what it lacks is rendered, with a progress bar.

    Raises AtlasError if weights, device or cluster cannot be had, or are not those that atlas.toml names.
    """
    store = Store(config.store)

    def plan_for(fingerprint: str, size: int) -> Plan:
        return make_plan(ask(fingerprint), chosen.architecture, store, size=size, force=force)

    # Weights whose fingerprint is not written down may have changed since the store was filled: they are read first,
    # if that can be done.
    given = way.weights or ((chosen.weights or os.environ.get("ATLAS_WEIGHTS")) and not chosen.fingerprint)
    expected = chosen.fingerprint or known_fingerprint(chosen, store.records())
    if expected and not (given and installed("torch")):
        plan = plan_for(expected, way.batch or _BATCH)
        if dry_run or not plan.units:
            return PlanResult(expected, plan)
    weights = way.weights or chosen.weights
    if way.ray:
        fingerprint, engine = on_cluster(chosen, weights, way.device, way.ray, way.workers)
    else:
        fingerprint, engine = on_this_machine(chosen, weights, way.device)
    if chosen.fingerprint not in (None, fingerprint):
        raise AtlasError(
            f"these weights are not those of {chosen.name} in {config.path} (fingerprint {fingerprint[:12]}, not "
            f"{(chosen.fingerprint or '')[:12]}); give them a section [checkpoints.NAME] of their own"
        )
    plan = plan_for(fingerprint, way.batch or _BATCH)
    if dry_run or not plan.units:
        return PlanResult(fingerprint, plan)
    with engine as (is_gpu, run):
        if is_gpu and not way.batch:
            plan = plan_for(fingerprint, default_batch(is_gpu))
        with _bar(plan.units, chosen.name) as bar:

            def advance(units: float) -> None:  # fractions of units may add up to a little more than there are
                bar.update(min(units, plan.units - bar.n))

            outcome = run(plan, store=store, checkpoint=chosen.name, force=force, advance=advance)
    return PlanResult(fingerprint, plan, outcome)


def _bar(total: int, name: str) -> tqdm[Any]:
    looked_at = sys.stderr.isatty()
    return tqdm(
        total=total, desc=name, unit=" units", bar_format=_BAR, file=sys.stderr, smoothing=0.1,
        mininterval=0.2 if looked_at else 30, ascii=None if looked_at else True, dynamic_ncols=looked_at,
    )  # fmt: skip
