"""Records and the names of files: what is written is read back, and a changed byte is noticed."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.core.recipe import Question, Recipe
from generator.core.record import EncodedFile, Picture, Provenance, Record, StoredFile, name_file
from generator.core.result import Result, read_answer
from generator.core.units import Unit
from generator.core.views import views_of
from generator.store.store import Store

HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
WORDS = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20).filter(str.isprintable)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
UNITS = st.builds(Unit, st.sampled_from(["conv2d0", "mixed4a", "mixed4a_3x3_bottleneck"]), st.integers(0, 999_999))
DATES = st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='seconds')}Z")


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """A recipe with any settings that are in range."""
    settings: dict[str, Any] = {}
    for field in fields(Recipe):
        of, low, high = (field.metadata[name] for name in ("of", "low", "high"))
        if of:
            values: st.SearchStrategy[Any] = st.sampled_from(of)
        elif type(field.default) is bool:
            values = st.booleans()
        else:
            values = st.integers(low, high) if type(field.default) is int else st.floats(low, high)
        settings[field.name] = draw(st.just(field.default) | values)
    return Recipe(**settings)


QUESTIONS = st.builds(Question, HASHES, UNITS, st.sampled_from(views_of("mixed4a")), recipes())
MADE = st.builds(
    Provenance, WORDS, st.lists(NUMBERS, max_size=5).map(tuple), NUMBERS, NUMBERS, NUMBERS, WORDS,
    st.dictionaries(WORDS, WORDS, max_size=3), DATES,
)  # fmt: skip
SIZES = st.integers(1, 2**31 - 1)
FILES = st.builds(EncodedFile, st.binary(min_size=1, max_size=20), SIZES, SIZES)


@st.composite
def records(draw: st.DrawFn) -> Record:
    question = draw(QUESTIONS)
    picture, thumbnail = draw(FILES).named(question.key), draw(FILES).named(question.key, ".thumb")
    earlier = [file.named(question.key) for file in draw(st.lists(FILES, max_size=2))]
    return Record(question, draw(MADE), picture, thumbnail, tuple(earlier))


RESULTS = st.builds(
    Result, st.sampled_from(["study/weights", "numbers"]), st.dictionaries(WORDS, WORDS | NUMBERS, max_size=3),
    st.dictionaries(WORDS, WORDS, max_size=3), st.dictionaries(WORDS, NUMBERS | st.lists(NUMBERS, max_size=3)),
    st.just({}),
)  # fmt: skip
ANSWERS = records() | RESULTS


@given(ANSWERS)
def test_an_answer_reads_back_as_it_is_and_writes_the_same_bytes(answer: Record | Result) -> None:
    text = answer.to_json()
    again = read_answer(text)
    assert again == answer
    assert again.to_json() == text


@given(ANSWERS, st.data())
def test_a_changed_byte_is_noticed(answer: Record | Result, data: st.DataObject) -> None:
    """Or changes nothing that is said, as a space at the end does."""
    text = bytearray(answer.to_json())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    try:
        read = read_answer(bytes(text))
    except ValueError:
        return
    assert read == answer


@given(ANSWERS, st.integers(0, 100_000))
def test_half_a_record_is_none(answer: Record | Result, length: int) -> None:
    text = answer.to_json()
    with pytest.raises(ValueError):
        read_answer(text[: length % (len(text) - 1)])


@given(st.recursive(NUMBERS | WORDS | st.none(), lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)))
def test_any_other_json_is_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        read_answer(json.dumps(data))


@given(QUESTIONS, QUESTIONS)
def test_two_questions_have_one_key_only_if_they_are_one(one: Question, other: Question) -> None:
    assert Question.from_dict(one.as_dict()) == one
    assert (one.key == other.key) is (one.as_dict() == other.as_dict())


@given(st.binary(min_size=1, max_size=50), st.binary(min_size=1, max_size=50), HASHES)
def test_files_of_other_content_have_other_names(one: bytes, other: bytes, key: str) -> None:
    names = [name_file(data, key, ".arrays.npz").name for data in (one, other)]
    assert (names[0] == names[1]) is (one == other)


@given(
    st.text(max_size=120) | st.from_regex(r"\A(\.\./|/)?[0-9a-f]{2}/[0-9a-f]{62}\.[0-9a-f]{16}[./a-z]{0,12}\Z"), HASHES
)
def test_no_name_leads_out_of_the_store(name: str, sha256: str) -> None:
    root = Path("/some/store")
    for kind in (lambda: StoredFile(name, sha256, 1), lambda: Picture(name, sha256, 1, 1, 1)):
        try:
            file = kind()
        except ValueError:
            continue
        assert Store(root).path(file).resolve().is_relative_to(root)
