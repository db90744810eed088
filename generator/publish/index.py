"""What the site says to programs: atlas.json, sitemap.xml, robots.txt.

``atlas.json`` lists every unit with its page, record, pictures and activation; addresses in it are relative to the
folder it lies in. ``format`` is raised when a program that reads it would have to change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from generator.publish import urls
from generator.publish.catalog import AtlasCheckpoint, Catalog

FORMAT = 1


def atlas_index(catalog: Catalog) -> bytes:
    """The atlas as JSON, one unit a line."""
    head = {"format": FORMAT, "title": catalog.config.title, "url": catalog.config.url}
    checkpoints = ",\n".join(_checkpoint(c) for c in catalog.checkpoints)
    return f'{json.dumps(head)[:-1]}, "checkpoints": [\n{checkpoints}\n]}}\n'.encode()


def _checkpoint(checkpoint: AtlasCheckpoint) -> str:
    head = {
        "name": checkpoint.name,
        "architecture": checkpoint.checkpoint.architecture.name,
        "fingerprint": checkpoint.fingerprint,
        "page": urls.checkpoint_address(checkpoint.name),
    }
    units = []
    for layer in checkpoint.layers.values():
        for unit in layer.rendered:
            if record := unit.record:
                units.append(
                    json.dumps({
                        "unit": str(unit.unit),
                        "branch": unit.branch.name if unit.branch else None,
                        "activation": record.made.activation,
                        "current": unit.current,
                        "page": urls.unit_address(checkpoint.name, unit.unit),
                        "record": urls.record_address(checkpoint.name, unit.unit),
                        "picture": urls.picture_address(record.picture),
                        "thumbnail": urls.picture_address(record.thumbnail),
                    })
                )  # fmt: skip
    return f'{json.dumps(head)[:-1]}, "units": [\n' + ",\n".join(units) + "\n]}"


def sitemap(base: str, pages: Iterable[str]) -> bytes:
    """Every page but the one for what is not there. Up to 50,000 pages fit in one sitemap.

    Search engines read whole addresses alone; without ``base`` they are written from the site's own root, with a
    word on what to set.
    """
    listed = "".join(
        f"<url><loc>{escape(base + quote('' if base and page == urls.HOME else page))}</loc></url>\n"
        for page in pages
        if page != urls.NOT_FOUND
    )
    hint = "" if base else "<!-- set url in atlas.toml: search engines want whole addresses -->\n"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{hint}'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{listed}</urlset>\n'
    ).encode()


def robots(base: str) -> bytes:
    """robots.txt, or b"" where the atlas is not at the root of its host: crawlers look for it nowhere else."""
    if urlsplit(base).path.strip("/"):
        return b""
    return f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n".encode()
