"""What the last build wrote: a list in the site's folder, ``.built.json``.

A build removes files that are in the list and no longer made, and nothing else. A site whose list is gone (upload
actions leave out files whose names begin with a dot) or damaged is known by its ``atlas.json``: it is built anew, and
nothing is removed. Any other folder with anything besides the store in it belongs to somebody else, and is refused.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from generator.core.errors import AtlasError
from generator.links import addresses

NAME = ".built.json"
_ADDRESS = re.compile(r"(?!store(/|$))([\w.@-]{1,200}/){0,8}[\w.@-]{1,200}", re.ASCII | re.IGNORECASE)
"""What a build writes, on every system: nothing in the store, whatever a disk makes of capital letters."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The addresses of the files, and the stamp of what they were made from (:mod:`generator.publish.stamp`).

    The stamp is "" if the build was not finished, or has to be told again.
    """

    files: tuple[str, ...] = ()
    stamp: str = ""

    def to_json(self) -> bytes:
        """As it is written; :func:`read_manifest` reads it."""
        return json.dumps({"stamp": self.stamp, "files": sorted(self.files)}, indent=0).encode() + b"\n"


def read_manifest(output: Path) -> Manifest:
    """The list of the last build. Raises AtlasError if the folder has files that no build of ours made."""
    if output.exists() and not output.is_dir():
        raise AtlasError(f"{output} is a file; set `output` in atlas.toml to a folder")
    if (listed := _read(output)) is not None:
        return listed
    if (output / NAME).is_file() or _is_site(output):
        return Manifest()
    names = {f.name for f in output.iterdir()} if output.is_dir() else set()
    foreign = sorted(name for name in names - {"store"} if not name.startswith("."))  # .git, .DS_Store: nobody's work
    if foreign:
        # The folder may hold the only copy of a store, or of somebody's work: never advise to empty it.
        move = f"move {foreign[0]} elsewhere, or " if "store" in names else ""
        mend = f"{move}choose another `output` in atlas.toml"
        raise AtlasError(f"{output} holds {foreign[0]} and was not built by atlas; {mend}")
    return Manifest()


def built_files(output: Path) -> tuple[str, ...]:
    """The addresses that the last build wrote. Raises AtlasError if that is not known."""
    if not (listed := _read(output)) or not listed.files:
        raise AtlasError(f"no site in {output}, or not the list of its files, {NAME}; type `atlas build`")
    return listed.files


def _read(output: Path) -> Manifest | None:
    """The list, but no address outside of the folder or in the store; None if there is none that can be read."""
    try:
        manifest = json.loads((output / NAME).read_bytes())
        listed, stamp = list(manifest["files"]), str(manifest.get("stamp", ""))
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    paths = [PurePosixPath(each) for each in listed if isinstance(each, str) and _ADDRESS.fullmatch(each)]
    inside = {folder: _is_inside(output, folder) for folder in {path.parent for path in paths}}
    return Manifest(tuple(str(path) for path in paths if inside[path.parent] and path.parts), stamp)


def _is_site(output: Path) -> bool:
    """Whether a folder has the index that every build of ours writes."""
    try:
        index = json.loads((output / addresses.INDEX).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(index, dict) and {"format", "title", "checkpoints"} <= index.keys()


def outside(output: Path, files: Iterable[str]) -> Path | None:
    """A folder of these addresses that a symbolic link leads out of the output folder or into the store, if any."""
    folders = sorted({PurePosixPath(address).parent for address in files})
    return next((output / folder for folder in folders if not _is_inside(output, folder)), None)


def _is_inside(output: Path, folder: PurePosixPath) -> bool:
    """Whether a folder is part of the output folder and not of the store, whatever symbolic links there are."""
    if folder.is_absolute() or ".." in folder.parts:
        return False
    path, root = (output / folder).resolve(), output.resolve()
    return path.is_relative_to(root) and not path.is_relative_to(root / "store")
