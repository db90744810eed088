"""Read the built site as a browser would and tell what is wrong with it.

>>> for problem in check(config):                                 # doctest: +SKIP
...     print(problem)
error: bvlc_googlenet/mixed4a/11.html: link to ../mixed4z/index.html leads nowhere

Looked for: links and fragments that lead nowhere, ids that are missing or used twice, pictures without a text or a
size, pages without language, title or content security policy, anything fetched from elsewhere, files that nothing
claims, promises that are broken, and pages and pictures that weigh more than
:mod:`generator.publish.check.budgets` allows.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from generator.config.atlas_toml import Config
from generator.core.errors import AtlasError
from generator.core.record import Record
from generator.links import addresses
from generator.publish.check.budgets import BUDGETS, PageContents, too_heavy
from generator.publish.check.published import broken
from generator.publish.manifest import built_files
from generator.store.store import DamagedError, Store

_POINTING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
_FETCHED = {"img": ("src", "srcset"), "script": ("src",), "link": ("href",), "iframe": ("src",)}
_STYLE_FETCHES = re.compile(r"(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s;]+)")
_STORED = re.compile(r"store/[0-9a-f]{2}/")
_LINK_ONLY = ("canonical", "alternate", "prev", "next")  # links that a browser does not fetch


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where. A warning is harmless to readers."""

    level: Literal["error", "warning"]
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.what}"


@dataclass(slots=True)
class _Seen:
    """What one page holds."""

    links: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)
    ids: Counter[str] = field(default_factory=Counter)
    pointed: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    language: bool = False
    title: bool = False
    policy: bool = False
    names: int = 0
    pictures: int = 0


class _Reader(HTMLParser):
    """Fills in a _Seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = _Seen()
        self.in_body = False

    def updatepos(self, i: int, j: int) -> int:
        return j  # line numbers are not wanted, and cost a tenth of the time

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        seen = self.seen
        if tag in ("title", "body"):
            seen.title |= tag == "title" and not self.in_body  # a chart has a title too
            self.in_body |= tag == "body"
        for name, value in attrs:
            if name == "id":
                seen.ids[value or ""] += 1
            elif name in _POINTING:
                seen.pointed.update((value or "").split())
            elif name == "style" or name.startswith("on"):
                seen.wrong.append(f"<{tag} {name}> is refused by the security policy; use static/")
        if tag == "a":
            href = dict(attrs).get("href") or ""
            seen.links.add(href)
            seen.names += "families/" in href
        elif tag in _FETCHED:
            self._fetched(tag, dict(attrs))
        elif tag == "html":
            seen.language = bool(dict(attrs).get("lang"))
        elif tag == "i":
            seen.names += 1
        elif tag == "meta":
            seen.policy |= ("http-equiv", "Content-Security-Policy") in attrs
            if ("property", "og:image") in attrs:
                seen.links.add(dict(attrs).get("content") or "")

    def _fetched(self, tag: str, given: Mapping[str, str | None]) -> None:
        into = self.seen.links if given.get("rel") in _LINK_ONLY else self.seen.fetched
        for name in _FETCHED[tag]:
            value = given.get(name) or ""
            if name == "srcset":
                into.update(part.split()[0] for part in value.split(",") if part.strip())
            elif value or name == "href":
                into.add(value)
        if tag == "img":
            self.seen.pictures += 1
            self._picture(given)

    def _picture(self, given: Mapping[str, str | None]) -> None:
        name = given.get("src") or "?"
        if not given.get("alt"):
            self.seen.wrong.append(f"picture {name} has no alt text")
        if not given.get("width") or not given.get("height"):
            self.seen.wrong.append(f"picture {name} has no width and height")


def check(config: Config) -> list[Problem]:
    """Everything that is wrong with the built site, page by page. Raises AtlasError if nothing is built."""
    output = config.output
    if not (output / addresses.HOME).is_file():
        raise AtlasError(f"no site in {output} yet; type `atlas build`")
    built, files = built_files(output), _all_files(output)
    pages = {a: _read((output / a).read_text(encoding="utf-8")) for a in built if a.endswith(".html") and a in files}
    ids = {address: seen.ids for address, seen in pages.items()}
    problems = [Problem("error", a, "was built and is gone; type `atlas build`") for a in built if a not in files]
    for address, seen in pages.items():
        wrong = [*seen.wrong, *_page(seen), *_links(address, seen, files, ids, config.url)]
        problems += [Problem("error", address, what) for what in dict.fromkeys(wrong)]
    problems += [Problem("error", a, what) for a in sorted(files) if a.endswith(".css") for what in _style(output / a)]
    weighed = {address: _holds(address, seen, config.url) for address, seen in pages.items()}
    problems += [Problem("error", address, what) for address, what in too_heavy(output, weighed, files)]
    problems += [Problem("error", address, what) for address, what in broken(config)]
    return [*problems, *_store(config, files)]


def _read(text: str) -> _Seen:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.seen


def _all_files(output: Path) -> dict[str, int]:
    """Every file under the folder with its size."""
    found: dict[str, int] = {}
    for folder, _, names in os.walk(output):
        base = "" if folder == str(output) else f"{Path(folder).relative_to(output).as_posix()}/"
        found.update((base + name, Path(folder, name).stat().st_size) for name in names)
    return found


def _page(seen: _Seen) -> Iterator[str]:
    if not seen.language:
        yield "<html> has no lang"
    if not seen.title:
        yield "has no <title>"
    if not seen.policy:
        yield "has no content security policy"
    yield from (f"id “{name}” is used {n} times" for name, n in seen.ids.items() if n > 1)
    yield from (f"“{name}” is pointed at and no id" for name in sorted(seen.pointed - set(seen.ids)))


def _links(
    address: str, seen: _Seen, files: Mapping[str, int], ids: Mapping[str, Mapping[str, int]], base: str
) -> Iterator[str]:
    folder = posixpath.dirname(address)
    for link in sorted(seen.links | seen.fetched):
        target, fragment = _resolve(folder, link, base)
        if target is None:
            if link in seen.fetched:
                yield f"fetches {link} from elsewhere"
            continue
        target = target or address
        if not link or target not in files:
            yield f"link to {link or 'nothing'} leads nowhere"
        elif fragment and target in ids and fragment not in ids[target]:
            yield f"link to {link}: no id “{fragment}” there"


@lru_cache(maxsize=1 << 16)
def _resolve(folder: str, link: str, base: str) -> tuple[str | None, str]:
    """The address and fragment that a link means on a page in ``folder``.

    The address is "" for the page itself, and None elsewhere; data: counts as the page itself.
    """
    if base and link.startswith(base):
        folder, link = "", link[len(base) :] or addresses.HOME
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ("" if parts.scheme == "data" else None), ""
    target = posixpath.normpath(posixpath.join(folder, unquote(parts.path))) if parts.path else ""
    return (f"{target}/{addresses.HOME}" if parts.path.endswith("/") else target), parts.fragment


def _style(path: Path) -> Iterator[str]:
    for found in _STYLE_FETCHES.findall(path.read_text(encoding="utf-8")):
        yield f"fetches {found} from elsewhere"


def _holds(address: str, seen: _Seen, base: str) -> PageContents:
    resolved = (_resolve(posixpath.dirname(address), link, base)[0] for link in sorted(seen.fetched))
    others = sum(name.startswith("p-") for name in seen.ids) - 1  # the unit's own is none
    fetched = tuple(target for target in resolved if target)
    return PageContents(seen.names, seen.pictures, max(0, others), fetched, len(base))


def _store(config: Config, files: Mapping[str, int]) -> Iterator[Problem]:
    """What is wrong with the store, without reading its pictures: `atlas verify` does that."""
    store = Store(config.store)
    claimed: dict[str, int] = {}
    pictures: list[int] = []  # bytes of each; earlier ones are kept for the sake of links and count for nothing
    for key in store.keys():  # noqa: SIM118 - a store is no mapping
        name = store.record_path(key).relative_to(store.root).as_posix()
        claimed[name] = files.get(f"store/{name}", 0)
        try:
            answer = store.answer(key)
        except DamagedError as error:
            yield Problem("error", f"store/{name}", str(error))
            continue
        if answer is None:  # another process has set it aside
            continue
        if isinstance(answer, Record):
            pictures.append(claimed[name] + answer.picture.bytes + answer.thumbnail.bytes)
        for file in answer.files:
            claimed[file.name] = file.bytes
            if f"store/{file.name}" not in files:
                what = "is missing; type `atlas verify` to set its record aside"
                yield Problem("error", f"store/{file.name}", what)
    allowed = BUDGETS["pictures of a unit"]
    if pictures and (mean := sum(pictures) // len(pictures)) > allowed:
        yield Problem("error", "store", f"holds {mean:,} bytes a unit on average, more than {allowed:,}")
    for name in sorted(files):
        if _STORED.match(name) and name.removeprefix("store/") not in claimed:
            yield Problem("warning", name, "belongs to no record; a run was cut short")
