"""The command `atlas figure`: figures for papers and posts, from the store, or rendered first and kept there.

Each figure is a command of its own; they share the options of `atlas render` (but ``--force`` and ``--dry-run``), and
``-o``, ``--dpi`` and ``--title``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from generator.cli.command import Command
from generator.cli.engine import need
from generator.cli.figure_context import FigureContext, figure_options
from generator.config.lesson import on_the_way
from generator.core.errors import AtlasError, UsageError, did_you_mean
from generator.core.recipe import PRESETS
from generator.core.record import Rendered
from generator.core.units import Unit, parse_units

if TYPE_CHECKING:
    from generator.figures.compose import OtherCheckpoint

_BAR = "{desc} {percentage:3.0f}% {bar} {n:.0f}/{total:.0f} steps, {remaining} left"


class _Figures(click.Group):
    """Names the nearest figure where there is none of that name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UsageError(f"no figure “{args[0]}”: {did_you_mean(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Figures, invoke_without_command=True)
@click.pass_context
def figure(ctx: click.Context) -> None:
    """Figures for papers and posts: PNG, SVG or PDF.

    What a figure shows is taken from the store; what is not there is rendered first, and kept.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _numbers(ctx: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """``0,32,64`` as numbers."""
    if not re.fullmatch(r"\d{1,6}( *, *\d{1,6})*", text, re.ASCII):
        raise UsageError(f"--{option.name} {text}: not numbers; type --{option.name} {option.default}")
    return tuple(sorted({int(part) for part in text.split(",")}))


@figure.command(
    cls=Command,
    examples="""
    atlas figure gallery mixed4a:0-9
    atlas figure gallery mixed4a:0-9 mixed5b:3 --columns 4 -o gallery.pdf
    atlas figure gallery 4a:0-9 --seed 1 --title ''
    """,
)
@click.argument("units", nargs=-1, required=True)
@click.option("--columns", type=click.IntRange(1, 100), default=5, show_default=True, help="Pictures in a row.")
@figure_options
@click.pass_obj
def gallery(path: Path, /, units: tuple[str, ...], columns: int, **typed: Any) -> None:
    """A grid of UNITS with their names."""
    desk = FigureContext.of(path, "gallery", **typed)
    pictures = desk.pictures([desk.question(unit) for unit in desk.units(units)])
    from generator.figures import compose

    desk.save(compose.gallery(pictures, columns=columns, title=desk.titled(", ".join(units))))


@figure.command(
    cls=Command,
    examples="""
    atlas figure filmstrip mixed4a:0
    atlas figure filmstrip mixed4a:0 --at 0,8,16,32,64,128,255 -o filmstrip.svg
    atlas figure filmstrip mixed4a:0 --way full --at 0,8,32,128
    """,
)
@click.argument("unit")
@click.option("--at", default="0,32,64,128,255", show_default=True, callback=_numbers,
              help="Steps after which the picture is shown.")  # fmt: skip
@click.option(
    "--way", type=click.Choice(list(PRESETS)), default="raw", show_default=True,
    help="Raw pixels from standard normal noise; pixels kept in range; or the recipe of the atlas.",
)  # fmt: skip
@click.option("--columns", type=click.IntRange(1, 100), default=5, show_default=True, help="Pictures in a row.")
@figure_options
@click.pass_obj
def filmstrip(path: Path, /, unit: str, at: tuple[int, ...], way: str, columns: int, **typed: Any) -> None:
    """Gradient ascent on UNIT, step by step.

    From scratch, on raw pixels, if nothing else is typed; beside the pictures stands the activation at each step.
    """
    desk = FigureContext.of(path, "filmstrip", **typed)
    whole = desk.question(desk.unit(unit), way)
    steps = whole.recipe.steps
    if steps == 0:
        raise UsageError("--steps 0 leaves nothing to climb; type --steps 256")
    if at[-1] > steps:
        raise UsageError(f"--at {at[-1]}: the ascent has steps 0 to {steps}; type --steps {at[-1]} to go further")
    *frames, end = desk.pictures([*on_the_way(whole, at), whole])
    from generator.figures import compose

    sheet = compose.filmstrip(
        [*frames, *([end] if steps in at else [])], end.activations, columns=columns, title=desk.titled(str(end.unit))
    )
    desk.save(sheet)


@figure.command(
    cls=Command,
    examples="""
    atlas figure parameterizations mixed4a:0
    atlas figure parameterizations mixed4a:0 --engine lucent -o lucent.png
    """,
)
@click.argument("unit")
@click.option(
    "--engine", type=click.Choice(["atlas", "lucent"]), default="atlas", show_default=True,
    help="What draws the second and the third: this renderer, or Lucent's render_vis, with 512 steps and draws of its "
    "own; of the recipe it takes --steps and --size.",
)  # fmt: skip
@figure_options
@click.pass_obj
def parameterizations(path: Path, /, unit: str, engine: str, **typed: Any) -> None:
    """UNIT three ways, with power spectra.

    Raw pixels from scratch; pixels kept in range; Fourier coefficients of decorrelated colours under transformations.
    """
    desk = FigureContext.of(path, "parameterizations", **typed)
    asked = desk.unit(unit)
    questions = {way: desk.question(asked, way) for way in PRESETS}
    shown: dict[str, Rendered | OtherCheckpoint]
    if engine == "lucent":
        need("torch", "lucent", extra="render")
        if desk.view != "channel":
            raise UsageError("--engine lucent maximises the channel; leave --view out")
        if desk.settings.get("steps") == 0:
            raise UsageError("--steps 0 leaves Lucent nothing to do; type --steps 512")
        theirs = _by_lucent(desk, asked)
        (raw,) = desk.pictures([questions["raw"]])
        if any(picture.made_by["fingerprint"] != raw.question.fingerprint for picture in theirs.values()):
            raise AtlasError("Lucent was given other weights than the picture of raw pixels has; type --weights FILE")
        shown = {"raw": raw, **theirs}
    else:
        shown = dict(zip(PRESETS, desk.pictures(list(questions.values())), strict=True))
    from generator.figures import compose

    desk.save(compose.parameterizations(shown, title=desk.titled(str(asked))))
    for way, picture in shown.items():
        click.echo(f"{way}: activation {picture.activation:.1f}")


def _by_lucent(desk: FigureContext, unit: Unit) -> dict[str, OtherCheckpoint]:
    """Naive and full by Lucent itself, on the same weights and device; kept nowhere, for it is no answer of ours."""
    from generator.figures.compose import OtherCheckpoint
    from generator.network.load import load_tensors
    from generator.render import lucent
    from generator.render.local import pick_device

    device = pick_device(desk.way.device)
    weights = desk.way.weights or desk.chosen.weights
    loaded = load_tensors(desk.chosen.name, weights, architecture=desk.chosen.architecture)
    steps, size = desk.settings.get("steps", lucent.STEPS), desk.question(unit).recipe.size
    made = {}
    with tqdm(total=2 * steps, desc="Lucent", bar_format=_BAR, leave=False, disable=None, file=sys.stderr) as bar:
        for way in ("naive", "full"):
            pixels, activation = lucent.picture(
                loaded, unit, steps, device, bar.update, size=size, naive=way == "naive"
            )
            by = {"engine": "lucent", "way": way, "unit": str(unit), "steps": steps, "size": size,
                  "fingerprint": loaded.fingerprint}  # fmt: skip
            made[f"Lucent, {way}"] = OtherCheckpoint(pixels, activation, steps, by)
    return made


@figure.command(
    cls=Command,
    examples="""
    atlas figure poster
    atlas figure poster mixed3a,mixed4a,mixed5b --channels 0,5,9 -o poster.pdf
    """,
)
@click.argument("layers", default="mixed3a,mixed4a,mixed5b")
@click.option("--channels", default="0,5,9", show_default=True, callback=_numbers, help="A row for each.")
@figure_options
@click.pass_obj
def poster(path: Path, /, layers: str, channels: tuple[int, ...], **typed: Any) -> None:
    """Neurons of several LAYERS in a table.

    Rows are neurons, columns are layers in order of depth.
    """
    desk = FigureContext.of(path, "poster", **typed)
    net = desk.chosen.architecture
    words = [word.strip() for word in layers.split(",") if word.strip()]
    for word in words:
        if ":" in word or "/" in word:
            raise UsageError(f"“{word}” is not a layer; type {re.split('[:/]', word)[0]}, and --channels for the rows")
        whole = parse_units(word, net, desk.chosen.name)
        if len(whole) != net.layers[whole[0].layer].channels:
            raise UsageError(f"“{word}” is a branch, whose channels are numbered in {whole[0].layer}; type that")
    typed_channels = ",".join(map(str, channels))
    columns = [parse_units(f"{word}:{typed_channels}", net, desk.chosen.name) for word in words]
    if not columns:
        raise UsageError("no layers; type `atlas figure poster mixed3a,mixed4a,mixed5b`")
    columns.sort(key=lambda units: list(net.layers).index(units[0].layer))
    rows = list(zip(*columns, strict=True))
    pictures = desk.pictures([desk.question(unit) for row in rows for unit in row])
    from generator.figures import compose

    table = [pictures[i : i + len(columns)] for i in range(0, len(pictures), len(columns))]
    desk.save(compose.poster(table, title=desk.titled(f"Neurons {typed_channels}")))


@figure.command("contact-sheet", cls=Command, examples="atlas figure contact-sheet mixed4a -o mixed4a.png")
@click.argument("layer")
@click.option("--columns", type=click.IntRange(1, 200), help="Pictures in a row. [default: as suits a page]")
@figure_options
@click.pass_obj
def contact_sheet(path: Path, /, layer: str, columns: int | None, **typed: Any) -> None:
    """Every unit of LAYER on one sheet."""
    desk = FigureContext.of(path, "contact-sheet", **typed)
    pictures = desk.pictures([desk.question(unit) for unit in desk.units([layer])], thumbnails=True)
    from generator.figures import compose

    desk.save(compose.contact_sheet(pictures, columns=columns, title=desk.titled(layer)))
