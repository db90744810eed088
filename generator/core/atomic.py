"""Write a file whole or not at all.

The bytes go to a temporary name in the same folder, which is then renamed. So a reader finds the old file or the new
one, and never a part of it; after a crash too.
"""

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, sync: bool = True, temporary: Path | None = None) -> None:
    """Replace a file. With ``sync`` it is on the disk when this returns; without, it may still be in memory, but is
    never half written.

    ``temporary`` is its name until it is whole; it must be on the same disk. Raises OSError.
    """
    temporary = temporary or path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", opener=_no_link) as file:
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


def _no_link(path: str, flags: int) -> int:
    """Open a file, but none that a link put there by others leads to."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system can (Windows does it by itself)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder cannot be opened on Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_running(process: int) -> bool:
    """Whether a process of this number lives on this machine. Where that cannot be asked for safely (on Windows a
    signal 0 is Ctrl-C) it is taken for living."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
