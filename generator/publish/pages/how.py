"""The page "How these pictures are made", for a reader who has never heard of activation maximisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from generator.core.recipe import Recipe
from generator.links import addresses
from generator.publish.content.lesson import AtlasLesson
from generator.publish.content.previews import checkpoint_preview
from generator.publish.page import Frame, Page, PageKind, frame
from generator.publish.site import Site


@dataclass(frozen=True, slots=True)
class HowPage:
    """``recipe`` is that of the lesson's unit."""

    template: ClassVar[str] = "how.html"
    frame: Frame
    recipe: Recipe
    lesson: AtlasLesson


def _pages(site: Site) -> Iterator[Page]:
    yield Page(addresses.HOW, partial(_page, site))


def _page(site: Site) -> HowPage:
    config = site.config
    description = "Activation maximisation from noise to picture, step by step, and what a picture does not say."
    preview = checkpoint_preview(addresses.HOME, site.first)
    return HowPage(
        frame(site, addresses.HOW, "How these pictures are made", description, preview=preview),
        recipe=config.recipe_for(config.lesson.unit.layer) if config.lesson else config.recipe,
        lesson=site.lesson,
    )


PAGES = PageKind(20, HowPage, _pages)
