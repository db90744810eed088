"""The data of the search box: one small script with every layer, the units rendered in it, and every name.

>>> search_index(catalog)[:30]                                        # doctest: +SKIP
b'globalThis.atlasUnits={"checkp

It is a script and not JSON, because a page that was opened from a disk may load a script, but no JSON. Addresses follow
from numbers and are left out, so the whole network with its names is a few kilobytes.
"""

from __future__ import annotations

import json
from typing import Any

from generator.config.labels import Labels
from generator.core.units import write_channels
from generator.links.addresses import slug
from generator.publish.catalog import AtlasCheckpoint, Catalog


def search_index(catalog: Catalog) -> bytes:
    """The script that ``static/search.js`` loads when somebody begins to search."""
    said = {"checkpoints": [_checkpoint(checkpoint) for checkpoint in catalog.checkpoints]}
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return f"globalThis.atlasUnits={text};\n".encode()


def _checkpoint(checkpoint: AtlasCheckpoint) -> dict[str, Any]:
    return {
        "name": checkpoint.name,
        "layers": [
            [
                layer.name,
                layer.layer.channels,
                write_channels(u.unit.channel for u in layer.rendered),
                [[b.name, b.first, b.channels] for b in layer.layer.branches],
            ]
            for layer in checkpoint.layers.values()
        ],
        "families": [[family.name, family.slug] for family in checkpoint.labels.families],
        **_names(checkpoint.labels),
    }


def _names(labels: Labels) -> dict[str, Any]:
    """Titles of sources; and each name with the places of its family (-1 for none) and its source, and its channels."""
    families = {family.slug: place for place, family in enumerate(labels.families)}
    sources: dict[str, int] = {}
    found: dict[tuple[str, int, int], dict[str, list[int]]] = {}
    for unit, of_unit in labels.of.items():
        for label in of_unit:
            source = sources.setdefault(label.source.title, len(sources))
            key = (label.name, families.get(slug(label.family), -1), source)
            found.setdefault(key, {}).setdefault(unit.layer, []).append(unit.channel)
    names = [
        [*key, {layer: write_channels(channels) for layer, channels in layers.items()}] for key, layers in found.items()
    ]
    return {"sources": list(sources), "names": names}
