"""``atlas.json`` as it comes from anywhere: nothing in it is believed that has not been checked here.

Addresses of pages and records are not read at all but made from names that exist. What is left of the publisher's own
words is names of units and their sources, and these are cut to one line that can stand in a terminal.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from msgspec import Meta, Struct

from generator.checkpoints import ARCHITECTURES
from generator.core.architecture import CLASSIFIER, Architecture
from generator.core.directions import SET_NAME, Directions
from generator.core.recipe import UNIT
from generator.core.record import PICTURE
from generator.core.result import KIND
from generator.core.schema import Date, Link, Number, Sha256, decode
from generator.core.text import legible
from generator.core.units import Unit, in_order
from generator.core.views import views_of
from generator.links import addresses
from generator.links.base_url import read_base_url
from generator.reader.location import Location
from generator.reader.origin import Origin
from generator.reader.published import (
    PublishedAnswer,
    PublishedCheckpoint,
    PublishedLabel,
    PublishedUnit,
    read_study,
)
from generator.store.findings import Study

FORMAT = 1
_LONGEST = 500  # characters of a text

_UnitName = Annotated[str, Meta(pattern=rf"\A{UNIT.pattern}\Z", description="the name of a unit")]
_Picture = Annotated[
    str, Meta(pattern=rf"\A{addresses.STORE}/{PICTURE.pattern}\Z", description="the address of a picture in the store")
]
_Kind = Annotated[str, Meta(pattern=rf"\A{KIND.pattern}\Z", description="a kind of answer")]


class _Source(Struct):
    title: str
    url: Link | None = None


class _Label(Struct):
    name: str
    confidence: str
    source: Annotated[int, Meta(ge=0)]
    family: str | None = None


class _View(Struct):
    activation: Number
    picture: _Picture
    thumbnail: _Picture
    date: Date


class _Unit(Struct):
    unit: _UnitName
    activation: Number
    picture: _Picture
    thumbnail: _Picture
    date: Date | None = None  # early atlases have none
    labels: list[_Label] = []
    views: dict[str, _View] = {}


class _Answer(Struct):
    kind: _Kind
    key: Sha256
    layer: str | None = None


class _Directions(Struct):
    layer: str
    name: Annotated[str, Meta(pattern=rf"\A{SET_NAME.pattern}\Z", description="the name of a set of directions")]
    count: Annotated[int, Meta(ge=1, le=1_000_000, description="a number from 1 to 1000000")]


class _Checkpoint(Struct):
    name: str
    architecture: str
    fingerprint: Sha256 | None
    units: list[_Unit]
    sources: list[_Source] = []
    answers: list[_Answer] = []
    directions: list[_Directions] = []


class _Index(Struct):
    title: str
    checkpoints: Annotated[list[_Checkpoint], Meta(min_length=1, description="a list of one checkpoint or more")]
    url: str | None = None


def read_index(data: bytes, location: Location) -> tuple[Origin, Mapping[str, PublishedCheckpoint]]:
    """The atlas that an index describes, and its checkpoints by name. Raises ValueError if it is not an index."""
    try:
        parsed = json.loads(data)  # and not msgspec.json, which refuses halves of characters
        if isinstance(parsed, dict) and parsed.get("format") != FORMAT:
            said = parsed.get("format")
            raise ValueError(f"format {said!r} is not {FORMAT}; a newer version of this package may read it")
        index = decode(parsed, _Index)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    url = read_base_url(index.url) if index.url else location.address
    origin = Origin(_plain(index.title), url, location)
    return origin, {checkpoint.name: _checkpoint(checkpoint, origin) for checkpoint in index.checkpoints}


def _checkpoint(data: _Checkpoint, origin: Origin) -> PublishedCheckpoint:
    if why := addresses.why_not_checkpoint(data.name):
        raise ValueError(f"{data.name!r} is not the name of a checkpoint: {why}")
    if data.architecture not in ARCHITECTURES:
        raise ValueError(f"no architecture {data.architecture!r}")
    net = ARCHITECTURES[data.architecture]
    for each in data.directions:
        if each.layer not in net.layers:
            raise ValueError(f"{net.name} has no layer {each.layer!r}")
    net = replace(net, directions=tuple(Directions(x.layer, x.name, x.count) for x in data.directions))
    net = net.including(entry.unit.partition(":")[0] for entry in data.units)
    answers = tuple(_answer(entry, net, data, origin) for entry in data.answers)
    study = read_study(data.name, net, answers)
    found = {unit.unit: unit for unit in (_unit(entry, net, data, origin, study) for entry in data.units)}
    ordered = {unit: found[unit] for unit in in_order(found, net)}
    return PublishedCheckpoint(data.name, net, data.fingerprint or "", ordered, study, answers)


def _answer(entry: _Answer, net: Architecture, of: _Checkpoint, origin: Origin) -> PublishedAnswer:
    if entry.layer and entry.layer not in net.layers and entry.layer != CLASSIFIER:
        raise ValueError(f"{net.name} has no layer {entry.layer!r}")
    return PublishedAnswer(origin, of.name, of.fingerprint or "", entry.kind, entry.layer or "", entry.key)


def _unit(entry: _Unit, net: Architecture, of: _Checkpoint, origin: Origin, study: Study) -> PublishedUnit:
    layer_name, _, channel = entry.unit.partition(":")
    unit = Unit(layer_name, int(channel))
    layer = net.layers.get(unit.layer)
    if layer is None or layer.kind == "branch" or unit.channel >= layer.channels:
        raise ValueError(f"{net.name} has no unit {unit}")
    branch = layer.branch_of(unit.channel)
    labels = tuple(_label(label, of.sources) for label in entry.labels)

    def published(made: _Unit | _View, view: str, views: Mapping[str, PublishedUnit]) -> PublishedUnit:
        return PublishedUnit(
            origin, of.name, of.fingerprint or "", unit, branch.name if branch else None, made.activation,
            made.date or "", made.picture, made.thumbnail, study, labels, view, views,
        )  # fmt: skip

    known = {view: published(made, view, {}) for view, made in entry.views.items() if view in views_of(unit.layer)[1:]}
    return published(entry, "", known)


def _label(label: _Label, sources: Sequence[_Source]) -> PublishedLabel:
    if label.source >= len(sources):
        raise ValueError(f"there is no source {label.source}")
    source = sources[label.source]
    return PublishedLabel(
        _plain(label.name), _plain(label.family or ""), _plain(label.confidence), _plain(source.title), source.url or ""
    )


def _plain(text: str) -> str:
    return legible(text, _LONGEST)
