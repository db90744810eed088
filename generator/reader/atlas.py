"""A built atlas for programs, on this machine or published.

>>> atlas = Atlas.open("https://host/atlas/")                         # doctest: +SKIP
>>> unit = atlas["mixed4a:11"]                                        # doctest: +SKIP
>>> unit.record.provenance.activation, unit.image().size              # doctest: +SKIP
(365.2, (224, 224))
>>> [str(u) for u in atlas.select(layer="mixed4a", branch="3x3")]     # doctest: +SKIP
['bvlc_googlenet/mixed4a:192', ...

Nothing in an atlas is trusted: see :mod:`generator.reader.index` and :mod:`generator.reader.origin`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from generator.core.architecture import BRANCHES
from generator.core.errors import AtlasError, UsageError, did_you_mean
from generator.core.external_urls import is_address, read_address
from generator.core.text import legible
from generator.core.units import parse_unit, parse_units, split_view
from generator.core.views import views_of
from generator.links import addresses
from generator.reader.index import read_index
from generator.reader.location import Folder, Location, OutOfReachError, location_of
from generator.reader.origin import Origin
from generator.reader.published import PublishedCheckpoint, PublishedLabel, PublishedUnit

__all__ = ["Atlas", "NoUnitError", "PublishedCheckpoint", "PublishedLabel", "PublishedUnit"]

INDEX_LIMIT = 32_000_000  # bytes; the index of a whole network has 5 million


class NoUnitError(UsageError, KeyError):
    """The atlas has no such unit."""

    def __str__(self) -> str:
        return str(self.args[0])


class NotRenderedError(NoUnitError):
    """There is such a unit, and the atlas has no picture of it."""


class Atlas:
    """A built atlas. Units come in the order of its checkpoints and of the network."""

    def __init__(self, origin: Origin, checkpoints: Mapping[str, PublishedCheckpoint]) -> None:
        self.origin, self.checkpoints = origin, checkpoints

    @property
    def title(self) -> str:
        """As atlas.toml gives it."""
        return self.origin.title

    @property
    def url(self) -> str:
        """The published address, with a slash at its end, or ""."""
        return self.origin.url

    @property
    def location(self) -> Location:
        """The folder or address that it was opened from."""
        return self.origin.location

    @classmethod
    def open(cls, where: str | Path) -> Atlas:
        """The atlas at an address, or in the folder that `atlas build` wrote.

        Raises AtlasError if there is none, or if it cannot be read.
        """
        location = location_of(where)
        if isinstance(location, Folder) and not (location.root / addresses.INDEX).is_file():
            raise AtlasError(f"no atlas in {location.root}; type `atlas build`, or name the folder or address of one")
        try:
            data = location.read(addresses.INDEX, limit=INDEX_LIMIT)
        except OutOfReachError:
            raise
        except AtlasError as error:
            raise AtlasError(f"{error}; name the folder, or its address, in which an atlas has this file") from error
        try:
            return cls(*read_index(data, location))
        except ValueError as error:
            why = legible(error, 200)
            raise AtlasError(f"{location.name}: {addresses.INDEX} is not the index of an atlas ({why})") from error

    def __len__(self) -> int:
        return sum(len(checkpoint.units) for checkpoint in self.checkpoints.values())

    def __iter__(self) -> Iterator[PublishedUnit]:
        for checkpoint in self.checkpoints.values():
            yield from checkpoint.units.values()

    def __getitem__(self, word: str) -> PublishedUnit:
        """A unit by any of its spellings: ``mixed4a:11``, ``untrained/4a:11``, an address; by a view, ``4a:11 neuron``.

        Without a checkpoint, the atlas's first is used. Raises UsageError (which is also a KeyError) if the atlas has
        no such unit. An address of another checkpoint's unit never gives a unit of this one.
        """
        checkpoint, name = self.checkpoint_of(word)
        name, view = split_view(name)
        try:
            unit = parse_unit(name, checkpoint.architecture, checkpoint.name)
        except UsageError as error:
            raise NoUnitError(str(error)) from None
        if unit not in checkpoint.units:
            raise NotRenderedError(f"{unit} of {checkpoint.name} is not rendered in this atlas")
        published = checkpoint.units[unit]
        main, *others = views_of(unit.layer)
        if view in ("", main):
            return published
        if view not in others:
            raise NoUnitError(f"{unit} has no view “{legible(view)}”; its views are {', '.join((main, *others))}")
        if view not in published.views:
            raise NoUnitError(f"{unit} of {checkpoint.name} is not rendered by the view {view} in this atlas")
        return published.views[view]

    def __contains__(self, word: object) -> bool:
        """Whether a unit is here, by any of its spellings; one of another atlas is if it has the same name here."""
        try:
            return bool(self[str(word)])
        except NoUnitError:
            return False

    def select(
        self, *, checkpoint: str | None = None, layer: str | None = None, branch: str | None = None,
        label: str | None = None,
    ) -> tuple[PublishedUnit, ...]:  # fmt: skip
        """The units of a checkpoint, of a layer, of a branch, of a name or family that contains ``label``.

        A layer is read in every spelling. Raises UsageError for a checkpoint, layer or branch that does not exist.
        """
        if branch is not None and branch not in BRANCHES:
            raise NoUnitError(f"no branch “{branch}”: {did_you_mean(branch, BRANCHES)}")
        wanted = label.casefold() if label is not None else ""
        chosen = [self.named(checkpoint)] if checkpoint is not None else self.checkpoints.values()
        found: list[PublishedUnit] = []
        for each in chosen:
            try:
                among = each.units if layer is None else parse_units(layer, each.architecture, each.name)
            except UsageError as error:
                raise NoUnitError(str(error)) from None
            found.extend(each.units[unit] for unit in among if unit in each.units)
        return tuple(
            unit
            for unit in found
            if branch in (None, unit.branch)
            and (label is None or any(wanted in f"{x.name}\n{x.family}".casefold() for x in unit.labels))
        )

    def named(self, checkpoint: str) -> PublishedCheckpoint:
        """A checkpoint by its name. Raises UsageError if the atlas has none of that name."""
        if checkpoint not in self.checkpoints:
            raise NoUnitError(f"no checkpoint “{checkpoint}”: {did_you_mean(checkpoint, self.checkpoints)}")
        return self.checkpoints[checkpoint]

    def checkpoint_of(self, word: str) -> tuple[PublishedCheckpoint, str]:
        """The checkpoint that a word names, or the first, and the word without its name."""
        word = word.strip()
        name, _, rest = word.partition("/")
        if name in self.checkpoints and rest and not is_address(word):
            return self.checkpoints[name], rest
        if is_address(word):
            try:
                named = read_address(word)
            except ValueError:
                named = None
            if named and named.checkpoint in self.checkpoints:
                return self.checkpoints[named.checkpoint], word
        return next(iter(self.checkpoints.values())), word
