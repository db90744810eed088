"""Published addresses: addresses.txt beside atlas.toml is a lock file of them, and the site is checked against it.

A line is an address and what it means:

    units  bvlc_googlenet/mixed4a 0-511 5c6c418c5b8c    pages, records, pictures, frames of units of these weights
    views  bvlc_googlenet/mixed4a/neuron 2,5 5c6c418c5b8c    the same by a view, and places on the pages of units
    page   about.html #again #limits                    a page with the places in it that can be linked
    file   atlas.json                                   anything else that others read
    embed  bvlc_googlenet                               what <atlas-unit ref="mixed4a:11"> means without a checkpoint
    answer 9874e3b10e2d34ce ce3bff66684820ee …          exact pictures in the store: their key, and a hash for each

Lines are only added; a person may take one back by deleting it. docs/addresses.md explains it to readers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from generator.config.config import Config
from generator.core.atomic import replace_file
from generator.core.errors import AtlasError, UsageError, why_not_written
from generator.core.text import read_text
from generator.core.units import Unit, read_channels, write_channels
from generator.links import addresses
from generator.publish.manifest import built_files
from generator.store.store import Store

FILE = "addresses.txt"
_HEAD = (
    "# Addresses that were published, and what they mean: docs/addresses.md. `atlas promise` adds, nothing removes.\n"
)
_PLACE = re.compile(r'<(?:h2|li|tr)\b[^>]*\sid="([^"]+)"')  # what people link: headings, items of lists, rows
_OF_A_VIEW = (addresses.record_address, addresses.thumbnail_address, addresses.embed_address)
_OF_A_UNIT = (addresses.unit_address, *_OF_A_VIEW)
_DIGITS = 16  # of a key: enough to tell it from any other


def promise(config: Config) -> int:
    """Add the addresses of the built site to addresses.txt. How many lines are new. Addresses that are gone stay in it.

    Raises AtlasError if there is no site.
    """
    path = config.path.parent / FILE
    before = _read(path)
    lines = _merged([*before, *_of_the_site(config)])
    try:
        path.touch()
        replace_file(path, (_HEAD + "".join(f"{line}\n" for line in lines)).encode())
    except OSError as error:
        raise AtlasError(f"cannot write {path}: {why_not_written(error)}") from error
    return len(set(lines) - set(before))


def broken(config: Config) -> Iterator[tuple[str, str]]:
    """Each address that was published and is gone or means something else, and what is wrong with it."""
    published = _read(config.path.parent / FILE)
    if not published:
        return
    there = set(built_files(config.output))
    now = {(found.checkpoint, found.unit): found.meaning for found in _units(config.output)}
    store = Store(config.store)
    answers = {key[:_DIGITS]: key for key in store.keys()}  # noqa: SIM118 - a store is no mapping
    for line in published:
        kind, of, *rest = line.split()
        if kind == "units":
            yield from _broken_units(of, rest, there, now, cards=bool(config.url))
        elif kind == "views":
            yield from _broken_views(config, of, rest, there, now)
        elif kind == "answer":
            yield from _broken_answer(store, of, rest, answers)
        elif kind == "embed":
            if f'"{of}"' not in _text(config.output / addresses.STATIC / "embed.js"):
                yield f"{addresses.STATIC}/embed.js", f"meant {of} where no checkpoint is named, and does no more"
        elif of.endswith(".jpg") and not config.url:
            continue  # only a published atlas has previews
        elif of not in there:
            yield of, "was published and is gone"
        elif kind == "page":
            ids = set(_PLACE.findall(_text(config.output / of)))
            yield from ((f"{of}{place}", "was published and is gone") for place in rest if place[1:] not in ids)


def _broken_units(
    of: str, rest: list[str], there: set[str], now: Mapping[tuple[str, Unit], str], *, cards: bool
) -> Iterator[tuple[str, str]]:
    checkpoint, layer = of.split("/")
    for unit in (Unit(layer, n) for n in read_channels(rest[0])):
        files = [make(checkpoint, unit) for make in _OF_A_UNIT]
        files += [addresses.card_address(files[0])] if cards else []
        if gone := [file for file in files if file not in there]:
            yield gone[0], "was published and is gone; render it again"
        elif not now.get((checkpoint, unit), "").startswith(rest[1]):
            other = f"was published for weights {rest[1]} and means others now; give those a name of their own"
            yield addresses.unit_address(checkpoint, unit), other


def _broken_views(
    config: Config, of: str, rest: list[str], there: set[str], now: Mapping[tuple[str, Unit], str]
) -> Iterator[tuple[str, str]]:
    checkpoint, layer, view = of.split("/")
    for unit in (Unit(layer, n) for n in read_channels(rest[0])):
        page = addresses.unit_address(checkpoint, unit)
        files = [make(checkpoint, unit, view) for make in _OF_A_VIEW]
        files += [addresses.card_address(page, view)] if config.url else []
        place = addresses.view_fragment(view)
        if gone := [file for file in files if file not in there]:
            yield gone[0], "was published and is gone; render it again"
        elif f'id="{place}"' not in _text(config.output / page):
            yield f"{page}#{place}", "was published and is gone"
        elif not now.get((checkpoint, unit), "").startswith(rest[1]):
            yield f"{page}#{place}", f"was published for weights {rest[1]} and means others now"


def _broken_answer(store: Store, key: str, hashes: list[str], answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if key not in answers:
        yield f"{addresses.STORE}/{key[:2]}/{key[2:]}….json", "was published and is gone"
        return
    whole = answers[key]
    files = os.listdir(store.record_path(whole).parent)
    for digest in hashes:
        if not any(name.startswith(f"{whole[2:]}.{digest}.") for name in files):
            yield f"{addresses.STORE}/{whole[:2]}/{whole[2:]}.{digest}….webp", "was published and is gone"


def _of_the_site(config: Config) -> Iterator[str]:
    """The lines of the built site, those of units not yet joined."""
    for found in _units(config.output):
        of = f"{found.checkpoint}/{found.unit.layer}"
        for line in (f"units {of}", *(f"views {of}/{view}" for view in found.views)):
            yield f"{line} {found.unit.channel} {found.meaning[:12]}"
    for address in built_files(config.output):
        folder, _, name = address.rpartition("/")
        numbered = re.match(r"\d+[.-]", name) and not folder.endswith(f"/{addresses.FAMILIES}")
        of_a_unit = numbered or folder.startswith((addresses.EMBED, addresses.STATIC))
        if address.endswith(".html") and not of_a_unit and address != addresses.NOT_FOUND:
            ids = dict.fromkeys(_PLACE.findall(_text(config.output / address)))
            yield " ".join(["page", address, *(f"#{name}" for name in ids)])
        elif not of_a_unit and address.endswith((".json", ".jpg")):
            yield f"file {address}"
    yield f"embed {config.checkpoints[0].name}"
    for record in Store(config.store).records():  # pictures alone: a newer study replaces the one before
        hashes = dict.fromkeys(picture.name.split(".")[1] for picture in record.pictures)
        yield " ".join(["answer", record.key[:_DIGITS], *hashes])


def _merged(lines: Iterable[str]) -> list[str]:
    """One line for each thing: lines of the same thing are joined."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for line in lines:
        kind, of, *rest = line.split()
        if kind in ("units", "views"):
            found.setdefault((kind, of, rest[1]), {}).update(dict.fromkeys(map(str, read_channels(rest[0]))))
        else:
            found.setdefault((kind, of), {}).update(dict.fromkeys(rest))
    return sorted(
        f"{key[0]} {key[1]} {write_channels(map(int, rest))} {key[2]}" if len(key) == 3 else " ".join([*key, *rest])
        for key, rest in found.items()
    )


def _read(path: Path) -> list[str]:
    """The lines so far. Raises UsageError naming a line that cannot be read."""
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        return []
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#") and not _LINE.fullmatch(line):
            raise UsageError(
                f"{path}:{number}: “{line[:60]}” is no published address; take the line back from version control"
            )
    return [line for line in lines if line and not line.startswith("#")]


_LINE = re.compile(
    r"(units [a-z0-9_-]+/[a-z0-9_@]+|views [a-z0-9_-]+/[a-z0-9_@]+/\w+) [\d,-]+ [0-9a-f]{12}"
    r"|page [a-z0-9_@/-]+\.html( #\S+)*|file [a-z0-9_@/-]+\.\w+"
    r"|embed [a-z0-9_-]+|answer [0-9a-f]{16}( [0-9a-f]{16})*"
)


class _Published(NamedTuple):
    """A unit of the built site. ``meaning`` is the weights that it is of; of a direction, a hash of weights and vector.
    ``views`` are those by which it has a picture besides the first."""

    checkpoint: str
    unit: Unit
    meaning: str
    views: tuple[str, ...]


def _units(output: Path) -> Iterator[_Published]:
    """The units of the built site."""
    for checkpoint in json.loads(_text(output / addresses.INDEX) or '{"checkpoints": []}')["checkpoints"]:
        fingerprint = checkpoint["fingerprint"] or ""
        for entry in checkpoint["units"]:
            layer, _, channel = entry["unit"].partition(":")
            vector = entry.get("vector")
            meaning = hashlib.sha256(f"{fingerprint}{vector}".encode()).hexdigest() if vector else fingerprint
            yield _Published(checkpoint["name"], Unit(layer, int(channel)), meaning, tuple(entry.get("views", ())))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
