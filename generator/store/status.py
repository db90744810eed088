"""How far an atlas is: what atlas.toml selects, and how much of that is in the store.

A unit counts as rendered if the store answers exactly the question that atlas.toml asks of it now, so ``missing`` is
what `atlas render` would do.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from generator.config.config import CheckpointConfig, Config
from generator.config.lesson_questions import lesson_questions
from generator.core.recipe import Question
from generator.core.record import Record
from generator.core.result import Result
from generator.core.units import Unit
from generator.store.store import Store

NOT_KNOWN = "0" * 64  # the fingerprint of weights that were not read: no answer in the store has it


@dataclass(frozen=True, slots=True)
class LayerStatus:
    """One layer: the units selected, the number rendered, the units missing, and the size of the answers.

    ``lesson`` is a layer here too: the pictures of the page "How these pictures are made" that no unit's page shows.
    """

    layer: str
    selected: int
    missing: tuple[Unit, ...]
    bytes: int

    @property
    def rendered(self) -> int:
        """How many of the selected units the store has."""
        return self.selected - len(self.missing)


@dataclass(frozen=True, slots=True)
class KindStatus:
    """Answers of one kind that are not pictures, such as a study's: how many there are, and their bytes."""

    kind: str
    answers: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CheckpointStatus:
    """One checkpoint. ``fingerprint`` is None as long as nothing is rendered and atlas.toml gives none."""

    name: str
    fingerprint: str | None
    layers: tuple[LayerStatus, ...]
    kinds: tuple[KindStatus, ...] = ()

    @property
    def selected(self) -> int:
        """How many units atlas.toml selects."""
        return sum(x.selected for x in self.layers)

    @property
    def rendered(self) -> int:
        """How many of them the store has."""
        return sum(x.rendered for x in self.layers)

    @property
    def bytes(self) -> int:
        """Of their pictures and records."""
        return sum(x.bytes for x in self.layers)

    @property
    def missing(self) -> tuple[Unit, ...]:
        """Those that `atlas render` would render."""
        return tuple(unit for x in self.layers for unit in x.missing)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "checkpoint": self.name,
            "fingerprint": self.fingerprint,
            "selected": self.selected,
            "rendered": self.rendered,
            "bytes": self.bytes,
            "layers": [
                {"layer": x.layer, "selected": x.selected, "rendered": x.rendered, "bytes": x.bytes,
                 "missing": [str(u) for u in x.missing]}
                for x in self.layers
            ],
            "answers": [asdict(kind) for kind in self.kinds],
        }  # fmt: skip


def known_fingerprint(checkpoint: CheckpointConfig, records: Iterable[Record]) -> str | None:
    """The fingerprint of a checkpoint: from atlas.toml, else from its newest record."""
    if checkpoint.fingerprint:
        return checkpoint.fingerprint
    own = [r for r in records if r.provenance.checkpoint == checkpoint.name]
    return max(own, key=lambda record: record.age).question.fingerprint if own else None


def status(config: Config, store: Store) -> tuple[CheckpointStatus, ...]:
    """Each checkpoint of atlas.toml, with the layers in which it selects units."""
    weighed = store.sizes()
    unsure = any(c.fingerprint is None for c in config.checkpoints)
    records = tuple(store.records()) if unsure else ()
    results = tuple(store.results())
    return tuple(
        _checkpoint(config, checkpoint, known_fingerprint(checkpoint, records), weighed, results)
        for checkpoint in config.checkpoints
    )


def _checkpoint(
    config: Config,
    checkpoint: CheckpointConfig,
    fingerprint: str | None,
    weighed: dict[str, int],
    results: Iterable[Result],
) -> CheckpointStatus:
    asked: dict[str, list[Question]] = {}
    for unit, view in checkpoint.asked:
        asked.setdefault(unit.layer, []).append(config.question(fingerprint or NOT_KNOWN, unit, view))
    if config.teaches(checkpoint) and (lesson := lesson_questions(config, fingerprint or NOT_KNOWN)):
        asked["lesson"] = [question for question in lesson if question not in asked.get(question.unit.layer, ())]
    layers = []
    for layer, questions in asked.items():
        sizes = [weighed.get(question.key) for question in questions]
        missing = tuple(q.unit for q, size in zip(questions, sizes, strict=True) if size is None)
        layers.append(LayerStatus(layer, len(questions), missing, sum(size or 0 for size in sizes)))
    kinds: dict[str, list[int]] = {}
    for result in results:
        if fingerprint and result.question.get("fingerprint") == fingerprint:
            kinds.setdefault(result.kind, []).append(weighed.get(result.key, 0))
    others = tuple(KindStatus(kind, len(sizes), sum(sizes)) for kind, sizes in sorted(kinds.items()))
    return CheckpointStatus(checkpoint.name, fingerprint, tuple(layers), others)
