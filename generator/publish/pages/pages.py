"""The pages of the site: what each one says, apart from how it looks and where it is written.

One frozen dataclass per template holds exactly what the template reads; a test keeps the two in step.
:mod:`generator.publish.pages.contents` makes them, :mod:`generator.publish.rendering` turns them into text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from generator.core.recipe import Recipe
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit
from generator.publish.pages.families import FamilyCount, FamilyShown
from generator.publish.pages.lesson import AtlasLesson
from generator.publish.pages.provenance import Fact, OtherPicture, Setting
from generator.publish.pages.quotes import Quote
from generator.publish.pages.selection import Column
from generator.publish.urls import Urls


@dataclass(frozen=True, slots=True)
class SpineLink:
    """A link of the header, to one of the main layers; ``current`` if the page is of that layer."""

    href: str
    name: str
    current: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The picture that stands for a page where it is linked: its address in the atlas, its size, what it shows."""

    address: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What base.html needs. ``checkpoint`` is the one whose layers, the ``spine``, the header links to.

    ``preview`` stands for the page where it is linked; ``schema`` says what it is in the words of schema.org.
    """

    template: ClassVar[str]
    url: Urls
    address: str
    site: str
    title: str
    description: str
    preview: Preview | None
    schema: Mapping[str, Any]
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
    families: tuple[FamilyCount, ...]
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
    quotes: tuple[Quote, ...]
    pictures: tuple[OtherPicture, ...]


@dataclass(frozen=True, kw_only=True)
class EmbedPage:
    """One unit, small, for the pages of other people to show in a frame. It stands alone, without base.html."""

    template: ClassVar[str] = "embed.html"
    url: Urls
    canonical: str
    checkpoint: AtlasCheckpoint
    unit: AtlasUnit


@dataclass(frozen=True, kw_only=True)
class FamiliesPage(Page):
    """All families of a checkpoint, each with the few of its units that are rendered first."""

    template: ClassVar[str] = "families.html"
    families: tuple[FamilyShown, ...]


@dataclass(frozen=True, kw_only=True)
class FamilyPage(Page):
    """Every unit that has a name of this family, layer by layer."""

    template: ClassVar[str] = "family.html"
    family: FamilyShown
    previous: FamilyShown | None
    next: FamilyShown | None


@dataclass(frozen=True, kw_only=True)
class FindPage(Page):
    """How units are found: what the search box reads, and the layers and families of each checkpoint as links."""

    template: ClassVar[str] = "find.html"
    checkpoints: tuple[AtlasCheckpoint, ...]


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


AnyPage = Page | EmbedPage
PAGES: tuple[type[AnyPage], ...] = (
    HomePage, CheckpointPage, LayerPage, UnitPage, EmbedPage, FamiliesPage, FamilyPage, FindPage, AboutPage, HowPage,
    NotFoundPage,
)  # fmt: skip
