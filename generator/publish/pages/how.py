"""The page "How these pictures are made", for a reader who has never heard of activation maximisation."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.core.recipe import Recipe
from generator.core.units import Unit
from generator.links import addresses
from generator.publish.catalog import AtlasUnit
from generator.publish.content.lesson import AtlasLesson
from generator.publish.page import Page, PageKind
from generator.publish.panels.photographs import Photographs
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class Compared:
    """A unit whose picture and photographs are held side by side; ``note`` says what each shows."""

    unit: AtlasUnit
    photographs: Photographs
    note: str


@dataclass(frozen=True, slots=True)
class HowPage:
    """``recipe`` is that of the lesson's unit. ``agrees`` and ``disagrees`` are None where nothing is known of them."""

    template: ClassVar[str] = "how.html"
    recipe: Recipe
    lesson: AtlasLesson
    agrees: Compared | None
    disagrees: Compared | None


def _pages(site: Site) -> Iterator[Page]:
    config = site.config
    recipe = config.recipe_for(config.lesson.unit.layer) if config.lesson else config.recipe
    description = "Activation maximisation from noise to picture, step by step, and what a picture does not say."
    yield Page(addresses.HOW, "How these pictures are made", description, partial(_page, site, recipe), site.preview)


def _page(site: Site, recipe: Recipe) -> HowPage:
    asked = site.config.lesson
    agrees = _compared(site, asked.agrees, asked.agrees_note) if asked else None
    disagrees = _compared(site, asked.disagrees, asked.disagrees_note) if asked else None
    return HowPage(recipe, site.lesson, agrees, disagrees)


def _compared(site: Site, wanted: Unit | None, note: str) -> Compared | None:
    if wanted is None or wanted.layer not in site.first.layers:
        return None
    unit = site.first.layers[wanted.layer].units[wanted.channel]
    panels = (shown.panel for shown in site.panels.of(site.first, unit)) if unit.record else ()
    found = next((panel for panel in panels if isinstance(panel, Photographs)), None)
    return Compared(unit, found, note) if found and found.strongest else None


PAGES = PageKind(20, _pages)
