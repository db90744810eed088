"""Build the site: read everything once, shape it into files, write what differs.

If neither what is read nor what was made has changed since the last build, there is nothing to do.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from generator.config.config import Config
from generator.core.atomic import is_running, write_atomically
from generator.core.errors import AtlasError, why_not_written
from generator.links import addresses
from generator.publish import manifest as manifests
from generator.publish import stamp as stamps
from generator.publish.files import SiteFiles, site_files
from generator.publish.manifest import Manifest, read_manifest
from generator.publish.processes import in_processes
from generator.publish.site import read_site

_TEMPORARY = ".atlas-{}.tmp"  # by the process that writes it
_AHEAD = 64  # previews that are drawn before their turn

Progress = Callable[[int, int], None]
"""Called with the files done and the files in all."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. ``index`` is the page to open."""

    written: int
    unchanged: int
    removed: int
    warnings: tuple[str, ...]
    index: Path
    seconds: float


def build(config: Config, progress: Progress | None = None) -> Built:
    """Bring the site up to date. Raises AtlasError if the folder is not ours or cannot be written."""
    start = time.monotonic()
    output = config.output
    try:
        before, sources = read_manifest(output), stamps.sources(config)
        _clear(output)
        if before.stamp and before.stamp == f"{sources} {stamps.products(output, before.files)}":
            return Built(0, len(before.files), 0, (), output / addresses.HOME, time.monotonic() - start)
        site = read_site(config)
        files = site_files(site)
        # What is damaged is to be told each time, so a build that warns is never taken for the last word.
        written, removed = _write(output, files, before, "" if site.catalog.warnings else sources, progress)
    except OSError as error:
        why = why_not_written(error)
        raise AtlasError(f"{error.filename or output}: {why}, then type `atlas build` again") from error
    unchanged, seconds = len(files.addresses) - written, time.monotonic() - start
    return Built(written, unchanged, removed, site.catalog.warnings, output / addresses.HOME, seconds)


def _write(
    output: Path, files: SiteFiles, before: Manifest, sources: str, progress: Progress | None
) -> tuple[int, int]:
    """Make the folder hold these files. How many were written, and how many removed."""
    ours = files.addresses
    if leads_away := manifests.outside(output, ours):
        raise AtlasError(
            f"{leads_away} leads out of {output} by a link; remove the link, then type `atlas build` again"
        )
    known = Manifest(tuple({*before.files, *ours}))
    _put(output, manifests.NAME, known.to_json())  # a build that dies here leaves a folder known as ours
    written = 0
    for done, was_written in enumerate(_write_each(output, files)):
        if progress:
            progress(done, len(ours))
        written += was_written
    if progress:
        progress(len(ours), len(ours))
    removed = sum(_remove(output, address) for address in before.files if address not in ours)
    stamp = sources and f"{sources} {stamps.products(output, ours)}"
    _put(output, manifests.NAME, Manifest(tuple(ours), stamp).to_json())
    return written, removed


def _write_each(output: Path, files: SiteFiles) -> Iterator[bool]:
    """Whether each file had to be written. Pages are rendered in several processes; previews are drawn in threads,
    since Pillow lets go of Python's lock."""
    yield from in_processes(lambda address: _put(output, address, files.made[address]()), list(files.made))
    previews = list(files.drawn.items())
    with ThreadPoolExecutor() as pool:
        for first in range(0, len(previews), _AHEAD):
            batch = previews[first : first + _AHEAD]
            drawn = pool.map(lambda item: item[1](_read(output / item[0])), batch)
            yield from (_put(output, address, data) for (address, _), data in zip(batch, drawn, strict=True))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _put(output: Path, address: str, data: bytes) -> bool:
    """Write a file, whole or not at all, unless it is there already. True if it was written."""
    path = output / address
    if (kept := _read(path)) == data:
        return False
    if kept is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data, sync=False, temporary=output / _TEMPORARY.format(os.getpid()))
    return True


def _clear(output: Path) -> None:
    """Remove the temporary files of builds that were killed."""
    for path in output.glob(_TEMPORARY.format("*")):
        number = path.name.split("-")[1].split(".")[0]
        # in a container each build has the same number
        if number.isdecimal() and (int(number) == os.getpid() or not is_running(int(number))):
            path.unlink(missing_ok=True)


def _remove(output: Path, address: str) -> bool:
    """Remove a file of an earlier build, and the folders that it leaves empty. True if it was there."""
    path = output / address
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    for folder in path.parents:
        if folder == output or os.listdir(folder):
            break
        folder.rmdir()
    return True
