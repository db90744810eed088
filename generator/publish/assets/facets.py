"""The data of the search box for ``hue:red`` and other facets: a script for each, loaded when it is asked for.

Of a value it has the rendered units, the clearest first, as LAYER.CHANNEL, where LAYER is the layer's place in
``units.js``. What is like a unit is in a script for each layer, ``like-mixed4a``.
"""

import json
from collections.abc import Iterator

from generator.core.units import Unit
from generator.publish.catalog import AtlasCheckpoint, Catalog
from generator.publish.panels import read_study
from generator.store.facets import FACETS, facet_index
from generator.store.findings import ANALYSES, as_written


def facet_names(catalog: Catalog) -> Iterator[str]:
    """The scripts of an atlas; none where nothing was studied."""
    main = {layer for c in catalog.checkpoints for layer in c.checkpoint.architecture.main_layers}
    known = {result.question.get("layer"): result for result in catalog.results if result.kind[6:] in ANALYSES}
    if known:
        yield from (name for name in FACETS if name != "like")
    yield from sorted(f"like-{layer}" for layer in main & known.keys())


def facet_script(catalog: Catalog, script: str) -> bytes:
    """One script of :func:`facet_names`."""
    name, _, layer = script.partition("-")
    facet = FACETS[name]
    of = {c.name: index for c in catalog.checkpoints if (index := _index(catalog, c, name, layer))}
    said = {"step": facet.step, "period": facet.period, "names": dict(facet.names), "of": of}
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return f'(globalThis.atlasFacets??={{}})["{script}"]={text};\n'.encode()


def _index(catalog: Catalog, checkpoint: AtlasCheckpoint, name: str, layer: str) -> dict[str, str]:
    place = {layer: i for i, layer in enumerate(checkpoint.layers)}
    if layer and layer not in place:
        return {}

    def written(units: tuple[Unit, ...]) -> str:
        known = (unit for unit in units if unit.layer in place)  # not a set of directions without a picture
        shown = (unit for unit in known if checkpoint.layers[unit.layer].units[unit.channel].record)
        return " ".join(f"{place[unit.layer]}.{unit.channel}" for unit in shown)

    with as_written(checkpoint.name):
        index = facet_index(read_study(catalog, checkpoint), name, (layer,) if layer else ())
        found = ((value.rpartition(":")[2] if layer else value, written(units)) for value, units in index.items())
        return {value: units for value, units in sorted(found) if units}
