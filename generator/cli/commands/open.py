"""The command `atlas open`: a page of one's own atlas, by whatever people call it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import load_config
from generator.core.errors import AtlasError, UsageError
from generator.links import addresses

if TYPE_CHECKING:
    from generator.reader.atlas import Atlas
    from generator.reader.find import Found

_SHOWN = 10  # of what a word may mean


@click.command(
    cls=Command,
    examples="""
    atlas open 4a:11                  a unit, in any spelling
    atlas open mixed4a 3x3 5          channel 5 of a branch
    atlas open mixed4a_3x3            a layer, at that branch
    atlas open curves                 a family, or a unit by its name
    atlas open class:beagle           units by what a study found; also orientation:45, hue:red, like:4a:11, groups:3
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
def command(
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
            echo(f"atlas open {shlex.quote(page.title):<36} {page.said}".rstrip())
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
        echo(atlas.url + ("" if page.kind == "home" else page.address))
    elif only_print:
        echo(file)
    else:
        echo(f"{page.title}{f' ({page.said})' if page.said else ''}: {file}")
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
