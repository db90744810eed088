"""Names that people have given to units: files in ``labels/`` beside atlas.toml, and those that come with the package.

A file is TOML or JSON, and is about one checkpoint, because a unit's number has a meaning in one checkpoint only:

    checkpoint = "bvlc_googlenet"
    fingerprint = "5c6c…"                # optional: the names hold for these weights only

    [directions]                         # optional: of sets of directions, the sha256 of their vectors
    "mixed4d@sae" = "0a1b…"              # names of a set with others, or that is not there, are left out

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

Every mistake is a UsageError that begins with the file and the line.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from generator.config.config import CheckpointConfig
from generator.config.data_file import DataFile
from generator.core.architecture import Architecture
from generator.core.errors import did_you_mean
from generator.core.schema import VISIBLE, Link
from generator.core.text import SHA256
from generator.core.units import Unit, parse_units
from generator.links.addresses import is_device, slug

CONFIDENCE: Mapping[str, str] = {
    "published": "named in the source",
    "low": "its authors call the group a catch-all, or are not sure",
    "source-data": "in the data behind the source, not in its text",
    "photographs": "a guess from the picture and the photographs that excite it most, not tested",
    "eye": "a guess from the picture, not tested",
}
"""How certain a name is, and what that means."""

_SEEN = VISIBLE.replace(r"\A", r"\A(?=.*\S)")  # and not empty
_LONG = "120 characters, none of them invisible"
_Name = Annotated[str, Meta(pattern=_SEEN, max_length=120, description=f"one line of 1 to {_LONG}")]
_Text = Annotated[str, Meta(pattern=VISIBLE, max_length=120, description=f"one line of at most {_LONG}")]
_Title = Annotated[
    str, Meta(pattern=_SEEN, description="what a reader would look for, on one line and without invisible characters")
]
_Anchor = Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9_.:-]*\Z", description="of letters, digits and _.:-")]


_Hash = Annotated[str, Meta(pattern=rf"\A({SHA256.pattern})?\Z", description="64 hexadecimal digits")]


class LabelSource(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a name comes from. ``url`` is "" if there is no link; ``license`` is "" if the source names none."""

    title: _Title
    url: Link = ""
    license: _Text = ""


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the ``labels`` in a file. ``kind`` may say anything: it is not read."""

    label: _Name
    confidence: _Text
    source: str | int | None = None
    unit: _Text = ""
    layer: _Text | None = None
    channel: str | int = ""
    family: _Text = ""
    anchor: _Anchor = ""
    kind: Any = None


_LABEL = Annotated[_Entry, Meta(description='a label, { unit = "mixed4a:11", label = "…", source = … }')]
_SOURCE = Annotated[LabelSource, Meta(description='a source, { title = "…", url = "https://…" }')]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of labels. Each source and label is decoded on its own, so that an error names it."""

    checkpoint: _Name
    fingerprint: _Hash = ""
    directions: Annotated[dict[str, _Hash], Meta(description="a table of sets and their sha256")] = field(
        default_factory=dict
    )
    sources: Annotated[
        dict[str, Any] | list[Any], Meta(description="a list or a table of sources, each with title and url")
    ] = field(default_factory=list)
    labels: Annotated[list[Any], Meta(description="a list; write [[labels]]")] = field(default_factory=list)


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
        """How the name was found, in words."""
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
        """Who gave these names, each once."""
        return sources_of(self.labels)


@dataclass(frozen=True)
class Labels:
    """All names of one checkpoint's units; for each unit the most certain name first."""

    of: Mapping[Unit, tuple[Label, ...]] = dataclasses.field(default_factory=dict)

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


def label_files(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The files of these folders, each once, in order."""
    each = (p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir()) if p.is_file())
    return tuple({p.resolve(): p for p in each if p.suffix in (".toml", ".json")}.values())


def dangling_links(folder: Path) -> tuple[Path, ...]:
    """Links in a folder that lead to nothing: a file that was moved, or the lock file of an editor. The folder may be
    one itself."""
    links = sorted(folder.iterdir()) if folder.is_dir() else (folder,)
    return tuple(path for path in links if path.is_symlink() and not path.exists())


def read_labels(folders: Iterable[Path], checkpoint: Callable[[str], CheckpointConfig]) -> Mapping[str, Labels]:
    """The names in all files, by checkpoint. ``checkpoint`` gives one by its name, or raises UsageError."""
    found: dict[str, dict[Unit, list[Label]]] = {}
    families: dict[str, dict[str, str]] = {}
    for path in label_files(folders):
        file = DataFile(path)
        given = file.decode(file.data, _File)
        of = found.setdefault(given.checkpoint, {})
        with file.told_at("checkpoint"):
            meant = checkpoint(given.checkpoint)
        labels = tuple(_labels(file, given, meant.architecture, families.setdefault(given.checkpoint, {})))
        if given.fingerprint and meant.fingerprint and given.fingerprint != meant.fingerprint:
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


def _labels(file: DataFile, given: _File, net: Architecture, families: dict[str, str]) -> Iterator[Label]:
    """The labels of one file. ``families`` are those met before, by their part of an address."""
    listed = given.sources if isinstance(given.sources, dict) else dict(enumerate(given.sources))
    sources = {key: _source(file, data, key) for key, data in listed.items()}
    known_sets = {str(of): of.checksum() for of in net.directions if of.vectors is not None}
    others = {name for name, vectors in given.directions.items() if known_sets.get(name) != vectors}
    for n, data in enumerate(given.labels):
        at = ("labels", n)
        entry = file.decode(data, _LABEL, *at)
        word = entry.unit if entry.layer is None else f"{entry.layer}:{entry.channel}"
        if word.rpartition(":")[0] in others:
            continue
        with file.told_at(*at, "unit"):
            units = parse_units(word, net, given.checkpoint)
        if entry.source not in sources:
            known = ", ".join(map(str, sources)) or "none"
            file.fail(f"the label of {word} has no source: “source” is one of {known}", *at, "source")
        if entry.confidence not in CONFIDENCE:
            hint = did_you_mean(entry.confidence, CONFIDENCE)
            file.fail(f"no confidence “{entry.confidence}”: {hint}", *at, "confidence")
        family = entry.family.strip()
        if family and (slug(family) in ("", "index") or is_device(slug(family))):
            hint = "use some of a-z and 0-9, not index or a device of Windows alone"
            file.fail(f"the family “{family}” cannot be an address; {hint}", *at, "family")
        known = families.setdefault(slug(family), family)
        if known.casefold() != family.casefold():
            message = f"the families “{family}” and “{known}” would have one address; name them apart"
            file.fail(message, *at, "family")
        for unit in units:
            yield Label(unit, entry.label.strip(), family, entry.confidence, sources[entry.source], entry.anchor)


def _source(file: DataFile, data: Any, key: str | int) -> LabelSource:
    source = file.decode(data, _SOURCE, "sources", key)
    return replace(source, title=source.title.strip(), license=source.license.strip())
