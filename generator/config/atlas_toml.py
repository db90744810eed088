"""atlas.toml: which units of which checkpoints an atlas shows, and by which recipe they are rendered.

>>> config = load_config(Path("atlas.toml"))                      # doctest: +SKIP
>>> config.checkpoints[0].units[:2]                               # doctest: +SKIP
(Unit(layer='conv2d0', channel=0), Unit(layer='conv2d0', channel=1))
>>> config.recipe_for("conv2d0").size                             # doctest: +SKIP
96

Every mistake is a UsageError that begins with the file and the line. The recipe is checked by its own fields, as the
command line does; all else by the tables below. Relative paths are relative to the file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from generator.checkpoints import ARCHITECTURES, CHECKPOINTS
from generator.config.data_file import DataFile
from generator.config.directions import channels_of, read_vectors
from generator.core.architecture import Architecture
from generator.core.directions import SET_NAME, Directions, base_layer, has_vector
from generator.core.errors import UsageError, did_you_mean
from generator.core.recipe import SETTINGS, Question, Recipe
from generator.core.schema import VISIBLE
from generator.core.text import SHA256, is_line, read_text
from generator.core.units import Unit, in_order, parse_unit, select_units
from generator.core.views import VIEWS, main_view, views_of
from generator.links.addresses import why_not_checkpoint
from generator.links.base_url import read_base_url

FILE = "atlas.toml"


@dataclass(frozen=True, slots=True)
class CheckpointConfig:
    """One set of weights and the units that the atlas selects. ``fingerprint`` is None until weights are read.
    ``title`` is what pages say of the weights, without a full stop; ``about`` is what the atlas's author adds. Each of
    ``units`` is selected by its main view; ``views`` has the units of each other view. ``class_names`` are in the order
    of the classifier, or () where they are not known; ``class_source`` says where they are from. ``files`` are those
    that atlas.toml names and pages depend on: of class names and of vectors."""

    name: str
    architecture: Architecture
    title: str = ""
    units: tuple[Unit, ...] = ()
    featured: tuple[Unit, ...] = ()
    weights: Path | None = None
    fingerprint: str | None = None
    about: str = ""
    views: Mapping[str, tuple[Unit, ...]] = dataclasses.field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    class_source: str = ""
    files: tuple[Path, ...] = ()

    @property
    def asked(self) -> Iterator[tuple[Unit, str]]:
        """Each unit that is selected and a view by which it is: by the main view first."""
        yield from ((unit, main_view(unit.layer)) for unit in self.units)
        yield from ((unit, view) for view, units in self.views.items() for unit in units)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The units of the first checkpoint by which the atlas teaches how its pictures are made.

    ``unit`` is shown step by step and by three presets. ``seeds`` is rendered at one place of its grid from several
    seeds, and ``seeds_note`` says what these pictures show. Of ``agrees`` picture and photographs say the same, of
    ``disagrees`` not; their notes say what each shows.
    """

    unit: Unit
    seeds: Unit | None = None
    seeds_note: str = ""
    agrees: Unit | None = None
    agrees_note: str = ""
    disagrees: Unit | None = None
    disagrees_note: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """An atlas.toml, checked. ``output`` is the folder of the site; the store lies in it.

    ``url`` is the published address with a slash at its end, or "". ``photos`` are folders of photographs, for
    `atlas study`. ``pixels`` is whether pages may show those that their licences allow, and ``publish`` that a person
    answers for all others. ``study_files`` if each unit has a file with what the study found, ``oembed`` if each
    has one for oEmbed. ``notes`` say what was read in another way than it is written.
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
    pixels: bool = True
    publish: bool = False
    study_files: bool = True
    oembed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def store(self) -> Path:
        return self.output / "store"

    @property
    def gaps(self) -> tuple[str, ...]:
        """What atlas.toml names that is not there, and what it leaves empty."""
        absent = [f"the folder of photographs {folder} is not there" for folder in self.photos if not folder.is_dir()]
        empty = [
            f'no units of {c.name} are selected; write units = ["mixed4a:0-9"] in {self.path}'
            for c in self.checkpoints
            if not c.units
        ]
        return (*absent, *empty)

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
            return CheckpointConfig(
                name,
                spec.architecture,
                spec.title,
                fingerprint=spec.fingerprint,
                class_names=spec.class_names,
                class_source=spec.class_source,
            )
        known = dict.fromkeys([*(c.name for c in self.checkpoints), *CHECKPOINTS])
        raise UsageError(
            f"no checkpoint “{name}”: {did_you_mean(name, known)}; weights of your own get a section "
            f"[checkpoints.{name}] with architecture and weights in {self.path}"
        )

    def recipe_for(self, layer: str, **overrides: Any) -> Recipe:
        """The recipe of a layer: the defaults, then [recipe], then [recipe.LAYER], then ``overrides``.

        A bottleneck follows its module, ``mixed4a_3x3_bottleneck`` after ``mixed4a``, and a direction its layer.
        """
        base = base_layer(layer)
        settings = {**self.layer_settings.get(base.split("_")[0], {}), **self.layer_settings.get(base, {})}
        return replace(self.recipe, **{**settings, **overrides})

    def question(self, fingerprint: str, unit: Unit, view: str | None = None, **overrides: Any) -> Question:
        """What is asked about a unit; without ``view``, by the one that its page shows first."""
        nets = [c.architecture for c in self.checkpoints if unit.layer in c.architecture.layers]
        if has_vector(unit.layer) and not (nets and unit.channel < nets[0].layers[unit.layer].channels):
            raise UsageError(f"{self.path} has no direction {unit}")
        vector = nets[0].vector_of(unit.layer, unit.channel) if nets else ""
        view, recipe = view or main_view(unit.layer), self.recipe_for(unit.layer, **overrides)
        return Question(fingerprint, unit, view, recipe, vector)

    def teaches(self, checkpoint: CheckpointConfig) -> bool:
        """Whether the lesson, if there is one, is about units of this checkpoint: it is about the first."""
        return self.lesson is not None and checkpoint.name == self.checkpoints[0].name


_Text = Annotated[str, Meta(pattern=VISIBLE, description="text, on one line and without invisible characters")]
_Words = Annotated[list[str], Meta(description='a list of text, for example ["mixed4a:0-9"]')]
_UnitName = Annotated[str, Meta(pattern=VISIBLE, description='a unit, for example "mixed4a:0"')]
_Fingerprint = Annotated[
    str, Meta(pattern=rf"\A({SHA256.pattern})?\Z", description="64 hexadecimal digits; `atlas render` prints them")
]
_LAYERS = {layer for net in ARCHITECTURES.values() for layer, x in net.layers.items() if x.kind != "branch"}


class _Atlas(Struct, forbid_unknown_fields=True):
    title: _Text = "InceptionV1 Atlas"
    url: _Text = ""
    output: _Text = "site"
    study_files: bool = True
    oembed: bool = False


class _Checkpoint(Struct, forbid_unknown_fields=True):
    units: _Words = []
    featured: _Words = []
    architecture: _Text | None = None
    weights: _Text = ""
    fingerprint: _Fingerprint = ""
    about: _Text = ""
    classes: _Text = ""
    views: Annotated[
        list[str] | dict[str, list[str]],
        Meta(description='a list of views, ["channel", "neuron"], or a section with the units of each'),
    ] = []


_CHECKPOINT = Annotated[_Checkpoint, Meta(description="a section; write [checkpoints.NAME]")]


class _Lesson(Struct, forbid_unknown_fields=True):
    unit: _UnitName
    seeds: _UnitName | None = None
    seeds_note: _Text = ""
    agrees: _UnitName | None = None
    agrees_note: _Text = ""
    disagrees: _UnitName | None = None
    disagrees_note: _Text = ""


class _Photos(Struct, forbid_unknown_fields=True):
    folders: Annotated[list[str], Meta(description='a list of folders, for example ["photographs"]')] = []
    pixels: Annotated[bool, Meta(description="true or false")] = True
    publish: Annotated[bool, Meta(description="true or false")] = False


class _Directions(Struct, forbid_unknown_fields=True):
    layer: _Text
    file: _Text
    tensor: _Text = ""
    checkpoint: _Text = ""


_DIRECTIONS = Annotated[_Directions, Meta(description="a section; write [directions.NAME]")]


class _File(Struct, forbid_unknown_fields=True):
    """The whole file. Tables whose keys are names are decoded one by one, so that an error has the name."""

    atlas: Annotated[_Atlas, Meta(description="a section; write [atlas]")] = field(default_factory=_Atlas)
    checkpoints: Annotated[dict[str, Any], Meta(description="sections; write [checkpoints.inception5h]")] = {}
    directions: Annotated[dict[str, Any], Meta(description="sections; write [directions.NAME]")] = {}
    recipe: Annotated[dict[str, Any], Meta(description="a section; write [recipe]")] = {}
    lesson: Annotated[_Lesson | None, Meta(description="a section; write [lesson]")] = None
    photos: Annotated[_Photos, Meta(description="a section; write [photos]")] = field(default_factory=_Photos)


def load_config(path: Path) -> Config:
    """Read and check an atlas.toml. Raises UsageError naming file, line and what to write instead."""
    try:
        file = DataFile(path)
    except FileNotFoundError:
        raise UsageError(f"no {path} here; type `atlas init {path.parent}` to write one") from None
    given = file.decode(file.data, _File)
    if not given.checkpoints:
        file.fail('no checkpoint; add [checkpoints.inception5h] with units = ["mixed4a:0-9"]', "checkpoints")
    recipe, by_layer = _recipes(file, given.recipe)
    directions = _of_checkpoints(file, given)
    checkpoints = tuple(
        _checkpoint(file, name, data, directions.get(name, {})) for name, data in given.checkpoints.items()
    )
    url, notes = _url(file, given.atlas.url) if given.atlas.url else ("", ())
    return Config(
        path=path,
        title=given.atlas.title,
        url=url,
        output=path.parent / given.atlas.output,
        study_files=given.atlas.study_files,
        oembed=given.atlas.oembed and bool(url),
        checkpoints=checkpoints,
        recipe=recipe,
        layer_settings=by_layer,
        lesson=_lesson(file, given.lesson, checkpoints[0]) if given.lesson else None,
        photos=tuple(_path(file, word, "photos", "folders", n) for n, word in enumerate(given.photos.folders)),
        pixels=given.photos.pixels,
        publish=given.photos.publish,
        notes=notes,
    )


def _url(file: DataFile, written: str) -> tuple[str, tuple[str, ...]]:
    """The address, and a note if it has other characters than what is written."""
    try:
        url = read_base_url(written)
    except ValueError as error:
        file.fail(f"url = “{written}” is not a full address: {error}; write https://host/path/", "atlas", "url")
    same = url.casefold().rstrip("/") == written.casefold().rstrip("/")
    return url, () if same else (f"{file.path}: the url “{written}” is written {url} in links",)


def _path(file: DataFile, word: str, *at: str | int) -> Path:
    """A path, which is relative to the file."""
    try:
        return file.path.parent / Path(word).expanduser()
    except RuntimeError:
        file.fail(f"“{word}”: there is no such home folder; write the whole path", *at)


def _of_checkpoints(file: DataFile, given: _File) -> Mapping[str, Mapping[str, _Directions]]:
    """The sets of directions of each checkpoint; one that names none belongs to the first."""
    found: dict[str, dict[str, _Directions]] = {}
    for name, data in given.directions.items():
        at = ("directions", name)
        each = file.decode(data, _DIRECTIONS, *at)
        if not SET_NAME.fullmatch(name):
            file.fail(f"“{name}” cannot be part of an address; use a-z, 0-9 and _, and begin with a letter", *at)
        of = each.checkpoint or next(iter(given.checkpoints))
        if of not in given.checkpoints:
            file.fail(f"no checkpoint “{of}”: {did_you_mean(of, given.checkpoints)}", *at, "checkpoint")
        found.setdefault(of, {})[name] = each
    return found


def _directions(file: DataFile, name: str, given: _Directions, net: Architecture) -> Directions:
    """A set of directions with its vectors."""
    at = ("directions", name)
    try:
        channels = channels_of(net, given.layer)
    except UsageError as error:
        file.fail(str(error), *at, "layer")
    path = _path(file, given.file, *at, "file")
    try:
        vectors = read_vectors(path, given.tensor, channels)
    except UsageError as error:
        file.fail(str(error), *at, "file")
    said = f"tensor {given.tensor} of {path.name}" if given.tensor else path.name
    return Directions(given.layer, name, len(vectors), vectors, said)


def _checkpoint(file: DataFile, name: str, data: Any, directions: Mapping[str, _Directions]) -> CheckpointConfig:
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
    if directions:
        net = replace(net, directions=tuple(_directions(file, name, each, net) for name, each in directions.items()))

    def units(words: Iterable[str], *key: str) -> tuple[Unit, ...]:
        try:
            return select_units(words, net, name)
        except UsageError as error:
            file.fail(str(error), *at, *key)

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
        weights=_path(file, given.weights, *at, "weights") if given.weights else None,
        fingerprint=given.fingerprint or (spec.fingerprint if spec else None),
        about=given.about,
        units=in_order((*groups["units"], *(unit for of_view in views.values() for unit in of_view)), net),
        featured=groups["featured"],
        class_names=_classes(file, given.classes, net, *at) if given.classes else spec.class_names if spec else (),
        class_source=given.classes or (spec.class_source if spec else ""),
        files=tuple(
            file.path.parent / Path(word).expanduser()
            for word in (given.classes, *(each.file for each in directions.values()))
            if word
        ),
        views={
            view: found for view, of in views.items() if (found := tuple(u for u in of if view != main_view(u.layer)))
        },
    )


def _classes(file: DataFile, word: str, net: Architecture, *at: str) -> tuple[str, ...]:
    """The names of classes in a file of the user's, one a line."""
    path = _path(file, word, *at, "classes")
    try:
        names = tuple(line.strip() for line in read_text(path).splitlines())
    except (FileNotFoundError, UsageError) as error:
        file.fail(f"classes = “{word}”: {error if isinstance(error, UsageError) else 'no such file'}", *at, "classes")
    if len(names) != net.classes:
        said = f"classes = “{word}” has {len(names)} lines, and {net.name} tells {net.classes} classes apart"
        file.fail(f"{said}; write one name a line", *at, "classes")
    for line, name in enumerate(names, 1):
        if not name or len(name) > 120 or not is_line(name):
            file.fail(f"line {line} of “{word}” is no name: write 1 to 120 characters that are seen", *at, "classes")
    return names


def _lesson(file: DataFile, given: _Lesson, of: CheckpointConfig) -> Lesson:
    def unit(key: str, word: str) -> Unit:
        try:
            return parse_unit(word, of.architecture, of.name)
        except UsageError as error:
            file.fail(str(error), "lesson", key)

    def maybe(key: str, word: str | None) -> Unit | None:
        return unit(key, word) if word else None

    seeds = maybe("seeds", given.seeds)
    if seeds and "neuron" not in views_of(seeds.layer):
        file.fail(f"{seeds} has no neurons; name a unit of a layer", "lesson", "seeds")
    return Lesson(
        unit=unit("unit", given.unit),
        seeds=seeds,
        seeds_note=given.seeds_note,
        agrees=maybe("agrees", given.agrees),
        agrees_note=given.agrees_note,
        disagrees=maybe("disagrees", given.disagrees),
        disagrees_note=given.disagrees_note,
    )


def _recipes(file: DataFile, data: Mapping[str, Any]) -> tuple[Recipe, Mapping[str, Mapping[str, Any]]]:
    """The recipe of all layers, and the settings of single ones. Each setting is checked by the recipe itself."""
    by_layer = {key: value for key, value in data.items() if key in _LAYERS}
    recipe = _recipe(file, Recipe(), {key: value for key, value in data.items() if key not in _LAYERS}, "recipe")
    for layer, settings in by_layer.items():
        if not isinstance(settings, dict):
            file.fail(f"“{layer}” is a section; write [recipe.{layer}]", "recipe", layer)
        _recipe(file, recipe, settings, "recipe", layer)
    return recipe, by_layer


def _recipe(file: DataFile, base: Recipe, settings: Mapping[str, Any], *at: str) -> Recipe:
    known = [setting.name for setting in SETTINGS]
    for key, value in settings.items():
        if key not in known:
            hint = did_you_mean(key, [*known, *sorted(_LAYERS)] if at == ("recipe",) else known)
            file.fail(f"no key “{key}” in [{'.'.join(at)}]: {hint}", *at, key)
        try:
            base = replace(base, **{key: value})
        except UsageError as error:
            file.fail(str(error), *at, key)
    return base
