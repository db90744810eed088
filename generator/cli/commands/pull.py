"""The command `atlas pull`: pictures and records of an atlas that is published."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.cli.stopping import end_stopped
from generator.config.atlas_toml import load_config
from generator.config.config import Config
from generator.core.architecture import CLASSIFIER
from generator.core.directions import has_vector
from generator.core.errors import AtlasError, UsageError
from generator.core.progress import progress
from generator.core.units import select_units
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.reader.published import PublishedCheckpoint, PublishedUnit


@click.command(
    cls=Command,
    examples="""
    atlas pull https://host/atlas/                    all that it shows of your first checkpoint
    atlas pull https://host/atlas/ mixed4a 4b:0-99    a layer, some channels
    atlas pull ../other/site --checkpoint untrained   from a folder that `atlas build` wrote
    """,
)
@click.argument("where")
@click.argument("units", nargs=-1)
@click.option("--checkpoint", help="Which weights, by name. [default: the first of atlas.toml that is there]")
@click.pass_obj
def command(path: Path, where: str, units: tuple[str, ...], checkpoint: str | None) -> None:
    """Copy pictures and records of the built atlas at WHERE, an address or a folder, into the store.

    UNITS are read as `atlas render` reads them; without any, all that is there is meant. What the store has stays and
    costs no request, so a pull that was interrupted goes on where it was. Every file is checked against its hash.
    """
    from generator.reader.atlas import Atlas
    from generator.reader.pull import choose, counterpart, pull
    from generator.store.status import known_fingerprint

    config = load_config(path)
    store = Store(config.store)
    atlas = Atlas.open(where)
    own = choose(atlas, config, checkpoint)
    known = known_fingerprint(own, store.records())
    theirs = counterpart(atlas, own, known)
    wanted = _shown(theirs, units, atlas.location.name)
    echo(f"{own.name}  weights {theirs.fingerprint[:12]}")
    if not known:
        echo(
            f"note: weights of {own.name} were never read here, so these are taken for them; to be sure of others, set "
            f'fingerprint = "…" under [checkpoints.{own.name}] in {path} and pull again',
            err=True,
        )
    layers = {"", CLASSIFIER, *(unit.unit.layer for unit in wanted)}
    studied = [answer for answer in theirs.answers if not units or answer.layer in layers]
    views = [view for unit in wanted for view in unit.views.values()]
    with progress("pull", "answers", len(wanted) + len(views) + len(studied)) as bar:
        outcome = pull([*wanted, *views, *studied], store, bar.advance)
    for failure in outcome.failed:
        echo(f"failed: {failure}", err=True)
    for note in _notes(config, theirs, wanted):
        echo(f"note: {note}", err=True)
    counts = f"pulled {outcome.pulled}, already there {outcome.present}, failed {len(outcome.failed)}"
    echo(f"{counts}, into {store.root}{'' if outcome.stopped or outcome.error else '; type `atlas build`'}")
    if outcome.stopped:
        end_stopped()
    if outcome.error:
        again = "" if "same command again" in str(outcome.error) else ". Type the same command again to go on"
        raise AtlasError(f"{outcome.error}; what is finished is kept{again}")
    sys.exit(1 if outcome.failed else 0)


def _shown(theirs: PublishedCheckpoint, words: tuple[str, ...], where: str) -> list[PublishedUnit]:
    """The units to pull: those of the words that the other atlas shows, or all."""
    asked = select_units(words, theirs.architecture, theirs.name) if words else tuple(theirs.units)
    shown = [theirs.units[unit] for unit in asked if unit in theirs.units]
    if not shown:
        of = " ".join(words) or theirs.name
        raise UsageError(f"{where} shows nothing of {of}; it has {len(theirs.units)} units of {theirs.name}")
    if len(shown) < len(asked):
        echo(f"note: {where} shows {len(shown)} of these {len(asked)} units", err=True)
    return shown


def _notes(config: Config, theirs: PublishedCheckpoint, units: list[PublishedUnit]) -> list[str]:
    """What may surprise one who builds or renders next."""
    if theirs.name not in {checkpoint.name for checkpoint in config.checkpoints}:
        return [f"pages show them when {config.path} has a section [checkpoints.{theirs.name}]"]
    units = [unit for unit in units if not has_vector(unit.unit.layer)]  # atlas.toml may not name such a direction
    others = sum(unit.key != config.question(theirs.fingerprint, unit.unit).key for unit in units)
    if not others:
        return []
    known = f"{others} of these {len(units)} are by another recipe than {config.path} asks for"
    return [f"{known}: pages say so, and show those made for figures beside others only; `atlas render` makes your own"]
