"""atlas.toml: which units of which checkpoints an atlas shows, and by which recipe they are rendered.

>>> config = load_config(Path("atlas.toml"))                      # doctest: +SKIP
>>> config.checkpoints[0].units[:2]                               # doctest: +SKIP
(Unit(layer='conv2d0', channel=0), Unit(layer='conv2d0', channel=1))
>>> config.recipe_for("conv2d0").size                             # doctest: +SKIP
96

Every mistake is a UsageError that begins with the file and the line. Relative paths are relative to the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from generator.checkpoints import ARCHITECTURES, CHECKPOINTS
from generator.core.architecture import Architecture
from generator.core.errors import UsageError, did_you_mean
from generator.core.recipe import SETTINGS, Question, Recipe
from generator.core.text import SHA256, is_line, read_text
from generator.core.units import Unit, parse_unit, select_units
from generator.links.addresses import published_address, why_not_checkpoint

FILE = "atlas.toml"
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "atlas": ("title", "url", "output"),
    "checkpoints": ("units", "featured", "architecture", "weights", "fingerprint", "about"),
    "recipe": tuple(f.name for f in SETTINGS),
    "lesson": ("unit", "seeds", "seeds_note"),
    "photos": ("folders",),
}


@dataclass(frozen=True, slots=True)
class CheckpointConfig:
    """One set of weights and the units that the atlas selects. ``fingerprint`` is None until weights are read.
    ``title`` is what pages say of the weights, without a full stop; ``about`` is what the atlas's author adds."""

    name: str
    architecture: Architecture
    title: str = ""
    units: tuple[Unit, ...] = ()
    featured: tuple[Unit, ...] = ()
    weights: Path | None = None
    fingerprint: str | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """The units of the first checkpoint by which the atlas teaches how its pictures are made.

    ``unit`` is shown step by step and by three presets. ``seeds`` is rendered at one place of its grid from several
    seeds, and ``seeds_note`` says what these pictures show.
    """

    unit: Unit
    seeds: Unit | None
    seeds_note: str


@dataclass(frozen=True, slots=True)
class Config:
    """An atlas.toml, checked. ``output`` is the folder of the site; the store lies in it.

    ``photos`` are folders of photographs, for `atlas study`; ``notes`` say what was written otherwise than it is meant.
    """

    path: Path
    title: str
    url: str
    output: Path
    checkpoints: tuple[CheckpointConfig, ...]
    recipe: Recipe
    layer_settings: Mapping[str, Mapping[str, Any]]
    lesson: Lesson | None
    photos: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def store(self) -> Path:
        return self.output / "store"

    @property
    def labels(self) -> Path:
        """The folder of a user's own names of units, if there is one."""
        return self.path.parent / "labels"

    @property
    def templates(self) -> Path:
        """The folder of a user's own templates, if there is one."""
        return self.path.parent / "templates"

    def checkpoint(self, name: str | None = None) -> CheckpointConfig:
        """A checkpoint by name; without a name, the first one. One that atlas.toml does not mention has no units
        selected."""
        if name is None:
            return self.checkpoints[0]
        for checkpoint in self.checkpoints:
            if checkpoint.name == name:
                return checkpoint
        if spec := CHECKPOINTS.get(name):
            return CheckpointConfig(name, spec.architecture, spec.title, fingerprint=spec.fingerprint)
        known = dict.fromkeys([*(c.name for c in self.checkpoints), *CHECKPOINTS])
        raise UsageError(
            f"no checkpoint “{name}”: {did_you_mean(name, known)}; weights of your own get a section "
            f"[checkpoints.{name}] with architecture and weights in {self.path}"
        )

    def recipe_for(self, layer: str, **overrides: Any) -> Recipe:
        """The recipe of a layer: the defaults, then [recipe], then [recipe.LAYER], then ``overrides``.

        A bottleneck follows its module, ``mixed4a_3x3_bottleneck`` after ``mixed4a``.
        """
        settings = {**self.layer_settings.get(layer.split("_")[0], {}), **self.layer_settings.get(layer, {})}
        return replace(self.recipe, **{**settings, **overrides})

    def question(self, fingerprint: str, unit: Unit, view: str = "channel", **overrides: Any) -> Question:
        return Question(fingerprint, unit, view, self.recipe_for(unit.layer, **overrides))

    def teaches(self, checkpoint: CheckpointConfig) -> bool:
        """Whether the lesson, if there is one, is about units of this checkpoint: it is about the first."""
        return self.lesson is not None and checkpoint.name == self.checkpoints[0].name


def load_config(path: Path) -> Config:
    """Read and check an atlas.toml. Raises UsageError naming file, line and what to write instead."""
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise UsageError(f"no {path} here; type `atlas init {path.parent}` to write one") from None
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    return _Reader(path, text).config(data)


class _Reader:
    """Turns parsed TOML into a Config. It keeps the text, to say on which line a mistake is."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text

    def fail(self, message: str, key: str, *section: str) -> NoReturn:
        raise UsageError(f"{self.path}:{self.line(key, section)}: {message}")

    def line(self, key: str, section: tuple[str, ...]) -> int:
        """The line on which a key of a section is set; else the line of the section's header; else 1."""
        wanted = (*section, key)
        current: tuple[str, ...] = ()
        found, depth = 1, 0
        for number, line in enumerate(self.text.splitlines(), 1):
            if match := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
                path = current = _split_key(match[1])
            elif match := re.match(r"\s*([\w\-.\"' ]+?)\s*=", line):
                path = (*current, *_split_key(match[1]))
            else:
                continue
            common = min(len(path), len(wanted))
            if path[:common] == wanted[:common] and common > depth:
                found, depth = number, common
        return found

    def keys(self, given: Mapping[str, Any], known: Iterable[str], *section: str) -> None:
        known = tuple(known)
        for key in given:
            if key not in known:
                where = f" in [{'.'.join(section)}]" if section else ""
                self.fail(f"no key “{key}”{where}: {did_you_mean(key, known)}", key, *section)

    def table(self, data: Any, key: str, *section: str) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            self.fail(f"“{key}” is a section; write [{'.'.join((*section, key))}]", key, *section)
        return data

    def words(self, data: Mapping[str, Any], key: str, *section: str) -> list[str]:
        value = data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.fail(f'{key} is a list of text, for example {key} = ["mixed4a:0-9"]', key, *section)
        return value

    def string(self, data: Mapping[str, Any], key: str, default: str, *section: str) -> str:
        value = data.get(key, default)
        if not isinstance(value, str):
            self.fail(f'{key} is text, for example {key} = "{default}"', key, *section)
        if not is_line(value):
            self.fail(f"{key} has an invisible character in it; write one line of plain text", key, *section)
        return value

    def config(self, data: Mapping[str, Any]) -> Config:
        self.keys(data, _SECTIONS)
        atlas = self.table(data.get("atlas", {}), "atlas")
        self.keys(atlas, _SECTIONS["atlas"], "atlas")
        url, notes = self.address(self.string(atlas, "url", "", "atlas"))
        named = self.table(data.get("checkpoints", {}), "checkpoints")
        if not named:
            self.fail('no checkpoint; add [checkpoints.inception5h] with units = ["mixed4a:0-9"]', "checkpoints")
        recipe, by_layer = self.recipes(self.table(data.get("recipe", {}), "recipe"))
        checkpoints = tuple(self.checkpoint(name, given) for name, given in named.items())
        return Config(
            path=self.path,
            title=self.string(atlas, "title", "InceptionV1 Atlas", "atlas"),
            url=f"{url.rstrip('/')}/" if url else "",
            output=self.path.parent / self.string(atlas, "output", "site", "atlas"),
            checkpoints=checkpoints,
            recipe=recipe,
            layer_settings=by_layer,
            lesson=self.lesson(data["lesson"], checkpoints[0]) if "lesson" in data else None,
            photos=self.photos(data.get("photos", {})),
            notes=notes,
        )

    def address(self, given: str) -> tuple[str, tuple[str, ...]]:
        """The published address, and a note if its host is in another script."""
        if not given:
            return "", ()
        try:
            url = published_address(given)
        except ValueError as error:
            self.fail(f"url = “{given}” is {error}", "url", "atlas")
        if given.isascii():
            return url, ()
        return url, (f"{self.path}:{self.line('url', ('atlas',))}: “{given}” is written as {url} in links",)

    def file(self, word: str, key: str, *section: str) -> Path:
        try:
            return self.path.parent / Path(word).expanduser()
        except RuntimeError:
            self.fail(f"{key} = “{word}”: there is no such home folder; write the whole path", key, *section)

    def lesson(self, given: Any, of: CheckpointConfig) -> Lesson:
        data = self.table(given, "lesson")
        self.keys(data, _SECTIONS["lesson"], "lesson")
        chosen: dict[str, Unit | None] = {}
        for key in ("unit", "seeds"):
            word = self.string(data, key, "", "lesson")
            try:
                chosen[key] = parse_unit(word, of.architecture, of.name) if word else None
            except UsageError as error:
                self.fail(str(error), key, "lesson")
        if chosen["unit"] is None:
            self.fail('a lesson is about a unit; write unit = "mixed4a:0"', "unit", "lesson")
        return Lesson(chosen["unit"], chosen["seeds"], self.string(data, "seeds_note", "", "lesson"))

    def photos(self, given: Any) -> tuple[Path, ...]:
        data = self.table(given, "photos")
        self.keys(data, _SECTIONS["photos"], "photos")
        return tuple(self.file(word, "folders", "photos") for word in self.words(data, "folders", "photos"))

    def checkpoint(self, name: str, given: Any) -> CheckpointConfig:
        section = ("checkpoints", name)
        data = self.table(given, name, "checkpoints")
        self.keys(data, _SECTIONS["checkpoints"], *section)
        if hint := why_not_checkpoint(name):
            self.fail(f"“{name}” cannot be an address: {hint}", name, *section)
        if name in CHECKPOINTS and "architecture" in data:
            hint = "give your weights a name of their own"
            self.fail(f"{name} has its own architecture; {hint}", "architecture", *section)
        structure = self.string(data, "architecture", name, *section)
        if structure not in CHECKPOINTS:
            self.fail(f"architecture of “{name}”: write one of {', '.join(ARCHITECTURES)}", "architecture", *section)
        net, spec = CHECKPOINTS[structure].architecture, CHECKPOINTS.get(name)
        chosen: dict[str, tuple[Unit, ...]] = {}
        for key in ("units", "featured"):
            words = self.words(data, key, *section)
            try:
                chosen[key] = select_units(words, net, name)
            except UsageError as error:
                self.fail(str(error), key, *section)
        fingerprint = self.string(data, "fingerprint", (spec and spec.fingerprint) or "", *section)
        if fingerprint and not SHA256.fullmatch(fingerprint):
            self.fail("a fingerprint is 64 hexadecimal digits; `atlas render` prints it", "fingerprint", *section)
        weights = self.string(data, "weights", "", *section)
        return CheckpointConfig(
            name=name,
            architecture=net,
            title=spec.title if spec else f"Other weights in the architecture of {structure}",
            weights=self.file(weights, "weights", *section) if weights else None,
            fingerprint=fingerprint or None,
            about=self.string(data, "about", "", *section),
            units=chosen["units"],
            featured=chosen["featured"],
        )

    def recipes(self, data: Mapping[str, Any]) -> tuple[Recipe, Mapping[str, Mapping[str, Any]]]:
        layers = {layer for net in ARCHITECTURES.values() for layer, x in net.layers.items() if x.kind != "branch"}
        self.keys(data, [*_SECTIONS["recipe"], *sorted(layers)], "recipe")
        recipe = self.recipe(Recipe(), {k: v for k, v in data.items() if k not in layers}, "recipe")
        by_layer = {k: self.table(v, k, "recipe") for k, v in data.items() if k in layers}
        for layer, settings in by_layer.items():
            self.keys(settings, _SECTIONS["recipe"], "recipe", layer)
            self.recipe(recipe, settings, "recipe", layer)
        return recipe, by_layer

    def recipe(self, base: Recipe, settings: Mapping[str, Any], *section: str) -> Recipe:
        for key, value in settings.items():
            try:
                base = replace(base, **{key: value})
            except UsageError as error:
                self.fail(str(error), key, *section)
        return base


def _split_key(key: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in key.split("."))
