"""The command `atlas verify`: every file of the store against its hash."""

from pathlib import Path

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import load_config
from generator.core.errors import AtlasError
from generator.core.progress import progress
from generator.store.store import Damage, Store


@click.command(cls=Command, examples="atlas verify")
@click.pass_obj
def command(path: Path) -> None:
    """Read every file of the store against its hash and its record; set aside what is damaged."""
    config = load_config(path, lenient=True)
    for line in config.absent:
        echo(f"warning: {line}", err=True)
    store = Store(config.store)
    keys = list(store.keys())
    found: list[Damage] = []
    with progress("verify", "answers", len(keys)) as bar:
        for answer in store.verify():
            if isinstance(answer, Damage):
                found.append(answer)
            bar.advance()
    damaged, unread = [d for d in found if d.proven], [d for d in found if not d.proven]
    for damage in unread:
        echo(f"{damage.reason} (left where it is)")
    for damage in damaged:
        echo(f"damaged: {damage.reason.partition('; type')[0]}")
        echo(f"  set aside in {store.set_aside(damage)}")
    leftovers = sum(1 for _ in store.unclaimed())
    note = f"; {leftovers} other files there belong to no record, harmless" if leftovers else ""
    unreadable = f", {len(unread)} unreadable" if unread else ""
    echo(f"{len(keys) - len(found)} answers whole, {len(damaged)} damaged{unreadable}, in {store.root}{note}")
    if unread:
        raise AtlasError("what cannot be read may be whole: mend permissions or disk, then type `atlas verify` again")
    if damaged:
        raise AtlasError("what was damaged is missing now; type `atlas render`, or `atlas study`, to make it again")
