"""Views: which number of a unit is maximised. Each is one module of this package, and defines ``view``.

The name of the module is the name of the view: it is in every question, and so in keys and addresses, and must not
change. Nothing else lists the views: options, help, checks and the JSON schema of records read :data:`VIEWS`.
docs/extending.md walks through a new one.
"""

from collections.abc import Mapping

from generator.core.architecture import OUTPUT
from generator.core.directions import AT
from generator.core.errors import UsageError
from generator.core.package import modules_of
from generator.core.views.view import View

_FOUND: dict[str, View] = {
    module.__name__.rpartition(".")[2]: module.view for module in modules_of(__name__) if hasattr(module, "view")
}

VIEWS: Mapping[str, View] = dict(sorted(_FOUND.items(), key=lambda found: (found[1].of, not found[1].wakes, found[0])))
"""Every view by its name: those of channels first, of these those after the ReLU, then in alphabetical order."""


def view_named(name: str) -> View:
    """The view of this name. Raises UsageError, with the names that there are, if there is none."""
    if name not in VIEWS:
        raise UsageError(f"no view “{name}”: there are {', '.join(VIEWS)}")
    return VIEWS[name]


def views_of(layer: str) -> tuple[str, ...]:
    """The views that units of a layer have. The first is the one by which pages show them.

    >>> views_of("mixed4a"), views_of("output"), views_of("mixed4a@sae")
    (('channel', 'diversity', 'neuron', 'negative'), ('logit',), ('direction', 'directioncosine'))
    """
    of = "directions" if AT in layer else "classes" if layer == OUTPUT else "channels"
    return tuple(name for name, view in VIEWS.items() if view.of == of)


def main_view(layer: str) -> str:
    """The view by which pages show the units of a layer."""
    return views_of(layer)[0]
