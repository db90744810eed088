"""What a researcher types in a notebook: pictures of units as arrays, and figures of them. No file is written.

>>> from generator.api import Recipe, gallery, load_checkpoint, render              # doctest: +SKIP
>>> net = load_checkpoint("bvlc_googlenet")                                         # doctest: +SKIP
>>> pictures = render(net, "mixed4a:0-9")                                           # doctest: +SKIP
>>> pictures[0].pixels.shape, pictures[0].activation                                # doctest: +SKIP
((224, 224, 3), 792.3)
>>> gallery(pictures)                                                               # doctest: +SKIP

The pictures are those of `atlas render`, by the same recipe from the same draws. :func:`generator.figures.save.save`
writes a figure to a file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from generator.config.directions import channels_of, check_name, check_vectors
from generator.config.lesson_questions import snapshot_questions
from generator.core.directions import Directions
from generator.core.errors import AtlasError
from generator.core.progress import progress as progress_bar
from generator.core.recipe import PRESETS, Question, Recipe, apply_preset
from generator.core.record import Rendered
from generator.core.spectrum import power_spectrum
from generator.core.units import Unit, parse_unit, select_units
from generator.core.views import main_view, view_named
from generator.figures import compose
from generator.figures.compose import contact_sheet, gallery, poster
from generator.figures.layout import Sheet
from generator.figures.save import save
from generator.network import Inception, load_checkpoint
from generator.render.ascent import gradient_ascent
from generator.render.renderer import Renderer
from generator.store.plan import make_plan

__all__ = [
    "Recipe",
    "Rendered",
    "Snapshots",
    "add_directions",
    "contact_sheet",
    "filmstrip",
    "gallery",
    "gradient_ascent",
    "load_checkpoint",
    "parameterizations",
    "poster",
    "power_spectrum",
    "preset",
    "render",
    "save",
    "snapshots",
]

Units = str | Iterable[str]
"""Units in any spelling: ``"mixed4a:0-9"``, or ``["mixed3a:0", "4a:11"]``."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """One ascent: ``frames`` after some of its steps, and its ``end``, which has the activations of every step."""

    frames: tuple[Rendered, ...]
    end: Rendered


def preset(name: str, **settings: Any) -> Recipe:
    """One of three recipes, with other settings: ``raw`` pixels, ``naive`` pixels kept in range, or the ``full`` one.

    Raises AtlasError for a setting out of range, or one without which raw or naive is something else.
    """
    return Recipe(**apply_preset(name, settings))


def render(
    net: Inception,
    units: Units,
    recipe: Recipe | None = None,
    *,
    view: str | None = None,
    batch: int = 16,
    progress: bool = True,
) -> list[Rendered]:
    """The pictures of units, in the order of the network.

    ``view`` is by default the channel, and of a class the logit. ``batch`` is how many are rendered at once, as far as
    memory allows; no picture depends on it. Raises AtlasError if a unit does not exist, or if an ascent gives numbers
    that are not finite.
    """
    recipe = recipe or Recipe()
    asked = [_question(net, unit, view or main_view(unit.layer), recipe) for unit in _units(net, units)]
    return _render(net, asked, batch, progress)


def add_directions(net: Inception, layer: str, name: str, vectors: ArrayLike) -> None:
    """Give a layer directions that can be rendered like its channels: ``f"{layer}@{name}:0"`` and so on.

    ``vectors`` are K rows over the layer's channels. Raises AtlasError for rows that are none.

    >>> add_directions(net, "mixed4d", "nmf", factors)                              # doctest: +SKIP
    >>> gallery(render(net, "mixed4d@nmf:0-9"))                                     # doctest: +SKIP
    """
    check_name(name)
    given = np.asarray(vectors)
    given = given.astype(float) if given.dtype.kind in "iu" else given
    checked = check_vectors(given, "vectors", channels_of(net.architecture, layer))
    added = Directions(layer, name, len(checked), checked, "an array")
    others = tuple(each for each in net.architecture.directions if str(each) != str(added))
    net.architecture = replace(net.architecture, directions=(*others, added))


def snapshots(
    net: Inception, unit: str, steps: Iterable[int], recipe: Recipe | None = None, *, progress: bool = True
) -> Snapshots:
    """Pictures of one ascent after some of its steps.

    The picture after n steps is what the recipe with n steps ends with. Raises AtlasError for a step beyond the end.
    """
    recipe = recipe or Recipe()
    wanted = sorted({int(step) for step in steps})
    if wanted and not 0 <= wanted[0] <= wanted[-1] <= recipe.steps:
        raise AtlasError(f"the ascent has steps 0 to {recipe.steps}, not {wanted[-1] if wanted[0] >= 0 else wanted[0]}")
    of = parse_unit(unit, net.architecture, net.name)
    whole = _question(net, of, main_view(of.layer), recipe)
    *frames, end = _render(net, [*snapshot_questions(whole, wanted), whole], 1, progress)
    return Snapshots((*frames, end) if recipe.steps in wanted else tuple(frames), end)


def filmstrip(strip: Snapshots, *, columns: int = 5, title: str = "") -> Sheet:
    """The frames of :func:`snapshots` side by side, with the activation at each step."""
    return compose.filmstrip(strip.frames, strip.end.activations, columns=columns, title=title)


def parameterizations(net: Inception, unit: str, *, progress: bool = True, title: str = "", **settings: Any) -> Sheet:
    """One unit by the three presets, each with its power by spatial frequency. ``settings`` hold for all three.

    Raises AtlasError if ``unit`` names several, or as :func:`preset` does.
    """
    parse_unit(unit, net.architecture, net.name)
    pictures = {name: render(net, unit, preset(name, **settings), progress=progress)[0] for name in PRESETS}
    return compose.parameterizations(pictures, title=title)


def _question(net: Inception, unit: Unit, view: str, recipe: Recipe) -> Question:
    recipe = replace(recipe, renderer=view_named(view).renderer)
    return Question(net.fingerprint, unit, view, recipe, net.architecture.vector_of(unit.layer, unit.channel))


def _units(net: Inception, units: Units) -> tuple[Unit, ...]:
    return select_units([units] if isinstance(units, str) else units, net.architecture, net.name)


def _render(net: Inception, asked: Sequence[Question], batch: int, progress: bool) -> list[Rendered]:
    if batch < 1:
        raise AtlasError(f"batch = {batch}: must be 1 or more")
    plan = make_plan(asked, net.architecture, (), size=batch)
    renderer = Renderer(net)
    done: dict[Question, Rendered] = {}
    with progress_bar(net.name, "units", plan.units, show=progress) as bar:
        for pending in chain.from_iterable(renderer.render(plan.batches, bar.advance)):
            picture = pending()
            if not isinstance(picture, Rendered):
                raise AtlasError(f"{picture.question.unit}: {picture.why}")
            done[picture.question] = picture
    return [done[question] for question in asked]
