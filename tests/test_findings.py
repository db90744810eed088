"""What a study found about a unit, for programs: the same from the store, the site and `generator.Atlas`."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from publisher import publish
from shell import Run
from test_panels import UNITS, keep, photographs, weights
from tiny import STEPS, TinyAtlas, tiny_atlas

from generator import Atlas
from generator.core.errors import AtlasError
from generator.publish.build import build
from generator.publish.check.site import check

FOUND = "study/bvlc_googlenet/mixed4a/9.json.gz"


def tuning() -> dict[str, Any]:
    return {
        "response": np.zeros((UNITS, 2), np.uint8), "strongest": np.full(UNITS, 1.5), "best": np.ones(UNITS, np.int16),
        "orientation": np.full(UNITS, np.nan), "orientation_selectivity": np.zeros(UNITS),
        "hue": np.full(UNITS, 120.0), "hue_selectivity": np.full(UNITS, 0.75),
        "stimulus_family": np.array(["grating", "disc"]), "stimulus_orientation": np.array([45, np.nan]),
        "stimulus_scale": np.array([8.0, 20.0]), "stimulus_hue": np.array([np.nan, 120.0]),
    }  # fmt: skip


@pytest.fixture
def studied(tmp_path: Path) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path)
    layer, photos = photographs()
    layer["best_position"][9] = 15
    layer["best_photo"][9, 1] = 1
    keep(atlas, "photos", "mixed4a", layer, photographs=3, grid=14, akin=0.2)
    keep(atlas, "photos", "softmax2", photos)
    keep(atlas, "weights", "mixed4a", weights())
    keep(atlas, "tuning", "mixed4a", tuning())
    build(atlas.config())
    return atlas


@pytest.fixture
def found(studied: TinyAtlas) -> dict[str, Any]:
    return dict(json.loads(gzip.decompress((studied.site / FOUND).read_bytes())))


def test_the_store_the_site_and_a_program_say_the_same(studied: TinyAtlas, found: dict[str, Any], run: Run) -> None:
    code, out, err = run("--config", str(studied.folder / "atlas.toml"), "study", "4a:9", "--json")
    assert code == 0
    assert err == "mixed4a: no answer of similar; type `atlas study similar`\n"
    assert json.loads(out) == found
    assert Atlas.open(studied.site)["4a:9"].study() == found
    with publish(studied.site) as publisher:
        units = Atlas.open(publisher.url)
        assert units["4a:9"].study() == found
        asked = len(publisher.asked)
        assert units["4a:12"].study()["unit"] == "mixed4a:12"
        assert len(publisher.asked) == asked, "a layer is read once"
    assert check(studied.config()) == []


def test_each_answer_is_under_its_name(found: dict[str, Any]) -> None:
    first, second = found["examples"][:2]
    assert first == {
        "photo": "a.jpg", "sha256": "a" * 64, "class": "golden retriever", "probability": 0.5, "value": 33.0,
        "row": 1, "column": 1, "box": [0, 0, 84, 84],
    }  # fmt: skip
    assert second["photo"] == "b.jpg"
    assert len(found["examples"]) == 9
    assert [each["quantile"] for each in found["quantiles"]] == [99, 95, 90, 75, 50]
    assert found["fires"] == {"photographs": 0.25, "positions": 0.0101}
    assert found["synthetic_mean"] == 9 + 2.5 * (STEPS - 1) + 1
    assert found["similar"][0] == {"unit": "mixed4a:12", "r": 0.9, "checkpoint": "bvlc_googlenet"}
    groups = found["groups"]
    assert (groups["several"], groups["silhouette"], groups["null"], len(groups["groups"])) == (True, 0.3, 0.2, 2)
    assert groups["groups"][0]["share"] == 0.5
    assert "inputs" not in found, "the store has no answer for them"
    assert len(found["outputs"]) == 23, "one of 24 is no unit"
    assert found["outputs"][0]["unit"] == "mixed4b:0"
    assert found["explained"] == {"outputs": 0.314}
    assert found["tuning"]["best"] == {"family": "disc", "orientation": None, "scale": 20.0, "hue": 120.0}
    assert found["tuning"]["hue"] == {"degrees": 120.0, "selectivity": 0.75, "circular_variance": 0.25}
    assert found["tuning"]["orientation"]["degrees"] is None


def similar() -> dict[str, Any]:
    r = np.tile([0.9, 0.8, 0.5, 0.4, 0.3, -0.2], (UNITS, 1))
    unit = np.tile([12, 0, 1, 2, 3, 4], (UNITS, 1))
    return {f"{name}_{x}": value for name in ("same", "after", "other0") for x, value in (("unit", unit), ("r", r))}


def test_similar_units_are_of_the_layer_of_those_beside_it_and_of_other_checkpoints(studied: TinyAtlas) -> None:
    studied.toml(("[recipe]", "[checkpoints.untrained]\n\n[recipe]"))
    keep(studied, "similar", "mixed4a", similar(), others=["untrained"], photographs=3)
    build(studied.config())
    found = json.loads(gzip.decompress((studied.site / FOUND).read_bytes()))["similar"]
    assert [(x["checkpoint"], x["unit"], x["r"]) for x in found[::6]] == [
        ("bvlc_googlenet", "mixed4a:12", 0.9), ("bvlc_googlenet", "mixed4b:12", 0.9), ("untrained", "mixed4a:12", 0.9),
    ]  # fmt: skip
    page = (studied.site / "bvlc_googlenet/mixed4a/9.html").read_text()
    panel = page[page.index('id="like"') :]
    assert "over 3 photographs" in panel
    assert panel.index("In mixed4a") < panel.index("In mixed4b") < panel.index("In untrained")
    assert "<a href=12.html>" in panel
    assert "4b:12 (r 0.90)" in panel, "it is not rendered, and has no page"
    assert "r -0.20" not in panel, "what is not like it is not shown"
    assert check(studied.config()) == []


def test_without_photographs_units_are_like_those_made_alike(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path)
    keep(atlas, "kernels", "mixed4a", {"same_unit": similar()["same_unit"], "same_r": similar()["same_r"]})
    build(atlas.config())
    assert "cosine between kernels" in (atlas.site / "bvlc_googlenet/mixed4a/9.html").read_text()
    assert not (atlas.site / FOUND).exists() or json.loads((atlas.site / FOUND).read_bytes())["similar"]
    assert Atlas.open(atlas.site)["4a:9"].study()["similar"][0]["unit"] == "mixed4a:12"


def test_the_schema_describes_it(studied: TinyAtlas, found: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    schema = json.loads((studied.site / "schema/study-1.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(found)] == []
    assert not validator.is_valid(found | {"examples": [{"photo": "a.jpg"}]})


def test_what_is_missing_is_named_with_the_command(studied: TinyAtlas, run: Run) -> None:
    config = ("--config", str(studied.folder / "atlas.toml"), "study")
    code, out, err = run(*config, "mixed5b:3", "4a:9,12", "--json")
    assert code == 0
    assert err.splitlines() == [
        "mixed4a: no answer of similar; type `atlas study similar`",
        "mixed5b: no answer of photos, similar, tuning, weights; type `atlas study photos similar tuning weights`",
    ]
    assert [json.loads(line)["unit"] for line in out.splitlines()] == ["mixed4a:9", "mixed4a:12", "mixed5b:3"]
    assert run(*config, "4a:9")[2].endswith("type `atlas study 4a:9 --json`\n")
    assert not (studied.site / "study/bvlc_googlenet/mixed5b/3.json.gz").exists()


def test_examples_are_of_the_photographs_that_were_studied(studied: TinyAtlas) -> None:
    """Two halves of two studies would name the wrong photographs."""
    layer, _ = photographs()
    keep(studied, "photos", "mixed4a", layer, {"photographs": "f" * 64}, photographs=3, grid=14, akin=0.2)
    build(studied.config())
    assert "examples" not in json.loads(gzip.decompress((studied.site / FOUND).read_bytes()))
    assert "examples" not in Atlas.open(studied.site)["4a:9"].study()


def test_arrays_that_were_changed_are_refused(studied: TinyAtlas) -> None:
    for path in studied.store.root.rglob("*.npz"):
        path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(AtlasError, match="not what its record says"):
        Atlas.open(studied.site)["4a:9"].study()
    keep(studied, "tuning", "mixed4a", {"best": np.zeros(3)})
    keep(studied, "weights", "mixed4a", {})
    keep(studied, "photos", "softmax2", {})
    keep(studied, "photos", "mixed4a", {})
    with pytest.raises(AtlasError, match="not as this version writes it"):
        Atlas.open(studied.site)["4a:9"].study()


def test_an_atlas_can_leave_the_files_out(studied: TinyAtlas) -> None:
    studied.toml(('title = "Tiny Atlas"', 'title = "Tiny Atlas"\nstudy_files = false'))
    build(studied.config())
    assert not (studied.site / "study").exists()
    assert Atlas.open(studied.site)["4a:9"].study()["examples"]
    assert check(studied.config()) == []
