"""The question and its key: what is in it, what is not, and that it does not change unnoticed."""

import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import pytest

from generator.config.atlas_toml import load_config
from generator.core.errors import UsageError
from generator.core.recipe import SETTINGS, Question, Recipe, canonical_json
from generator.core.units import Unit
from generator.core.views import VIEWS, View, views_of

DEFAULT = Question("0123456789abcdef" * 4, Unit("mixed4a", 11), "channel", Recipe())


def test_the_keys_of_two_recipes() -> None:
    """Keys are addresses that others hold: pictures, pages, citations. If this fails, a change of yours renders every
    atlas anew; if that is meant, raise RENDERER, say so in the changelog, and put the new keys here."""
    assert DEFAULT.key == "27dcefd8727d0743262ac5797ad89813c45bf66ab27fc571f16b5cdeff36b378"
    before = replace(DEFAULT, recipe=Recipe(decay=1.0))  # the default until decay was 1.3
    assert before.key == "43e96b073897b7d51871f637e7c292b852d962568079436f9fa0a8626962e112"
    assert DEFAULT.draw_seed == 9361071549923543663


def test_a_view_whose_pictures_change_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config(Path(__file__).parents[1] / "atlas.toml")
    unit = Unit("mixed4a", 11)
    before = {view: config.question("0" * 64, unit, view).key for view in views_of("mixed4a")}
    monkeypatch.setitem(cast(dict[str, View], VIEWS), "diversity", replace(VIEWS["diversity"], renderer=2))
    after = {view: config.question("0" * 64, unit, view).key for view in before}
    assert {view for view in before if before[view] != after[view]} == {"diversity"}


def test_the_key_by_hand() -> None:
    """From the JSON as documented, without the code's own classes."""
    asked = {
        "unit": "mixed4a:11",
        "view": "channel",
        "fingerprint": "0123456789abcdef" * 4,
        "recipe": {f.name: f.default for f in fields(Recipe)},
    }
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == DEFAULT.key


OTHER: dict[str, Any] = {"parameterization": "pixel", "precision": "float32", "decorrelate": False, "renderer": 7}


@pytest.mark.parametrize("name", [f.name for f in fields(Recipe)])
def test_every_setting_is_in_the_key(name: str) -> None:
    default = getattr(DEFAULT.recipe, name)
    other = OTHER[name] if name in OTHER else default + 1 if isinstance(default, int) else default * 0.5
    assert replace(DEFAULT, recipe=Recipe(**{name: other})).key != DEFAULT.key


def test_every_part_of_the_question_is_in_the_key() -> None:
    others = [
        replace(DEFAULT, fingerprint="f" * 64),
        replace(DEFAULT, unit=Unit("mixed4a", 12)),
        replace(DEFAULT, unit=Unit("mixed4b", 11)),
        replace(DEFAULT, view="negative"),
        replace(DEFAULT, view="neuron"),
    ]
    assert len({q.key for q in (DEFAULT, *others)}) == 6


def test_a_whole_number_written_as_a_fraction_is_the_same_question() -> None:
    """``rotate = 10`` and ``rotate = 10.0`` in atlas.toml must not be two pictures."""
    assert replace(DEFAULT, recipe=Recipe(rotate=10, init=1)).key == replace(DEFAULT, recipe=Recipe(init=1.0)).key


def test_draws_depend_on_unit_view_and_seed_alone() -> None:
    """Checkpoints and recipes are compared on the same noise."""
    recipe = Recipe(steps=9, size=96, precision="float32")
    assert replace(DEFAULT, fingerprint="f" * 64, recipe=recipe).draw_seed == DEFAULT.draw_seed
    others = [replace(DEFAULT, recipe=Recipe(seed=1)), replace(DEFAULT, unit=Unit("mixed4a", 12))]
    others += [replace(DEFAULT, view=view) for view in views_of("mixed4a")[1:]]
    assert len({q.draw_seed for q in (DEFAULT, *others)}) == 1 + len(others)
    assert all(0 <= q.draw_seed < 2**64 for q in others)


def test_a_question_is_read_back() -> None:
    asked = replace(DEFAULT, view="neuron", recipe=Recipe(steps=64, decay=1.5))
    again = Question.from_dict(json.loads(json.dumps(asked.as_dict())))
    assert again == asked
    assert again.key == asked.key


@pytest.mark.parametrize(
    "change",
    [
        {"view": "sideways"},
        {"view": ["channel"]},
        {"unit": "mixed4a"},
        {"unit": "mixed4a:x"},
        {"recipe": {"size": 0}},
        {"recipe": {"colour": 1}},
        {"recipe": None},
    ],
)
def test_what_is_no_question_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, UsageError)):
        Question.from_dict({**DEFAULT.as_dict(), **change})
    with pytest.raises(KeyError):
        Question.from_dict({})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("size", 15, "must be 16 to 1024"),
        ("size", 1025, "must be 16 to 1024"),
        ("size", 224.0, "must be a whole number, for example size = 224"),
        ("size", True, "must be a whole number"),
        ("size", "224", "must be a whole number"),
        ("steps", -1, "must be 0 to 100000"),
        ("step_size", 0.0, "must be 1e-06 to 100"),
        ("step_size", float("nan"), "must be 1e-06 to 100"),
        ("rotate", float("inf"), "must be 0 to 180"),
        ("rotate", "10", "must be a number, for example rotate = 10.0"),
        ("rotate", True, "must be a number"),
        ("decorrelate", 1, "must be true or false, for example decorrelate = true"),
        ("parameterization", "vae", "must be one of fourier, pixel, raw"),
        ("parameterization", None, 'must be text, for example parameterization = "fourier"'),
        ("precision", "float16", "must be one of bfloat16, float32"),
        ("seed", -1, "must be 0 to"),
        ("seed", 2**63, "must be 0 to"),
    ],
)
def test_values_out_of_range(name: str, value: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Recipe(**{name: value})
    assert str(caught.value).startswith(f"{name} = ")
    assert says in str(caught.value)


def test_every_setting_is_explained() -> None:
    """Their help is what `atlas render --help` and the pages show."""
    for f in SETTINGS:
        assert len(f.metadata["help"]) > 10
        assert bool(f.metadata["of"]) or f.metadata["high"] is not None or isinstance(f.default, bool)
    assert "renderer" not in {f.name for f in SETTINGS}


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": 1, "a": [1.0, "é"]}) == b'{"a":[1.0,"\\u00e9"],"b":1}'
    with pytest.raises(ValueError):
        canonical_json(float("nan"))
