"""The data of all pages, read once: atlas.toml, the store, the names of units, the lesson, the panels."""

from dataclasses import dataclass
from functools import cached_property

from generator.config.config import Config
from generator.links import addresses
from generator.publish.catalog import AtlasCheckpoint, Catalog
from generator.publish.catalog_reader import read_catalog
from generator.publish.content.lesson import AtlasLesson, read_lesson
from generator.publish.content.previews import Preview, checkpoint_preview
from generator.publish.panels import Panels, read_panels


@dataclass(frozen=True)
class Site:
    """What was read. After this the store is only opened to copy files out of it."""

    catalog: Catalog
    lesson: AtlasLesson
    panels: Panels

    @property
    def config(self) -> Config:
        return self.catalog.config

    @property
    def checkpoints(self) -> tuple[AtlasCheckpoint, ...]:
        return self.catalog.checkpoints

    @property
    def first(self) -> AtlasCheckpoint:
        """The checkpoint that is meant where none is named."""
        return self.catalog.checkpoints[0]

    @cached_property
    def preview(self) -> Preview | None:
        """The picture for link previews of the atlas, and of pages without units."""
        return checkpoint_preview(addresses.HOME, self.first)


def read_site(config: Config) -> Site:
    """Read everything. Raises UsageError for a mistake in ``labels/``; damage in the store becomes a warning."""
    catalog = read_catalog(config)
    return Site(catalog, read_lesson(catalog), read_panels(catalog))
