"""The command `atlas render`: from what was typed, over a plan, to pictures in the store and one line that says so."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.command import Command
from generator.cli.options import (
    ALL,
    RenderOptions,
    checkpoint_option,
    recipe_options,
    render_options,
    typed_units,
    views_option,
)
from generator.cli.output import echo
from generator.cli.rendering import Ask, answer
from generator.cli.stopping import end_stopped
from generator.config.atlas_toml import load_config
from generator.config.config import CheckpointConfig, Config
from generator.config.lesson_questions import lesson_questions
from generator.core.errors import UsageError
from generator.core.recipe import Question
from generator.core.units import Unit, write_channels
from generator.core.views import main_view, views_of
from generator.store.plan import Plan

if TYPE_CHECKING:
    from generator.render.local import Outcome

_HINT = "name some, as in `atlas render mixed4a:0-9`"


@click.command(
    cls=Command,
    examples="""
    atlas render                              what atlas.toml selects and the store lacks
    atlas render mixed4a:0-9,40 mixed5b       some channels, a whole layer
    atlas render mixed4a_3x3 --dry-run        what a branch would take
    atlas render 4a:11 --steps 512 --seed 1   another recipe: another picture beside the first
    atlas render mixed4a:0-9 --view all       by every view that they have
    atlas render output:207                   a class of the classifier
    atlas render mixed4a:5+mixed4a:11         the sum of two channels
    atlas render --checkpoint untrained mixed4a:0-9
    atlas render mixed4a --ray --workers 2    on this machine, in two processes
    atlas render --ray-address 10.0.0.5:6379  on a Ray cluster
    """,
)
@click.argument("units", nargs=-1)
@checkpoint_option
@views_option
@render_options
@click.option("--force", is_flag=True, help="Render again what is there; earlier pictures are kept.")
@click.option("--dry-run", is_flag=True, help="Say what would be rendered.")
@recipe_options
@click.pass_obj
def command(
    path: Path,
    /,
    units: tuple[str, ...],
    checkpoint: str | None,
    view: str | None,
    how: RenderOptions,
    force: bool,
    dry_run: bool,
    settings: dict[str, Any],
) -> None:
    """Render UNITS, or all that atlas.toml selects, and keep the pictures in the store.

    What is in the store is not rendered again, so a run that was interrupted goes on where it was. Weights are looked
    for in --weights, atlas.toml, ATLAS_WEIGHTS and the user's cache folder, and downloaded if they are nowhere.
    """
    config = load_config(path)
    how = replace(how, forced="precision" in settings)
    as_written = not units and not settings and not view

    def ask_for(chosen: CheckpointConfig) -> Ask:
        """What is asked of a checkpoint. Raises UsageError if that is nothing."""
        selected = typed_units(units, chosen, how) if units else chosen.units
        teaches = as_written and config.teaches(chosen)
        if not selected and not teaches:
            raise UsageError(f"{config.path} selects no units of {chosen.name}; {_HINT}")

        def ask(fingerprint: str) -> Iterator[Question]:
            for unit, by in chosen.asked if as_written else _each(selected, view):
                yield config.question(fingerprint, unit, by, **settings)
            if teaches:
                yield from lesson_questions(config, fingerprint) or ()

        return ask

    if units or checkpoint or how.weights:
        chosen = [config.checkpoint(checkpoint)]
    elif not (chosen := [c for c in config.checkpoints if c.units or config.teaches(c)]):
        raise UsageError(f"{path} selects no units; {_HINT}")
    failed = False
    for each in chosen:
        done = answer(config, each, ask_for(each), how, force=force, dry_run=dry_run)
        if done.outcome is None:
            _describe(done.plan, config)
        else:
            failed |= _report(done.outcome, config)
    sys.exit(failed)


def _each(units: Iterable[Unit], view: str | None) -> Iterator[tuple[Unit, str | None]]:
    """Units by the view that was typed: each of theirs, that one, or the main one."""
    for unit in units:
        yield from ((unit, by) for by in (views_of(unit.layer) if view == ALL else (view,)))


def _describe(plan: Plan, config: Config) -> None:
    """What there is to render, layer by layer, without rendering it."""
    for (layer, view, recipe, at), batches in groupby(
        plan.batches, key=lambda batch: (batch.questions[0].unit.layer, batch.view, batch.recipe, batch.at)
    ):
        units = [question.unit for batch in batches for question in batch.questions]
        channels = write_channels(unit.channel for unit in units)
        channels = channels if len(channels) < 60 else f"{channels[:57]}..."
        count = "1 unit" if len(units) == 1 else f"{len(units)} units"
        kept = f", kept after {', '.join(map(str, at))} too" if at else ""
        by = "" if view == main_view(layer) else f", view {view}"
        echo(f"{layer}:{channels}  {count}{by}, {recipe.size} px, {recipe.steps} steps{kept}")
    echo(f"to render {plan.pictures}, already there {plan.present}, in {config.store}")


def _report(outcome: Outcome, config: Config) -> bool:
    """Say what a run came to. Whether a unit failed; a run that was stopped or ended early ends the command."""
    for failure in outcome.failed:
        echo(f"failed: {failure}", err=True)
    counts = f"rendered {outcome.rendered}, already there {outcome.present}, failed {len(outcome.failed)}"
    echo(f"{counts}, in {config.store}")
    if outcome.error:
        raise outcome.error
    if outcome.stopped:
        end_stopped()
    return bool(outcome.failed)
