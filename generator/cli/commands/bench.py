"""The command `atlas bench`: this renderer beside Lucent and beside the floor, on the user's own machine."""

import json
from pathlib import Path
from typing import Any

import click

from generator.cli.command import Command
from generator.cli.options import (
    BATCH,
    GPU_BATCH,
    batch_option,
    checkpoint_option,
    device_option,
    recipe_options,
    weights_option,
)
from generator.cli.output import echo, echo_lines
from generator.cli.rendering import load_weights, need
from generator.config.atlas_toml import load_config
from generator.core.errors import UsageError, did_you_mean
from generator.core.progress import progress
from generator.core.recipe import Recipe
from generator.core.units import Unit


@click.command(
    cls=Command,
    examples="""
    atlas bench                                     mixed4a, four units: a quarter of an hour on two cores
    atlas bench --layer mixed5b --units 8 --json
    atlas bench --layer all --units 2 --no-loop     a table of the twelve layers
    atlas bench --layer all --units 256 --no-lucent --device cuda       how fast a GPU renders the network
    atlas bench --checkpoint untrained --steps 64   without weights to download
    """,
)
@click.option("--layer", "layers", multiple=True, default=("mixed4a",), show_default=True,
              help="A layer; several times for several; “all” for the twelve of the hierarchy.")  # fmt: skip
@click.option("--units", type=click.IntRange(1, 512), default=4, show_default=True, help="The first N of the layer.")
@click.option(
    "--repeats", type=click.IntRange(1, 100), default=3, show_default=True,
    help="Runs of ours and of the floor; Lucent is run once for each unit.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a layer, each on a line.")
@click.option("--lucent/--no-lucent", default=True, help="Measure Lucent too. [default: --lucent]")
@click.option("--lucent-steps", type=click.IntRange(1, 100_000), default=512, show_default=True,
              help="Steps of Lucent's render_vis; its default is 512.")  # fmt: skip
@click.option("--loop/--no-loop", default=True, help="Time Lucent on one model for all units too. [default: --loop]")
@batch_option
@checkpoint_option
@weights_option
@device_option
@recipe_options
@click.pass_obj
def command(
    path: Path,
    /,
    layers: tuple[str, ...],
    units: int,
    repeats: int,
    as_json: bool,
    lucent: bool,
    lucent_steps: int,
    loop: bool,
    batch: int | None,
    checkpoint: str | None,
    weights: Path | None,
    device: str,
    settings: dict[str, Any],
) -> None:
    """Measure this renderer beside Lucent on the same weights, units, device and threads, in one process.

    The headline is how many times sooner all units have pictures that excite them as much as Lucent's last ones. Beside
    it stands the floor: the convolutions of a step alone. Recipe options are those of `atlas render`, and its defaults
    those of the recipe, not those of atlas.toml.
    """
    chosen = load_config(path).checkpoint(checkpoint)
    net = chosen.architecture
    wanted = list(dict.fromkeys(net.main_layers if "all" in layers else layers))
    for layer in wanted:
        if layer not in net.layers or net.layers[layer].kind == "branch":
            raise UsageError(f"no layer “{layer}” in {chosen.name}: {did_you_mean(layer, net.main_layers)}")
    recipe = Recipe(**settings)
    if recipe.steps == 0:
        raise UsageError("--steps 0 leaves nothing to time; type --steps 128")
    if lucent:
        need("lucent", extra="render", what="atlas bench (without --no-lucent)")
    loaded = load_weights(chosen, weights)

    from generator.bench.compare import compare
    from generator.bench.result import HEADER, account, row, whole
    from generator.render.local import pick_device

    where = pick_device(device)
    found = []
    for layer in wanted:
        asked = [Unit(layer, n) for n in range(min(units, net.layers[layer].channels))]
        size = batch or (GPU_BATCH if where.type == "cuda" else BATCH)
        with progress(f"{layer}, {len(asked)} units", "steps") as bar:
            result = compare(
                loaded, asked, recipe, where, batch=size,
                repeats=repeats, lucent_steps=lucent_steps if lucent else 0, loop=loop,
                forced="precision" in settings, progress=bar.at,
            )  # fmt: skip
        found.append(result)
        if as_json:
            echo(json.dumps(result.as_dict()))
        else:
            if len(found) == 1:
                echo_lines(HEADER)
            echo(row(result))
    if not as_json:
        echo()
        for result in found:
            echo_lines(account(result))
        echo(whole(found, {name: layer.channels for name, layer in net.layers.items()}))
