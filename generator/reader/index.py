"""``atlas.json`` as it comes from anywhere: nothing in it is believed that has not been checked here.

>>> origin, checkpoints = read_index(data, location)                  # doctest: +SKIP
>>> checkpoints["bvlc_googlenet"].units                               # doctest: +SKIP
{Unit(layer='conv2d0', channel=0): PublishedUnit(...), ...

Addresses of pages and records are not read at all but made from names that exist. What is left of the publisher's own
words is names of units and their sources, and these are cut to one line that can stand in a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct, convert

from generator.checkpoints import ARCHITECTURES
from generator.core.architecture import CLASSIFIER, Architecture
from generator.core.record import PICTURE, check_date
from generator.core.result import KIND
from generator.core.text import SHA256, legible
from generator.core.units import Unit
from generator.links import addresses
from generator.reader.location import Location
from generator.reader.origin import Origin
from generator.reader.published import PublishedAnswer, PublishedCheckpoint, PublishedLabel, PublishedUnit

FORMAT = 1
_LONGEST = 500  # characters of a text
_WEB = r"^(https?://[^\s\"'<>]+)?\Z"

_UnitName = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,64}:[0-9]{1,6}\Z")]
_Picture = Annotated[str, Meta(pattern=rf"^{addresses.STORE}/{PICTURE.pattern}\Z")]
_Fingerprint = Annotated[str, Meta(pattern=rf"^({SHA256.pattern})?\Z")]
_Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class _Source(Struct):
    title: str
    url: Annotated[str, Meta(pattern=_WEB)] | None = None


class _Label(Struct):
    name: str
    confidence: str
    source: Annotated[int, Meta(ge=0)]
    family: str | None = None


class _Unit(Struct):
    unit: _UnitName
    activation: _Finite
    picture: _Picture
    thumbnail: _Picture
    date: str | None = None  # early atlases have none
    labels: list[_Label] = []


class _Answer(Struct):
    kind: Annotated[str, Meta(pattern=rf"^{KIND.pattern}\Z")]
    key: Annotated[str, Meta(pattern=rf"^{SHA256.pattern}\Z")]
    layer: str | None = None


class _Checkpoint(Struct):
    name: str
    architecture: str
    fingerprint: _Fingerprint | None
    units: list[_Unit]
    sources: list[_Source] = []
    answers: list[_Answer] = []


class _Index(Struct):
    title: str
    checkpoints: Annotated[list[_Checkpoint], Meta(min_length=1)]
    url: str | None = None


def read_index(data: bytes, location: Location) -> tuple[Origin, Mapping[str, PublishedCheckpoint]]:
    """The atlas that an index describes, and its checkpoints by name. Raises ValueError if it is not an index."""
    try:
        parsed = json.loads(data)  # and not msgspec.json, which refuses halves of characters
        if isinstance(parsed, dict) and parsed.get("format") != FORMAT:
            said = parsed.get("format")
            raise ValueError(f"format {said!r} is not {FORMAT}; a newer version of this package may read it")
        index = convert(parsed, _Index)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    url = index.url or ""
    if url and not (addresses.PUBLISHED.fullmatch(url) and url.endswith("/")):
        raise ValueError(f"{url!r} is not the address of an atlas")
    origin = Origin(_plain(index.title), url or location.address, location)
    return origin, {checkpoint.name: _checkpoint(checkpoint, origin) for checkpoint in index.checkpoints}


def _checkpoint(data: _Checkpoint, origin: Origin) -> PublishedCheckpoint:
    if not addresses.CHECKPOINT.fullmatch(data.name) or data.name in addresses.RESERVED:
        raise ValueError(f"{data.name!r} is not the name of a checkpoint")
    if data.architecture not in ARCHITECTURES:
        raise ValueError(f"no architecture {data.architecture!r}")
    net = ARCHITECTURES[data.architecture]
    found = {unit.unit: unit for unit in (_unit(entry, net, data, origin) for entry in data.units)}
    depth = {layer: i for i, layer in enumerate(net.layers)}
    ordered = sorted(found, key=lambda unit: (depth[unit.layer], unit.channel))
    answers = tuple(_answer(entry, net, data, origin) for entry in data.answers)
    return PublishedCheckpoint(data.name, net, data.fingerprint or "", {unit: found[unit] for unit in ordered}, answers)


def _answer(entry: _Answer, net: Architecture, of: _Checkpoint, origin: Origin) -> PublishedAnswer:
    if entry.layer and entry.layer not in net.layers and entry.layer != CLASSIFIER:
        raise ValueError(f"{net.name} has no layer {entry.layer!r}")
    return PublishedAnswer(origin, of.name, of.fingerprint or "", entry.kind, entry.layer or "", entry.key)


def _unit(entry: _Unit, net: Architecture, of: _Checkpoint, origin: Origin) -> PublishedUnit:
    layer_name, _, channel = entry.unit.partition(":")
    unit = Unit(layer_name, int(channel))
    layer = net.layers.get(unit.layer)
    if layer is None or layer.kind == "branch" or unit.channel >= layer.channels:
        raise ValueError(f"{net.name} has no unit {unit}")
    branch = layer.branch_of(unit.channel)
    return PublishedUnit(
        origin, of.name, of.fingerprint or "", unit, branch.name if branch else None, entry.activation,
        check_date(entry.date) if entry.date else "", entry.picture, entry.thumbnail,
        tuple(_label(label, of.sources) for label in entry.labels),
    )  # fmt: skip


def _label(label: _Label, sources: Sequence[_Source]) -> PublishedLabel:
    if label.source >= len(sources):
        raise ValueError(f"there is no source {label.source}")
    source = sources[label.source]
    return PublishedLabel(
        _plain(label.name), _plain(label.family or ""), _plain(label.confidence), _plain(source.title), source.url or ""
    )


def _plain(text: str) -> str:
    return legible(text, _LONGEST)
