"""Which kind of weights file a file is, and what it is if it is none: judged from its headers, before it is read, and
before torch is imported, which takes more memory than all weights."""

import io
import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from generator.core.errors import AtlasError, UsageError
from generator.network.caffe import read_caffemodel

Kind = Literal["safetensors", "torch", "caffemodel"]
SUFFIXES: Mapping[str, Kind] = {
    ".safetensors": "safetensors",
    ".pth": "torch",
    ".pt": "torch",
    ".caffemodel": "caffemodel",
}
_HEADER_LIMIT = 100_000_000  # safetensors' own limit for the header of a file
_INDEX_LIMIT, _PICKLE_LIMIT, _SLACK = 1_000_000, 4_000_000, 64_000_000  # bytes; 300 tensors have an index of 30,000
_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py: the first pickle of a file that torch wrote before 1.6
_OTHER_KINDS = {  # by the first bytes of a file
    b"\x93NUMPY": "an array of numpy",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ": "compressed by xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a rar archive: unpack it first",
    b"\x89HDF": "an HDF5 file, as Keras writes them",
    b"GGUF": "a GGUF file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"{": "JSON",
}


def kind_of(path: Path) -> Kind:
    """The kind of a file: by its first bytes, or by its name if these do not decide.

    Raises OSError, ValueError if it is damaged, AtlasError that names it if it is of another kind or would be too large
    in memory. Nothing but headers is read.
    """
    if path.is_dir():
        raise AtlasError(f"{path} is a folder; name the weights file in it")
    if path.exists() and not path.is_file():  # to open a pipe would wait for ever
        raise UsageError(f"{path} is a pipe or a device; name a file")
    with open(path, "rb") as file:
        head = file.read(512)
    if not head:
        raise ValueError("the file is empty")
    if head.startswith(b"version https://"):
        raise ValueError("this is a Git LFS pointer and not the weights themselves")
    if head.lstrip().startswith(b"<"):
        raise ValueError("this is a web page and not weights")
    header = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and header <= _HEADER_LIMIT:
        _refuse_long(path, header, _INDEX_LIMIT)
        return "safetensors"
    other = next((kind for magic, kind in _OTHER_KINDS.items() if head.startswith(magic)), "")
    other = "a tar archive: unpack it first" if head[257:262] == b"ustar" else other
    if head.startswith(b"PK\x03\x04") and not (other := _not_of_torch(path)):
        return "torch"
    kind = "torch" if head.startswith(b"\x80") else SUFFIXES.get(path.suffix.lower())
    if kind == "torch" and not other:
        other = _not_of_old_torch(path)
    if other:
        raise UsageError(f"{path} is {other}, and not weights; these are read: {', '.join(SUFFIXES)}")
    if kind is None:
        raise UsageError(f"{path} is no weights file known here; these are: {', '.join(SUFFIXES)}")
    if kind == "caffemodel":
        read_caffemodel(path)
    return kind


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors in a file as AtlasError, with the file's name and what to do."""
    try:
        yield
    except OSError as error:
        raise AtlasError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise AtlasError(f"{path}: {error}; copy or download the file again") from error


def _not_of_torch(path: Path) -> str:
    """What a zip is if torch did not write it, or "". Raises AtlasError for one that would be much larger in memory.

    The list of its files is measured before it is read.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        file.seek(max(0, size - 66_000))
        tail = file.read()
        end = tail.rfind(b"PK\x05\x06")
        lists = [int.from_bytes(tail[end + 12 : end + 16], "little")] if end >= 0 else []
        if tail[max(end - 76, 0) :].startswith(b"PK\x06\x06"):  # zip64 has it again, in 8 bytes
            lists.append(int.from_bytes(tail[end - 36 : end - 28], "little"))
            lists = [each for each in lists if each != 0xFFFF_FFFF]
    _refuse_long(path, max(lists, default=0), _INDEX_LIMIT)
    try:
        with zipfile.ZipFile(path) as archive:
            files = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeError) as error:
        raise ValueError(f"not a whole torch file ({type(error).__name__})") from error
    names = [each.filename for each in files]
    if names and all(name.endswith(".npy") for name in names):
        return "an .npz of numpy"
    if not any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return f"a zip of other files ({', '.join(names[:2])})"
    _refuse_large(path, size, sum(each.file_size for each in files))
    _refuse_long(path, max(each.file_size for each in files if each.filename.endswith(".pkl")), _PICKLE_LIMIT)
    return ""


def _not_of_old_torch(path: Path) -> str:
    """What a pickle is if no torch before 1.6 wrote it, or "". Raises AtlasError if it names a tensor that is much
    larger than the file, ValueError if it is damaged.

    The pickles (a magic number, a version, the machine, the tensors without their numbers, their order) are scanned and
    not loaded. The numbers follow as they are in memory.
    """
    with open(path, "rb") as file:
        head = io.BytesIO(file.read(_INDEX_LIMIT))
    numbers = ([n for _, n, _ in pickletools.genops(head) if isinstance(n, int)] for _ in range(5))
    try:
        if _MAGIC not in next(numbers):
            return "a pickle that torch did not write"
        _, _, tensors, _ = numbers
    except (ValueError, UnicodeError) as error:
        if head.tell() == _INDEX_LIMIT:
            _refuse_long(path, path.stat().st_size, _INDEX_LIMIT)
        raise ValueError("not a whole torch file") from error
    _refuse_large(path, path.stat().st_size, max(tensors, default=0))
    return ""


def _refuse_large(path: Path, size: int, whole: int) -> None:
    if whole > size + _SLACK:
        raise AtlasError(
            f"{path} has {size / 1e6:.0f} MB and would take {min(whole, 1 << 63) / 1e6:,.0f} MB in memory, so it is "
            "refused; save the weights again with torch.save(model.state_dict(), FILE)"
        )


def _refuse_long(path: Path, index: int, limit: int) -> None:
    if index > limit:
        raise AtlasError(
            f"{path} lists far more tensors than an InceptionV1 has ({index / 1e6:,.0f} MB of names and shapes), so it "
            "is refused; save the weights again with torch.save(model.state_dict(), FILE)"
        )
