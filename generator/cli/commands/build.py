"""The command `atlas build`: the pages."""

from pathlib import Path

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import load_config
from generator.core.progress import progress


@click.command(cls=Command, examples="atlas build && atlas check")
@click.pass_obj
def command(path: Path) -> None:
    """Lay the store out as pages. Writes only what changed and removes what is no longer made, never the store."""
    from generator.publish.build import build

    config = load_config(path)
    with progress("build", "files") as bar:
        built = build(config, bar.at)
    for warning in (*built.warnings, *config.gaps):
        echo(f"warning: {warning}", err=True)
    counts = f"{built.written} files written, {built.unchanged} unchanged, {built.removed} removed"
    echo(f"{built.index}: {counts} in {built.seconds:.1f} s")
