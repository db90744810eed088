"""Names that people have given to units: files in ``labels/`` beside atlas.toml, and those that come with the package.

A file is TOML or JSON, and is about one checkpoint, because a unit's number has a meaning in one checkpoint only:

    checkpoint = "bvlc_googlenet"
    fingerprint = "5c6c…"                # optional: the names hold for these weights only

    [sources.mine]
    title = "Notes on mixed4a"
    url = "https://host/post"            # if it has one
    license = "CC BY 4.0"                # if the names are somebody else's

    [[labels]]
    unit = "mixed4a:11"                  # or several: "mixed4a:11-13,40"
    label = "Curve to the left"
    family = "Curves"                    # families have pages of their own
    confidence = "eye"
    source = "mine"

>>> labels = read_labels(folders, config.checkpoint)                  # doctest: +SKIP
>>> labels["inception5h"].of[Unit("mixed3b", 379)][0].name            # doctest: +SKIP
'Curves'

Every mistake is a UsageError that begins with the file and the line.
"""

from __future__ import annotations

import json
import json.scanner
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, Protocol

from generator.core.architecture import Architecture
from generator.core.errors import UsageError, did_you_mean
from generator.core.text import is_line, read_text
from generator.core.units import Unit, parse_units
from generator.links.addresses import is_device, slug

CONFIDENCE: Mapping[str, str] = {
    "published": "named in the source",
    "low": "its authors call the group a catch-all, or are not sure",
    "source-data": "in the data behind the source, not in its text",
    "eye": "a guess from the picture, not tested",
}
"""How certain a name is, and what that means."""

_KEYS = {
    "": ("checkpoint", "fingerprint", "sources", "labels"),
    "source": ("title", "url", "license"),
    "label": ("unit", "layer", "channel", "label", "family", "kind", "confidence", "source", "anchor"),
}
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+", re.ASCII)
_ANCHOR = re.compile(r"[\w.:-]*", re.ASCII)
_LONGEST = 120  # characters of a name, a family or a title


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where a name comes from. ``url`` is "" if there is no link; ``license`` is "" if the source names none."""

    title: str
    url: str
    license: str


@dataclass(frozen=True, slots=True)
class Label:
    """A name of a unit. ``family`` is "" if it has none; ``confidence`` is a key of CONFIDENCE."""

    unit: Unit
    name: str
    family: str
    confidence: str
    source: LabelSource
    anchor: str

    @property
    def confidence_meaning(self) -> str:
        return CONFIDENCE[self.confidence]

    @property
    def href(self) -> str:
        """Where in the source the name is given, or "" if that has no address."""
        return f"{self.source.url}#{self.anchor}" if self.anchor and self.source.url else self.source.url


@dataclass(frozen=True, slots=True)
class Family:
    """Units that were given one name; ``slug`` is its part of the page's address."""

    name: str
    slug: str
    labels: tuple[Label, ...]

    @property
    def sources(self) -> tuple[LabelSource, ...]:
        return sources_of(self.labels)


@dataclass(frozen=True)
class Labels:
    """All names of one checkpoint's units; for each unit the most certain name first."""

    of: Mapping[Unit, tuple[Label, ...]] = field(default_factory=dict)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """In the order of their names."""
        grouped: dict[str, dict[Unit, Label]] = {}
        for labels in self.of.values():
            for label in labels:
                if label.family:
                    grouped.setdefault(slug(label.family), {}).setdefault(label.unit, label)
        families = (Family(next(iter(g.values())).family, s, tuple(g.values())) for s, g in grouped.items())
        return tuple(sorted(families, key=lambda family: family.slug))


def sources_of(labels: Iterable[Label]) -> tuple[LabelSource, ...]:
    """The sources of names, each once."""
    return tuple(dict.fromkeys(label.source for label in labels))


class _Checkpoint(Protocol):
    @property
    def architecture(self) -> Architecture: ...

    @property
    def fingerprint(self) -> str | None: ...


def label_files(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The files of these folders, each once, in order."""
    found = {p.resolve(): p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())}
    return tuple(p for p in found.values() if p.suffix in (".toml", ".json") and p.is_file())


def dangling_links(folder: Path) -> tuple[Path, ...]:
    """Links in a folder that lead to nothing: a file that was moved, or the lock file of an editor."""
    links = sorted(folder.iterdir()) if folder.is_dir() else ()
    return tuple(path for path in links if path.is_symlink() and not path.exists())


def read_labels(folders: Iterable[Path], checkpoint: Callable[[str], _Checkpoint]) -> Mapping[str, Labels]:
    """The names in all files, by checkpoint. ``checkpoint`` gives one by its name, or raises UsageError."""
    found: dict[str, dict[Unit, list[Label]]] = {}
    families: dict[str, dict[str, str]] = {}
    for path in label_files(folders):
        reader = _Reader(path)
        of = found.setdefault(reader.checkpoint, {})
        try:
            meant = checkpoint(reader.checkpoint)
        except UsageError as error:
            reader.fail(1, str(error))
        labels = tuple(reader.labels(meant.architecture, families.setdefault(reader.checkpoint, {})))
        if reader.fingerprint and meant.fingerprint and reader.fingerprint != meant.fingerprint:
            continue  # other weights under the same name: their numbers are other units
        for label in labels:
            same = of.setdefault(label.unit, [])
            if all((label.name, label.source.title) != (other.name, other.source.title) for other in same):
                same.append(label)
    sure = list(CONFIDENCE)
    return {
        name: Labels({unit: tuple(sorted(all_, key=lambda x: sure.index(x.confidence))) for unit, all_ in of.items()})
        for name, of in found.items()
    }


class _Reader:
    """One file, checked as it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = read_text(path)
        try:
            self.data = _parse_json(text) if path.suffix == ".json" else _parse_toml(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: not {path.suffix[1:].upper()}: {error}") from error
        if not isinstance(self.data, dict):
            self.fail(1, "labels are an object with checkpoint, sources and labels")
        self.keys(self.data, "", 1)
        self.checkpoint = self.text(self.data, "checkpoint", 1)
        self.fingerprint = self.text(self.data, "fingerprint", 1, optional=True)
        sources = self.data.get("sources", {})
        if not isinstance(sources, dict | list):
            self.fail(1, "“sources” is a list or a table of sources, each with title and url")
        given = sources if isinstance(sources, dict) else dict(enumerate(sources))
        self.sources = {key: self.source(value) for key, value in given.items() if key != _LINE}

    def fail(self, line: int, message: str) -> NoReturn:
        raise UsageError(f"{self.path}:{line}: {message}")

    def keys(self, data: Mapping[str, Any], what: str, line: int) -> None:
        for key in data:
            if key not in _KEYS[what] and key != _LINE:
                self.fail(line, f"no key “{key}” in a {what or 'file of labels'}: {did_you_mean(key, _KEYS[what])}")

    def text(self, data: Mapping[str, Any], key: str, line: int, *, optional: bool = False) -> str:
        value = data.get(key, "")
        if not isinstance(value, str) or not is_line(value) or len(value) > _LONGEST:
            self.fail(line, f"“{key}” is one line of text, at most {_LONGEST} characters, none of them invisible")
        if not value.strip() and not optional:
            self.fail(line, f"no “{key}”; write one")
        return value.strip()

    def source(self, data: Any) -> LabelSource:
        if not isinstance(data, dict):
            self.fail(1, 'a source has a title and a url: { title = "…", url = "https://…" }')
        line = data.get(_LINE, 1)
        self.keys(data, "source", line)
        url = data.get("url", "")
        if not isinstance(url, str) or (url and not _ADDRESS.fullmatch(url)):
            self.fail(line, f"the url of a source is an address, https://…, not “{url}”")
        title = data.get("title", "")
        if not isinstance(title, str) or not title.strip() or not is_line(title):
            self.fail(line, "a source without a title; write what a reader would look for, on one line")
        return LabelSource(title.strip(), url, self.text(data, "license", line, optional=True))

    def labels(self, net: Architecture, families: dict[str, str]) -> Iterator[Label]:
        """``families`` are those met before, by their part of an address."""
        listed = self.data.get("labels", [])
        if not isinstance(listed, list):
            self.fail(1, "“labels” is a list; write [[labels]]")
        for data in listed:
            line = data.get(_LINE, 1) if isinstance(data, dict) else 1
            if not isinstance(data, dict):
                self.fail(line, 'a label names a unit: { unit = "mixed4a:11", label = "…", source = … }')
            self.keys(data, "label", line)
            word = f"{data['layer']}:{data.get('channel', '')}" if "layer" in data else self.text(data, "unit", line)
            try:
                units = parse_units(word, net, self.checkpoint)
            except UsageError as error:
                self.fail(line, str(error))
            source = data.get("source")
            if not isinstance(source, str | int) or isinstance(source, bool) or source not in self.sources:
                known = ", ".join(map(str, self.sources)) or "none"
                self.fail(line, f"the label of {word} has no source: “source” is one of {known}")
            confidence = self.text(data, "confidence", line)
            if confidence not in CONFIDENCE:
                self.fail(line, f"no confidence “{confidence}”: {did_you_mean(confidence, CONFIDENCE)}")
            family = self.text(data, "family", line, optional=True)
            if family and (slug(family) in ("", "index") or is_device(slug(family))):
                hint = "use some of a-z and 0-9, not index or a device of Windows alone"
                self.fail(line, f"the family “{family}” cannot be an address; {hint}")
            known = families.setdefault(slug(family), family)
            if known.casefold() != family.casefold():
                self.fail(line, f"the families “{family}” and “{known}” would have one address; name them apart")
            anchor = data.get("anchor", "")
            if not isinstance(anchor, str) or not _ANCHOR.fullmatch(anchor):
                self.fail(line, f"“{anchor}” cannot be an anchor; use letters, digits and _.:-")
            name = self.text(data, "label", line)
            for unit in units:
                yield Label(unit, name, family, confidence, self.sources[source], anchor)


_LINE = "\0line"  # under this key the parsers below leave the line on which a table began


def _parse_json(text: str) -> Any:
    """JSON in which every object has the line on which it begins."""

    class Decoder(json.JSONDecoder):
        def __init__(self) -> None:
            super().__init__()
            plain: Callable[..., Any] = self.parse_object  # type: ignore[has-type]

            def parse_object(given: tuple[str, int], *args: Any) -> tuple[Any, int]:
                found, end = plain(given, *args)
                return {**found, _LINE: text.count("\n", 0, given[1]) + 1}, end

            self.parse_object = parse_object
            self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    return json.loads(text, cls=Decoder)


def _parse_toml(text: str) -> dict[str, Any]:
    """TOML in which every label and source has the line on which it begins."""
    data = tomllib.loads(text)
    for what, header in (("labels", r"\[\[\s*labels\s*\]\]"), ("sources", r"\[\[?\s*sources\b.*\]")):
        lines = [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{header}", line)]
        held = data.get(what, [])
        tables = list(held.values()) if isinstance(held, dict) else held
        if not lines and what == "labels":  # written as one list
            lines = [
                n for n, line in enumerate(text.splitlines(), 1) for _ in re.findall(r"\b(?:unit|layer)\s*=", line)
            ]
        if isinstance(tables, list) and len(lines) == len(tables):
            for table, line in zip(tables, lines, strict=True):
                if isinstance(table, dict):
                    table[_LINE] = line
    return data
