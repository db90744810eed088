"""A store of every unit of the network without rendering any: the pictures of a real store under the keys of all units.

>>> python benchmarks/synthetic.py FOLDER          # an atlas.toml and a store of 5,808 units; then: atlas build

Sizes and curves are real, so pages weigh and builds take what they would; which picture belongs to which unit is not.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from generator.config.atlas_toml import load_config
from generator.core.recipe import Question
from generator.core.record import Record
from generator.core.units import Unit
from generator.store.store import Store

ROOT = Path(__file__).parent.parent


def synthetic(folder: Path, layers: Sequence[str] = (), source: Path = ROOT) -> int:
    """Write an atlas of all units of some layers, by default the main ones, into a folder; how many there are.

    The answers of each layer are those of ``source``, in turn.
    """
    config = load_config(source / "atlas.toml")
    checkpoint, store = config.checkpoint(), Store(config.store)
    text = config.path.read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / config.path.name).write_text(text, encoding="utf-8")
    for named in (path for each in config.checkpoints for path in each.files):
        copy = folder / named.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(named, copy)
    target = Store(folder / "site" / "store")
    real: dict[str, list[Record]] = {}
    for record in store.records():
        if record.provenance.checkpoint == checkpoint.name and record.question.view == "channel":
            real.setdefault(record.question.unit.layer, []).append(record)
    units = 0
    for layer in layers or checkpoint.architecture.main_layers:
        answers = cycle(real[layer])
        for channel in range(checkpoint.architecture.layers[layer].channels):
            record = next(answers)
            question = config.question(record.question.fingerprint, Unit(layer, channel))
            for path, data in files(question, record, store):
                (target.root / path).parent.mkdir(parents=True, exist_ok=True)
                (target.root / path).write_bytes(data)
            units += 1
    return units


def files(question: Question, record: Record, store: Store) -> Iterator[tuple[str, bytes]]:
    """The files of an answer to another question with the pictures of a record; not synced, for they can be lost."""
    named = []
    for picture, suffix in ((record.picture, ""), (record.thumbnail, ".thumb")):
        key = question.key
        named.append(replace(picture, name=f"{key[:2]}/{key[2:]}.{picture.sha256[:16]}{suffix}.webp"))
        yield named[-1].name, store.path(picture).read_bytes()
    yield (
        f"{key[:2]}/{key[2:]}.json",
        replace(record, question=question, picture=named[0], thumbnail=named[1], earlier=()).to_json(),
    )


if __name__ == "__main__":
    print(f"{synthetic(Path(sys.argv[1])):,} units in {sys.argv[1]}")
