"""How a picture was made, for people: the command that makes it again, its recipe, and where it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from generator.config.config import Config
from generator.core.recipe import SETTINGS, Recipe
from generator.core.record import Picture, Record, printed
from generator.core.units import write_channels
from generator.core.views import main_view, views_of
from generator.links.addresses import picture_fragment
from generator.publish.catalog import AtlasLayer, AtlasUnit


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


@dataclass(frozen=True, slots=True)
class OtherPicture:
    """A picture of the unit besides the one that its page shows, and in what it differs from that.

    ``fragment`` is where it is on the page, "" if the same picture is there already. ``record`` is what is known of it;
    of pictures that were made again by force there is none.
    """

    fragment: str
    picture: Picture
    thumbnail: Picture
    differs: str
    record: Record | None


def other_pictures(shown: Record, unit: AtlasUnit) -> tuple[OtherPicture, ...]:
    """Every other picture of a unit: first of the same question, then of others."""
    views = [view.record for view in unit.views]
    seen = {shown.picture.sha256, *(record.picture.sha256 for record in views)}

    def other(picture: Picture, thumbnail: Picture, differs: str, record: Record | None) -> OtherPicture:
        fragment = "" if picture.sha256 in seen else picture_fragment(picture.sha256)
        seen.add(picture.sha256)
        return OtherPicture(fragment, picture, thumbnail, differs, record)

    def before(record: Record, differs: str) -> Iterator[OtherPicture]:
        for picture, following in zip_longest(record.earlier, record.earlier[1:]):
            if not picture.is_thumbnail:
                thumbnail = following if following and following.is_thumbnail else picture
                yield other(picture, thumbnail, f"{differs}, rendered before", None)

    found = list(before(shown, "the same recipe"))
    for record in views:
        found += before(record, _differences(shown, record))
    for record in unit.others:
        differs = _differences(shown, record)
        found.append(other(record.picture, record.thumbnail, differs, record))
        found += before(record, differs)
    return tuple(found)


def _differences(shown: Record, other: Record) -> str:
    """In what the question of another picture differs, in words."""
    one, two = shown.question, other.question
    words = [f"view {two.view}"] if two.view != one.view else []
    words += ["other weights"] if two.fingerprint != one.fingerprint else []
    words += [
        f"{f.name.replace('_', ' ')} {written(getattr(two.recipe, f.name))}"
        for f in fields(Recipe)
        if getattr(two.recipe, f.name) != getattr(one.recipe, f.name)
    ]
    return ", ".join(words)


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
    made = record.provenance
    versions = ", ".join(f"{name} {version}" for name, version in sorted(made.versions.items()))
    return (
        Fact("checkpoint", made.checkpoint),
        Fact("fingerprint", record.question.fingerprint, code=True),
        Fact("key", record.key, code=True),
        Fact("renderer", f"version {record.question.recipe.renderer}"),
        Fact("device", made.device),
        Fact("arithmetic", made.arithmetic or record.question.recipe.precision),
        Fact("versions", versions),
        Fact("rendered", made.date),
        Fact("time", f"{printed(made.seconds)} s"),
    )


def render_command(record: Record, checkpoint: str, config: Config) -> str:
    """The command that makes this picture again, here and with any other atlas.toml.

    Named is each setting that is not the default, and each that atlas.toml would change.
    """
    unit, view, recipe = record.question.unit, record.question.view, record.question.recipe
    here = config.recipe_for(unit.layer, view)
    words = ["atlas render", str(unit), *([] if view == main_view(unit.layer) else ["--view", view])]
    words += ["--checkpoint", checkpoint]
    for f in SETTINGS:
        value = getattr(recipe, f.name)
        if value != f.default or value != getattr(here, f.name):
            option = f.name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{option}" if value else f"--no-{option}")
            else:
                words += [f"--{option}", written(value)]
    return " ".join([*words, "--force"])


def views_command(unit: AtlasUnit, checkpoint: str) -> str:
    """The command that renders the views of a unit that are not rendered, or ""."""
    missing = set(views_of(unit.unit.layer)[1:]) - {view.name for view in unit.views}
    return f"atlas render {unit.unit} --view all --checkpoint {checkpoint}" if missing else ""


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
