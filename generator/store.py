"""Answers kept on disk: a picture, its thumbnail, and a record of how they were made.

A record lies at ``ab/cdef….json``, where ``abcdef…`` is the key of its question; its two pictures lie beside it, with the
first digits of their own sha256 in their names. Every file is written under a temporary name, synced and renamed, the
record last, and is never changed after: a reader finds a whole answer or none, and the address of a picture is a promise.
When a unit is rendered again by force, the earlier pictures stay where they are and the new record lists them.

>>> store = Store(Path("site/store"))          # doctest: +SKIP
>>> record = store.read(question.key)          # doctest: +SKIP
>>> store.path(record.picture)                 # doctest: +SKIP
PosixPath('site/store/ab/cdef….1f2e3d4c5b6a7988.webp')

Any number of processes may write to one store: each answer is committed under a lock, and the first one stays.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.errors import AtlasError
from generator.recipe import Question

FORMAT = 1
_KEY = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}\.[0-9a-f]{16}(\.thumb)?\.webp")
_SET_ASIDE = "damaged"


class DamagedError(AtlasError):
    """A file of the store is not what its record says."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture file: its name in the store, its sha256, its size in bytes and in pixels."""

    name: str
    sha256: str
    bytes: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if not _FILE.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a picture")
        for n in (self.bytes, self.width, self.height):
            if type(n) is not int or not 0 < n < 2**31:
                raise ValueError(f"{self.name}: {n!r} is not a size")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as the bytes of a WebP file, not yet named."""

    data: bytes
    width: int
    height: int

    def named(self, key: str, suffix: str = "") -> Picture:
        digest = hashlib.sha256(self.data).hexdigest()
        name = f"{key[:2]}/{key[2:]}.{digest[:16]}{suffix}.webp"
        return Picture(name, digest, len(self.data), self.width, self.height)


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of an answer besides its pictures.

    ``activations`` has the unit's objective at each step, on the warped picture in the recipe's precision; ``activation``
    is the mean over the grid in float32, on the final picture enlarged to the network's input, without transformations.
    ``spread`` is the standard deviation of the picture's pixels in 0..255; ``seconds`` the unit's share of its batch.
    """

    checkpoint: str
    activations: tuple[float, ...]
    activation: float
    spread: float
    seconds: float
    device: str
    versions: Mapping[str, str]
    date: str


@dataclass(frozen=True, slots=True)
class Record:
    """A whole answer: the question, how it was made, and the pictures."""

    question: Question
    made: Made
    picture: Picture
    thumbnail: Picture
    earlier: tuple[Picture, ...] = ()

    @property
    def key(self) -> str:
        return self.question.key

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (self.picture, self.thumbnail, *self.earlier)

    def as_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "key": self.key,
            "question": self.question.as_dict(),
            "made": {**asdict(self.made), "versions": dict(self.made.versions)},
            "picture": asdict(self.picture),
            "thumbnail": asdict(self.thumbnail),
            "earlier": [asdict(p) for p in self.earlier],
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """Read a record. Raises ValueError naming what is wrong with it."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r} is not {FORMAT}")
            made = data["made"]
            record = cls(
                Question.from_dict(data["question"]),
                Made(
                    checkpoint=str(made["checkpoint"]),
                    activations=tuple(float(a) for a in made["activations"]),
                    activation=float(made["activation"]),
                    spread=float(made["spread"]),
                    seconds=float(made["seconds"]),
                    device=str(made["device"]),
                    versions={str(k): str(v) for k, v in made["versions"].items()},
                    date=str(made["date"]),
                ),
                Picture(**data["picture"]),
                Picture(**data["thumbnail"]),
                tuple(Picture(**p) for p in data["earlier"]),
            )
            if data["key"] != record.key:
                raise ValueError("its key is not that of its question")
        except (KeyError, TypeError, AttributeError, AtlasError) as error:
            raise ValueError(f"not a record: {type(error).__name__} {error}") from error
        return record


@dataclass(frozen=True, slots=True)
class Damage:
    """A record that cannot be trusted, why, and the files that belong to it."""

    key: str
    reason: str
    files: tuple[Path, ...]


class Store:
    """The answers under one folder. Reading needs no lock; the folder is made when something is first written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, picture: Picture) -> Path:
        return self.root / picture.name

    def record_path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a key")
        return self.root / key[:2] / f"{key[2:]}.json"

    def __contains__(self, key: str) -> bool:
        return self.record_path(key).is_file()

    def keys(self) -> Iterator[str]:
        """The key of every record, in order."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for name in sorted(os.listdir(folder)):
                if _KEY.fullmatch(key := folder.name + name.removesuffix(".json")):
                    yield key

    def read(self, key: str) -> Record | None:
        """The answer under a key, or None. Raises DamagedError, with the command that helps, if it cannot be read."""
        path = self.record_path(key)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            record = Record.from_json(text)
            if record.key != key:
                raise ValueError("it lies under another key")
        except ValueError as error:
            raise DamagedError(f"{path} is damaged ({error}); type `atlas verify` to set it aside") from error
        return record

    def write(
        self, question: Question, made: Made, picture: Encoded, thumbnail: Encoded, *, force: bool = False
    ) -> bool:
        """Keep an answer. False if one was there already (and not ``force``); the first one stays.

        Raises AtlasError when the disk is full or cannot be written; what was there before is untouched.
        """
        key = question.key
        try:
            with self._lock():
                before = self.read(key)
                if before and not force:
                    return False
                shown, thumb = picture.named(key), thumbnail.named(key, ".thumb")
                earlier = (before.picture, *before.earlier) if before else ()
                record = Record(question, made, shown, thumb, tuple(p for p in earlier if p.name != shown.name))
                self._put(self.root / shown.name, picture.data)
                self._put(self.root / thumb.name, thumbnail.data)
                text = json.dumps(record.as_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)
                self._put(self.record_path(key), text.encode() + b"\n")
                self._sweep(record)
                return True
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "no space left on the disk; free some" if full else f"{error.strerror}; mend that"
            raise AtlasError(f"cannot write to the store {self.root}: {why}, then type the same command again") from error

    def verify(self) -> Iterator[Damage | Record]:
        """Every answer, read in full: its record if all is well, else what is wrong with it."""
        for key in self.keys():
            path = self.record_path(key)
            beside = tuple(sorted(path.parent.glob(f"{key[2:]}.*")))
            try:
                record = self.read(key)
                if record is None:
                    continue
                for picture in record.pictures:
                    data = self.path(picture).read_bytes()
                    if hashlib.sha256(data).hexdigest() != picture.sha256:
                        raise DamagedError(f"{picture.name} is not what its record says")
            except FileNotFoundError as error:
                yield Damage(key, f"{Path(str(error.filename)).relative_to(self.root)} is missing", beside)
            except (DamagedError, OSError) as error:
                yield Damage(key, str(error), beside)
            else:
                yield record

    def set_aside(self, damage: Damage) -> Path:
        """Move a damaged answer's files out of the way, to ``damaged/``, so that it is rendered again."""
        aside = self.root / _SET_ASIDE / damage.key[:2]
        aside.mkdir(parents=True, exist_ok=True)
        with self._lock():
            for file in damage.files:
                os.replace(file, aside / file.name)
        return aside

    def unclaimed(self) -> Iterator[Path]:
        """Files that belong to no record: what a killed run leaves behind until its units are rendered."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            claimed: set[str] = set()
            names = sorted(os.listdir(folder))
            for name in names:
                if name.endswith(".json") and (record := self.read(folder.name + name.removesuffix(".json"))):
                    claimed |= {name, *(Path(p.name).name for p in record.pictures)}
            yield from (folder / name for name in names if name not in claimed)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _put(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sweep(self, record: Record) -> None:
        """Remove what an interrupted attempt at this same answer left behind."""
        path = self.record_path(record.key)
        keep = {path, *(self.path(p) for p in record.pictures)}
        for file in path.parent.glob(f"{path.stem}.*"):
            if file not in keep:
                file.unlink(missing_ok=True)
