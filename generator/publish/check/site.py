"""Read the built site as a browser would and tell what is wrong with it.

Looked for: links and fragments that lead nowhere, ids that are missing or used twice, pictures without a text or a
size, pages without language, title or content security policy, anything fetched from elsewhere, files that nothing
claims, published addresses that are gone, a site too large for a host, and pages and pictures that weigh more than
:mod:`generator.publish.check.budgets` allows.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from generator.config.config import Config
from generator.core.record import Record
from generator.links import addresses
from generator.publish.check.budgets import BUDGETS, too_heavy
from generator.publish.check.hosts import too_much
from generator.publish.check.page import check_page
from generator.publish.check.published import broken
from generator.publish.manifest import built_files
from generator.publish.processes import in_processes
from generator.store.store import DamagedError, Store

_STYLE_FETCHES = re.compile(r"(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s;]+)")
_STORED = re.compile(r"store/[0-9a-f]{2}/")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where. A warning is harmless to readers."""

    level: Literal["error", "warning"]
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class _RecordChecked:
    """A record of the store: the files that belong to it, what a unit's picture weighs with it, and what is wrong.

    Earlier pictures are kept for the sake of links and count for nothing.
    """

    claimed: tuple[str, ...]
    weight: tuple[int, ...]
    problems: tuple[Problem, ...]


def check(config: Config) -> list[Problem]:
    """Everything that is wrong with the built site, page by page. Raises AtlasError if nothing is built."""
    output = config.output
    unread: dict[str, str] = {}
    built, files = built_files(output), _all_files(output, unread)
    html = [a for a in built if a.endswith(".html") and a in files]
    checked = in_processes(lambda a: check_page(a, (output / a).read_bytes(), files, config.url), html)
    pages = dict(zip(html, checked, strict=True))
    problems = [Problem("error", a, "was built and is gone; type `atlas build`") for a in built if a not in files]
    for address, page in pages.items():
        absent = (
            f"link to {link}: no id “{place}” there"
            for link, target, place in page.places
            if target in pages and place not in pages[target].ids
        )
        problems += [Problem("error", address, what) for what in dict.fromkeys([*page.wrong, *absent])]
    problems += [Problem("warning", a, what) for a, what in sorted(unread.items())]
    problems += [Problem("error", a, what) for a in sorted(files) if a.endswith(".css") for what in _style(output / a)]
    weighed = {address: page.contents for address, page in pages.items()}
    problems += [Problem("error", address, what) for address, what in too_heavy(output, weighed, files)]
    problems += [Problem("error", address, what) for address, what in broken(config)]
    problems += [Problem("warning", output.name, what) for what in too_much(files)]
    return [*problems, *_store(config, files)]


def _all_files(output: Path, unread: dict[str, str], base: str = "") -> dict[str, int]:
    """Every file under the folder with its size. Links that lead nowhere, as editors' locks do, and folders of others
    go to ``unread``, with what is to be said of them."""
    found: dict[str, int] = {}
    try:
        entries = list(os.scandir(output))
    except OSError as error:
        unread[base] = f"cannot be read: {error.strerror}"
        return {}
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            found |= _all_files(Path(entry.path), unread, f"{base}{entry.name}/")
        # no pipe, which would be waited for; the system is asked about links alone, and those may lead to themselves
        elif entry.is_file(follow_symlinks=False) or Path(entry.path).is_file():
            found[base + entry.name] = entry.stat().st_size
        elif entry.is_symlink() and not Path(entry.path).exists():
            unread[base + entry.name] = "is a link to nothing; remove it, or mend it"
    return found


def _style(path: Path) -> Iterator[str]:
    for found in _STYLE_FETCHES.findall(path.read_text(encoding="utf-8")):
        yield f"fetches {found} from elsewhere"


def _store(config: Config, files: Mapping[str, int]) -> Iterator[Problem]:
    """What is wrong with the store, without reading its pictures: `atlas verify` does that."""
    store = Store(config.store)
    claimed: set[str] = set()
    weights: list[int] = []
    for record in in_processes(partial(_check_record, store, files), list(store.keys())):
        claimed.update(record.claimed)
        weights += record.weight
        yield from record.problems
    allowed = BUDGETS["pictures of a unit"]
    if weights and (mean := sum(weights) // len(weights)) > allowed:
        yield Problem("error", "store", f"holds {mean:,} bytes a unit on average, more than {allowed:,}")
    for name in sorted(files):
        if _STORED.match(name) and name not in claimed:
            yield Problem("warning", name, "belongs to no record; a run was cut short")


def _check_record(store: Store, files: Mapping[str, int], key: str) -> _RecordChecked:
    name = addresses.stored_record_address(key)
    try:
        answer = store.answer(key)
    except DamagedError as error:
        beside = store.record_path(key).parent.glob(f"{key[2:]}.*")
        claimed = [f"{addresses.STORE}/{file.relative_to(store.root).as_posix()}" for file in beside]
        return _RecordChecked((name, *claimed), (), (Problem("error", name, str(error)),))
    if answer is None:  # another process has set it aside
        return _RecordChecked((name,), (), ())
    claimed = [f"{addresses.STORE}/{file.name}" for file in answer.files]
    what = "is missing; type `atlas verify` to set its record aside"
    problems = [Problem("error", file, what) for file in claimed if file not in files]
    for file, kept in zip(claimed, answer.files, strict=True):
        if files.get(file, kept.bytes) != kept.bytes:
            cut = f"has {files[file]:,} bytes, not the {kept.bytes:,} of its record; type `atlas verify`"
            problems.append(Problem("error", file, cut))
    weight = [files.get(name, 0) + answer.picture.bytes + answer.thumbnail.bytes] if isinstance(answer, Record) else []
    return _RecordChecked((name, *claimed), tuple(weight), tuple(problems))
