"""The command `atlas verify`: every file of the store against its hash."""

from __future__ import annotations

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
    config = load_config(path)
    store = Store(config.store)
    keys = list(store.keys())
    damaged: list[Damage] = []
    with progress("verify", "answers", len(keys)) as bar:
        for answer in store.verify():
            if isinstance(answer, Damage):
                damaged.append(answer)
            bar.advance()
    for damage in damaged:
        aside = store.set_aside(damage)
        echo(f"damaged: {damage.reason.partition('; type')[0]} (set aside in {aside})")
    leftovers = sum(1 for _ in store.unclaimed())
    note = f"; {leftovers} other files there belong to no record, harmless" if leftovers else ""
    echo(f"{len(keys) - len(damaged)} answers whole, {len(damaged)} damaged, in {store.root}{note}")
    if damaged:
        raise AtlasError("what was damaged is missing now; type `atlas render`, or `atlas study`, to make it again")
