"""Which photographs the network takes for a class, the surest first."""

from dataclasses import dataclass

from generator.core.architecture import CLASSIFIER
from generator.photos.credits import Credit
from generator.publish.album import KIND, STRONGEST
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.publish.panels import Lookup, Panel
from generator.store.findings import called


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph by its credits, and how sure the network is. ``pixels`` is its address, "" if it is not shown."""

    credit: Credit
    probability: float
    pixels: str


@dataclass(frozen=True, slots=True)
class Called:
    """What the panel shows of one class: the ``surest`` of the ``taken`` photographs among ``count``."""

    count: int
    taken: int
    surest: tuple[Photo, ...]


def read(catalog: Catalog) -> Lookup:
    def lookup(checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> Called | None:
        if not checkpoint.layers[unit.unit.layer].is_output:
            return None
        photos = catalog.arrays(KIND, checkpoint.fingerprint, CLASSIFIER)
        if not photos:
            return None
        taken = called(photos, unit.unit.channel)

        def photo(index: int) -> Photo:
            credit, pixels = catalog.album.shown(photos, index)
            return Photo(credit, float(photos["probability"][index]), pixels)

        return Called(len(photos["sha256"]), len(taken), tuple(photo(index) for index in taken[:STRONGEST]))

    return lookup


PANEL = Panel(order=10, template="", read=read, beside="panels/called.html")
