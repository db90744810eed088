"""Where a figure is made: what was typed, the pictures it needs, and the file it becomes.

>>> desk = FigureContext.of(path, "gallery", **typed)                                        # doctest: +SKIP
>>> pictures = desk.pictures([desk.question(unit) for unit in desk.units(["4a:0-9"])])    # doctest: +SKIP
>>> desk.save(compose.gallery(pictures))                                            # doctest: +SKIP
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.answers import (
    STOPPED,
    RenderOptions,
    answer,
    checkpoint_option,
    recipe_options,
    render_options,
    say_stopped,
    typed_settings,
    view_option,
)
from generator.cli.engine import need
from generator.config.atlas_toml import Checkpoint, Config, is_plain, load_config
from generator.core.errors import AtlasError, UsageError
from generator.core.recipe import Question, apply_preset
from generator.core.record import Rendered
from generator.core.units import Unit, parse_unit, select_units
from generator.store.store import Store

if TYPE_CHECKING:
    from generator.figures.layout import Sheet


def figure_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every figure takes."""
    command = recipe_options(command)
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
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class FigureContext:
    """Where a figure is made: the atlas, the weights, and all that was typed."""

    config: Config
    chosen: Checkpoint
    view: str
    way: RenderOptions
    settings: dict[str, Any]
    output: Path
    dpi: int
    title: str | None

    @classmethod
    def of(
        cls, path: Path, name: str, *, checkpoint: str | None, view: str, output: Path | None, dpi: int,
        title: str | None, weights: Path | None, batch: int | None, device: str, ray: str | None,
        workers: int | None, **overrides: Any,
    ) -> FigureContext:  # fmt: skip
        """Raises before anything is rendered if the figure could not be drawn or written."""
        need("matplotlib", extra="figures", what="atlas figure")
        from generator.figures.save import check_target

        if title and not is_plain(title):
            raise UsageError("--title has a control character in it; type it as plain text")
        output = output or Path(f"{name}.png")
        check_target(output)
        config = load_config(path)
        way = RenderOptions(weights, batch, device, ray, workers)
        return cls(config, config.checkpoint(checkpoint), view, way, typed_settings(overrides), output, dpi, title)

    def units(self, words: Iterable[str]) -> tuple[Unit, ...]:
        return select_units(words, self.chosen.architecture, self.chosen.name)

    def unit(self, word: str) -> Unit:
        return parse_unit(word, self.chosen.architecture, self.chosen.name)

    def question(self, unit: Unit, way: str = "full") -> Question:
        """What is asked, of weights whose fingerprint is not known yet."""
        return self.config.question("", unit, self.view, **apply_preset(way, self.settings))

    def pictures(self, questions: Sequence[Question], *, thumbnails: bool = False) -> list[Rendered]:
        """The answers, from the store; what it lacks is rendered first."""

        def ask(fingerprint: str) -> list[Question]:
            return [replace(question, fingerprint=fingerprint) for question in questions]

        answered = answer(self.config, self.chosen, ask, self.way)
        if outcome := answered.outcome:
            if outcome.stopped:
                say_stopped()
                sys.exit(STOPPED)
            if outcome.error or outcome.failed:
                raise outcome.error or AtlasError(f"no picture of {outcome.failed[0]}")
        store = Store(self.config.store)
        found = [store.read(question.key) for question in ask(answered.fingerprint)]
        return [store.show(record, thumbnail=thumbnails) for record in found if record]

    def titled(self, what: str) -> str:
        return f"{what} of {self.chosen.name}" if self.title is None else self.title

    def save(self, sheet: Sheet) -> None:
        from generator.figures.save import save

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            size = save(sheet, self.output, self.dpi)
        if any("missing from font" in str(warning.message) for warning in caught):
            click.echo("warning: the fonts of this machine lack characters of the title", err=True)
        wide, high = (int(inches * self.dpi + 1e-6) for inches in sheet.get_size_inches())
        click.echo(f"{self.output}: {wide} x {high} at {self.dpi} dpi, {size:,} bytes")
