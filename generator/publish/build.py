"""Write the site: every page with its record and pictures, static files, the indexes for programs and for search.

>>> built = build(config)                                         # doctest: +SKIP
>>> built.written, built.unchanged, built.removed                 # doctest: +SKIP
(3, 1736, 0)

If neither what is read nor what was made has changed since the last build, there is nothing to do. Else all is rendered
and only what differs is written. A list of what was written, ``.built.json``, stays in the folder; what it names and
this build no longer makes is removed, and nothing else ever is.
A folder that holds anything but the store and has no such list is somebody else's, and is refused.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from generator.config.atlas_toml import Config
from generator.core.errors import AtlasError, why_not_written
from generator.core.package import package_folder
from generator.core.views import VIEWS
from generator.links import addresses
from generator.publish import stamp as stamps
from generator.publish.assets.cards import Source, sheet_card, unit_card
from generator.publish.assets.index import atlas_index, layer_index, robots, sitemap
from generator.publish.assets.search import search_index
from generator.publish.catalog import Catalog, read_catalog
from generator.publish.pages.contents import contents
from generator.publish.pages.previews import sheets
from generator.publish.rendering import environment, render
from generator.store.store import Store

MANIFEST = ".built.json"
_AHEAD = 64
_OURS_ANYWAY = {"store", ".gitkeep", ".gitignore"}

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
        before, stamp = _manifest(output)
        sources = stamps.sources(config)
        if stamp and stamp == f"{sources} {stamps.products(output, before)}":
            return Built(0, len(before), 0, (), output / addresses.HOME, time.monotonic() - start)
        catalog = read_catalog(config)
        files = dict(_files(catalog))
        _put(output, MANIFEST, _listing({*before, *files}))  # a build that dies here leaves a folder known as ours
        written = 0
        for done, (address, data) in enumerate(_made(files)):
            if progress:
                progress(done, len(files))
            written += _put(output, address, data)
        if progress:
            progress(len(files), len(files))
        removed = sum(_remove(output, address) for address in before if address not in files)
        # What is damaged is to be told each time, so a build that warns is never taken for the last word.
        stamp = "" if catalog.warnings else f"{sources} {stamps.products(output, files)}"
        _put(output, MANIFEST, _listing(set(files), stamp))
    except OSError as error:
        why = why_not_written(error)
        raise AtlasError(f"cannot write {error.filename or output}: {why}, then type `atlas build` again") from error
    seconds = time.monotonic() - start
    return Built(written, len(files) - written, removed, catalog.warnings, output / addresses.HOME, seconds)


def built_files(output: Path) -> tuple[str, ...]:
    """The addresses that the last build wrote, or () if there was none."""
    listed = _read_manifest(output)
    return listed[0] if listed else ()


def _files(catalog: Catalog) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Every file of the site but the store, with a function that makes its bytes."""
    env = environment(catalog.config.templates)
    store = Store(catalog.config.store)
    pages = []
    for address, make in contents(catalog):
        if not address.startswith(f"{addresses.EMBED}/"):  # a frame's page is not one to be found
            pages.append(address)
        yield address, lambda make=make: render(env, make()).encode()  # type: ignore[misc]
    for checkpoint in catalog.checkpoints:
        for layer in checkpoint.layers.values():
            if layer.rendered:
                address = addresses.layer_json_address(checkpoint.name, layer.name)
                yield address, partial(layer_index, checkpoint, layer)
            for unit in layer.rendered:
                if unit.record:
                    kept, thumbnail = store.record_path(unit.record.key), store.path(unit.record.thumbnail)
                    yield addresses.record_address(checkpoint.name, unit.unit), kept.read_bytes
                    yield addresses.thumbnail_address(checkpoint.name, unit.unit), thumbnail.read_bytes
    yield from _cards(catalog, store)
    yield from _static(catalog)
    yield addresses.INDEX, lambda: atlas_index(catalog)
    yield ".nojekyll", lambda: b""  # GitHub Pages would leave out names that begin with an underscore
    yield "sitemap.xml", lambda: sitemap(catalog.config.url, pages)
    if catalog.config.url and robots(catalog.config.url):
        yield "robots.txt", lambda: robots(catalog.config.url)


def _cards(catalog: Catalog, store: Store) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The pictures that stand for pages where they are linked; one that is there and still holds is not made again."""
    output = catalog.config.output
    for checkpoint in catalog.checkpoints:
        for layer in checkpoint.layers.values():
            for unit in layer.rendered:
                if unit.record:
                    address = addresses.card_address(addresses.unit_address(checkpoint.name, unit.unit))
                    source = Source(store.path(unit.record.picture), unit.record.picture.sha256)
                    yield address, partial(_card, partial(unit_card, source), output / address)
    for page, units in sheets(catalog):
        if units:
            address = addresses.card_address(page)
            pictures = [u.record.picture for u in units if u.record]
            sources = [Source(store.path(picture), picture.sha256) for picture in pictures]
            yield address, partial(_card, partial(sheet_card, sources), output / address)


def _card(draw: Callable[[bytes | None], bytes], kept: Path) -> bytes:
    try:
        return draw(kept.read_bytes())
    except FileNotFoundError:
        return draw(None)


def _static(catalog: Catalog) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Style sheets, scripts and schemas, and the two scripts that know of this atlas."""
    static = package_folder("static")
    for file in sorted(static.iterdir()):
        if file.is_file() and file.name != "embed.js":
            yield f"{addresses.STATIC}/{file.name}", file.read_bytes
    for file in sorted((static / addresses.SCHEMA).iterdir()):
        yield f"{addresses.SCHEMA}/{file.name}", partial(_schema, file)
    yield f"{addresses.STATIC}/embed.js", lambda: _embed_script(static / "embed.js", catalog.checkpoints[0].name)
    yield f"{addresses.STATIC}/units.js", lambda: search_index(catalog)


def _schema(path: Path) -> bytes:
    """A JSON schema, with the views that there are."""
    views = ",\n      ".join(f'"{view}"' for view in VIEWS)
    return path.read_text(encoding="utf-8").replace('"{{views}}"', views).encode()


def _embed_script(path: Path, first: str) -> bytes:
    """What other people's pages load: as little as it can be, with the checkpoint that a unit without one is of."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    code = "".join(line.lstrip() for line in lines if not line.lstrip().startswith("//"))
    return code.replace("{{checkpoint}}", first).encode()


def _made(files: Mapping[str, Callable[[], bytes]]) -> Iterator[tuple[str, bytes]]:
    """Every file with its bytes. Cards are drawn on all cores, a few ahead of their turn: Pillow lets go of Python."""
    cards = []
    for address, make in files.items():
        if address.endswith(".jpg"):
            cards.append(address)
        else:
            yield address, make()
    with ThreadPoolExecutor() as pool:
        for first in range(0, len(cards), _AHEAD):
            some = cards[first : first + _AHEAD]
            yield from zip(some, pool.map(lambda address: files[address](), some), strict=True)


def _manifest(output: Path) -> tuple[tuple[str, ...], str]:
    """What the last build wrote, and its stamp. Raises AtlasError if the folder holds what no build of ours made."""
    if output.exists() and not output.is_dir():
        raise AtlasError(f"{output} is a file; set `output` in atlas.toml to a folder")
    listed = _read_manifest(output)
    if listed is not None:
        return listed
    names = {f.name for f in output.iterdir()} if output.is_dir() else set()
    foreign = sorted(name for name in names - _OURS_ANYWAY if not name.startswith(".atlas-"))
    if foreign:
        raise AtlasError(
            f"{output} holds {foreign[0]} and was not built by atlas; "
            f"choose another `output` in atlas.toml, or empty that folder"
        )
    return (), ""


def _read_manifest(output: Path) -> tuple[tuple[str, ...], str] | None:
    """The addresses listed, but none out of the folder or in the store, and the stamp; None without a list."""
    try:
        manifest = json.loads((output / MANIFEST).read_bytes())
        listed, stamp = list(manifest["files"]), str(manifest.get("stamp", ""))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AtlasError(f"{output / MANIFEST} is damaged; delete it and all of {output} but store/") from None
    paths = [PurePosixPath(address) for address in listed if isinstance(address, str)]
    inside = {folder: _inside(output, folder) for folder in {path.parent for path in paths}}
    return tuple(str(p) for p in paths if inside[p.parent] and p.parts and p.parts[0] not in _OURS_ANYWAY), stamp


def _inside(output: Path, folder: PurePosixPath) -> bool:
    """Whether a folder is part of the output folder and not of the store, by whatever symbolic links."""
    if folder.is_absolute() or ".." in folder.parts:
        return False
    path, root = (output / folder).resolve(), output.resolve()
    return path.is_relative_to(root) and not path.is_relative_to(root / "store")


def _listing(addresses: set[str], stamp: str = "") -> bytes:
    return json.dumps({"stamp": stamp, "files": sorted(addresses)}, indent=0).encode() + b"\n"


def _put(output: Path, address: str, data: bytes) -> bool:
    """Write a file, whole or not at all, unless it is there already. True if it was written."""
    path = output / address
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = output / f".atlas-{os.getpid()}.tmp"
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True


def _remove(output: Path, address: str) -> bool:
    """Remove a file of an earlier build, and the folders that it leaves empty. True if it was there."""
    path = output / address
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    for folder in path.parents:
        if folder == output or os.listdir(folder):
            break
        folder.rmdir()
    return True
