"""Options that several commands share, typed alike everywhere.

:func:`render_options`, :func:`study_options` and :func:`recipe_options` give a command what was typed as one value.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from generator.config.config import CheckpointConfig
from generator.core.errors import UsageError
from generator.core.recipe import SETTINGS
from generator.core.units import Unit, select_units
from generator.core.views import VIEWS

BATCH, GPU_BATCH = 16, 256  # units at once, as far as memory allows
ALL = "all"
HERE = "local"
"""The address of a Ray cluster of our own, on this machine."""

Decorated = Callable[..., Any]

batch_option = click.option(
    "--batch",
    type=click.IntRange(1, 4096),
    help=f"Units at once, as far as memory allows. [default: {BATCH}; {GPU_BATCH} on a GPU]",
)
checkpoint_option = click.option("--checkpoint", help="Which weights, by name. [default: the first of atlas.toml]")
weights_option = click.option("--weights", type=click.Path(path_type=Path), help="A weight file, or a folder of them.")
device_option = click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps; auto takes a GPU if there is one."
)
_SAID = "; ".join(f"{name}, {view.help}" for name, view in VIEWS.items())
view_option, views_option = (
    click.option(
        "--view",
        type=click.Choice([*VIEWS, *more]),
        help=f"What is maximised: {_SAID}{all_}. [default: channel, and logit of a class]",
    )
    for more, all_ in (((), ""), ((ALL,), "; all, each of them in turn"))
)


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Where and how something is rendered; nothing of it changes a picture but its last digits.

    ``ray`` is the address of a cluster. ``forced`` is True if the precision was typed: it is used even where a more
    exact one is faster.
    """

    weights: Path | None
    batch: int | None
    device: str
    ray: str | None
    workers: int | None
    forced: bool = False

    def __post_init__(self) -> None:
        if (
            self.ray
            and self.ray not in (HERE, "auto")
            and not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", self.ray)
        ):
            raise UsageError(f"--ray-address {self.ray}: type HOST:PORT as `ray start --head` printed it, or auto")
        if self.workers and not self.ray:
            raise UsageError("--workers is for a cluster; type --ray too, as in --ray --workers 2")


def _run_options(*more: Decorated) -> Callable[[Decorated], Decorated]:
    """The options of :class:`RenderOptions`; the command is given one as ``how``."""

    def decorate(command: Decorated) -> Decorated:
        @wraps(command)
        def collected(*args: Any, ray: bool, ray_address: str | None, batch: int | None = None, **typed: Any) -> Any:
            where = {name: typed.pop(name) for name in ("weights", "device", "workers")}
            how = RenderOptions(batch=batch, ray=ray_address or (HERE if ray else None), **where)
            return command(*args, how=how, **typed)

        for option in (
            click.option(
                "--workers", type=click.IntRange(1, 100_000),
                help="Workers on the cluster. [default: one for each GPU, or for 8 cores where there is none]",
            ),
            click.option(
                "--ray-address", metavar="HOST:PORT",
                help="Use the Ray cluster whose head is there, or auto on one of its nodes.",
            ),
            click.option("--ray", is_flag=True, help="Use a Ray cluster of this machine alone."),
            device_option,
            *more,
            weights_option,
        ):  # fmt: skip
            collected = option(collected)
        return collected

    return decorate


render_options, study_options = _run_options(batch_option), _run_options()


def recipe_options(command: Decorated) -> Decorated:
    """An option for each setting of the recipe; the command is given those that were typed as ``settings``."""

    @wraps(command)
    def collected(*args: Any, **typed: Any) -> Any:
        settings = {setting.name: typed.pop(setting.name) for setting in SETTINGS}
        return command(*args, settings={k: v for k, v in settings.items() if v is not None}, **typed)

    for setting in reversed(SETTINGS):
        said, flag = setting.metadata, setting.name.replace("_", "-")
        kind: Any = click.Choice(said["of"]) if said["of"] else type(setting.default)
        name = f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}"
        default = ("--" if setting.default else "--no-") + flag if kind is bool else setting.default
        text = f"{said['help'][0].upper()}{said['help'][1:]}. [default: {default}]"
        collected = click.option(name, setting.name, type=kind, default=None, help=text)(collected)
    return collected


def typed_units(words: Iterable[str], checkpoint: CheckpointConfig, how: RenderOptions) -> tuple[Unit, ...]:
    """The units that were typed. Raises UsageError for a word that names none."""
    words = list(words)
    try:
        return select_units(words, checkpoint.architecture, checkpoint.name)
    except UsageError as error:
        if how.ray == HERE:
            raise UsageError(f"{error}. The address of a cluster is typed as --ray-address HOST:PORT") from None
        raise
