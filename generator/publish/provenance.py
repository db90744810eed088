"""How a picture was made, for people: the command that makes it again, its recipe, and where it comes from.

>>> render_command(unit, "bvlc_googlenet", config)                # doctest: +SKIP
'atlas render mixed4a:11 --checkpoint bvlc_googlenet --steps 64 --force'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generator.config import Config
from generator.publish.catalog import AtlasLayer
from generator.recipe import SETTINGS, Recipe
from generator.record import Record
from generator.units import write_channels


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a recipe, what it means, and the default if it is another."""

    name: str
    value: str
    help: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of how a picture was made. ``code`` marks what a reader would copy."""

    name: str
    value: str
    code: bool = False


@lru_cache
def settings(recipe: Recipe) -> tuple[Setting, ...]:
    """The whole recipe, in its own order."""
    out = []
    for f in SETTINGS:
        value = getattr(recipe, f.name)
        default = None if value == f.default else written(f.default)
        out.append(Setting(f.name.replace("_", " "), written(value), f.metadata["help"], default))
    return tuple(out)


def facts(record: Record) -> tuple[Fact, ...]:
    """Where a picture comes from, besides its recipe."""
    made = record.made
    versions = ", ".join(f"{name} {version}" for name, version in sorted(made.versions.items()))
    return (
        Fact("checkpoint", made.checkpoint),
        Fact("fingerprint", record.question.fingerprint, code=True),
        Fact("key", record.key, code=True),
        Fact("renderer", f"version {record.question.recipe.renderer}"),
        Fact("device", made.device),
        Fact("versions", versions),
        Fact("rendered", made.date),
        Fact("time", f"{made.seconds:.1f} s"),
    )


def render_command(record: Record, checkpoint: str, config: Config) -> str:
    """The command that makes this picture again, here and with any other atlas.toml.

    Named is each setting that is not the default, and each that atlas.toml would change.
    """
    recipe = record.question.recipe
    here = config.recipe_for(record.question.unit.layer)
    words = ["atlas render", str(record.question.unit), "--checkpoint", checkpoint]
    for f in SETTINGS:
        value = getattr(recipe, f.name)
        if value != f.default or value != getattr(here, f.name):
            option = f.name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{option}" if value else f"--no-{option}")
            else:
                words += [f"--{option}", written(value)]
    return " ".join([*words, "--force"])


def missing_command(layer: AtlasLayer, checkpoint: str) -> str:
    """The command that renders what is not rendered of a layer, or ""."""
    missing = [u.unit.channel for u in layer.units if not u.record]
    if not missing:
        return ""
    channels = "" if len(missing) == layer.layer.channels else f":{write_channels(missing)}"
    return f"atlas render {layer.name}{channels} --checkpoint {checkpoint}"


def written(value: Any) -> str:
    """A setting as it is typed on the command line; a whole float without its ``.0``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
