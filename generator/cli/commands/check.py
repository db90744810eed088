"""The command `atlas check`: what is wrong with the built pages."""

from pathlib import Path

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import load_config
from generator.core.errors import AtlasError


@click.command(cls=Command, examples="atlas check")
@click.pass_obj
def command(path: Path) -> None:
    """Look through the built pages for dead links, bad ids, pictures without alt text, orphans, pages too large."""
    from generator.publish.check.site import check

    config = load_config(path)
    problems = check(config)
    for problem in problems:
        echo(problem)
    errors = sum(problem.level == "error" for problem in problems)
    if errors:
        raise AtlasError(f"{errors} problems in {config.output}; mend them and type `atlas build`")
    echo(f"{config.output}: clean")
