"""What a study found comes to the pages of units: its links, shares and boxes are right."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import FINGERPRINT, TinyAtlas, tiny_atlas

from generator.core.architecture import Layer
from generator.core.errors import AtlasError
from generator.core.units import Unit
from generator.publish.build import build
from generator.publish.check.site import check
from generator.publish.panels.weights import kernels_picture
from generator.reader.atlas import Atlas
from generator.store.findings import receptive_box

UNITS, PHOTOS, BEST = 512, 3, 60
PAGE = "bvlc_googlenet/mixed4a/9.html"


def keep(
    atlas: TinyAtlas, kind: str, layer: str, arrays: dict[str, Any], more: dict[str, str] | None = None, **facts: Any
) -> None:
    file = io.BytesIO()
    np.savez(file, **arrays)
    question = {"fingerprint": FINGERPRINT, "layer": layer, **(more or {})}
    made = {"date": "2026-11-28"}
    atlas.store.keep(f"study/{kind}", question, made, facts=facts, files={"arrays": ("npz", file.getvalue())})


def weights() -> dict[str, Any]:
    unit = np.tile(np.arange(24, dtype=np.int16), (UNITS, 1))
    unit[:, 5] = -1
    shared = {"norm": np.linspace(2, 1, 24), "sum": np.ones(24), "map": np.ones((24, 5, 5), dtype=np.float16)}
    arrays = {f"output_{name}": np.broadcast_to(value, (UNITS, *value.shape)) for name, value in shared.items()}
    return {"output_unit": unit, "output_explained": np.full(UNITS, 0.314), **arrays}


def photographs() -> tuple[dict[str, Any], dict[str, Any]]:
    best = np.zeros((UNITS, BEST), dtype=np.int32)
    quantile = np.zeros((UNITS, 5, 9), dtype=np.int32)
    layer = {
        "best_photo": best, "best_value": np.full((UNITS, BEST), 33.0), "best_position": np.full((UNITS, BEST), 15),
        "quantile_photo": quantile, "quantile_value": quantile + 2.0, "quantile_position": quantile,
        "worst_photo": best[:, :3], "worst_value": np.full((UNITS, 3), -9.0), "worst_position": best[:, :3],
        "fires": np.tile([0.25, 0.0101], (UNITS, 1)), "best_mean": np.full(UNITS, 2.0),
        "group": np.arange(BEST) % 2 + np.zeros((UNITS, 1), dtype=np.int8), "groups": np.full(UNITS, 2),
        "silhouette": np.full(UNITS, 0.3), "null": np.full(UNITS, 0.2), "kinship": np.full(UNITS, 0.1),
        "several": np.arange(UNITS) == 9,
        "alike_unit": np.tile([12, 0, 1, 2, 3, 4], (UNITS, 1)),
        "alike_r": np.tile([0.9, 0.8, 0.7, 0.6, 0.5, -0.1], (UNITS, 1)),
        "alike_order": np.arange(UNITS, dtype=np.int16),
    }  # fmt: skip
    photos = {
        "name": np.array(["a.jpg", "b.jpg", "c.jpg"]), "sha256": np.array(["a" * 64, "b" * 64, "c" * 64]),
        "title": np.array(["A <b>street</b>", "", ""]),
        "author": np.array(["Ann", "", ""]), "licence": np.array(["CC BY 4.0", "", ""]),
        "source": np.array(["https://host/a", "javascript:alert(1)", ""]),
        "top_class": np.array([207, 1, 2]), "probability": np.array([0.5, 0.1, 0.2]),
    }  # fmt: skip
    return layer, photos


@pytest.fixture
def studied(tmp_path: Path) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path)
    keep(atlas, "weights", "mixed4a", weights())
    layer, photos = photographs()
    keep(atlas, "photos", "mixed4a", layer, photographs=PHOTOS, grid=14, akin=0.4)
    keep(atlas, "photos", "softmax2", photos)
    build(atlas.config())
    return atlas


def test_a_page_says_what_the_study_found(studied: TinyAtlas) -> None:
    page = (studied.site / PAGE).read_text()
    assert "It fires on 25 % of 3 photographs, at 1.0 % of their positions" in page
    assert '<a href="https://host/a">A &lt;b&gt;street&lt;/b&gt;</a> <small>Ann, CC BY 4.0</small>' in page
    assert "the network says golden retriever, 50 %" in page
    assert "fall into 2 groups" in page
    assert "Used by mixed4b" in page
    assert "4b:0" in page
    assert "<a href=12.html>" in page, "a unit that responds alike is linked"
    assert check(studied.config()) == []


def test_the_page_of_a_checkpoint_says_what_was_found_layer_by_layer(studied: TinyAtlas) -> None:
    page = (studied.site / "bvlc_googlenet/index.html").read_text()
    layers = {row.partition("</a>")[0]: row for row in re.findall(r'index.html">(.*)', page)}
    fires, silent, times, several = re.findall("<td>([^<]*)", layers["mixed4a"])[5:9]
    assert (fires, silent, several) == ("1 %", "0", "1"), "of 512 units, of which one is several things"
    assert float(times.removesuffix("×")) > 0
    assert set(re.findall("<td>([^<]*)", layers["mixed4b"])[5:]) == {"–"}, "not studied"
    assert "3 photographs" in page


def test_what_is_almost_all_is_not_called_all(studied: TinyAtlas) -> None:
    layer, photos = photographs()
    layer["fires"] = np.tile([0.999, 1.0], (UNITS, 1))
    keep(studied, "photos", "mixed4a", layer, photographs=PHOTOS, grid=14, akin=0.4)
    keep(studied, "photos", "softmax2", photos | {"probability": np.array([0.9961, 1.0, 0.2])})
    build(studied.config())
    page = (studied.site / PAGE).read_text()
    assert "fires on more than 99 % of 3 photographs, at 100 % of their positions" in page
    assert "the network says golden retriever, more than 99 %" in page


def test_a_class_names_the_photographs_that_are_taken_for_it(studied: TinyAtlas) -> None:
    _, photos = photographs()
    keep(studied, "photos", "softmax2", photos | {"top_class": np.array([207, 207, 2])})
    for number in (2, 3, 207):
        studied.answer(Unit("output", number), view="logit", probability=0.9)
    build(studied.config())
    several, one, none = ((studied.site / f"bvlc_googlenet/output/{n}.html").read_text() for n in (207, 2, 3))
    assert "The network takes 2 of 3 photographs for this class, the surest first:" in several
    assert re.findall(r"<b>(\d+) %</b>", several) == ["50", "10"]
    assert '<a href="https://host/a">A &lt;b&gt;street&lt;/b&gt;</a> <small>Ann, CC BY 4.0</small>' in several
    assert "The network takes 1 of 3 photographs for this class:" in one
    assert "The network takes none of 3 photographs for this class." in none
    found = Atlas.open(studied.site)["output:207"].study()
    assert found["called"] == 2
    assert [(example["photo"], example["value"]) for example in found["examples"]] == [("a.jpg", 0.5), ("b.jpg", 0.1)]
    assert Atlas.open(studied.site)["output:3"].study()["examples"] == []
    assert check(studied.config()) == []


def test_no_more_groups_are_looked_for_than_there_are_positions(studied: TinyAtlas) -> None:
    """A study from elsewhere may claim a thousand million of them, which no memory holds."""
    layer, _ = photographs()
    layer["groups"] = np.full(UNITS, 10**9)
    keep(studied, "photos", "mixed4a", layer, photographs=PHOTOS, grid=14, akin=0.4)
    build(studied.config())
    assert "fall into 60 groups" in (studied.site / PAGE).read_text()
    assert len(Atlas.open(studied.site)["4a:9"].study()["groups"]["groups"]) == BEST


def test_what_is_said_of_a_whole_layer_may_be_odd_too(studied: TinyAtlas) -> None:
    """The page of a checkpoint sums up all units of a layer, also where none of them has a page."""
    layer, _ = photographs()
    keep(studied, "photos", "mixed4b", layer | {"fires": np.zeros(UNITS)}, photographs=PHOTOS, grid=14, akin=0.4)
    with pytest.raises(AtlasError, match="the study of mixed4b is not as this version writes it"):
        build(studied.config())


def test_several_things_are_said_only_where_the_study_found_them(studied: TinyAtlas) -> None:
    assert "Several things" in (studied.site / PAGE).read_text()
    assert "Several things" not in (studied.site / "bvlc_googlenet/mixed4a/12.html").read_text()


def test_pages_without_a_study_say_nothing_of_one(studied: TinyAtlas, tmp_path: Path) -> None:
    plain = tiny_atlas(tmp_path / "plain")
    build(plain.config())
    other = "bvlc_googlenet/mixed5b/3.html"
    assert (plain.site / other).read_bytes() == (studied.site / other).read_bytes()
    assert "photographs" not in (plain.site / PAGE).read_text()


def test_the_lesson_holds_pictures_against_photographs(studied: TinyAtlas) -> None:
    notes = 'agrees = "mixed4a:9"\nagrees_note = "Dogs <b>both</b>."\ndisagrees = "mixed5b:3"\n'
    studied.toml(("[recipe]", f'[lesson]\nunit = "mixed4a:0"\n{notes}\n[recipe]'))
    build(studied.config())
    page = (studied.site / "how.html").read_text()
    assert '<strong>They agree.</strong> <a href="bvlc_googlenet/mixed4a/9.html">mixed4a:9</a>' in page
    assert "Dogs &lt;b&gt;both&lt;/b&gt;." in page
    assert "as the network names it: golden retriever" in page
    assert "They do not." not in page, "nothing is known of mixed5b:3"
    assert check(studied.config()) == []


def test_a_damaged_study_costs_its_panel_and_is_told(studied: TinyAtlas) -> None:
    for path in studied.store.root.rglob("*.npz"):
        path.write_bytes(b"no arrays")
    (studied.site / PAGE).unlink()
    assert any("npz" in warning for warning in build(studied.config()).warnings)
    assert "In photographs" not in (studied.site / PAGE).read_text()
    assert any("bytes, not the" in problem.what for problem in check(studied.config()))


@pytest.mark.parametrize(
    ("name", "facts"), [("fires", {}), ("best_photo", {}), ("alike_r", {}), ("", {"grid": 0}), ("", {"akin": "x"})]
)
def test_a_study_of_another_making_is_named_in_one_line(studied: TinyAtlas, name: str, facts: dict[str, Any]) -> None:
    arrays = {key: array for key, array in photographs()[0].items() if key != name}
    keep(studied, "photos", "mixed4a", arrays, **({"photographs": PHOTOS, "grid": 14, "akin": 0.4} | facts))
    with pytest.raises(AtlasError, match=r"^the study of \S*mixed4a\S* is not as this version writes it \(.+\)$"):
        build(studied.config())


def test_directions_are_studied_before_they_have_pictures(studied: TinyAtlas) -> None:
    layer, _ = photographs()
    keep(studied, "photos", "mixed4a@sae", layer, photographs=PHOTOS, grid=14, akin=0.4, directions=UNITS)
    build(studied.config())
    assert check(studied.config()) == []


def test_only_addresses_of_the_web_become_links(studied: TinyAtlas) -> None:
    layer, _ = photographs()
    layer["best_photo"] = layer["best_photo"] + 1
    keep(studied, "photos", "mixed4a", layer, photographs=PHOTOS, grid=14, akin=0.4)
    build(studied.config())
    assert "javascript:" not in (studied.site / PAGE).read_text()


def test_the_box_is_what_a_position_sees() -> None:
    layer = Layer("mixed4a", "mixed", 512, 16, 171, 0)
    assert receptive_box(layer, 7 * 14 + 7, 14, 107) == (112 - 53, 112 - 53, 112 + 54, 112 + 54)
    assert receptive_box(layer, 0, 14) == (0, 0, 86, 86), "what lies outside is cut off"
    assert receptive_box(layer, 13, 14, 107)[2] == 224


def test_a_kernel_is_red_where_it_excites_and_blue_where_it_inhibits() -> None:
    from base64 import b64decode

    from PIL import Image

    data = kernels_picture(np.array([[[0.1, 0.0], [-0.1, 0.0]], [[0.0, 0.0], [0.0, -7.0]]]))
    picture = Image.open(io.BytesIO(b64decode(data.partition(",")[2]))).convert("RGB")
    assert picture.size == (4, 2), "side by side"
    assert picture.getpixel((3, 1)) == picture.getpixel((0, 1)), "each by its own largest weight"
    red, nothing, blue = picture.getpixel((0, 0)), picture.getpixel((1, 0)), picture.getpixel((0, 1))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert isinstance(nothing, tuple)
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert len(set(nothing)) == 1


def test_kernels_of_two_sizes_are_in_one_picture(tmp_path: Path) -> None:
    from base64 import b64decode

    from PIL import Image

    atlas = tiny_atlas(tmp_path)
    kernel = np.zeros((UNITS, 24, 3, 3), dtype=np.float16)
    kernel[..., 0, 2] = 1  # at the top right it excites
    inputs = {name.replace("output", "input"): array for name, array in weights().items()} | {"input_map": kernel}
    keep(atlas, "weights", "mixed4a", weights() | inputs)
    build(atlas.config())
    page = (atlas.site / PAGE).read_text()
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", page)
    picture = Image.open(io.BytesIO(b64decode(data))).convert("RGB")
    places = [int(x or 0) for x in re.findall(r"<use href=#k(?: x=-(\d+))? />", page)]
    assert places == [n * 30 for n in range(22)], "five and six of each layer; unit -1 is none"
    assert f"width={22 * 30} height=30" in page
    assert picture.size == (22 * 15, 15)
    assert picture.getpixel((14, 4)) == picture.getpixel((11 * 15, 14)) != picture.getpixel((9, 4)), "3x3 beside 5x5"
    assert check(atlas.config()) == []


def test_what_a_unit_prefers_is_said_and_drawn(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path)
    families = np.array(["grating", "grating", "disc", "disc"])
    response = np.zeros((UNITS, 4), dtype=np.uint8)
    response[9] = (255, 20, 0, 0)
    arrays = {
        "response": response, "strongest": response.max(1).astype(np.float32), "best": response.argmax(1),
        "orientation": np.full(UNITS, 44.6), "orientation_selectivity": np.full(UNITS, 0.81),
        "hue": np.full(UNITS, np.nan), "hue_selectivity": np.zeros(UNITS), "stimulus_family": families,
        "stimulus_orientation": np.array([45, 135, np.nan, np.nan]), "stimulus_scale": np.array([8, 8, 20, 20.0]),
        "stimulus_hue": np.array([np.nan, np.nan, 0, 120]),
    }  # fmt: skip
    keep(atlas, "tuning", "mixed4a", arrays)
    build(atlas.config())
    page = (atlas.site / PAGE).read_text()
    assert "it prefers this one: grating, 8 pixels period, at 45°" in page
    assert "Bars at 45° <small>selectivity 0.81" in page
    assert 'aria-label="Response by orientation"' in page
    assert "Response by hue" not in page, "it has none"
    assert "answers to none of 4" in (atlas.site / "bvlc_googlenet/mixed4a/12.html").read_text()
    assert check(atlas.config()) == []


def test_units_of_the_last_layer_say_which_classes_they_argue_for(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path)
    classes = np.tile(np.array([162, 207], dtype=np.int16), (1024, 1))
    keep(atlas, "weights", "mixed5b", {
        "class_for": classes, "class_against": classes + 1,
        "class_for_weight": classes * 0.1, "class_against_weight": classes * -0.1,
    })  # fmt: skip
    build(atlas.config())
    page = re.sub("</?bdi>", "", (atlas.site / "bvlc_googlenet/mixed5b/3.html").read_text())
    assert "argues for beagle, golden retriever." in page
    assert "argues against bloodhound, Labrador retriever." in page
    assert check(atlas.config()) == []


def test_a_layer_can_be_ordered_so_that_neighbours_respond_alike(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path)
    build(atlas.config())
    page = atlas.site / "bvlc_googlenet/mixed4a/index.html"
    assert "sort-alike" not in page.read_text()
    layer, photos = photographs()
    layer["alike_order"] = np.arange(UNITS)[::-1].astype(np.int16)
    keep(atlas, "photos", "mixed4a", layer, photographs=PHOTOS, grid=14, akin=0.4)
    keep(atlas, "photos", "softmax2", photos)
    build(atlas.config())
    assert 'id="sort-alike"' in page.read_text()
    assert 'data-alike="511 510 509 508 502 499"' in page.read_text(), "channels 0 to 3, 9 and 12 of the first branch"
    assert check(atlas.config()) == []
