"""The command `atlas serve`: a preview of the pages."""

from pathlib import Path

import click

from generator.cli.command import Command
from generator.config.atlas_toml import load_config


@click.command(cls=Command, examples="atlas serve\natlas serve --port 9000")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.pass_obj
def command(path: Path, port: int) -> None:
    """Preview the built pages on 127.0.0.1, for this machine alone. Ctrl-C ends it."""
    from generator.publish.serve import serve

    config = load_config(path)
    serve(config.output, port, config.url)
