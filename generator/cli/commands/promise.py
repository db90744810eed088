"""The command `atlas promise`: addresses that stay."""

from pathlib import Path

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import load_config
from generator.core.errors import AtlasError


@click.command(cls=Command, examples="atlas build && atlas check && atlas promise")
@click.pass_obj
def command(path: Path) -> None:
    """Keep the built addresses in addresses.txt. From then on `atlas check` sees that each stays and means the same."""
    from generator.publish.check.published import FILE, broken, promise

    config = load_config(path)
    file = config.path.parent / FILE
    echo(f"{file}: {promise(config)} lines are new; commit it with what is published")
    wrong = list(broken(config))
    for address, what in wrong:
        echo(f"error: {address}: {what}")
    if wrong:
        raise AtlasError(
            f"{len(wrong)} promises are broken; mend them, or take one back by deleting its line in {file}"
        )
