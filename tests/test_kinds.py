"""The store keeps answers of any kind: what holds for pictures holds for numbers about a layer."""

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shell import Run
from tiny import CHECKPOINT, FINGERPRINT, TinyAtlas, tiny_atlas

from generator.core.record import checksum
from generator.core.result import Result, read_answer, result_key
from generator.publish.build import build
from generator.publish.check.site import check
from generator.reader.atlas import Atlas
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
        ({"question": {**QUESTION, "layer": ["mixed4a"]}}, "the layer of its question is no word"),
        ({"question": {**QUESTION, "fingerprint": None}}, "the fingerprint of its question is no word"),
        ({"question": [1]}, "question = .1.: Expected `object`"),
        ({"files": {"Arrays!": None}}, "Expected `object`, got `null`"),
        (
            {"files": {"arrays": {"name": "../../etc/passwd", "sha256": "0" * 64, "bytes": 3}}},
            "is not the name of a file",
        ),
        ({"key": "0" * 64}, "its key is not"),
        ({"format": 3}, "is not 1 or 2"),
    ],
)
def test_a_record_that_lies_is_refused(store: Store, change: dict[str, Any], said: str) -> None:
    data = {**keep(store).as_dict(), **change}
    with pytest.raises(ValueError, match=said):
        read_answer(json.dumps({**data, "sha256": checksum(data)}))


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_changed_bit_of_a_record_is_noticed(at: int, bit: int) -> None:
    text = bytearray(Result(KIND, QUESTION, MADE, {"units": 512}, {}).to_json())
    text[at % (len(text) - 1)] ^= 1 << bit
    with pytest.raises(ValueError):
        read_answer(bytes(text))


def test_a_small_file_that_unpacks_to_fill_the_memory_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, zeros=np.zeros(1_000_000, dtype=np.uint8))
    kept = keep(store, file.getvalue())
    assert store.arrays(kept)["zeros"].size == 1_000_000
    monkeypatch.setattr("generator.store.store._LARGEST", 900_000)
    with pytest.raises(DamagedError, match="more than 900,000"):
        store.arrays(kept)


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + bytes(18), b"\x93NUMPY\x01\x00\x02\x00{}", b"{}", DATA[:-30]])
def test_what_is_no_file_of_arrays_is_told(store: Store, data: bytes) -> None:
    kept = keep(store, data or b"?")
    try:
        assert store.arrays(kept) == {}
    except DamagedError as error:
        assert "no plain arrays" in str(error)  # noqa: PT017 - an empty archive is none that is damaged


def study(atlas: TinyAtlas, layer: str = "mixed4a", **provenance: str) -> Result:
    """Keep a made-up answer about a layer of the atlas."""
    made = {"checkpoint": CHECKPOINT, "date": "2026-01-02T03:04:05Z", **provenance}
    question = {"fingerprint": FINGERPRINT, "layer": layer}
    return atlas.store.keep(KIND, question, made, files={"arrays": ("npz", DATA), "notes": ("json", b"[1]")})


def test_status_verify_check_and_promise_cover_any_kind(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = tiny_atlas(tmp_path, ["mixed4a:0-1"])
    build(atlas.config())
    before = (atlas.site / "atlas.json").read_bytes()
    kept = study(atlas)
    atlas.store.keep("study/facts", {"fingerprint": FINGERPRINT}, {"date": "2026-01-02"}, facts={"alone": True})
    monkeypatch.chdir(tmp_path)
    (brightness, facts) = json.loads(run("status", "--json")[1])[0]["answers"]
    assert brightness == {"kind": KIND, "answers": 1, "bytes": len(DATA) + 3 + len(kept.to_json())}
    assert (facts["kind"], facts["answers"]) == ("study/facts", 1)
    assert f"{KIND:<24}" in run("status")[1]
    build(atlas.config())
    assert not check(atlas.config())
    assert (atlas.site / "atlas.json").read_bytes() != before
    assert run("promise")[0] == 0
    assert run("promise")[0] == 0, "what it wrote it reads"
    path = atlas.store.path(kept.stored["notes"])
    path.unlink()
    assert any("is missing" in problem.what for problem in check(atlas.config()))
    code, out, _ = run("verify")
    assert (code, "1 damaged" in out) == (1, True)
    assert kept.key not in atlas.store


def test_an_atlas_without_other_answers_says_nothing_of_them(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path, ["mixed4a:0-1"])
    build(atlas.config())
    assert "answers" not in json.loads((atlas.site / "atlas.json").read_bytes())["checkpoints"][0]


def test_pull_brings_any_kind(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, own = tiny_atlas(tmp_path / "theirs", ["mixed4a:0-1", "mixed4b:0"]), tiny_atlas(tmp_path / "own", [])
    kept, other = study(theirs), study(theirs, "mixed4b")
    build(theirs.config())
    monkeypatch.chdir(own.folder)
    assert "pulled 3, already there 0, failed 0" in run("pull", str(theirs.site), "mixed4a")[1]
    assert own.store.answer(kept.key) == kept
    assert other.key not in own.store, "its layer was not asked for"
    assert "pulled 2, already there 3, failed 0" in run("pull", str(theirs.site))[1]
    assert own.store.record_path(other.key).read_bytes() == theirs.store.record_path(other.key).read_bytes()
    assert not any(isinstance(found, Damage) for found in own.store.verify())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda atlas: study(atlas, checkpoint="untrained"), "made for the checkpoint “untrained”"),
        (lambda atlas: study(atlas, date="9999-01-01"), "a day that has not come"),
        (lambda atlas: study(atlas, date="soon"), "must be a date"),
        (lambda atlas: atlas.store.path(study(atlas).stored["arrays"]).write_bytes(DATA[:-1] + b"!"), "wrong sha256"),
        (lambda atlas: atlas.store.record_path(study(atlas).key).write_bytes(b"{}"), "is damaged"),
        (lambda atlas: swapped(atlas), "is not the record of"),
    ],
)
def test_what_a_stranger_says_of_other_answers_is_checked(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, harm: Any, said: str
) -> None:
    theirs, own = tiny_atlas(tmp_path / "theirs", ["mixed4a:0"]), tiny_atlas(tmp_path / "own", [])
    study(theirs)
    build(theirs.config())
    harm(theirs)
    monkeypatch.chdir(own.folder)
    code, out, err = run("pull", str(theirs.site))
    assert (code, "pulled 1, already there 0, failed 1" in out) == (1, True), err
    assert f"failed: {KIND} of mixed4a: " in err
    assert said in err
    assert len(list(own.store.keys())) == 1, "the picture alone"


def swapped(atlas: TinyAtlas) -> None:
    """The record of one answer under the key of another."""
    one, other = study(atlas), study(atlas, "mixed4b")
    atlas.store.record_path(one.key).write_bytes(atlas.store.record_path(other.key).read_bytes())


@pytest.mark.parametrize("entry", [{"kind": "../x"}, {"key": "../" * 21 + "x"}, {"layer": "<b>"}, {"key": 7}])
def test_an_index_that_lies_about_answers_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    atlas = tiny_atlas(tmp_path, ["mixed4a:0"])
    study(atlas)
    build(atlas.config())
    path = atlas.site / "atlas.json"
    index = json.loads(path.read_bytes())
    index["checkpoints"][0]["answers"][0].update(entry)
    path.write_text(json.dumps(index))
    with pytest.raises(Exception, match="is not the index of an atlas"):
        Atlas.open(atlas.site)
