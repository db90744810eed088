"""atlas.toml: which units of which checkpoints an atlas shows, and by which recipe they are rendered.

Every mistake is a UsageError that begins with the file and the line. The recipe is checked by its own fields, as the
command line does; all else by the tables below. Relative paths are relative to the file.
"""

import shlex
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from msgspec.structs import asdict

from generator.checkpoints import ARCHITECTURES, CHECKPOINTS
from generator.checkpoints.spec import CheckpointSpec
from generator.config.config import CheckpointConfig, Config, Lesson
from generator.config.data_file import DataFile, Text
from generator.config.directions import DirectionsSection, read_directions, read_sections
from generator.core.directions import set_in
from generator.core.errors import UsageError, did_you_mean
from generator.core.recipe import SETTINGS, Recipe
from generator.core.schema import VISIBLE
from generator.core.text import SHA256, is_line, read_text
from generator.core.units import Unit, in_order, parse_unit, select_units
from generator.core.views import VIEWS, main_view, views_of
from generator.links.addresses import why_not_checkpoint
from generator.links.base_url import read_base_url

FILE = "atlas.toml"


_Words = Annotated[list[str], Meta(description='a list of text, for example ["mixed4a:0-9"]')]
_UnitName = Annotated[str, Meta(pattern=VISIBLE, description='a unit, for example "mixed4a:0"')]
_Fingerprint = Annotated[
    str, Meta(pattern=rf"\A({SHA256.pattern})?\Z", description="64 hexadecimal digits; `atlas render` prints them")
]
_LAYERS = {layer for net in ARCHITECTURES.values() for layer, x in net.layers.items() if x.kind != "branch"}
_SECTIONS = _LAYERS | VIEWS.keys()


class _Atlas(Struct, forbid_unknown_fields=True):
    title: Text = "InceptionV1 Atlas"
    url: Text = ""
    output: Text = "site"
    study_files: bool = True
    oembed: bool = False


class _Checkpoint(Struct, forbid_unknown_fields=True):
    units: _Words = []
    featured: _Words = []
    architecture: Text | None = None
    weights: Text = ""
    fingerprint: _Fingerprint = ""
    about: Text = ""
    classes: Text = ""
    views: Annotated[
        list[str] | dict[str, list[str]],
        Meta(description='a list of views, ["channel", "neuron"], or a section with the units of each'),
    ] = []


_CHECKPOINT = Annotated[_Checkpoint, Meta(description="a section; write [checkpoints.NAME]")]


class _Lesson(Struct, forbid_unknown_fields=True):
    unit: _UnitName
    seeds: _UnitName | None = None
    seeds_note: Text = ""
    agrees: _UnitName | None = None
    agrees_note: Text = ""
    disagrees: _UnitName | None = None
    disagrees_note: Text = ""


class _Photos(Struct, forbid_unknown_fields=True):
    folders: Annotated[list[str], Meta(description='a list of folders, for example ["photographs"]')] = []
    pixels: Annotated[bool, Meta(description="true or false")] = True
    publish: Annotated[bool, Meta(description="true or false")] = False


class _File(Struct, forbid_unknown_fields=True):
    """The whole file. Tables whose keys are names are decoded one by one, so that an error has the name."""

    atlas: Annotated[_Atlas, Meta(description="a section; write [atlas]")] = field(default_factory=_Atlas)
    checkpoints: Annotated[dict[str, Any], Meta(description="sections; write [checkpoints.inception5h]")] = {}
    directions: Annotated[dict[str, Any], Meta(description="sections; write [directions.NAME]")] = {}
    recipe: Annotated[dict[str, Any], Meta(description="a section; write [recipe]")] = {}
    lesson: Annotated[_Lesson | None, Meta(description="a section; write [lesson]")] = None
    photos: Annotated[_Photos, Meta(description="a section; write [photos]")] = field(default_factory=_Photos)


def load_config(path: Path, *, lenient: bool = False) -> Config:
    """Read and check an atlas.toml. Raises UsageError naming file, line and what to write instead.

    If ``lenient``, a file of directions that is not there is one of the gaps, and their units are left out.
    """
    try:
        file = DataFile(path)
    except FileNotFoundError:
        raise UsageError(f"no {path} here; type `atlas init {shlex.quote(str(path.parent))}` to write one") from None
    given = file.decode(file.data, _File)
    if not given.checkpoints:
        file.fail('no checkpoint; add [checkpoints.inception5h] with units = ["mixed4a:0-9"]', "checkpoints")
    recipe, settings_of = _recipes(file, given.recipe)
    directions = read_sections(file, given.directions, given.checkpoints)
    files = {name: each.file for of in directions.values() for name, each in of.items()}
    absent = {name: path for name, path in files.items() if lenient and not Path(path).is_file()}
    checkpoints = tuple(
        _checkpoint(file, name, data, directions.get(name, {}), absent) for name, data in given.checkpoints.items()
    )
    url, notes = _url(file, given.atlas.url) if given.atlas.url else ("", ())
    return Config(
        path=path,
        title=given.atlas.title,
        url=url,
        output=file.path_of(given.atlas.output, "atlas", "output"),
        study_files=given.atlas.study_files,
        oembed=given.atlas.oembed and bool(url),
        checkpoints=checkpoints,
        recipe=recipe,
        settings_of=settings_of,
        lesson=_lesson(file, given.lesson, checkpoints[0]) if given.lesson else None,
        photos=tuple(file.path_of(word, "photos", "folders", n) for n, word in enumerate(given.photos.folders)),
        pixels=given.photos.pixels,
        publish=given.photos.publish,
        notes=notes,
        absent=tuple(f"the file of [directions.{name}] is not there: {path}" for name, path in absent.items()),
    )


def _url(file: DataFile, written: str) -> tuple[str, tuple[str, ...]]:
    """The address, and a note if it has other characters than what is written."""
    try:
        url = read_base_url(written)
    except ValueError as error:
        file.fail(f"url = “{written}” is not a full address: {error}; write https://host/path/", "atlas", "url")
    same = url.casefold().rstrip("/") == written.casefold().rstrip("/")
    return url, () if same else (f"{file.path}: the url “{written}” is written {url} in links",)


def _checkpoint(
    file: DataFile, name: str, data: Any, directions: Mapping[str, DirectionsSection], absent: Container[str]
) -> CheckpointConfig:
    """A section. ``absent`` are sets of directions without vectors: what is selected of them is left out."""
    at = ("checkpoints", name)
    given = file.decode(data, _CHECKPOINT, *at)
    if hint := why_not_checkpoint(name):
        file.fail(f"“{name}” cannot be an address: {hint}", *at)
    spec = CHECKPOINTS.get(name)
    if spec and given.architecture is not None:
        file.fail(f"{name} has its own architecture; give your weights a name of their own", *at, "architecture")
    structure = given.architecture or name
    if structure not in CHECKPOINTS:
        file.fail(f"architecture of “{name}”: write one of {', '.join(ARCHITECTURES)}", *at, "architecture")
    net = CHECKPOINTS[structure].architecture
    class_names = spec.class_names if spec else ()
    if given.classes:
        class_names = _classes(file, given.classes, spec, *at)
        net = replace(net, classes=len(class_names))
    there = (read_directions(file, of, each, net) for of, each in directions.items() if of not in absent)
    net = replace(net, directions=tuple(there)) if directions else net

    def units(words: Iterable[str], *key: str) -> tuple[Unit, ...]:
        with file.told_at(*at, *key):
            return select_units((word for word in words if set_in(word) not in absent), net, name)

    groups = {"units": units(given.units, "units"), "featured": units(given.featured, "featured")}
    views = {}
    by_view = given.views if isinstance(given.views, dict) else {view: ["units"] for view in given.views}
    for view, words in by_view.items():
        if view not in VIEWS:
            file.fail(f"no view “{view}”: {did_you_mean(view, VIEWS)}", *at, "views")
        named = units((word for word in words if word not in groups), "views", view)
        for unit in named:
            if view not in (own := views_of(unit.layer)):
                file.fail(f"{unit} has no view “{view}”: it has {', '.join(own)}", *at, "views", view)
        asked = (*named, *(unit for word in words for unit in groups.get(word, ()) if view in views_of(unit.layer)))
        views[view] = in_order(asked, net)
    return CheckpointConfig(
        name=name,
        architecture=net.including(unit.layer for of in groups.values() for unit in of),
        title=spec.title if spec else f"Other weights in the architecture of {structure}",
        weights=file.path_of(given.weights, *at, "weights") if given.weights else None,
        fingerprint=given.fingerprint or (spec.fingerprint if spec else None),
        about=given.about,
        units=in_order((*groups["units"], *(unit for of_view in views.values() for unit in of_view)), net),
        featured=groups["featured"],
        class_names=class_names,
        class_source=given.classes or (spec.class_source if spec else ""),
        files=(
            *((file.path_of(given.classes, *at, "classes"),) if given.classes else ()),
            *(Path(each.file) for each in directions.values()),
        ),
        views={
            view: found for view, of in views.items() if (found := tuple(u for u in of if view != main_view(u.layer)))
        },
    )


def _classes(file: DataFile, word: str, spec: CheckpointSpec | None, *at: str) -> tuple[str, ...]:
    """The names of classes in a file of the user's, one a line: as many as the classifier has classes."""
    path = file.path_of(word, *at, "classes")
    try:
        names = tuple(line.strip() for line in read_text(path).splitlines())
    except (FileNotFoundError, UsageError) as error:
        file.fail(f"classes = “{word}”: {error if isinstance(error, UsageError) else 'no such file'}", *at, "classes")
    if not names or (spec and len(names) != spec.architecture.classes):
        said = f", and {spec.name} tells {spec.architecture.classes} classes apart" if spec else ""
        file.fail(f"classes = “{word}” has {len(names)} lines{said}; write one name a line", *at, "classes")
    for line, name in enumerate(names, 1):
        if not name or len(name) > 120 or not is_line(name):
            file.fail(f"line {line} of “{word}” is no name: write 1 to 120 characters that are seen", *at, "classes")
    return names


def _lesson(file: DataFile, given: _Lesson, of: CheckpointConfig) -> Lesson:
    units: dict[str, Unit | None] = {}
    for key in ("unit", "seeds", "agrees", "disagrees"):
        with file.told_at("lesson", key):
            word = getattr(given, key)
            units[key] = parse_unit(word, of.architecture, of.name) if word or key == "unit" else None
    if (seeds := units["seeds"]) and "neuron" not in views_of(seeds.layer):
        file.fail(f"{seeds} has no neurons; name a unit of a layer", "lesson", "seeds")
    return Lesson(**asdict(given) | units)


def _recipes(file: DataFile, data: Mapping[str, Any]) -> tuple[Recipe, Mapping[str, Mapping[str, Any]]]:
    """The recipe of all, and the settings of single views and layers. Each is checked by the recipe itself."""
    settings_of = {key: value for key, value in data.items() if key in _SECTIONS}
    recipe = _recipe(file, Recipe(), {key: value for key, value in data.items() if key not in _SECTIONS}, "recipe")
    for name, settings in settings_of.items():
        if not isinstance(settings, dict):
            file.fail(f"“{name}” is a section; write [recipe.{name}]", "recipe", name)
        _recipe(file, recipe, settings, "recipe", name)
    return recipe, settings_of


def _recipe(file: DataFile, base: Recipe, settings: Mapping[str, Any], *at: str) -> Recipe:
    known = [setting.name for setting in SETTINGS]
    for key, value in settings.items():
        if key not in known:
            hint = did_you_mean(key, [*known, *sorted(_SECTIONS)] if at == ("recipe",) else known)
            file.fail(f"no key “{key}” in [{'.'.join(at)}]: {hint}", *at, key)
        with file.told_at(*at, key):
            base = replace(base, **{key: value})
    return base
