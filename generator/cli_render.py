"""The command `atlas render`: from what was typed, over a plan, to pictures in the store and one line that says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from generator.cli_engine import HERE, installed, is_address, on_cluster, on_this_machine
from generator.cli_help import Command
from generator.config import Checkpoint, Config, load_config
from generator.errors import AtlasError, UsageError
from generator.plan import Plan, make_plan
from generator.publish.catalog import known_fingerprint
from generator.recipe import SETTINGS, VIEWS, Question, View
from generator.store import Store
from generator.units import Unit, select_units, write_channels

if TYPE_CHECKING:
    from generator.render.runner import Outcome

_BATCH, _GPU_BATCH = 16, 256
_BAR = "{desc} {percentage:3.0f}% {bar} {n:.0f}/{total:.0f} units, {rate_noinv_fmt}, {remaining} left"
_STOPPED = 130


batch_option = click.option(
    "--batch",
    type=click.IntRange(1, 4096),
    help=f"Units at once, as far as memory allows. [default: {_BATCH}; {_GPU_BATCH} on a GPU]",
)


def default_batch(is_gpu: bool) -> int:
    return _GPU_BATCH if is_gpu else _BATCH


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


@click.command(
    cls=Command,
    examples="""
    atlas render                              what atlas.toml selects and the store lacks
    atlas render mixed4a:0-9,40 mixed5b       some channels, a whole layer
    atlas render mixed4a_3x3 --dry-run        what a branch would take
    atlas render 4a:11 --steps 512 --seed 1   another recipe: another picture beside the first
    atlas render --checkpoint untrained mixed4a:0-9
    atlas render mixed4a --ray --workers 2    on this machine, in two processes
    atlas render --ray 10.0.0.5:6379          on a Ray cluster
    """,
)
@click.argument("units", nargs=-1)
@click.option("--checkpoint", help="Which weights, by name. [default: the first of atlas.toml]")
@click.option("--weights", type=click.Path(path_type=Path), help="A weight file, or a folder of them.")
@click.option(
    "--view",
    type=click.Choice(VIEWS),
    default="channel",
    show_default=True,
    help="What is maximised; pages show channel.",
)
@batch_option
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps.")
@click.option(
    "--ray",
    is_flag=False,
    flag_value=HERE,
    metavar="[ADDRESS]",
    help="Render on a Ray cluster: HOST:PORT of its head, or auto on one of its nodes. [without: one on this machine]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 100_000),
    help="Workers on the cluster. [default: one for each GPU, or for 8 cores where there is none]",
)
@click.option("--force", is_flag=True, help="Render again what is there; earlier pictures are kept.")
@click.option("--dry-run", is_flag=True, help="Say what would be rendered.")
@recipe_options
@click.pass_obj
def render(
    path: Path,
    /,
    units: tuple[str, ...],
    checkpoint: str | None,
    weights: Path | None,
    view: View,
    batch: int | None,
    device: str,
    ray: str | None,
    workers: int | None,
    force: bool,
    dry_run: bool,
    **overrides: Any,
) -> None:
    """Render UNITS, or all that atlas.toml selects, and keep the pictures in the store.

    What is in the store is not rendered again, so a run that was interrupted goes on where it was. Weights are looked
    for in --weights, atlas.toml, ATLAS_WEIGHTS and the user's cache folder, and downloaded if they are nowhere.
    """
    config = load_config(path)
    address = ray if ray in (None, HERE) or is_address(ray) else HERE
    if ray and ray != address:  # the word after --ray is the first of the units
        known = config.checkpoint(checkpoint)
        try:
            select_units([ray], known.architecture, known.name)
        except UsageError as error:
            raise UsageError(f"--ray {ray}: neither HOST:PORT of a cluster nor a unit ({error})") from None
        units = (ray, *units)
    if workers and not address:
        raise UsageError("--workers is for a cluster; type --ray too, as in `atlas render --ray --workers 2`")
    settings = {key: value for key, value in overrides.items() if value is not None}
    typed = _Typed(weights, view, settings, batch, device, address, workers, force, dry_run)
    one = units or checkpoint or weights
    codes = [
        _render(config, each, select_units(units, each.architecture, each.name) if units else each.units, typed)
        for each in ([config.checkpoint(checkpoint)] if one else [c for c in config.checkpoints if c.units])
    ]
    if not codes:
        raise UsageError(f"{path} selects no units; name some, as in `atlas render mixed4a:0-9`")
    sys.exit(max(codes))


@dataclass(frozen=True, slots=True)
class _Typed:
    """The options of one command, which hold for every checkpoint it renders."""

    weights: Path | None
    view: View
    settings: Mapping[str, Any]
    batch: int | None
    device: str
    ray: str | None
    workers: int | None
    force: bool
    dry_run: bool


def _render(config: Config, chosen: Checkpoint, selected: tuple[Unit, ...], typed: _Typed) -> int:
    """Render units of one checkpoint; the exit code."""
    if not selected:
        hint = "name some, as in `atlas render mixed4a:0-9`"
        raise UsageError(f"{config.path} selects no units of {chosen.name}; {hint}")
    store = Store(config.store)

    def plan_for(fingerprint: str, size: int) -> Plan:
        questions = (_question(config, fingerprint, unit, typed) for unit in selected)
        return make_plan(questions, chosen.architecture, store, size=size, force=typed.force)

    # Weights whose fingerprint is not written down may have changed since the store was filled: they are read first,
    # if that can be done.
    given = typed.weights or ((chosen.weights or os.environ.get("ATLAS_WEIGHTS")) and not chosen.fingerprint)
    expected = chosen.fingerprint or known_fingerprint(chosen, store.records())
    if expected and not (given and installed("torch")):
        plan = plan_for(expected, typed.batch or _BATCH)
        if typed.dry_run or not plan.units:
            _describe(plan, config)
            return 0
    weights = typed.weights or chosen.weights
    if typed.ray:
        fingerprint, engine = on_cluster(chosen, weights, typed.device, typed.ray, typed.workers)
    else:
        fingerprint, engine = on_this_machine(chosen, weights, typed.device)
    if chosen.fingerprint not in (None, fingerprint):
        raise AtlasError(
            f"these weights are not those of {chosen.name} in {config.path} (fingerprint {fingerprint[:12]}, not "
            f"{(chosen.fingerprint or '')[:12]}); give them a section [checkpoints.NAME] of their own"
        )
    plan = plan_for(fingerprint, typed.batch or _BATCH)
    if typed.dry_run or not plan.units:
        _describe(plan, config)
        return 0
    with engine as (is_gpu, run):
        if is_gpu and not typed.batch:
            plan = plan_for(fingerprint, default_batch(is_gpu))
        with _bar(plan.units, chosen.name) as bar:
            outcome = run(plan, store=store, checkpoint=chosen.name, force=typed.force, advance=bar.update)
    return _report(outcome, store)


def _question(config: Config, fingerprint: str, unit: Unit, typed: _Typed) -> Question:
    return Question(fingerprint, unit, typed.view, config.recipe_for(unit.layer, **typed.settings))


def _describe(plan: Plan, config: Config) -> None:
    """What there is to render, layer by layer, without rendering it."""
    for layer, batches in groupby(plan.batches, key=lambda batch: batch.questions[0].unit.layer):
        questions = [question for batch in batches for question in batch.questions]
        recipe = questions[0].recipe
        channels = write_channels(question.unit.channel for question in questions)
        channels = channels if len(channels) < 60 else f"{channels[:57]}..."
        click.echo(f"{layer}:{channels}  {len(questions)} units, {recipe.size} px, {recipe.steps} steps")
    click.echo(f"to render {plan.units}, already there {plan.present}, in {config.store}")


def _bar(total: int, name: str) -> tqdm[Any]:
    looked_at = sys.stderr.isatty()
    return tqdm(
        total=total, desc=name, unit=" units", bar_format=_BAR, file=sys.stderr, smoothing=0.1,
        mininterval=0.2 if looked_at else 30, ascii=None if looked_at else True, dynamic_ncols=looked_at,
    )  # fmt: skip


def _report(outcome: Outcome, store: Store) -> int:
    for failure in outcome.failed:
        click.echo(f"failed: {failure}", err=True)
    counts = f"rendered {outcome.rendered}, already there {outcome.present}, failed {len(outcome.failed)}"
    click.echo(f"{counts}, in {store.root}")
    if outcome.error:
        raise outcome.error
    if outcome.stopped:
        click.echo("atlas: stopped; what is finished is kept. Type the same command again to go on", err=True)
        return _STOPPED
    return 1 if outcome.failed else 0
