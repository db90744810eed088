"""The pages of the site: what each one says, apart from how it looks and where it is written.

One frozen dataclass per template holds exactly what the template reads; a test keeps the two in step. Rendering gives
text, nothing is written here:

>>> env = environment(config.templates)                           # doctest: +SKIP
>>> render(env, page)[:15]                                        # doctest: +SKIP
'<!doctype html>'

A ``templates`` folder beside atlas.toml comes before the templates of this package, file by file. A template that only
changes a block of the original extends it under the name ``atlas/``: ``{% extends "atlas/unit.html" %}``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import jinja2
from markupsafe import Markup

from generator.errors import AtlasError
from generator.package import package_folder
from generator.publish import charts
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit
from generator.publish.lesson import AtlasLesson, WayShown
from generator.publish.provenance import Fact, Setting
from generator.publish.selection import Column
from generator.publish.urls import Urls
from generator.recipe import Recipe
from generator.record import printed
from generator.spectrum import like_photographs


@dataclass(frozen=True, slots=True)
class SpineLink:
    """A link of the header, to one of the main layers; ``current`` if the page is of that layer."""

    href: str
    name: str
    current: bool


@dataclass(frozen=True, kw_only=True)
class Page:
    """What base.html needs. ``checkpoint`` is the one whose layers, the ``spine``, the header links to.

    ``image`` is the whole address of a picture that stands for the page, or "".
    """

    template: ClassVar[str]
    url: Urls
    address: str
    site: str
    title: str
    description: str
    image: str
    checkpoint: AtlasCheckpoint
    spine: tuple[SpineLink, ...]


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    """The hierarchy of the first checkpoint, and what else there is. ``example`` is a unit to speak of."""

    template: ClassVar[str] = "home.html"
    columns: tuple[Column, ...]
    others: tuple[AtlasCheckpoint, ...]
    example: AtlasUnit


@dataclass(frozen=True, kw_only=True)
class CheckpointPage(Page):
    """The hierarchy of one checkpoint."""

    template: ClassVar[str] = "checkpoint.html"
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class LayerPage(Page):
    """Every unit of a layer; ``command`` renders those that are not rendered, or is ""."""

    template: ClassVar[str] = "layer.html"
    layer: AtlasLayer
    command: str
    previous: AtlasLayer | None
    next: AtlasLayer | None
    bottlenecks: tuple[AtlasLayer, ...]


@dataclass(frozen=True, kw_only=True)
class UnitPage(Page):
    """One picture and all that is known of it; ``command`` makes it again."""

    template: ClassVar[str] = "unit.html"
    layer: AtlasLayer
    unit: AtlasUnit
    previous: AtlasUnit | None
    next: AtlasUnit | None
    neighbours: tuple[AtlasUnit, ...]
    settings: tuple[Setting, ...]
    facts: tuple[Fact, ...]
    command: str


@dataclass(frozen=True, kw_only=True)
class AboutPage(Page):
    """How the pictures are made and what they do not show, under one picture of each layer."""

    template: ClassVar[str] = "about.html"
    recipe: Recipe
    settings: tuple[Setting, ...]
    frieze: tuple[AtlasUnit, ...]
    checkpoints: tuple[AtlasCheckpoint, ...]


@dataclass(frozen=True, kw_only=True)
class HowPage(Page):
    """How a picture is made, for a reader who has never heard of it; ``recipe`` is that of the lesson's unit."""

    template: ClassVar[str] = "how.html"
    recipe: Recipe
    lesson: AtlasLesson


@dataclass(frozen=True, kw_only=True)
class NotFoundPage(Page):
    """What a host serves where there is nothing."""

    template: ClassVar[str] = "404.html"


PAGES: tuple[type[Page], ...] = (HomePage, CheckpointPage, LayerPage, UnitPage, AboutPage, HowPage, NotFoundPage)


def environment(own_templates: Path) -> jinja2.Environment:
    """The templates, those of the user first."""
    own, ours = jinja2.FileSystemLoader(own_templates), jinja2.FileSystemLoader(package_folder("templates"))
    env = jinja2.Environment(
        loader=jinja2.ChoiceLoader([own, ours, jinja2.PrefixLoader({"atlas": ours})]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    env.globals.update(
        activation_curve=charts.activation_curve,
        network=charts.network,
        receptive_field=charts.receptive_field,
        spectra=spectra,
    )
    env.filters.update(zip=zip)
    env.filters.update(number=printed, thousands=lambda n: f"{n:,}", runs=runs, activations=activations)
    return env


def render(env: jinja2.Environment, page: Page) -> str:
    """A page as text. Raises AtlasError naming file and line of a template that asks for what is not there."""
    try:
        context = {f.name: getattr(page, f.name) for f in fields(page)}
        return env.get_template(page.template).render(context)
    except jinja2.TemplateSyntaxError as error:
        raise AtlasError(f"{error.filename}:{error.lineno}: {error.message}") from error
    except Exception as error:  # a template is a user's code, and may fail in any way
        raise AtlasError(f"the template {page.template} cannot be rendered: {error}") from error


def activations(units: tuple[AtlasUnit, ...]) -> str:
    """The activations of those that are rendered, in their order: what a layer page can be sorted by."""
    return " ".join(f"{unit.record.made.activation:.4g}" for unit in units if unit.record)


def spectra(ways: tuple[WayShown, ...]) -> list[Markup]:
    """The spectra of several pictures on one scale, each with what would fall as a photograph's does."""
    low, high = min(w.power.min() for w in ways) / 2, max(w.power.max() for w in ways) * 2
    return [
        charts.spectrum(w.name, w.power.tolist(), like_photographs(w.power).tolist(), float(low), float(high))
        for w in ways
    ]


def runs(units: tuple[AtlasUnit, ...]) -> list[tuple[AtlasUnit, AtlasUnit | None]]:
    """Units as a layer page lays them out: each rendered one, and each run of others as its first and last."""
    laid: list[tuple[AtlasUnit, AtlasUnit | None]] = []
    for unit in units:
        if unit.record:
            laid.append((unit, None))
        elif laid and laid[-1][1]:
            laid[-1] = (laid[-1][0], unit)
        else:
            laid.append((unit, unit))
    return laid
