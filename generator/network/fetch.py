"""Weights from the web: downloaded once, resumed after a break, and used only if their digest is right.

Bytes go to ``NAME.part`` beside the final file and stay there when the connection or the process breaks, so that the
next attempt, also a later one, asks for the rest only. A whole file is checked against its digest, synced and renamed.
So a file in the cache under its final name is right. If an address fails, or serves another file, the next address is
tried. If several processes do this at once, one downloads and the others wait for it.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from generator.checkpoints.spec import Download
from generator.core.atomic import sync_folder
from generator.core.errors import AtlasError, UsageError, why_not_written
from generator.remote.http import PermanentError, TransientError, transfer

TIMEOUT = 30.0  # seconds without a byte
NO_HOME = "this user has no home folder; set ATLAS_CACHE to a folder, or give --weights FILE without “~”"
PAUSES = (0.0, 0.5, 1.0, 2.0)  # seconds before each attempt at one address


def cache_folder() -> Path:
    """The folder of downloaded weights: under ATLAS_CACHE if it is set, else in the user's cache folder.

    Raises UsageError where no home folder is known.
    """
    try:
        if said := os.environ.get("ATLAS_CACHE"):
            return Path(said).expanduser() / "weights"
        return platformdirs.user_cache_path("inception-atlas", appauthor=False).expanduser() / "weights"
    except RuntimeError:
        raise UsageError(f"no folder for downloaded weights: {NO_HOME}") from None


def fetch(
    name: str,
    sources: Sequence[Download],
    folder: Path,
    *,
    timeout: float = TIMEOUT,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Download a checkpoint into ``folder`` from the first address that serves it whole; the path of the file.

    Raises AtlasError, in one line, with what failed at each address and how to go on by hand.
    """
    finals = [folder / f"{name}{source.suffix}" for source in sources]
    failures: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder, name):
            if done := next((final for final in finals if final.is_file()), None):
                return done  # another process was faster
            for source, final in zip(sources, finals, strict=True):
                part = final.with_name(f"{final.name}.part")
                try:
                    _download(source, part, timeout, pause)
                except PermanentError as error:
                    failures.append(f"{source.host}: {error}")
                    continue
                os.replace(part, final)
                sync_folder(folder)
                return final
    except OSError as error:
        raise AtlasError(
            f"cannot keep the weights of {name} in {folder}: {why_not_written(error)}, "
            "or set ATLAS_CACHE to another folder, and type the same command again"
        ) from error
    raise AtlasError(
        f"cannot download the weights of {name} ({'; '.join(failures)}); try again later, or download "
        f"{' or '.join(s.url for s in sources)} by hand and say --weights FILE or ATLAS_WEIGHTS=FILE"
    )


def _download(source: Download, part: Path, timeout: float, pause: Callable[[float], None]) -> None:
    """Make ``part`` the whole, checked file. Raises PermanentError if this address does not serve it."""
    last = ""
    for seconds in PAUSES:
        pause(seconds)
        with open(part, "ab") as file:
            start = file.tell()
            if start and source.matches(part):  # killed between the last byte and the new name
                return
            try:
                start = transfer(source.url, file, timeout)
            except TransientError as error:
                last = str(error)
                continue
            file.flush()
            os.fsync(file.fileno())
        if source.matches(part):
            return
        part.unlink()
        last = "what it serves is not the file (wrong digest)"
        if start == 0:
            break
        # The part may have been the beginning of another file. Try once more, from the start.
    raise PermanentError(last)


def _lock(folder: Path, name: str) -> AbstractContextManager[object]:
    """One download at a time in a folder, over all processes."""
    lock = FileLock(folder / ".lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that is downloading, for the weights of {name}", file=sys.stderr)
        return lock.acquire()
