"""The command `atlas bench`: this renderer beside Lucent and beside the floor, on the user's own machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from generator.cli.answers import batch_option, checkpoint_option, default_batch, recipe_options, typed_settings
from generator.cli.command import Command
from generator.cli.engine import need
from generator.config.atlas_toml import load_config
from generator.core.errors import UsageError, did_you_mean
from generator.core.recipe import Recipe
from generator.core.units import Unit

_BAR = "{desc} {percentage:3.0f}% {bar} {elapsed}, {remaining} left"


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
@click.option("--weights", type=click.Path(path_type=Path), help="A weight file, or a folder of them.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda.")
@recipe_options
@click.pass_obj
def bench(
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
    **overrides: object,
) -> None:
    """Measure this renderer beside Lucent on the same weights, units, device and threads, in one process.

    The headline is how many times sooner all units have pictures that excite them as much as Lucent's last ones. Beside
    it stands the floor: the convolutions of a step alone. Recipe options are those of `atlas render`, and its defaults
    those of the recipe, not those of atlas.toml.
    """
    chosen = load_config(path).checkpoint(checkpoint)
    known = chosen.architecture.main_layers
    wanted = list(dict.fromkeys(known if "all" in layers else layers))
    for layer in wanted:
        if layer not in chosen.architecture.layers or chosen.architecture.layers[layer].kind == "branch":
            raise UsageError(f"no layer “{layer}” in {chosen.name}: {did_you_mean(layer, known)}")
    recipe = Recipe(**typed_settings(overrides))
    if recipe.steps == 0:
        raise UsageError("--steps 0 leaves nothing to time; type --steps 128")
    need("torch", "safetensors", "google.protobuf", *(("lucent",) if lucent else ()), extra="render")
    lucent_steps = lucent_steps if lucent else 0

    from generator.bench.compare import compare
    from generator.bench.result import HEADER, account, row, whole
    from generator.network.load import load_tensors
    from generator.render.local import pick_device
    from generator.render.renderer import keep_freed_memory

    where = pick_device(device)
    loaded = load_tensors(chosen.name, weights or chosen.weights, architecture=chosen.architecture)
    keep_freed_memory()
    found = []
    for layer in wanted:
        asked = [Unit(layer, n) for n in range(min(units, chosen.architecture.layers[layer].channels))]
        with tqdm(
            total=0,
            desc=f"{layer}, {len(asked)} units",
            bar_format=_BAR,
            leave=False,
            disable=None,
            file=sys.stderr,
        ) as bar:

            def progress(done: int, total: int, bar: tqdm[Any] = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            result = compare(
                loaded, chosen.name, asked, recipe, where, batch=batch or default_batch(where.type == "cuda"),
                repeats=repeats, lucent_steps=lucent_steps, loop=loop, progress=progress,
            )  # fmt: skip
        found.append(result)
        if as_json:
            click.echo(json.dumps(result.as_dict()))
        else:
            click.echo(row(result) if len(found) > 1 else f"{HEADER}\n{row(result)}")
    if not as_json:
        click.echo()
        for result in found:
            click.echo(account(result))
        click.echo(whole(found, {name: layer.channels for name, layer in chosen.architecture.layers.items()}))
