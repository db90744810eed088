"""The location of a built atlas: a folder of this machine, or an address."""

from dataclasses import dataclass
from pathlib import Path

from generator.core.errors import AtlasError, UsageError
from generator.core.text import legible
from generator.links import addresses
from generator.links.base_url import read_base_url


class OutOfReachError(AtlasError):
    """An atlas does not answer now; it may later."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An atlas on this machine."""

    root: Path

    @property
    def name(self) -> str:
        """As people write it."""
        return str(self.root)

    @property
    def address(self) -> str:
        """Where others reach it, with a slash at its end, or ""."""
        return ""

    def read(self, address: str, *, limit: int) -> bytes:
        """The file at an address relative to the atlas. Raises AtlasError if it is not there, or larger than limit."""
        path = self.root / address
        try:
            with open(path, "rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise AtlasError(f"{path} cannot be read: {error.strerror}; type `atlas build` where it is made") from error
        if len(data) > limit:
            raise AtlasError(f"{path} has more than the {limit:,} bytes that it may have")
        return data


@dataclass(frozen=True, slots=True)
class Web:
    """An atlas that somebody has published, read like a :class:`Folder`. ``name`` is its address."""

    name: str

    @property
    def address(self) -> str:
        return self.name

    def read(self, address: str, *, limit: int) -> bytes:
        from generator.remote.http import PermanentError, TransientError, read  # not needed for folders

        try:
            return read(self.name + address, limit=limit)
        except TransientError as error:
            raise OutOfReachError(f"{self.name}{address}: {error}") from error
        except PermanentError as error:
            raise AtlasError(f"{self.name}{address}: {error}") from error


Location = Folder | Web


def location_of(where: str | Path) -> Location:
    """Where an atlas is meant to be: an address of an atlas or of a page at its root, a folder, or a file in it."""
    text = str(where)
    if "://" in text:
        for page in (addresses.INDEX, addresses.HOME):
            text = text.removesuffix(f"/{page}")
        try:
            return Web(read_base_url(text))
        except ValueError as error:
            reason = f"not the address of an atlas: {legible(error)}"
            raise UsageError(f"{legible(where)} is {reason}; write https://host/path/") from None
    try:
        path = Path(where).expanduser()
    except RuntimeError as error:
        raise UsageError(f"no folder {where}: {error}") from error
    return Folder(path.parent if path.is_file() else path)
