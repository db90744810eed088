"""Every file of the site but the store, as values: its address, and a function that gives its bytes.

Nothing is written here, and each file is made when it is asked for.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jinja2
import msgspec

from generator.core.package import package_folder
from generator.core.units import Unit
from generator.core.views import VIEWS
from generator.links import addresses
from generator.publish.album import pixels
from generator.publish.assets.cards import ROW, CardPicture, Placed, mosaic, sheet_card, tiles, unit_card
from generator.publish.assets.facets import facet_names, facet_script
from generator.publish.assets.index import atlas_index, layer_index, robots, sitemap
from generator.publish.assets.search import search_index
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer
from generator.publish.content.previews import Preview
from generator.publish.content.quotes import oembed
from generator.publish.page import Page
from generator.publish.pages import all_pages
from generator.publish.pages.map import has_map, layer_map
from generator.publish.panels import read_study
from generator.publish.rendering import environment, render
from generator.publish.site import Site
from generator.store.findings import ANALYSES, Study
from generator.store.store import Store

Make = Callable[[], bytes]
Draw = Callable[[bytes | None], bytes]
"""Gives a preview; it is given the file that lies there already, which may be the same one."""


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """Files by address: those that are ``made`` from text; previews and photographs, which are ``drawn``."""

    made: Mapping[str, Make]
    drawn: Mapping[str, Draw]

    @property
    def addresses(self) -> frozenset[str]:
        """Of every file."""
        return frozenset((*self.made, *self.drawn))


def site_files(site: Site) -> SiteFiles:
    """All files of a site. Only a site with a published address has previews: a link to one is a whole address."""
    env = environment(site.config.templates)
    store = Store(site.config.store)
    pages = list(all_pages(site))
    made: dict[str, Make] = {page.address: partial(_render, env, site, page) for page in pages}
    made |= dict(_beside_pages(site, store))
    made |= dict(_static(site))
    made |= dict(_for_programs(site, [page.address for page in pages if page.listed]))
    previews = [page.preview for page in pages if page.preview] if site.config.url else []
    drawn = {preview.address: _draw(preview, store) for preview in previews}
    drawn |= dict(_view_cards(site, store)) if site.config.url else {}
    for sha256, path in site.catalog.album.files.items():
        drawn[addresses.photograph_address(sha256)] = partial(pixels, path)
    return SiteFiles(made, dict(_tiles(site, store)) | drawn | dict(_mosaics(site, store)))


def _render(env: jinja2.Environment, site: Site, page: Page) -> bytes:
    return render(env, site, page).encode()


def _beside_pages(site: Site, store: Store) -> Iterator[tuple[str, Make]]:
    """The index of each layer; of each unit the record, the thumbnail, and what a study found about it."""
    for checkpoint in site.checkpoints:
        name, study = checkpoint.name, read_study(site.catalog, checkpoint)
        for layer in checkpoint.layers.values():
            if layer.rendered:
                index = partial(layer_index, checkpoint, layer, cards=bool(site.config.url))
                yield addresses.layer_json_address(name, layer.name), index
                yield addresses.pictures_address(name, layer.name), partial(_pictures, layer)
            for unit in layer.rendered:
                if unit.record:
                    yield addresses.record_address(name, unit.unit), store.record_path(unit.record.key).read_bytes
                    yield addresses.thumbnail_address(name, unit.unit), store.path(unit.record.thumbnail).read_bytes
                    for view in unit.views:
                        record, thumbnail = view.record.key, view.record.thumbnail
                        yield addresses.record_address(name, unit.unit, view.name), store.record_path(record).read_bytes
                        yield addresses.thumbnail_address(name, unit.unit, view.name), store.path(thumbnail).read_bytes
                    if site.config.oembed:
                        yield addresses.oembed_address(name, unit.unit), partial(oembed, unit.record, name, site.config)
                    if _studied(site, checkpoint, layer.name):
                        found = partial(_study, study, unit.unit, unit.record.provenance.activation)
                        yield addresses.study_address(name, unit.unit), found


def _pictures(layer: AtlasLayer) -> bytes:
    """The picture of each unit, for the page of the layer; it is loaded when pictures are shown large."""
    names = ",".join(unit.record.picture.name if unit.record else "" for unit in layer.units)
    return f'globalThis.atlasPictures = "{names}".split(",");\n'.encode()


def _tiles(site: Site, store: Store) -> Iterator[tuple[str, Draw]]:
    """The sheets of small pictures for the page of each layer: its units by their numbers, row by row."""
    for checkpoint in site.checkpoints:
        for layer in checkpoint.layers.values():
            sheets: dict[int, list[Placed]] = {}
            for unit in layer.rendered:
                if unit.record:
                    thumbnail = unit.record.thumbnail
                    sheet, place = divmod(unit.unit.channel, ROW * ROW)
                    placed = CardPicture(store.path(thumbnail), thumbnail.sha256), *divmod(place, ROW)
                    sheets.setdefault(sheet, []).append(placed)
            for sheet, sources in sheets.items():
                yield addresses.tiles_address(checkpoint.name, layer.name, sheet), partial(tiles, sources)


def _studied(site: Site, checkpoint: AtlasCheckpoint, layer: str) -> bool:
    return site.config.study_files and any(
        site.catalog.latest(f"study/{name}", checkpoint.fingerprint, layer) for name in ANALYSES
    )


def _study(study: Study, unit: Unit, activation: float) -> bytes:
    return gzip.compress(msgspec.json.encode(study.of(unit, activation)) + b"\n", compresslevel=6, mtime=0)


def _static(site: Site) -> Iterator[tuple[str, Make]]:
    """Style sheets, scripts and schemas, and the two scripts that know of this atlas."""
    static, first = package_folder("static"), site.first.name
    for file in sorted(static.iterdir()):
        if file.is_file() and file.name != addresses.LATEX:
            make = partial(_script, file, first) if file.suffix == ".js" else file.read_bytes
            yield f"{addresses.STATIC}/{file.name}", make
    for file in sorted((static / addresses.SCHEMA).iterdir()):
        yield f"{addresses.SCHEMA}/{file.name}", partial(_schema, file)
    yield f"{addresses.STATIC}/units.js", partial(search_index, site.catalog)
    for name in facet_names(site.catalog):
        yield f"{addresses.STATIC}/facet-{name}.js", partial(facet_script, site.catalog, name)


def _schema(path: Path) -> bytes:
    """A JSON schema, with the views that there are."""
    views = ",\n      ".join(f'"{view}"' for view in VIEWS)
    return path.read_text(encoding="utf-8").replace('"{{views}}"', views).encode()


def _script(path: Path, first: str) -> bytes:
    """A script without comments and indentation. ``first`` is the checkpoint of a unit that names none."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    code = "".join(line.lstrip() for line in lines if not line.lstrip().startswith("//"))
    return code.replace("{{checkpoint}}", first).encode()


def _latex_package(url: str, first: str) -> bytes:
    """The package with which papers link the atlas. ``first`` is the checkpoint of a unit that names none."""
    text = (package_folder("static") / addresses.LATEX).read_text(encoding="utf-8")
    return text.replace("{{address}}", url).replace("{{checkpoint}}", first).encode()


def _for_programs(site: Site, listed: list[str]) -> Iterator[tuple[str, Make]]:
    url = site.config.url
    yield addresses.INDEX, partial(atlas_index, site.catalog)
    yield ".nojekyll", bytes  # GitHub Pages would leave out names that begin with an underscore
    yield "sitemap.xml", partial(sitemap, url, listed)
    if url and robots(url):
        yield "robots.txt", partial(robots, url)
    if url:
        yield addresses.LATEX, partial(_latex_package, url, site.first.name)


def _mosaics(site: Site, store: Store) -> Iterator[tuple[str, Draw]]:
    """The picture of the map of each layer that has one."""
    for checkpoint in site.checkpoints:
        for layer in checkpoint.layers.values():
            if has_map(site.catalog, checkpoint, layer):
                shown = layer_map(site.catalog, checkpoint, layer)
                thumbnails = [(x.unit.record.thumbnail, x.row, x.column) for x in shown.cells if x.unit.record]
                sources = [
                    (CardPicture(store.path(file), file.sha256), row, column) for file, row, column in thumbnails
                ]
                yield shown.picture, partial(mosaic, shown.side, sources)


def _view_cards(site: Site, store: Store) -> Iterator[tuple[str, Draw]]:
    """The pictures by other views as JPEG."""
    for checkpoint in site.checkpoints:
        for unit in (unit for layer in checkpoint.layers.values() for unit in layer.rendered):
            for view in unit.views:
                page, picture = addresses.unit_address(checkpoint.name, unit.unit), view.record.picture
                source = CardPicture(store.path(picture), picture.sha256)
                yield addresses.card_address(page, view.name), partial(unit_card, source)


def _draw(preview: Preview, store: Store) -> Draw:
    pictures = [unit.record.picture for unit in preview.units if unit.record]
    sources = [CardPicture(store.path(picture), picture.sha256) for picture in pictures]
    return partial(unit_card, sources[0]) if preview.width == preview.height else partial(sheet_card, sources)
