"""The command `atlas init`: a new atlas.toml."""

from pathlib import Path

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import FILE
from generator.core.errors import AtlasError, UsageError


@click.command(cls=Command, examples="atlas init\natlas init my-atlas && cd my-atlas && atlas render")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def command(folder: Path) -> None:
    """Write a commented atlas.toml for a new atlas into FOLDER."""
    from generator.config.starter import starter_config

    target = folder / FILE
    if folder.is_file():
        raise UsageError(f"{folder} is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(starter_config())
    except FileExistsError:
        raise UsageError(f"{target} is there already; edit it, or type `atlas init OTHER_FOLDER`") from None
    except OSError as error:
        raise AtlasError(f"cannot write {target}: {error.strerror}; choose another folder") from error
    echo(f"{target} written; look into it, then type `atlas render` beside it")
