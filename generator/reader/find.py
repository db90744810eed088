"""The pages that a text means, as the search box reads it: a unit or a layer comes before a name or a family.

A name such as ``mixed4a:12`` never hides the unit mixed4a:12.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from generator.checkpoints import CHECKPOINTS
from generator.core.errors import UsageError
from generator.core.external_urls import is_address
from generator.core.units import Unit, parse_units, split_view
from generator.core.views import VIEWS, main_view, views_of
from generator.links import addresses
from generator.reader.atlas import Atlas, NoUnitError
from generator.reader.published import PublishedCheckpoint, PublishedLabel, PublishedUnit
from generator.store.facets import find_facet, read_facet


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the atlas.

    ``title`` finds it again: it has the checkpoint in it. ``address`` is relative to the root of the atlas and may end
    with a fragment; ``said`` is the name of a unit, if it has one.
    """

    kind: Literal["unit", "layer", "family", "checkpoint", "home"]
    title: str
    address: str
    said: str = ""


def find(atlas: Atlas, text: str, checkpoint: str | None = None) -> tuple[Found, ...]:
    """The pages that a text may mean, at least one.

    Without ``checkpoint``, numbers are those of the first checkpoint and names are looked for in all. Raises UsageError
    if nothing is meant by it, a unit is not rendered, or an address names a checkpoint that is not here.
    """
    word = " ".join(text.split())
    if not word:
        raise NoUnitError("nothing is asked for; write a unit as 4a:11, a layer, or a name")
    if checkpoint is None and word in atlas.checkpoints:
        return (Found("checkpoint", word, addresses.checkpoint_address(word)),)
    if facet := read_facet(word):
        return _by_facet(atlas, *facet, checkpoint)
    if is_address(word) and (page := _of_a_page(atlas, word)):
        return (page,)
    before, view = split_view(word)
    if view in VIEWS:
        return _by_view(find(atlas, before, checkpoint), atlas, view)
    head, _, name = word.partition("/")
    if name and checkpoint is None and head not in atlas.checkpoints and head in CHECKPOINTS:
        raise NoUnitError(f"no checkpoint “{head}” in this atlas; it has {', '.join(atlas.checkpoints)}")
    of, rest = (atlas.named(checkpoint), word) if checkpoint is not None else atlas.checkpoint_of(word)
    try:
        units = parse_units(rest, of.architecture, of.name)
    except UsageError as error:
        found = _by_name(atlas, rest, checkpoint if rest == word else of.name)
        if found:
            return found
        if is_address(word) or any(character.isdigit() for character in word):  # this can only mean a unit
            raise
        near = difflib.get_close_matches(word.casefold(), _words(atlas), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise NoUnitError(f"no unit, layer, name or family “{word}” in this atlas{hint}") from error
    return _by_id(of, units)


def _by_facet(atlas: Atlas, name: str, value: str, checkpoint: str | None) -> tuple[Found, ...]:
    """The pages of the units that a study knows by this, those of the first checkpoint first."""
    if name == "like":
        of, value = atlas.checkpoint_of(value) if checkpoint is None else (atlas.named(checkpoint), value)
        among = [of]
    else:
        among = [c for c in atlas.checkpoints.values() if checkpoint in (None, c.name)]
    found = tuple(
        unit_page(c.units[unit]) for c in among for unit in find_facet(c.studies, name, value) if unit in c.units
    )
    if not found:
        raise NoUnitError(
            f"no unit is known by {name}:{value} in this atlas; `atlas study` and `atlas build` find them"
        )
    return found


def _by_view(found: tuple[Found, ...], atlas: Atlas, view: str) -> tuple[Found, ...]:
    """The units of these that have a picture by a view, and where it is on their pages."""
    units = [atlas[page.title] for page in found if page.kind == "unit"]
    seen = [unit if view == main_view(unit.unit.layer) else unit.views.get(view) for unit in units]
    if not any(seen):
        which = units[0].unit if units else found[0].title
        if units and view not in (views := views_of(units[0].unit.layer)):
            raise NoUnitError(f"{which} has no view “{view}”; its views are {', '.join(views)}")
        raise NoUnitError(f"{which} has no picture by the view {view}; type `atlas render {which} --view {view}`")
    return tuple(unit_page(unit) for unit in seen if unit)


def _of_a_page(atlas: Atlas, address: str) -> Found | None:
    """The page of a checkpoint or of a family that an address of an atlas leads to, if this one has it."""
    for name, checkpoint in atlas.checkpoints.items():
        tail = re.search(
            rf"(?:^|/){name}/(?:{addresses.FAMILIES}/(?:([^/?#]+)\.html)?)?(?:index\.html)?(?:[?#].*)?$", address
        )
        if tail is None:
            continue
        if tail[1] in (None, "index"):
            return Found("checkpoint", name, addresses.checkpoint_address(name))
        for unit in checkpoint.units.values():
            for label in unit.labels:
                if label.family and addresses.slug(label.family) == tail[1]:
                    return _family(unit, label)
    return None


def unit_page(unit: PublishedUnit, label: PublishedLabel | None = None) -> Found:
    """The page of a unit, under the given name or its most certain one."""
    said = label.name if label else unit.quoted.label
    fragment = f"#{addresses.view_fragment(unit.view)}" if unit.view else ""
    return Found("unit", str(unit), addresses.unit_address(unit.checkpoint, unit.unit) + fragment, said)


def _by_id(of: PublishedCheckpoint, units: tuple[Unit, ...]) -> tuple[Found, ...]:
    """The page of a unit, of a layer, of a branch in its layer, or those of the units that are rendered."""
    first, last = units[0], units[-1]
    layer = of.architecture.including([first.layer]).layers[first.layer]
    branch = layer.branch_of(first.channel)
    whole = layer.kind in ("conv", "mixed") or any(unit.layer == layer.name for unit in of.units)
    if whole and len(units) == layer.channels > 1:
        return (_layer(of.name, layer.name),)
    if branch and (len(units), first.channel, last.channel) == (branch.channels, branch.first, branch.last):
        return (_layer(of.name, layer.name, branch.name),)
    found = tuple(unit_page(of.units[unit]) for unit in units if unit in of.units)
    if not found:
        what = str(first) if len(units) == 1 else f"{first} to {last.channel}"
        said = "is" if len(units) == 1 else "are"
        raise NoUnitError(f"{what} of {of.name} {said} not rendered in this atlas")
    return found


def _by_name(atlas: Atlas, word: str, checkpoint: str | None) -> tuple[Found, ...]:
    """Layers whose names begin with the text; families and units whose names contain it, if they are in none of these.

    An exact name hides names that only contain the words. A single unit is found itself, and not its family.
    """
    asked = word.casefold()
    among = [c for c in atlas.checkpoints.values() if checkpoint in (None, c.name)]
    names = [(unit, label) for c in among for unit in c.units.values() for label in unit.labels]
    exact = [(unit, label) for unit, label in names if asked in (label.name.casefold(), label.family.casefold())]
    hits = exact or [(unit, label) for unit, label in names if _holds(f"{label.name} {label.family}", asked)]
    layers = [] if exact else [_layer(c.name, name) for c in among for name in _layers(c) if name.startswith(asked)]
    families: dict[str, Found] = {}
    if len({str(unit) for unit, _ in hits}) > 1:
        for unit, label in hits:
            if label.family and (label.family.casefold() == asked or (not exact and _holds(label.family, asked))):
                families.setdefault(_family_of(unit, label), _family(unit, label))
    alone: dict[str, Found] = {}
    for unit, label in hits:
        if _family_of(unit, label) not in families:
            alone.setdefault(str(unit), unit_page(unit, label))
    return (*layers, *families.values(), *alone.values())


def _layers(checkpoint: PublishedCheckpoint) -> list[str]:
    """The layers that have a page for certain."""
    rendered = {unit.layer for unit in checkpoint.units}
    return [name for name in checkpoint.architecture.layers if name in rendered]


def _holds(name: str, words: str) -> bool:
    return all(_one(word) in name.casefold() for word in words.split())


def _one(word: str) -> str:
    """A word without its plural s, as static/lookup.js takes it: "cars" finds a car wheel."""
    return word.removesuffix("s") if len(word) > 3 else word


def _words(atlas: Atlas) -> list[str]:
    """The words of all names and families."""
    labels = (label for c in atlas.checkpoints.values() for unit in c.units.values() for label in unit.labels)
    text = " ".join(f"{label.name} {label.family}" for label in labels).casefold()
    return sorted({_one(word) for word in re.findall(r"[^\W\d_]{3,}", text)})


def _family(unit: PublishedUnit, label: PublishedLabel) -> Found:
    return Found("family", f"{unit.checkpoint}/{label.family}", _family_of(unit, label))


def _family_of(unit: PublishedUnit, label: PublishedLabel) -> str:
    return addresses.family_address(unit.checkpoint, label.family) if label.family else ""


def _layer(checkpoint: str, layer: str, branch: str = "") -> Found:
    name, fragment = (f"{layer}_{branch}", f"#{branch}") if branch else (layer, "")
    return Found("layer", f"{checkpoint}/{name}", addresses.layer_address(checkpoint, layer) + fragment)
