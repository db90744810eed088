"""Write a file whole or not at all.

The bytes go to a temporary name in the same folder, which is then renamed. So a reader finds the old file or the new
one, and never a part of it; after a crash too.
"""

import os
import shlex
import shutil
import tempfile
from pathlib import Path

from generator.core.errors import AtlasError, why_not_written


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


def replace_file(path: Path, data: bytes) -> None:
    """Write a file that a person made anew. A symbolic link goes on leading where it led.

    The new file has the owner, the group, the mode and the extended attributes of the old one. Raises AtlasError, with
    the reason, where that cannot be: a replaced file cannot keep its other names (hard links).
    """
    target = path.resolve()
    before, typed = target.stat(), shlex.quote(str(path))
    if before.st_nlink > 1:
        raise AtlasError(
            f"{path} has {before.st_nlink} names (hard links), and the others would keep the old text; type "
            f"`cp {typed} {typed}.new && mv {typed}.new {typed}` if that is meant"
        )
    if not os.access(target, os.W_OK):  # a rename would not mind
        raise AtlasError(f"{path} cannot be written: it is read-only; type `chmod u+w {typed}`")
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(descriptor)
    except OSError as error:
        raise AtlasError(f"the folder {target.parent} cannot be written: {why_not_written(error)}") from error
    new = Path(name)
    try:
        _give(new, path, before)
        shutil.copystat(target, new)  # the mode and the attributes
        write_atomically(target, data, temporary=new)
    except OSError as error:
        raise AtlasError(f"{path} cannot be written: {why_not_written(error)}") from error
    finally:
        new.unlink(missing_ok=True)


def _give(new: Path, path: Path, before: os.stat_result) -> None:
    """Give a new file to the owner of the old one."""
    now = new.stat()
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.chown(new, before.st_uid, before.st_gid)
        except OSError as error:
            raise AtlasError(
                f"{path} belongs to another user or group (uid {before.st_uid}, gid {before.st_gid}), and would no "
                f"longer; let its owner write it"
            ) from error


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
