"""The command `atlas figure`: figures for papers and posts, from the store, or rendered first and kept there.

Each figure is a function from the words that were typed to a sheet. They share the options of `atlas render` (but
``--force`` and ``--dry-run``), and ``-o``, ``--dpi`` and ``--title``.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.command import Command, Group
from generator.cli.options import (
    RenderOptions,
    checkpoint_option,
    recipe_options,
    render_options,
    typed_units,
    view_option,
)
from generator.cli.output import echo
from generator.cli.rendering import answer, load_weights, need
from generator.cli.stopping import end_stopped
from generator.config.atlas_toml import load_config
from generator.config.config import CheckpointConfig, Config
from generator.config.lesson_questions import snapshot_questions
from generator.core.errors import AtlasError, UsageError
from generator.core.progress import progress
from generator.core.recipe import PRESETS, Question, apply_preset
from generator.core.record import Rendered
from generator.core.text import is_line
from generator.core.units import Unit, parse_unit, parse_units
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.figures.compose import ExternalPicture
    from generator.figures.layout import Sheet


@click.group(cls=Group)
def command() -> None:
    """Figures for papers and posts: PNG, SVG or PDF.

    What a figure shows is taken from the store; what is not there is rendered first, and kept.
    """


command.name = "figure"


@dataclass(frozen=True, slots=True)
class FigureContext:
    """What a figure is made of: the atlas, the weights, and the shared options."""

    config: Config
    chosen: CheckpointConfig
    view: str | None
    how: RenderOptions
    settings: dict[str, Any]
    title: str | None
    notes: list[str] = field(default_factory=list)
    """What is said once the figure is written."""

    def units(self, words: Iterable[str]) -> tuple[Unit, ...]:
        """The units that were typed, of the chosen checkpoint. Raises UsageError."""
        return typed_units(words, self.chosen, self.how)

    def unit(self, word: str) -> Unit:
        """The one unit that was typed. Raises UsageError if it is none, or several."""
        return parse_unit(word, self.chosen.architecture, self.chosen.name)

    def question(self, unit: Unit, preset: str = "full") -> Question:
        """What is asked, of weights whose fingerprint is not known yet."""
        return self.config.question("", unit, self.view, **apply_preset(preset, self.settings))

    def pictures(self, questions: Sequence[Question], *, thumbnails: bool = False) -> list[Rendered]:
        """The answers, from the store; what it lacks is rendered first."""

        def ask(fingerprint: str) -> list[Question]:
            return [replace(question, fingerprint=fingerprint) for question in questions]

        answered = answer(self.config, self.chosen, ask, replace(self.how, forced="precision" in self.settings))
        if outcome := answered.outcome:
            if outcome.stopped:
                end_stopped()
            if outcome.error or outcome.failed:
                raise outcome.error or AtlasError(f"no picture of {outcome.failed[0]}")
        store = Store(self.config.store)
        found = [store.read(question.key) for question in ask(answered.fingerprint)]
        return [store.show(record, thumbnail=thumbnails) for record in found if record]

    def titled(self, what: str) -> str:
        return f"{what} of {self.chosen.name}" if self.title is None else self.title


def _figure(name: str, examples: str) -> Callable[[Callable[..., Sheet]], click.Command]:
    """Make a command of a function that draws: it is given a :class:`FigureContext` and what it declares itself."""

    def decorate(draw: Callable[..., Sheet]) -> click.Command:
        @wraps(draw)
        def run(
            path: Path, /, checkpoint: str | None, view: str | None, how: RenderOptions, settings: dict[str, Any],
            output: Path | None, dpi: int, title: str | None, **own: Any,
        ) -> None:  # fmt: skip
            need("matplotlib", extra="figures", what="atlas figure")
            from generator.figures.save import check_target

            if title and not is_line(title):
                raise UsageError("--title has a control character in it; type it as plain text")
            target = output or Path(f"{name}.png")
            check_target(target)  # before anything is rendered
            config = load_config(path)
            context = FigureContext(config, config.checkpoint(checkpoint), view, how, settings, title)
            _save(draw(context, **own), target, dpi)
            for note in context.notes:
                echo(note)

        decorated: Callable[..., Any] = recipe_options(run)
        for option in (
            render_options,
            view_option,
            checkpoint_option,
            click.option("--title", help="Above the figure; '' for none. [default: what it shows]"),
            click.option("--dpi", type=click.IntRange(36, 1200), default=200, show_default=True, help="Dots an inch."),
            click.option(
                "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
                help="Where to write it: .png, .svg or .pdf. [default: the figure's name, .png]",
            ),
        ):  # fmt: skip
            decorated = option(decorated)
        return command.command(name, cls=Command, examples=examples)(click.pass_obj(decorated))

    return decorate


def _save(sheet: Sheet, target: Path, dpi: int) -> None:
    from generator.figures.save import save

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        size = save(sheet, target, dpi)
    if any("missing from font" in str(warning.message) for warning in caught):
        echo("warning: the fonts of this machine lack characters of the title", err=True)
    wide, high = (int(inches * dpi + 1e-6) for inches in sheet.get_size_inches())
    echo(f"{target}: {wide} x {high} at {dpi} dpi, {size:,} bytes")


def _numbers(ctx: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """``0,32,64`` as numbers."""
    if not re.fullmatch(r"\d{1,6}( *, *\d{1,6})*", text, re.ASCII):
        raise UsageError(f"--{option.name} {text}: not numbers; type --{option.name} {option.default}")
    return tuple(sorted({int(part) for part in text.split(",")}))


_columns = click.option(
    "--columns", type=click.IntRange(1, 100), default=5, show_default=True, help="Pictures in a row."
)


@_figure(
    "gallery",
    """
    atlas figure gallery mixed4a:0-9
    atlas figure gallery mixed4a:0-9 mixed5b:3 --columns 4 -o gallery.pdf
    atlas figure gallery 4a:0-9 --seed 1 --title ''
    """,
)
@click.argument("units", nargs=-1, required=True)
@_columns
def gallery(context: FigureContext, units: tuple[str, ...], columns: int) -> Sheet:
    """A grid of UNITS with their names."""
    pictures = context.pictures([context.question(unit) for unit in context.units(units)])
    from generator.figures import compose

    return compose.gallery(pictures, columns=columns, title=context.titled(", ".join(units)))


@_figure(
    "filmstrip",
    """
    atlas figure filmstrip mixed4a:0
    atlas figure filmstrip mixed4a:0 --at 0,8,16,32,64,128,255 -o filmstrip.svg
    atlas figure filmstrip mixed4a:0 --preset full --at 0,8,32,128
    """,
)
@click.argument("unit")
@click.option("--at", default="0,32,64,128,255", show_default=True, callback=_numbers,
              help="Steps after which the picture is shown.")  # fmt: skip
@click.option(
    "--preset", "--way", type=click.Choice(list(PRESETS)), default="raw", show_default=True,
    help="Raw pixels from standard normal noise; pixels kept in range; or the recipe of the atlas.",
)  # fmt: skip
@_columns
def filmstrip(context: FigureContext, unit: str, at: tuple[int, ...], preset: str, columns: int) -> Sheet:
    """Gradient ascent on UNIT, step by step.

    From scratch, on raw pixels, if nothing else is typed; beside the pictures stands the activation at each step.
    """
    whole = context.question(context.unit(unit), preset)
    steps = whole.recipe.steps
    if steps == 0:
        raise UsageError("--steps 0 leaves no ascent to show; type --steps 256")
    if at[-1] > steps:
        raise UsageError(f"--at {at[-1]}: the ascent has steps 0 to {steps}; type --steps {at[-1]} to go further")
    *frames, end = context.pictures([*snapshot_questions(whole, at), whole])
    from generator.figures import compose

    frames += [end] if steps in at else []
    return compose.filmstrip(frames, end.activations, columns=columns, title=context.titled(str(end.unit)))


@_figure(
    "parameterizations",
    """
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
def parameterizations(context: FigureContext, unit: str, engine: str) -> Sheet:
    """UNIT three ways, with power spectra.

    Raw pixels from scratch; pixels kept in range; Fourier coefficients of decorrelated colours under transformations.
    """
    asked = context.unit(unit)
    questions = {name: context.question(asked, name) for name in PRESETS}
    shown: dict[str, Rendered | ExternalPicture]
    if engine == "lucent":
        need("torch", "lucent", extra="render", what="--engine lucent")
        if context.view not in (None, "channel"):
            raise UsageError("--engine lucent maximises the channel; leave --view out")
        if context.settings.get("steps") == 0:
            raise UsageError("--steps 0 leaves Lucent nothing to do; type --steps 512")
        theirs = _by_lucent(context, asked)
        (raw,) = context.pictures([questions["raw"]])
        if any(picture.made_by["fingerprint"] != raw.question.fingerprint for picture in theirs.values()):
            raise AtlasError("Lucent was given other weights than the picture of raw pixels has; type --weights FILE")
        shown = {"raw": raw, **theirs}
    else:
        shown = dict(zip(PRESETS, context.pictures(list(questions.values())), strict=True))
    from generator.figures import compose

    context.notes.extend(f"{name}: activation {picture.activation:.1f}" for name, picture in shown.items())
    return compose.parameterizations(shown, title=context.titled(str(asked)))


def _by_lucent(context: FigureContext, unit: Unit) -> dict[str, ExternalPicture]:
    """Naive and full by Lucent itself, on the same weights and device; kept nowhere, for it is no answer of ours."""
    from generator.figures.compose import ExternalPicture
    from generator.render import lucent
    from generator.render.local import pick_device

    chosen, device = context.chosen, pick_device(context.how.device)
    loaded = load_weights(chosen, context.how.weights)
    steps, size = context.settings.get("steps", lucent.STEPS), context.question(unit).recipe.size
    pictures = {}
    with progress("Lucent", "steps", 2 * steps) as bar:
        for way in ("naive", "full"):
            pixels, activation = lucent.picture(
                loaded, unit, steps, device, bar.advance, size=size, naive=way == "naive"
            )
            made_by = {"engine": "lucent", "way": way, "unit": str(unit), "steps": steps, "size": size,
                       "fingerprint": loaded.fingerprint}  # fmt: skip
            pictures[f"Lucent, {way}"] = ExternalPicture(pixels, activation, steps, made_by)
    return pictures


@_figure(
    "poster",
    """
    atlas figure poster
    atlas figure poster mixed3a,mixed4a,mixed5b --channels 0,5,9 -o poster.pdf
    """,
)
@click.argument("layers", default="mixed3a,mixed4a,mixed5b")
@click.option("--channels", default="0,5,9", show_default=True, callback=_numbers, help="A row for each.")
def poster(context: FigureContext, layers: str, channels: tuple[int, ...]) -> Sheet:
    """Neurons of several LAYERS in a table.

    Rows are neurons, columns are layers in order of depth.
    """
    net, checkpoint = context.chosen.architecture, context.chosen.name
    words = [word.strip() for word in layers.split(",") if word.strip()]
    for word in words:
        if ":" in word or "/" in word:
            raise UsageError(f"“{word}” is not a layer; type {re.split('[:/]', word)[0]}, and --channels for the rows")
        whole = parse_units(word, net, checkpoint)
        if len(whole) != net.layers[whole[0].layer].channels:
            raise UsageError(f"“{word}” is a branch, whose channels are numbered in {whole[0].layer}; type that")
    if not words:
        raise UsageError("no layers; type `atlas figure poster mixed3a,mixed4a,mixed5b`")
    typed = ",".join(map(str, channels))
    columns = [parse_units(f"{word}:{typed}", net, checkpoint) for word in words]
    columns.sort(key=lambda units: list(net.layers).index(units[0].layer))
    pictures = context.pictures([context.question(unit) for row in zip(*columns, strict=True) for unit in row])
    from generator.figures import compose

    table = [pictures[i : i + len(columns)] for i in range(0, len(pictures), len(columns))]
    return compose.poster(table, title=context.titled(f"Neurons {typed}"))


@_figure("contact-sheet", "atlas figure contact-sheet mixed4a -o mixed4a.png")
@click.argument("layer")
@click.option("--columns", type=click.IntRange(1, 200), help="Pictures in a row. [default: as suits a page]")
def contact_sheet(context: FigureContext, layer: str, columns: int | None) -> Sheet:
    """Every unit of LAYER on one sheet."""
    pictures = context.pictures([context.question(unit) for unit in context.units([layer])], thumbnails=True)
    from generator.figures import compose

    return compose.contact_sheet(pictures, columns=columns, title=context.titled(layer))
