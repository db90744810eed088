"""What the site says to programs: atlas.json, the index.json of each layer, sitemap.xml, robots.txt.

``atlas.json`` lists every unit with its page, record, pictures, activation and names; addresses in it are relative to
the folder it lies in. ``format`` is raised when a program that reads it would have to change; the schemas in
``static/schema/`` say what is in a format.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from generator.config.labels import LabelSource, sources_of
from generator.core.directions import AT, has_vector
from generator.core.record import Record
from generator.core.units import Unit
from generator.links import addresses
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer, AtlasUnit, Catalog, ViewShown

FORMAT = 1


def atlas_index(catalog: Catalog) -> bytes:
    """The atlas as JSON, one unit a line."""
    url = catalog.config.url
    head = {"format": FORMAT, "title": catalog.config.title, "url": url}
    checkpoints = ",\n".join(
        _with_units(
            _head(c) | _answers(catalog, c), c, (u for x in c.layers.values() for u in x.rendered), cards=bool(url)
        )
        for c in catalog.checkpoints
    )
    return f'{json.dumps(head)[:-1]}, "checkpoints": [\n{checkpoints}\n]}}\n'.encode()


def layer_index(checkpoint: AtlasCheckpoint, layer: AtlasLayer, *, cards: bool) -> bytes:
    """One layer as JSON: what it is, and its units as in atlas.json. ``cards`` if there are previews of units."""
    of = layer.layer
    head: dict[str, Any] = {
        "format": FORMAT,
        "checkpoint": _head(checkpoint),
        "layer": layer.name,
        "page": addresses.layer_address(checkpoint.name, layer.name),
        "channels": of.channels,
        "stride": of.stride,
        "receptive_field": of.receptive_field,
        "grid": layer.grid,
        "branches": [
            {"name": b.name, "first": b.first, "last": b.last, "receptive_field": b.receptive_field}
            for b in of.branches
        ],
    }
    return f"{_with_units(head, checkpoint, layer.rendered, cards=cards)}\n".encode()


def _head(checkpoint: AtlasCheckpoint) -> dict[str, Any]:
    return {
        "name": checkpoint.name,
        "architecture": checkpoint.checkpoint.architecture.name,
        "fingerprint": checkpoint.fingerprint,
        "page": addresses.checkpoint_address(checkpoint.name),
        **({"directions": directions} if (directions := _directions(checkpoint)) else {}),
    }


def _directions(checkpoint: AtlasCheckpoint) -> list[dict[str, Any]]:
    """The sets of directions that have a vector of their own and of which something is rendered."""
    sets = (
        checkpoint.checkpoint.architecture.direction_set(x.name) for x in checkpoint.layers.values() if x.is_directions
    )
    return [{"layer": x.layer, "name": x.name, "count": x.count} for x in sets if has_vector(str(x))]


def _answers(catalog: Catalog, checkpoint: AtlasCheckpoint) -> dict[str, Any]:
    """The answers about a checkpoint that are not pictures, if there are any."""
    own = [r for r in catalog.results if r.question.get("fingerprint") == checkpoint.fingerprint]
    own = [r for r in own if AT not in (layer := r.question.get("layer", "")) or layer in checkpoint.layers]
    listed = [{"kind": r.kind, "layer": r.question.get("layer"), "key": r.key} for r in own]
    return {"answers": listed} if listed else {}


def _with_units(head: dict[str, Any], checkpoint: AtlasCheckpoint, units: Iterable[AtlasUnit], *, cards: bool) -> str:
    """An object with ``units``, and the ``sources`` of their labels."""
    units = tuple(units)
    sources = {s: i for i, s in enumerate(sources_of(x for u in units for x in u.labels))}
    head["sources"] = [{"title": s.title, "url": s.url or None, "license": s.license or None} for s in sources]
    lines = ",\n".join(json.dumps(_unit(checkpoint.name, u, u.record, sources, cards=cards)) for u in units if u.record)
    return f'{json.dumps(head)[:-1]}, "units": [\n{lines}\n]}}'


def _unit(
    checkpoint: str, unit: AtlasUnit, record: Record, sources: Mapping[LabelSource, int], *, cards: bool
) -> dict[str, Any]:
    page = addresses.unit_address(checkpoint, unit.unit)
    entry: dict[str, Any] = {
        "unit": str(unit.unit),
        "branch": unit.branch.name if unit.branch else None,
        "activation": record.provenance.activation,
        "current": unit.current,
        "date": record.provenance.date,
        "page": page,
        "record": addresses.record_address(checkpoint, unit.unit),
        **({"card": addresses.card_address(page)} if cards else {}),
        "embed": addresses.embed_address(checkpoint, unit.unit),
        "picture": addresses.picture_address(record.picture),
        "thumbnail": addresses.picture_address(record.thumbnail),
    }
    if unit.views:
        entry["views"] = {view.name: _view(checkpoint, unit.unit, view, cards=cards) for view in unit.views}
    if record.question.vector:
        entry["vector"] = record.question.vector
    if (probability := record.provenance.probability) is not None:
        entry["probability"] = probability
    if unit.labels:
        entry["labels"] = [
            {"name": x.name, "family": x.family or None, "confidence": x.confidence, "source": sources[x.source]}
            for x in unit.labels
        ]
    return entry


def _view(checkpoint: str, unit: Unit, view: ViewShown, *, cards: bool) -> dict[str, Any]:
    """A picture by another view, as the unit's own is described."""
    made, page = view.record.provenance, addresses.unit_address(checkpoint, unit)
    return {
        "activation": made.activation,
        "current": view.current,
        "date": made.date,
        "page": f"{page}#{addresses.view_fragment(view.name)}",
        "record": addresses.record_address(checkpoint, unit, view.name),
        **({"card": addresses.card_address(page, view.name)} if cards else {}),
        "embed": addresses.embed_address(checkpoint, unit, view.name),
        "picture": addresses.picture_address(view.record.picture),
        "thumbnail": addresses.picture_address(view.record.thumbnail),
    }


def sitemap(base: str, pages: Iterable[str]) -> bytes:
    """Every page that is to be found. Up to 50,000 pages fit in one sitemap.

    Search engines read whole addresses alone; without ``base`` they are written from the site's own root, with a
    word on what to set.
    """
    listed = "".join(
        f"<url><loc>{escape(base + quote('' if base and page == addresses.HOME else page))}</loc></url>\n"
        for page in pages
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
