"""What an atlas.toml says: checkpoints and their units, recipes, the lesson, photographs. How it is read is
:mod:`generator.config.atlas_toml`."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generator.checkpoints import CHECKPOINTS
from generator.core.architecture import Architecture
from generator.core.directions import base_layer, has_vector
from generator.core.errors import UsageError, did_you_mean
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.core.views import main_view, view_named


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
    has one for oEmbed. ``notes`` say what was read in another way than it is written, ``absent`` which files are not
    there, if that was let pass.
    """

    path: Path
    title: str
    url: str
    output: Path
    checkpoints: tuple[CheckpointConfig, ...]
    recipe: Recipe
    settings_of: Mapping[str, Mapping[str, Any]]
    lesson: Lesson | None
    photos: tuple[Path, ...] = ()
    pixels: bool = True
    publish: bool = False
    study_files: bool = True
    oembed: bool = False
    notes: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def store(self) -> Path:
        """The folder of the store: part of the site, so that pictures are published with it."""
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
        return (*self.absent, *absent, *empty)

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

    def recipe_for(self, layer: str, view: str | None = None, **overrides: Any) -> Recipe:
        """The recipe: the defaults, then [recipe], then [recipe.VIEW], then [recipe.LAYER], then ``overrides``.

        A bottleneck follows its module, ``mixed4a_3x3_bottleneck`` after ``mixed4a``, and a direction its layer. The
        version of the renderer is the view's.
        """
        base, view = base_layer(layer), view or main_view(layer)
        names = (view, base.split("_")[0], base)
        settings = {key: value for name in names for key, value in self.settings_of.get(name, {}).items()}
        return replace(self.recipe, renderer=view_named(view).renderer, **{**settings, **overrides})

    def question(self, fingerprint: str, unit: Unit, view: str | None = None, **overrides: Any) -> Question:
        """What is asked about a unit; without ``view``, by the one that its page shows first."""
        nets = [c.architecture for c in self.checkpoints if unit.layer in c.architecture.layers]
        if has_vector(unit.layer) and not (nets and unit.channel < nets[0].layers[unit.layer].channels):
            raise UsageError(f"{self.path} has no direction {unit}")
        vector = nets[0].vector_of(unit.layer, unit.channel) if nets else ""
        view = view or main_view(unit.layer)
        return Question(fingerprint, unit, view, self.recipe_for(unit.layer, view, **overrides), vector)

    def teaches(self, checkpoint: CheckpointConfig) -> bool:
        """Whether the lesson, if there is one, is about units of this checkpoint: it is about the first."""
        return self.lesson is not None and checkpoint.name == self.checkpoints[0].name
