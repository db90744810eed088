"""Panels of a unit's page: what an analysis has to say of a unit, beside its picture or below it.

A module of this package is one panel. It has a ``PANEL``, and is found because it lies here; docs/extending.md walks
through one. Its template is a fragment of HTML. It has the variables of ``unit.html``, and ``panel``: what ``read``
found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.core.package import modules_of
from generator.core.result import Result
from generator.publish.catalog import AtlasCheckpoint, AtlasUnit, Catalog
from generator.store.findings import Study, as_written

if TYPE_CHECKING:
    from numpy.typing import NDArray

Lookup = Callable[[AtlasCheckpoint, AtlasUnit], Any]
"""Gives what a panel shows of a unit, or None if it has nothing to say of it."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. Panels come in their ``order``. ``read`` is called once a build and gives the panel's lookup.

    ``beside`` is the template of what stands beside the picture, on the first screen, if there is any.
    """

    order: int
    template: str
    read: Callable[[Catalog], Lookup]
    beside: str = ""


@dataclass(frozen=True, slots=True)
class PanelShown:
    """A panel on the page of one unit: its templates, and the ``panel`` that they read."""

    template: str
    panel: Any
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Panels:
    """Every panel with what it has read."""

    read: tuple[tuple[Panel, Lookup], ...] = ()

    def of(self, checkpoint: AtlasCheckpoint, unit: AtlasUnit) -> tuple[PanelShown, ...]:
        """The panels that have something to say of a unit, in order.

        Raises AtlasError if an answer does not hold what its analysis computes.
        """
        with as_written(f"{checkpoint.name}/{unit.unit}"):
            found = [(panel, lookup(checkpoint, unit)) for panel, lookup in self.read]
        return tuple(PanelShown(panel.template, shown, panel.beside) for panel, shown in found if shown is not None)


def read_study(catalog: Catalog, checkpoint: AtlasCheckpoint) -> Study:
    """What the store knows of the units of a checkpoint, for programs."""

    def read(name: str, layer: str) -> tuple[Result, Mapping[str, NDArray[Any]]] | None:
        of = (f"study/{name}", checkpoint.fingerprint, layer)
        result, found = catalog.latest(*of), catalog.arrays(*of)
        return (result, found) if result and found else None

    return Study(checkpoint.name, checkpoint.checkpoint.architecture, checkpoint.checkpoint.class_names, read)


def panels() -> tuple[Panel, ...]:
    """Every panel of this package, in order."""
    return tuple(sorted((module.PANEL for module in modules_of(__name__)), key=lambda panel: panel.order))


def read_panels(catalog: Catalog) -> Panels:
    return Panels(tuple((panel, panel.read(catalog)) for panel in panels()))
