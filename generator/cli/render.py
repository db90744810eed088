"""The command `atlas render`: from what was typed, over a plan, to pictures in the store and one line that says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.answers import (
    STOPPED,
    RenderOptions,
    answer,
    checkpoint_option,
    recipe_options,
    render_options,
    say_stopped,
    typed_settings,
    view_option,
)
from generator.cli.command import Command
from generator.cli.engine import HERE, is_address
from generator.config.atlas_toml import Checkpoint, Config, load_config
from generator.config.lesson import lesson_questions
from generator.core.errors import UsageError
from generator.core.recipe import Question
from generator.core.units import Unit, select_units, write_channels
from generator.store.plan import Plan

if TYPE_CHECKING:
    from generator.render.local import Outcome


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
@checkpoint_option
@view_option
@render_options
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
    view: str,
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
    settings = typed_settings(overrides)
    typed = _Typed(RenderOptions(weights, batch, device, address, workers), view, settings, force, dry_run, bool(units))
    one = units or checkpoint or weights
    some = [c for c in config.checkpoints if c.units or config.teaches(c)]
    codes = [
        _render(config, each, select_units(units, each.architecture, each.name) if units else each.units, typed)
        for each in ([config.checkpoint(checkpoint)] if one else some)
    ]
    if not codes:
        raise UsageError(f"{path} selects no units; name some, as in `atlas render mixed4a:0-9`")
    sys.exit(max(codes))


@dataclass(frozen=True, slots=True)
class _Typed:
    """The options of one command, which hold for every checkpoint it renders."""

    way: RenderOptions
    view: str
    settings: Mapping[str, Any]
    force: bool
    dry_run: bool
    named: bool


def _render(config: Config, chosen: Checkpoint, selected: tuple[Unit, ...], typed: _Typed) -> int:
    """Render units of one checkpoint; the exit code."""
    as_written = not typed.named and not typed.settings and typed.view == "channel"
    teaches = as_written and config.teaches(chosen)
    if not selected and not teaches:
        hint = "name some, as in `atlas render mixed4a:0-9`"
        raise UsageError(f"{config.path} selects no units of {chosen.name}; {hint}")

    def ask(fingerprint: str) -> Iterator[Question]:
        for unit in selected:
            yield config.question(fingerprint, unit, typed.view, **typed.settings)
        if teaches:
            yield from lesson_questions(config, fingerprint) or ()

    answered = answer(config, chosen, ask, typed.way, force=typed.force, dry_run=typed.dry_run)
    if answered.outcome is None:
        _describe(answered.plan, config)
        return 0
    return _report(answered.outcome, config)


def _describe(plan: Plan, config: Config) -> None:
    """What there is to render, layer by layer, without rendering it."""
    for (layer, recipe, at), batches in groupby(
        plan.batches, key=lambda batch: (batch.questions[0].unit.layer, batch.recipe, batch.at)
    ):
        units = [question.unit for batch in batches for question in batch.questions]
        channels = write_channels(unit.channel for unit in units)
        channels = channels if len(channels) < 60 else f"{channels[:57]}..."
        count = "1 unit" if len(units) == 1 else f"{len(units)} units"
        kept = f", kept after {', '.join(map(str, at))} too" if at else ""
        click.echo(f"{layer}:{channels}  {count}, {recipe.size} px, {recipe.steps} steps{kept}")
    click.echo(f"to render {plan.pictures}, already there {plan.present}, in {config.store}")


def _report(outcome: Outcome, config: Config) -> int:
    for failure in outcome.failed:
        click.echo(f"failed: {failure}", err=True)
    counts = f"rendered {outcome.rendered}, already there {outcome.present}, failed {len(outcome.failed)}"
    click.echo(f"{counts}, in {config.store}")
    if outcome.error:
        raise outcome.error
    if outcome.stopped:
        say_stopped()
        return STOPPED
    return 1 if outcome.failed else 0
