"""A tiny atlas to build and query: real records and real WebP files, invented weights.

>>> atlas = tiny_atlas(tmp_path)                                  # doctest: +SKIP
>>> build(atlas.config())                                         # doctest: +SKIP
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image

from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.config.atlas_toml import load_config
from generator.config.config import Config
from generator.core.recipe import Question, Recipe
from generator.core.record import EncodedFile, Provenance, Record
from generator.core.units import Unit, parse_units
from generator.store.store import Store

CHECKPOINT = "bvlc_googlenet"
FINGERPRINT = "ab" * 32
UNITS = ("conv2d0:0-5", "mixed3a:60-69", "mixed4a:0-3,9,12,200,447,448,511", "mixed5b:3")
STEPS = 8

TOML = f"""
[atlas]
title = "Tiny Atlas"

[checkpoints.{CHECKPOINT}]
units = ["conv2d0:0-7", "mixed3a:60-69", "mixed4a:0-12", "mixed5b:3"]
featured = ["mixed4a:12"]
fingerprint = "{FINGERPRINT}"

[recipe]
steps = {STEPS}
"""


LABELS = f"""
checkpoint = "{CHECKPOINT}"

[sources.post]
title = "A Post on Curves"
url = "https://post.example/curves"
license = "CC BY 4.0"

[[labels]]
unit = "mixed4a:0-1,12,40"
label = "Curve, left"
family = "Curves"
confidence = "published"
source = "post"
anchor = "left"

[[labels]]
unit = "conv2d0:3"
label = "Edge"
confidence = "low"
source = "post"
"""


@cache
def encoded(seed: int, side: int) -> EncodedFile:
    """A gradient in colours of its own, as WebP."""
    picture = Image.linear_gradient("L").resize((side, side)).rotate(90 * (seed % 4))
    colour = (seed * 47 % 256, seed * 91 % 256, seed * 13 % 256)
    data = io.BytesIO()
    Image.composite(Image.new("RGB", picture.size, colour), Image.new("RGB", picture.size), picture).save(data, "WEBP")
    return EncodedFile(data.getvalue(), side, side)


@dataclass(frozen=True)
class TinyAtlas:
    """A folder with an atlas.toml and a store."""

    folder: Path

    @property
    def site(self) -> Path:
        return self.folder / "site"

    @property
    def store(self) -> Store:
        return Store(self.site / "store")

    def toml(self, *changes: tuple[str, str]) -> None:
        """Rewrite atlas.toml from the original, with some of its text replaced."""
        text = TOML
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (self.folder / "atlas.toml").write_text(text, encoding="utf-8")

    def label(self, text: str, name: str = "tiny.toml") -> Path:
        """Put a file of labels beside atlas.toml."""
        path = self.folder / "labels" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def config(self) -> Config:
        return load_config(self.folder / "atlas.toml")

    def answer(
        self,
        unit: Unit,
        *,
        recipe: Recipe | None = None,
        view: str = "channel",
        fingerprint: str = FINGERPRINT,
        checkpoint: str = CHECKPOINT,
        date: str = "2025-01-02T03:04:05Z",
        activations: Sequence[float] | None = None,
        seed: int | None = None,
        force: bool = False,
        probability: float | None = None,
    ) -> Record:
        """Put an answer into the store and read it back."""
        question = Question(fingerprint, unit, view, recipe or Recipe(steps=STEPS))
        curve = tuple(activations if activations is not None else (unit.channel + 2.5 * i for i in range(STEPS)))
        made = Provenance(
            checkpoint=checkpoint,
            activations=curve,
            activation=(curve[-1] if curve else 0.0) + 1,
            spread=30.0 + unit.channel % 7,
            seconds=1.25,
            device="cpu",
            versions={"torch": "2.4.0", "python": "3.11"},
            date=date,
            probability=probability,
        )
        shade = unit.channel if seed is None else seed
        self.store.write(question, made, encoded(shade, 56), encoded(shade, 28), force=force)
        record = self.store.read(question.key)
        assert record
        return record


def tiny_atlas(folder: Path, units: Iterable[str] = UNITS) -> TinyAtlas:
    """An atlas with these units rendered."""
    atlas = TinyAtlas(folder)
    folder.mkdir(parents=True, exist_ok=True)
    atlas.toml()
    for word in units:
        for unit in parse_units(word, BVLC_GOOGLENET):
            atlas.answer(unit)
    return atlas


def other_recipe(**settings: object) -> Recipe:
    return replace(Recipe(steps=STEPS), **settings)  # type: ignore[arg-type]
