"""The commands that read a built atlas: `atlas pull` copies a published one, `atlas open` shows a page of one's own."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from generator.cli.answers import STOPPED, say_stopped
from generator.cli.command import Command
from generator.config.atlas_toml import Config, load_config
from generator.core.errors import AtlasError, UsageError
from generator.core.units import select_units
from generator.links import addresses
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.reader.atlas import Atlas
    from generator.reader.find import Found
    from generator.reader.published import PublishedCheckpoint, PublishedUnit

_SHOWN = 10  # of what a word may mean


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
def pull(path: Path, where: str, units: tuple[str, ...], checkpoint: str | None) -> None:
    """Copy pictures and records of the built atlas at WHERE, an address or a folder, into the store.

    UNITS are read as `atlas render` reads them; without any, all that is there is meant. What the store has stays and
    costs no request, so a pull that was interrupted goes on where it was. Every file is checked against its hash.
    """
    from generator.reader.atlas import Atlas
    from generator.reader.pull import choose, counterpart
    from generator.reader.pull import pull as pull_units
    from generator.store.status import known_fingerprint

    config = load_config(path)
    store = Store(config.store)
    atlas = Atlas.open(where)
    own = choose(atlas, config, checkpoint)
    known = known_fingerprint(own, store.records())
    theirs = counterpart(atlas, own, known)
    wanted = _shown(theirs, units, atlas.place.name)
    click.echo(f"{own.name}  weights {theirs.fingerprint[:12]}")
    if not known:
        click.echo(
            f"note: weights of {own.name} were never read here, so these are taken for them; to be sure of others, set "
            f'fingerprint = "…" under [checkpoints.{own.name}] in {path} and pull again',
            err=True,
        )
    with tqdm(total=len(wanted), desc="pull", unit=" units", leave=False, disable=None, file=sys.stderr) as bar:
        outcome = pull_units(wanted, store, bar.update)
    for failure in outcome.failed:
        click.echo(f"failed: {failure}", err=True)
    for note in _notes(config, theirs, wanted):
        click.echo(f"note: {note}", err=True)
    counts = f"pulled {outcome.pulled}, already there {outcome.present}, failed {len(outcome.failed)}"
    click.echo(f"{counts}, into {store.root}{'' if outcome.stopped or outcome.error else '; type `atlas build`'}")
    if outcome.stopped:
        say_stopped()
        sys.exit(STOPPED)
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
        click.echo(f"note: {where} shows {len(shown)} of these {len(asked)} units", err=True)
    return shown


def _notes(config: Config, theirs: PublishedCheckpoint, units: list[PublishedUnit]) -> list[str]:
    """What may surprise one who builds or renders next."""
    if theirs.name not in {checkpoint.name for checkpoint in config.checkpoints}:
        return [f"pages show them when {config.path} has a section [checkpoints.{theirs.name}]"]
    others = sum(unit.key != config.question(theirs.fingerprint, unit.unit).key for unit in units)
    if not others:
        return []
    known = f"{others} of these {len(units)} are by another recipe than {config.path} asks for"
    return [f"{known}: pages say so, and show those made for figures beside others only; `atlas render` makes your own"]


@click.command(
    "open",
    cls=Command,
    examples="""
    atlas open 4a:11                  a unit, in any spelling
    atlas open mixed4a 3x3 5          channel 5 of a branch
    atlas open mixed4a_3x3            a layer, at that branch
    atlas open curves                 a family, or a unit by its name
    atlas open --any                  any unit
    atlas open --print 4a:11          only says where the page is
    """,
)
@click.argument("words", nargs=-1)
@click.option("--checkpoint", help="Of which weights, by name. [default: the first; for names, all]")
@click.option("--any", "at_random", is_flag=True, help="Any unit, at random.")
@click.option("--print", "only_print", is_flag=True, help="Print the path of the page, and open nothing.")
@click.option("--url", "only_url", is_flag=True, help="Print the published address of the page, and open nothing.")
@click.pass_obj
def open_page(
    path: Path, words: tuple[str, ...], checkpoint: str | None, at_random: bool, only_print: bool, only_url: bool
) -> None:
    """Open the page that WORDS mean, as the search box of the site understands them; without any, the first page.

    A unit or a layer in any spelling comes before a name or a family, of which some words are enough. Addresses are
    read too, of any atlas and of OpenAI Microscope.
    """
    from generator.reader.atlas import Atlas

    config = load_config(path)
    atlas = Atlas.open(config.output)
    found = _meant(atlas, " ".join(words), checkpoint, at_random)
    if len(found) > 1:
        for page in found[:_SHOWN]:
            click.echo(f"atlas open {shlex.quote(page.title):<36} {page.said}".rstrip())
        more = f", of which {_SHOWN} are above" if len(found) > _SHOWN else ""
        raise AtlasError(f"“{' '.join(words)}” may mean {len(found)} pages{more}; type one of these")
    [page] = found
    address, _, fragment = page.address.partition("#")
    file = config.output / address
    if not file.is_file():
        raise AtlasError(f"{file} is not there; type `atlas build`")
    if only_url:
        if not atlas.url:
            raise UsageError(f"no address is known; set url under [atlas] in {path} and type `atlas build`")
        click.echo(atlas.url + ("" if page.kind == "home" else page.address))
    elif only_print:
        click.echo(file)
    else:
        click.echo(f"{page.title}{f' ({page.said})' if page.said else ''}: {file}")
        import webbrowser

        if not webbrowser.open(file.resolve().as_uri() + (f"#{fragment}" if fragment else "")):
            raise AtlasError("no browser was found on this machine; open that file in one")


def _meant(atlas: Atlas, text: str, checkpoint: str | None, at_random: bool) -> tuple[Found, ...]:
    from generator.reader.find import Found, find, unit_page

    if at_random:
        if text:
            raise UsageError("--any takes no words; type `atlas open --any`")
        units = atlas.select(checkpoint=checkpoint)
        if not units:
            raise AtlasError("no unit is rendered yet; type `atlas render`, then `atlas build`")
        import secrets

        return (unit_page(secrets.choice(units)),)
    if text:
        return find(atlas, text, checkpoint)
    return find(atlas, atlas.named(checkpoint).name) if checkpoint else (Found("home", atlas.title, addresses.HOME),)
