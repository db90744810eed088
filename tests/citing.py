"""An atlas to cite: published at an address, with two checkpoints and labels that try to break out of where they stand.

>>> atlas = atlas_to_cite(tmp_path)                               # doctest: +SKIP
>>> spelled_out("bvlc_googlenet/mixed4a/9.html#p-hash", atlas)    # doctest: +SKIP
'bvlc_googlenet/mixed4a/9.html#p-9a02b62f'

Hashes of pictures vary with the WebP encoder, so documents that are kept have none.
"""

from collections.abc import Iterator
from pathlib import Path

from tiny import TinyAtlas, tiny_atlas

from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.cite.document import cite
from generator.cite.mentions import Language
from generator.core.units import Unit, parse_units
from generator.links.addresses import picture_fragment
from generator.publish.build import build
from generator.reader.atlas import Atlas

DATA = Path(__file__).parent / "data/cite"
BASE = "https://example.org/atlas/"
LUCID_CHECKPOINT = "cd" * 32
HOSTILE = '<script>"]`|{{x}}\\$'
LABELS = f"""
checkpoint = "bvlc_googlenet"
[sources.post]
title = "A Post on Curves"
url = "https://post.example/curves"
license = "CC BY 4.0"
[[labels]]
unit = "mixed4a:12"
label = '{HOSTILE}'
confidence = "low"
source = "post"
"""


N = "mixed4a:9"
PAGE = f"{BASE}bvlc_googlenet/mixed4a/9.html"


def tiny_to_cite(folder: Path) -> TinyAtlas:
    tiny = tiny_atlas(folder)
    tiny.label(LABELS)
    tiny.answer(Unit("mixed4a", 9), view="neuron", seed=1)
    for word in ("mixed4a:5,11,197", "mixed3b:379"):
        for unit in parse_units(word, INCEPTION5H):
            tiny.answer(unit, fingerprint=LUCID_CHECKPOINT, checkpoint="inception5h")
    tiny.toml(
        ('title = "Tiny Atlas"', f'title = "Tiny_Atlas, 100% [mixed4a:9]"\nurl = "{BASE}"'),
        (
            "[recipe]",
            f'[checkpoints.inception5h]\nunits = ["mixed4a:5,11,197"]\nfingerprint = "{LUCID_CHECKPOINT}"\n\n[recipe]',
        ),
    )
    build(tiny.config())
    return tiny


def atlas_to_cite(folder: Path) -> Atlas:
    return Atlas.open(tiny_to_cite(folder).site)


def spelled_out(text: str, atlas: Atlas) -> str:
    """A kept document, with the hashes that pictures have here."""
    for ours, theirs in _hashes(atlas):
        text = text.replace(theirs, ours)
    return text


def as_kept(text: str, atlas: Atlas) -> str:
    for ours, theirs in _hashes(atlas):
        text = text.replace(ours, theirs)
    return text


def _hashes(atlas: Atlas) -> Iterator[tuple[str, str]]:
    for unit in atlas:
        name = f"{unit.checkpoint}/{unit.unit.layer}/{unit.unit.channel}"
        for hash_ in ("#", r"\#"):
            yield f"{name}.html{hash_}{picture_fragment(unit.sha256)}", f"{name}.html{hash_}p-hash"
        yield unit.picture, f"store/{name}.hash.webp"
        yield unit.thumbnail, f"store/{name}.hash.thumb.webp"


def linked(text: str, kind: Language, atlas: Atlas) -> str:
    """A document with links, shortened: «» is a name that became one, ° one that did not."""
    new = cite(text.replace("«»", N).replace("°", N), kind, atlas).text
    for form in (f"[{N}]({PAGE})", f'<a href="{PAGE}">{N}</a>', f"\\href{{{PAGE}}}{{{N}}}"):
        new = new.replace(form, "«»")
    return new.replace(N, "°")
