"""The command `atlas status`: how far the atlas is."""

import json
import sys
from pathlib import Path

import click

from generator.cli.command import Command
from generator.cli.output import echo, echo_lines
from generator.config.atlas_toml import load_config
from generator.store.status import CheckpointStatus, LayerStatus, status
from generator.store.store import Store

_ROW = "{:<24}{:>9}{:>10}{:>9}{:>15}{:>12}"


@click.command(cls=Command, examples="atlas status\natlas status --json | jq '.[0].layers[] | {layer, missing}'")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--check", is_flag=True, help="Print nothing; exit 1 if a unit is missing.")
@click.pass_obj
def command(path: Path, as_json: bool, check: bool) -> None:
    """How far the atlas is: units selected, rendered and missing, layer by layer."""
    config = load_config(path, lenient=True)
    found = status(config, Store(config.store))
    if check:
        sys.exit(any(c.missing for c in found))
    if as_json:
        echo_lines(json.dumps([c.as_dict() for c in found], indent=1))
        return
    for c in found:
        echo(f"{c.name}  {f'weights {c.fingerprint[:12]}' if c.fingerprint else 'weights not read yet'}")
        echo(_ROW.format("layer", "selected", "rendered", "missing", "bytes", "bytes/unit"))
        parts: list[tuple[str, LayerStatus | CheckpointStatus]] = [(layer.layer, layer) for layer in c.layers]
        for name, part in [*parts, ("all", c)]:
            mean = f"{part.bytes / part.rendered:,.0f}" if part.rendered else "-"
            echo(_ROW.format(name, part.selected, part.rendered, len(part.missing), f"{part.bytes:,}", mean))
        for kind in c.kinds:
            echo(_ROW.format(kind.kind, "", kind.answers, "", f"{kind.bytes:,}", ""))
    for gap in config.gaps:
        echo(f"warning: {gap}", err=True)
    missing = sum(len(c.missing) for c in found)
    echo(f"{missing} missing: type `atlas render`" if missing else "nothing is missing: type `atlas build`")
