"""The data of the search box: one small script with every layer, the units rendered in it, and every name.

It is a script and not JSON, because a page that was opened from a disk may load a script, but no JSON. Addresses follow
from numbers and are left out, so the whole network with its names is a few kilobytes.
"""

import json
from typing import Any

from generator.core.architecture import OUTPUT
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
        **_names(checkpoint),
        "views": {
            view: {
                layer.name: write_channels(unit.unit.channel for unit, _ in layer.by_view[view])
                for layer in checkpoint.layers.values()
                if view in layer.by_view
            }
            for view in dict.fromkeys(view for layer in checkpoint.layers.values() for view in layer.by_view)
        },
    }


def _names(checkpoint: AtlasCheckpoint) -> dict[str, Any]:
    """Titles of sources; and each name with the places of its family (-1 for none) and its source, and its channels.
    Of the classes, those that are rendered have theirs."""
    labels = checkpoint.labels
    output = checkpoint.layers.get(OUTPUT)
    classes = {unit.unit: unit.labels for unit in output.rendered} if output else {}
    families = {family.slug: place for place, family in enumerate(labels.families)}
    sources: dict[str, int] = {}
    found: dict[tuple[str, int, int], dict[str, list[int]]] = {}
    for unit, of_unit in {**labels.of, **classes}.items():
        for label in of_unit:
            source = sources.setdefault(label.source.title, len(sources))
            key = (label.name, families.get(slug(label.family), -1), source)
            found.setdefault(key, {}).setdefault(unit.layer, []).append(unit.channel)
    names = [
        [*key, {layer: write_channels(channels) for layer, channels in layers.items()}] for key, layers in found.items()
    ]
    return {"sources": list(sources), "names": names}
