"""Answers kept on disk: files, and a record of how they were made. A picture and its thumbnail are one kind of answer.

A record is at ``ab/cdef….json``, where ``abcdef…`` is the key of its question. Its files are beside it, with the first
digits of their own sha256 in their names. Every file is written under a temporary name, synced and renamed, the record
last, and never changes after that. So a reader finds a whole answer or none, and the address of a picture stays. When a
unit is rendered again by force, the earlier pictures stay where they are and the new record lists them.

>>> store = Store(Path("site/store"))          # doctest: +SKIP
>>> record = store.read(question.key)          # doctest: +SKIP
>>> store.path(record.picture)                 # doctest: +SKIP
PosixPath('site/store/ab/cdef….1f2e3d4c5b6a7988.webp')

Any number of processes may write to one store. Each answer is committed under a lock, and the first one stays.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.core.atomic import write_atomically
from generator.core.errors import AtlasError, why_not_written
from generator.core.recipe import Question, canonical_json
from generator.core.record import PICTURE, EncodedFile, Provenance, Record, Rendered, StoredFile, name_file
from generator.core.result import Answer, Result, read_answer, result_key
from generator.core.text import SHA256

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FOLDER = re.compile("[0-9a-f]{2}")
_SET_ASIDE = "damaged"
_LARGEST = 500_000_000  # bytes of arrays, unpacked: a small file of a stranger could fill the memory


class DamagedError(AtlasError):
    """A file of the store is not what its record says."""


class UnreadableError(DamagedError):
    """A file that the system does not give (permissions, a stale handle, a failing disk). It may well be whole."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A record that cannot be trusted, why, and the files that belong to it.

    ``proven`` is False where a file could not be read at all: it may be whole, and is to stay where it is.
    """

    key: str
    reason: str
    files: tuple[Path, ...]
    proven: bool = True


def read_arrays(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file of this name. Raises DamagedError for anything but plain arrays."""
    import numpy as np

    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            if (size := sum(entry.file_size for entry in arrays.zip.infolist())) > _LARGEST:
                raise ValueError(f"unpacked they would have {size:,} bytes, more than {_LARGEST:,}")
            return {name: arrays[name] for name in arrays.files}
    except Exception as error:  # whatever numpy and zipfile raise for a file that was made to harm
        raise DamagedError(f"{name} holds no plain arrays ({error})") from error


class Store:
    """The answers under one folder. Reading needs no lock; the folder is made when something is first written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, file: StoredFile) -> Path:
        """A file of an answer."""
        return self.root / file.name

    def record_path(self, key: str) -> Path:
        """The record of an answer, there or not. Raises ValueError for what is no key."""
        if not SHA256.fullmatch(key):
            raise ValueError(f"{key!r} is not a key")
        return self.root / key[:2] / f"{key[2:]}.json"

    def __contains__(self, key: str) -> bool:
        return self.record_path(key).is_file()

    def keys(self) -> Iterator[str]:
        """The key of every record, in order."""
        for folder, name in self._names():
            if SHA256.fullmatch(key := folder.name + name.removesuffix(".json")):
                yield key

    def answer(self, key: str) -> Answer | None:
        """The answer under a key, of whatever kind, or None.

        Raises DamagedError, with the command that helps, if it cannot be read.
        """
        path = self.record_path(key)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreadableError(f"{path} cannot be read: {error.strerror}") from error
        try:
            answer = read_answer(text)
            if answer.key != key:
                raise ValueError("it lies under another key")
        except ValueError as error:
            raise DamagedError(f"{path} is damaged ({error}); type `atlas verify` to set it aside") from error
        return answer

    def read(self, key: str) -> Record | None:
        """The picture under a key, or None. Raises DamagedError like :meth:`answer`."""
        answer = self.answer(key)
        return answer if isinstance(answer, Record) else None

    def answers(
        self, damaged: Callable[[DamagedError], object] = lambda error: None, keys: Iterable[str] | None = None
    ) -> Iterator[Answer]:
        """The answers under these keys, by default all. ``damaged`` is called for each that cannot be read."""
        for key in self.keys() if keys is None else keys:
            try:
                if answer := self.answer(key):
                    yield answer
            except DamagedError as error:
                damaged(error)

    def records(self) -> Iterator[Record]:
        """Every answer that is a picture."""
        return (answer for answer in self.answers() if isinstance(answer, Record))

    def results(self) -> Iterator[Result]:
        """Every answer that is not a picture. Records beside a picture are not opened."""
        names = ((folder.name, name) for folder, name in self._names())
        pictures = {folder + name[:62] for folder, name in names if PICTURE.fullmatch(f"{folder}/{name}")}
        others = (key for key in self.keys() if key not in pictures)
        return (answer for answer in self.answers(keys=others) if isinstance(answer, Result))

    def data(self, result: Result, role: str) -> bytes:
        """A file of an answer, checked against its hash. Raises DamagedError if it is not what the record says."""
        file = result.stored[role]
        path = self.path(file)
        data = self._bytes(path)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise DamagedError(f"{path} is damaged (wrong sha256); type `atlas verify` to set it aside")
        return data

    def arrays(self, result: Result, role: str = "arrays") -> dict[str, NDArray[Any]]:
        """The arrays of an ``.npz`` file, by name. Nothing in it is executed: pickled objects are refused."""
        return read_arrays(self.data(result, role), str(self.path(result.stored[role])))

    def show(self, record: Record, *, thumbnail: bool = False) -> Rendered:
        """An answer with the pixels of its picture, or thumbnail. Raises DamagedError if that cannot be read."""
        import numpy as np
        from PIL import Image

        shown = record.thumbnail if thumbnail else record.picture
        path = self.path(shown)
        data = self._bytes(path)
        try:
            with Image.open(io.BytesIO(data)) as image:
                if image.size != (shown.width, shown.height):
                    raise ValueError(f"it is {image.width} x {image.height} pixels large")
                pixels = np.asarray(image.convert("RGB"))
        except (OSError, ValueError) as error:
            raise DamagedError(f"{path} is damaged ({error}); type `atlas verify` to set it aside") from error
        return Rendered(record.question, record.provenance, pixels)

    def sizes(self) -> dict[str, int]:
        """The size of every answer by key, in bytes: pictures and record together. The files are not read."""
        sizes: dict[str, int] = {}
        complete: set[str] = set()
        for folder in self._folders():
            with os.scandir(folder) as files:
                for file in files:
                    stem, _, kind = file.name.partition(".")
                    key = folder.name + stem
                    sizes[key] = sizes.get(key, 0) + file.stat().st_size
                    if kind == "json":
                        complete.add(key)
        return {key: size for key, size in sizes.items() if key in complete}

    def write(
        self,
        question: Question,
        provenance: Provenance,
        picture: EncodedFile,
        thumbnail: EncodedFile,
        *,
        force: bool = False,
    ) -> bool:
        """Keep an answer. False if one was there already (and not ``force``); the first one stays.

        Raises AtlasError when the disk is full or cannot be written; what was there before is untouched.
        """
        key = question.key
        with self._writing():
            before = self.read(key)
            if before and not force:
                return False
            shown, thumb = picture.named(key), thumbnail.named(key, ".thumb")
            earlier = before.pictures if before else ()
            again = (shown.name, thumb.name)
            record = Record(question, provenance, shown, thumb, tuple(p for p in earlier if p.name not in again))
            self._commit(record, record.to_json(), {shown.name: picture.data, thumb.name: thumbnail.data})
            return True

    def keep(
        self,
        kind: str,
        question: Mapping[str, Any],
        provenance: Mapping[str, Any],
        *,
        facts: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Result:
        """Keep an answer that is not a picture. It replaces one that was there.

        ``files`` has the ending (``npz`` or ``json``) and the bytes of each file by role. Raises AtlasError like
        :meth:`write`, ValueError for an answer that is not valid.
        """
        key = result_key(kind, question)
        files = files or {}
        stored = {role: name_file(data, key, f".{role}.{ending}") for role, (ending, data) in files.items()}
        result = Result(kind, question, provenance, facts or {}, stored)
        with self._writing():
            self._commit(result, result.to_json(), {stored[role].name: data for role, (_, data) in files.items()})
        return result

    def adopt(self, text: bytes, files: Mapping[str, bytes]) -> bool:
        """Keep an answer that was made elsewhere, with its record unchanged. False if there is one already, which then
        stays.

        ``files`` has every file that the record names, by name. Raises DamagedError, and keeps nothing,
        if this is not what the store would write: a file under another answer's name could harm that answer.
        """
        try:
            answer = read_answer(text)
            if canonical_json(json.loads(text)) + b"\n" != text:
                raise ValueError("it is not written as records are")
            if len({file.name for file in answer.files}) != len(answer.files):
                raise ValueError("it names a file twice")
            if isinstance(answer, Record) and (answer.picture.is_thumbnail or not answer.thumbnail.is_thumbnail):
                raise ValueError("it takes its thumbnail for its picture")
            for file in answer.files:
                data, suffix = files[file.name], file.name[file.name.index(".") + 17 :]
                if (named := name_file(data, answer.key, suffix)).name != file.name or named.bytes != file.bytes:
                    raise ValueError(f"{file.name} is not a file of it")
        except ValueError as error:
            raise DamagedError(f"the record cannot be kept: {error}") from error
        with self._writing():
            if self.answer(answer.key):
                return False
            self._commit(answer, text, {file.name: files[file.name] for file in answer.files})
            return True

    def prepare(self) -> None:
        """Make the folder, and check that it can be written. Raises AtlasError if not."""
        with self._writing():
            pass

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """The lock of all that write. Raises AtlasError if the disk does not let them."""
        from filelock import FileLock

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / ".lock"):
                yield
        except OSError as error:
            why = f"{f'{error.filename}: ' if error.filename else ''}{why_not_written(error)}"
            text = f"cannot write to the store {self.root}: {why}, then type the same command again"
            raise AtlasError(text) from error

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"{path} cannot be read: {error.strerror}") from error

    def _folders(self) -> list[Path]:
        """Raises UnreadableError for a store that is there and cannot be read, which is no empty one."""
        try:
            names = sorted(os.listdir(self.root)) if os.path.lexists(self.root) else []
            return [self.root / name for name in names if _FOLDER.fullmatch(name) and (self.root / name).is_dir()]
        except OSError as error:
            raise UnreadableError(f"{self.root} cannot be read: {error.strerror}") from error

    def _names(self) -> Iterator[tuple[Path, str]]:
        return ((folder, name) for folder in self._folders() for name in sorted(os.listdir(folder)))

    def verify(self) -> Iterator[Damage | Answer]:
        """Every answer, read in full: its record, or the damage that was found."""
        for key in self.keys():
            found = self._check(key)
            if isinstance(found, Damage):  # unless a writer replaced the answer between its record and its pictures
                found = self._check(key)
            if found is not None:
                yield found

    def _check(self, key: str) -> Damage | Answer | None:
        path = self.record_path(key)
        beside = tuple(sorted(path.parent.glob(f"{key[2:]}.*")))
        try:
            answer = self.answer(key)
            for file in answer.files if answer else ():
                data = self.path(file).read_bytes()
                if hashlib.sha256(data).hexdigest() != file.sha256 or len(data) != file.bytes:
                    raise DamagedError(f"{file.name} is not what its record says")
        except FileNotFoundError as error:
            missing = Path(str(error.filename))
            why = f"{missing.relative_to(self.root)} is {'a link to nothing' if missing.is_symlink() else 'missing'}"
            return Damage(key, why, beside, proven=not missing.is_symlink())
        except UnreadableError as error:
            return Damage(key, str(error), beside, proven=False)
        except OSError as error:
            return Damage(key, f"{error.filename} cannot be read: {error.strerror}", beside, proven=False)
        except DamagedError as error:
            return Damage(key, str(error), beside)
        return answer

    def set_aside(self, damage: Damage) -> Path:
        """Move a damaged answer's files to ``damaged/``, so that it is rendered again."""
        with self._writing():
            aside = self._made(f"{_SET_ASIDE}/{damage.key[:2]}")
            for file in damage.files:
                with contextlib.suppress(FileNotFoundError):  # another process was faster
                    os.replace(file, aside / file.name)
        return aside

    def unclaimed(self) -> Iterator[Path]:
        """Files that belong to no record. A killed run leaves them; they are removed when its units are rendered.

        The files of a damaged record are not among them; ``verify`` names these.
        """
        for folder in self._folders():
            claimed: set[str] = set()
            names = sorted(os.listdir(folder))
            for name in names:
                if not name.endswith(".json") or not SHA256.fullmatch(key := folder.name + name.removesuffix(".json")):
                    continue
                try:
                    answer = self.answer(key)
                except DamagedError:
                    claimed |= {other for other in names if other.startswith(f"{key[2:]}.")}
                else:
                    claimed |= {name, *(Path(file.name).name for file in answer.files)} if answer else set()
            yield from (folder / name for name in names if name not in claimed)

    def _made(self, name: str) -> Path:
        """A folder of the store, made if it is not there. Raises OSError if a link leads out of the store."""
        folder = self.root / name
        if folder.resolve() != self.root.resolve() / name:
            raise OSError(errno.ELOOP, "a link leads out of the store", str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _commit(self, answer: Answer, text: bytes, files: Mapping[str, bytes]) -> None:
        """Write an answer, its record last. Until then the earlier answer is whole, and from then on the new one."""
        record = self.record_path(answer.key)
        self._made(record.parent.name)
        for name, data in files.items():
            write_atomically(self.root / name, data)
        write_atomically(record, text)
        self._sweep(answer)

    def _sweep(self, answer: Answer) -> None:
        """Remove what an interrupted attempt at this same answer left behind."""
        path = self.record_path(answer.key)
        keep = {path, *(self.path(file) for file in answer.files)}
        for file in path.parent.glob(f"{path.stem}.*"):
            if file not in keep:
                file.unlink(missing_ok=True)
