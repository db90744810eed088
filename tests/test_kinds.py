"""The store keeps answers of any kind: what holds for pictures holds for numbers about a layer."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import tiny_atlas

from generator.core.result import Result, read_answer, result_key
from generator.store.store import Damage, DamagedError, Store

KIND = "study/brightness"
QUESTION = {"fingerprint": "0" * 64, "layer": "mixed4a", "settings": {"bins": 8}}
MADE = {"date": "2026-11-28", "device": "cpu"}


def arrays(**values: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


DATA = arrays(mean=np.arange(512, dtype=np.float32))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def keep(store: Store, data: bytes = DATA, **question: Any) -> Result:
    return store.keep(KIND, {**QUESTION, **question}, MADE, facts={"units": 512}, files={"arrays": ("npz", data)})


def test_what_is_kept_is_read_again(store: Store) -> None:
    kept = keep(store)
    assert kept.key == result_key(KIND, QUESTION)
    assert kept.key in store
    found = store.answer(kept.key)
    assert found == kept
    assert isinstance(found, Result)
    assert found.facts == {"units": 512}
    assert store.arrays(found)["mean"].tolist() == list(range(512))
    assert store.sizes() == {kept.key: len(DATA) + len(kept.to_json())}


def test_another_question_has_another_key(store: Store) -> None:
    assert keep(store).key != keep(store, layer="mixed4b").key
    assert result_key("study/other", QUESTION) != result_key(KIND, QUESTION)


def test_pictures_and_other_answers_lie_side_by_side(tmp_path: Path) -> None:
    store = tiny_atlas(tmp_path, ["mixed4a:0-3"]).store
    pictures = list(store.records())
    kept = keep(store)
    assert list(store.records()) == pictures
    assert store.read(kept.key) is None, "it is no picture"
    assert {answer.key for answer in store.answers()} == {kept.key, *(r.key for r in pictures)}
    assert not any(isinstance(found, Damage) for found in store.verify())
    assert not list(store.unclaimed())


def test_a_newer_answer_replaces_the_older_and_its_files(store: Store) -> None:
    first = keep(store)
    second = keep(store, arrays(mean=np.zeros(512, dtype=np.float32)))
    assert second.key == first.key
    assert store.arrays(second)["mean"].max() == 0
    assert not store.path(first.files[0]).exists()


@pytest.mark.parametrize("at", [40, -40])
def test_a_changed_byte_is_found_set_aside_and_never_read(store: Store, at: int) -> None:
    kept = keep(store)
    path = store.path(kept.files[0])
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="wrong sha256"):
        store.arrays(kept)
    (damage,) = store.verify()
    assert isinstance(damage, Damage)
    assert "is not what its record says" in damage.reason
    store.set_aside(damage)
    assert kept.key not in store
    assert not list(store.verify())


def test_a_missing_file_is_named(store: Store) -> None:
    kept = keep(store)
    store.path(kept.files[0]).unlink()
    (damage,) = store.verify()
    assert isinstance(damage, Damage)
    assert "is missing" in damage.reason
    with pytest.raises(DamagedError, match="cannot be read"):
        store.arrays(kept)


def test_what_is_pickled_is_refused(store: Store) -> None:
    kept = keep(store, arrays(bad=np.array([{"a": 1}], dtype=object)))
    with pytest.raises(DamagedError, match="no plain arrays"):
        store.arrays(kept)
    with pytest.raises(DamagedError, match="no plain arrays"):
        store.arrays(keep(store, pickle.dumps([1]), layer="x"))


def test_an_answer_is_adopted_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    kept = keep(store)
    text, files = store.record_path(kept.key).read_bytes(), {kept.files[0].name: DATA}
    other = Store(tmp_path / "other")
    with pytest.raises(DamagedError, match="is not a file of it"):
        other.adopt(text, {kept.files[0].name: DATA + b"!"})
    assert list(other.keys()) == []
    assert other.adopt(text, files)
    assert not other.adopt(text, files), "one that is there stays"
    assert other.answer(kept.key) == kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "../x"}, "is not a kind"),
        ({"kind": "picture"}, "is not a kind"),
        ({"question": {"layer": "mixed4b"}}, "is not the arrays of this answer|its key is not"),
        ({"question": [1]}, "not a JSON object"),
        ({"files": {"Arrays!": None}}, "not a record"),
        (
            {"files": {"arrays": {"name": "../../etc/passwd", "sha256": "0" * 64, "bytes": 3}}},
            "is not the name of a file",
        ),
        ({"key": "0" * 64}, "its key is not"),
        ({"format": 3}, "is neither 1 nor 2"),
    ],
)
def test_a_record_that_lies_is_refused(store: Store, change: dict[str, Any], said: str) -> None:
    from generator.core.record import checksum

    data = {**keep(store).as_dict(), **change}
    with pytest.raises(ValueError, match=said):
        read_answer(json.dumps({**data, "sha256": checksum(data)}))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_changed_bit_of_a_record_is_noticed(store: Store, at: int, bit: int) -> None:
    text = bytearray(keep(store).to_json())
    text[at % (len(text) - 1)] ^= 1 << bit
    with pytest.raises(ValueError):
        read_answer(bytes(text))
