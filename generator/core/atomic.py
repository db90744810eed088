"""Write a file whole or not at all.

>>> write_atomically(Path("site/index.html"), b"...")                 # doctest: +SKIP

The bytes go to a temporary name in the same folder and are renamed, so that a reader, or a machine that dies, finds the
old file or the new one and nothing between.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, sync: bool = True, temporary: Path | None = None) -> None:
    """Replace a file. With ``sync`` it is on the disk when this returns; without, it only never is half there.

    ``temporary`` is the name that it has until it is whole; it must lie on the same disk. Raises OSError.
    """
    temporary = temporary or path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can (Windows does it by itself)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder cannot be opened on Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
