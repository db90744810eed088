"""The page "How these pictures are made", for a reader who has never heard of activation maximisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from generator.core.recipe import Recipe
from generator.links import addresses
from generator.publish.content.lesson import AtlasLesson
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class HowPage:
    """``recipe`` is that of the lesson's unit."""

    template: ClassVar[str] = "how.html"
    recipe: Recipe
    lesson: AtlasLesson


def _pages(site: Site) -> Iterator[Page]:
    config = site.config
    recipe = config.recipe_for(config.lesson.unit.layer) if config.lesson else config.recipe
    description = "Activation maximisation from noise to picture, step by step, and what a picture does not say."
    page = HowPage(recipe, site.lesson)
    yield Page(addresses.HOW, "How these pictures are made", description, lambda: page, site.preview)


PAGES = PageKind(20, _pages)
