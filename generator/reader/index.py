"""``atlas.json`` as it comes from anywhere: nothing in it is believed that has not been checked here.

>>> read_checkpoint(json.loads(text)["checkpoints"][0], atlas).units  # doctest: +SKIP
{Unit(layer='conv2d0', channel=0): PublishedUnit(...), ...

Addresses of pages and records are not read at all but made from names that exist. What is left of the publisher's own
words is names of units and their sources, and these are cut to one line that can stand in a terminal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from generator.checkpoints import ARCHITECTURES
from generator.core.architecture import CLASSIFIER, Architecture
from generator.core.record import KEY, PICTURE, check_date
from generator.core.result import KIND
from generator.core.text import legible
from generator.core.units import Unit
from generator.links import addresses
from generator.reader.location import PUBLISHED
from generator.reader.published import PublishedAnswer, PublishedCheckpoint, PublishedLabel, PublishedUnit

if TYPE_CHECKING:
    from generator.reader.atlas import Atlas

FORMAT = 1
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading an index raises if it is none."""

_UNIT = re.compile(r"([a-z0-9_]{1,64}):(\d{1,6})", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SOURCE = re.compile(r"https?://[^\s\"'<>]+", re.ASCII)
_LONGEST = 500  # characters of a text


def read_head(index: Mapping[str, Any]) -> tuple[str, str]:
    """Title and published address, "" if there is none."""
    if index["format"] != FORMAT:
        raise ValueError(f"format {index['format']!r} is not {FORMAT}; a newer version of this package may read it")
    url = index.get("url") or ""
    if url and not (PUBLISHED.fullmatch(url) and url.endswith("/")):
        raise ValueError(f"{url!r} is not the address of an atlas")
    return _plain(index["title"]), url


def read_checkpoint(data: Mapping[str, Any], atlas: Atlas) -> PublishedCheckpoint:
    name, structure, fingerprint = data["name"], data["architecture"], data["fingerprint"] or ""
    if not addresses.CHECKPOINT.fullmatch(name) or name in addresses.RESERVED:
        raise ValueError(f"{name!r} is not the name of a checkpoint")
    if structure not in ARCHITECTURES:
        raise ValueError(f"no architecture {structure!r}")
    if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError(f"{fingerprint!r} is not a fingerprint")
    net = ARCHITECTURES[structure]
    sources = [_source(source) for source in data.get("sources", [])]
    found = {unit.unit: unit for unit in (_unit(entry, net, sources, name, atlas) for entry in data["units"])}
    depth = {layer: i for i, layer in enumerate(net.layers)}
    ordered = sorted(found, key=lambda unit: (depth[unit.layer], unit.channel))
    answers = tuple(_answer(entry, net, name, atlas) for entry in data.get("answers", []))
    return PublishedCheckpoint(name, net, fingerprint, {unit: found[unit] for unit in ordered}, answers)


def _answer(entry: Mapping[str, Any], net: Architecture, checkpoint: str, atlas: Atlas) -> PublishedAnswer:
    kind, layer, key = entry["kind"], entry.get("layer") or "", entry["key"]
    if not KIND.fullmatch(kind) or not KEY.fullmatch(key):
        raise ValueError(f"{kind!r} {key!r} is not an answer")
    if layer and layer not in net.layers and layer != CLASSIFIER:
        raise ValueError(f"{net.name} has no layer {layer!r}")
    return PublishedAnswer(atlas, checkpoint, kind, layer, key)


def _unit(
    entry: Mapping[str, Any], net: Architecture, sources: Sequence[tuple[str, str]], checkpoint: str, atlas: Atlas
) -> PublishedUnit:
    if not (named := _UNIT.fullmatch(entry["unit"])):
        raise ValueError(f"{entry['unit']!r} is not a unit")
    unit = Unit(named[1], int(named[2]))
    layer = net.layers.get(unit.layer)
    if layer is None or layer.kind == "branch" or unit.channel >= layer.channels:
        raise ValueError(f"{net.name} has no unit {unit}")
    activation = float(entry["activation"])
    if not math.isfinite(activation):
        raise ValueError(f"the activation of {unit} is {activation}")
    branch = layer.branch_of(unit.channel)
    date = check_date(entry["date"]) if entry.get("date") else ""  # early atlases say none
    return PublishedUnit(
        atlas, checkpoint, unit, branch.name if branch else None, activation, date,
        _picture(entry["picture"]), _picture(entry["thumbnail"]),
        tuple(_label(label, sources) for label in entry.get("labels", [])),
    )  # fmt: skip


def _label(data: Mapping[str, Any], sources: Sequence[tuple[str, str]]) -> PublishedLabel:
    if (place := data["source"]) not in range(len(sources)):
        raise ValueError(f"there is no source {place!r}")
    return PublishedLabel(
        _plain(data["name"]), _plain(data.get("family") or ""), _plain(data["confidence"]), *sources[place]
    )


def _source(data: Mapping[str, Any]) -> tuple[str, str]:
    """Title and address, "" if there is none."""
    url = data.get("url") or ""
    if url and not _SOURCE.fullmatch(url):
        raise ValueError(f"{url!r} is not the address of a source")
    return _plain(data["title"]), url


def _picture(address: str) -> str:
    """The address of a picture in the store."""
    folder, _, name = address.partition("/")
    if folder != addresses.STORE or not PICTURE.fullmatch(name):
        raise ValueError(f"{address!r} is not the address of a picture")
    return address


def _plain(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    return legible(text, _LONGEST)
