"""Small answers with files of random bytes, for tests and for the processes that they start: it imports no pytest.

>>> put(store, 11, "b", force=True)                               # doctest: +SKIP
True
"""

import random

from generator.core.recipe import Question, Recipe
from generator.core.record import EncodedFile, Provenance
from generator.core.units import Unit
from generator.store.store import Store

MADE = Provenance("bvlc_googlenet", (0.5, 1.5), 2.5, 40.0, 3.0, "cpu", {"torch": "2.4"}, "2026-01-01")


def ask(channel: int = 11) -> Question:
    return Question("ab" * 32, Unit("mixed4a", channel), "channel", Recipe())


def encoded(text: str, size: int = 5000) -> EncodedFile:
    return EncodedFile(random.Random(text).randbytes(size), 224, 224)


def put(store: Store, channel: int = 11, version: str = "", *, force: bool = False) -> bool:
    words = f"{channel}{version}"
    return store.write(ask(channel), MADE, encoded(f"p{words}"), encoded(f"t{words}", 900), force=force)
