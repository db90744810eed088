"""An answer that is not a picture: numbers and arrays about a layer. It is kept and checked like a picture.

A kind of answer is a word, such as ``study/weights``. Its question is a small JSON object; kind and question together
are hashed to the key. The result is in files by role (``arrays``: an ``.npz`` of plain numbers, never pickled).
Small results are in the record itself, as ``facts``.

>>> question = {"fingerprint": "0" * 64, "layer": "mixed4a", "keep": 12}
>>> result = Result("study/weights", question, {"date": "2026-11-28"}, {"explained": 0.4}, {})
>>> read_answer(result.to_json()) == result
True
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from msgspec import Struct

from generator.core.recipe import canonical_json
from generator.core.record import FORMAT, Record, StoredFile, checksum, read_checked
from generator.core.schema import decode

RESULT_FORMAT = 2
KIND = re.compile(r"[a-z][a-z0-9-]{0,31}(/[a-z][a-z0-9-]{0,31})?")
_ROLE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PICTURE = "picture"  # the kind of a Record, which has a format of its own


@dataclass(frozen=True)
class Result:
    """One answer that is not a picture. ``stored`` are its files by role, ``facts`` its small results.

    ``provenance`` says how it was made: date, device, versions. Raises ValueError for a kind or role that is not a
    word, and for numbers that are not finite.
    """

    kind: str
    question: Mapping[str, Any]
    provenance: Mapping[str, Any]
    facts: Mapping[str, Any]
    stored: Mapping[str, StoredFile]

    def __post_init__(self) -> None:
        if not KIND.fullmatch(self.kind) or self.kind == _PICTURE:
            raise ValueError(f"{self.kind!r} is not a kind of answer")
        if wrong := [name for name in ("fingerprint", "layer") if not isinstance(self.question.get(name, ""), str)]:
            raise ValueError(f"the {wrong[0]} of its question is no word")
        if wrong := [role for role in self.stored if not _ROLE.fullmatch(role)]:
            raise ValueError(f"{wrong[0]!r} is not the role of a file")
        for role, file in self.stored.items():
            if not file.name.startswith(f"{self.key[:2]}/{self.key[2:]}.") or f".{role}." not in file.name:
                raise ValueError(f"{file.name} is not the {role} of this answer")

    @cached_property
    def key(self) -> str:
        """The name of the answer: 64 hexadecimal digits."""
        return result_key(self.kind, self.question)

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files that the store keeps beside the record."""
        return tuple(self.stored.values())

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it, without the checksum."""
        return {
            "format": RESULT_FORMAT,
            "kind": self.kind,
            "key": self.key,
            "question": dict(self.question),
            "made": dict(self.provenance),
            "facts": dict(self.facts),
            "files": {role: asdict(file) for role, file in self.stored.items()},
        }

    def to_json(self) -> bytes:
        """The record, with a checksum over its canonical JSON."""
        data = self.as_dict()
        return canonical_json({**data, "sha256": checksum(data)}) + b"\n"


def result_key(kind: str, question: Mapping[str, Any]) -> str:
    """The key of the answer to a question of this kind."""
    return checksum({"kind": kind, "question": question})


Answer = Record | Result
"""The answer that the store keeps under a key, of any kind."""


def read_answer(text: str | bytes) -> Answer:
    """Read a record of any kind. Raises ValueError that says what is wrong with it."""
    data = read_checked(text, FORMAT, RESULT_FORMAT)
    if data["format"] == FORMAT:
        return Record.from_dict(data)
    given = decode(data, _File)
    result = Result(given.kind, given.question, given.made, given.facts, given.files)
    if given.key != result.key:
        raise ValueError("its key is not that of its question")
    return result


class _File(Struct):
    """A record as it is written."""

    kind: str
    key: str
    question: dict[str, Any]
    made: dict[str, Any]
    facts: dict[str, Any]
    files: dict[str, StoredFile]
