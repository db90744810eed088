"""Pictures by other views, and classes: they have pages, addresses, quotations and data, as channels have."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageStat
from shell import Run
from test_panels import keep
from tiny import TinyAtlas, tiny_atlas

from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.config.atlas_toml import load_config
from generator.core.errors import UsageError
from generator.core.recipe import Recipe
from generator.core.units import Unit
from generator.network.formats import shapes
from generator.publish.build import build
from generator.publish.check.published import broken, promise
from generator.publish.check.site import check
from generator.reader.atlas import Atlas
from generator.reader.find import find
from generator.reader.pull import Pulled, pull
from generator.store.store import Store

TWO, NINE, DOG = Unit("mixed4a", 2), Unit("mixed4a", 9), Unit("output", 207)
URL = ('title = "Tiny Atlas"', 'title = "Tiny Atlas"\nurl = "https://atlas.example/"')


@pytest.fixture
def atlas(tmp_path: Path) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path / "theirs", ("mixed4a:0-3,9", "mixed5b:3"))
    atlas.toml(URL)
    for unit, view in ((TWO, "neuron"), (TWO, "negative"), (TWO, "diversity"), (NINE, "neuron")):
        atlas.answer(unit, view=view, seed=len(view) + unit.channel)
    atlas.answer(DOG, view="logit", probability=0.9876)
    build(atlas.config())
    return atlas


def page(atlas: TinyAtlas, address: str) -> str:
    return (atlas.site / "bvlc_googlenet" / address).read_text()


def test_a_unit_shows_its_views_and_a_layer_switches_between_them(atlas: TinyAtlas) -> None:
    assert check(atlas.config()) == []
    two, nine, none = (page(atlas, f"mixed4a/{n}.html") for n in (2, 9, 3))
    assert [re.findall(r'id="view-(\w+)"', text) for text in (two, nine, none)] == [
        ["diversity", "neuron", "negative"],
        ["neuron"],
        [],
    ]
    assert "atlas render mixed4a:3 --view all --checkpoint bvlc_googlenet" in none
    neurons = page(atlas, "mixed4a/neuron.html")
    assert re.findall(r'href="(\d+\.html#view-neuron)"', neurons) == ["2.html#view-neuron", "9.html#view-neuron"]
    assert "atlas render mixed4a:0-1,3 --view neuron" in neurons
    assert {f'href="{view}.html"' for view in ("diversity", "neuron", "negative")} <= set(
        re.findall(r'href="\w+\.html"', page(atlas, "mixed4a/index.html"))
    )
    assert re.findall(r'id="view-(\w+)" class="sheet"', two) == ["diversity"]
    assert "neuron.html" not in page(atlas, "mixed5b/index.html")


def test_the_first_picture_of_a_page_is_that_of_the_channel_still(atlas: TinyAtlas) -> None:
    shown = Atlas.open(atlas.site)["mixed4a:2"]
    assert shown.record.question.view == "channel"
    assert json.loads(page(atlas, "mixed4a/2.json"))["question"]["view"] == "channel"


def test_views_are_found_quoted_and_pulled(atlas: TinyAtlas, tmp_path: Path) -> None:
    theirs = Atlas.open(atlas.site)
    [found] = find(theirs, "4a:2 neuron")
    assert (found.title, found.address) == (
        "bvlc_googlenet/mixed4a:2 neuron",
        "bvlc_googlenet/mixed4a/2.html#view-neuron",
    )
    with pytest.raises(
        UsageError, match="mixed4a:3 has no picture by the view neuron; type `atlas render mixed4a:3 --view"
    ):
        find(theirs, "4a:3 neuron")
    assert find(theirs, "4a:2 channel") == find(theirs, "4a:2")
    assert find(theirs, "output:207 logit") == find(theirs, "output:207")
    with pytest.raises(UsageError, match="mixed4a:2 has no view “logit”; its views are channel, diversity,"):
        find(theirs, "4a:2 logit")
    neuron = theirs["mixed4a:2"].views["neuron"]
    assert neuron.record.question.view == "neuron"
    assert neuron.quoted.markdown_picture in page(atlas, "mixed4a/2.html").replace("&#39;", "'")
    thumbnail = neuron.quoted.thumbnail.removeprefix("https://atlas.example/")
    frame = (atlas.site / neuron.quoted.embed.removeprefix("https://atlas.example/")).read_text()
    assert neuron.picture in frame
    assert "mixed4a/2.html#view-neuron" in frame
    assert neuron.quoted.iframe in html.unescape(page(atlas, "mixed4a/2.html"))
    card = Image.open(atlas.site / neuron.quoted.card.removeprefix("https://atlas.example/"))
    assert ImageStat.Stat(ImageChops.difference(card, neuron.image().resize(card.size))).mean < [12] * 3
    assert (atlas.site / thumbnail).read_bytes() == atlas.store.path(neuron.record.thumbnail).read_bytes()
    mine = tiny_atlas(tmp_path / "mine", ())
    units = theirs.select(layer="mixed4a")
    assert pull([*units, *(view for unit in units for view in unit.views.values())], mine.store) == Pulled(9, 0)


def test_a_view_that_was_published_and_is_gone_is_told(atlas: TinyAtlas) -> None:
    promise(atlas.config())
    assert list(broken(atlas.config())) == []
    record = next(r for r in atlas.store.records() if r.question.view == "negative")
    atlas.store.record_path(record.key).unlink()
    build(atlas.config())
    assert "bvlc_googlenet/mixed4a/2-negative.json" in dict(broken(atlas.config()))


def test_a_view_by_the_recipe_that_is_asked_for_is_shown(atlas: TinyAtlas) -> None:
    atlas.answer(TWO, view="neuron", recipe=Recipe(steps=8, seed=3), date="2025-06-01T00:00:00Z")
    build(atlas.config())
    shown = Atlas.open(atlas.site)["mixed4a:2"].views["neuron"]
    assert shown.record.question.recipe.seed == 0
    assert "seed 3" in page(atlas, "mixed4a/2.html"), "the other one stays on the page"


def test_a_class_has_a_page_and_is_found_by_its_name(atlas: TinyAtlas) -> None:
    text = page(atlas, "output/207.html")
    assert "golden retriever" in text
    assert "98.8 %" in text
    assert re.search(r'aria-current="page"><img [^>]*>207 <i>golden retriever</i>', text), "a number says no class"
    assert [found.address for found in find(Atlas.open(atlas.site), "golden retriever")] == [
        "bvlc_googlenet/output/207.html"
    ]
    assert '["golden retriever",-1,' in (atlas.site / "static/units.js").read_text()
    assert "6 of 5,808 channels" in page(atlas, "index.html"), "classes are no channels"
    assert 'href="output/index.html"' in page(atlas, "index.html")


def test_a_class_leads_to_the_units_it_is_built_from_and_back(atlas: TinyAtlas) -> None:
    argues, weight = np.full((1024, 12), 207, dtype=np.int16), np.ones((1024, 12), dtype=np.float32)
    ties = {
        "class_for": argues,
        "class_for_weight": weight,
        "class_against": argues,
        "class_against_weight": weight,
    }
    keep(atlas, "weights", "mixed5b", ties)
    units = np.full((1000, 24), -1, dtype=np.int16)
    units[:, [0, 1, 12]] = 40, 3, 7
    inputs = {"unit": units, "norm": np.ones((1000, 24)), "sum": units * 0.1, "map": np.ones((1000, 24, 1, 1))}
    keep(
        atlas,
        "weights",
        "output",
        {f"input_{name}": x for name, x in inputs.items()} | {"input_explained": np.full(1000, 0.25)},
    )
    build(atlas.config())
    dog = page(atlas, "output/207.html")
    assert "Built from mixed5b" in dog
    assert "hold 25 % of the squared weight" in dog
    excited, inhibited = dog.index("Excited"), dog.index("Inhibited")
    assert excited < dog.index("5b:40") < dog.index("5b:3") < inhibited < dog.index("5b:7"), "the strongest first"
    assert "kernel" not in dog[excited - 300 : inhibited], "a class has one weight for each unit"
    assert '<a href="../output/207.html"><bdi>golden retriever</bdi></a>' in page(atlas, "mixed5b/3.html")


def test_classes_of_weights_of_ones_own_take_a_file_of_names(tmp_path: Path) -> None:
    """As many names as the classifier has classes, which may be another number than that of the architecture."""
    path = tmp_path / "atlas.toml"
    path.write_text('[checkpoints.mine]\narchitecture = "bvlc_googlenet"\nclasses = "names.txt"\nunits = ["output"]\n')
    for count in (1000, 10):
        names = [f"kind {n}" for n in range(count)]
        (tmp_path / "names.txt").write_text("\n".join(names))
        mine = load_config(path).checkpoint()
        assert list(mine.class_names) == names
        assert mine.units == tuple(Unit("output", n) for n in range(count))
    (tmp_path / "names.txt").write_text("")
    with pytest.raises(UsageError, match=r"atlas.toml:3: classes = “names.txt” has 0 lines; write one name a line"):
        load_config(path)
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    path.write_text('[checkpoints.bvlc_googlenet]\nclasses = "names.txt"\n')
    with pytest.raises(UsageError, match=r"“names.txt” has 2 lines, and bvlc_googlenet tells 1000 classes apart"):
        load_config(path)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network of three classes, and two directions of its first layer."""
    folder = tmp_path_factory.mktemp("three")
    draw = torch.Generator().manual_seed(0)
    net = replace(BVLC_GOOGLENET, classes=3)
    torch.save({name: torch.randn(of, generator=draw) * 0.01 for name, of in shapes(net).items()}, folder / "w.pth")
    np.save(folder / "two.npy", np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32))
    return folder


MINE = """
[atlas]
title = "Three classes"
url = "https://atlas.example/"

[checkpoints.mine]
architecture = "bvlc_googlenet"
weights = "{folder}/w.pth"
units = ["conv2d0:1", "conv2d0@two:0-1", "output:0-2"]
views = ["channel", "neuron", "negative", "diversity"]
{classes}

[directions.two]
layer = "conv2d0"
file = "{folder}/two.npy"

[recipe]
size = 16
input = 32
steps = 1
"""


def test_a_network_of_three_classes_is_rendered_and_shown_by_their_names(
    three: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("atlas.toml").write_text(MINE.format(folder=three.as_posix(), classes='classes = "names.txt"'))
    Path("names.txt").write_text("cup\nspoon\nfork\nknife\n")
    assert "these weights tell 3 classes apart, not 4: write their names" in run("render")[2]
    Path("names.txt").write_text("cup\nspoon\nfork\n")
    code, said, _ = run("render")
    assert (code, said[: said.index(",")]) == (0, "rendered 9")
    assert run("build")[0] == 0
    assert run("open", "--print", "spoon")[1] == "site/mine/output/1.html\n"
    assert "Class 1 (numbered 0–2)" in Path("site/mine/output/1.html").read_text()
    Path("atlas.toml").write_text(MINE.format(folder=three.as_posix(), classes=""))
    assert "these weights tell 3 classes apart, not 1000" in run("render", "--seed", "1")[2]


def test_views_classes_and_directions_are_resumed_verified_cited_and_pulled_as_channels_are(
    three: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names.txt").write_text("cup\nspoon\nfork\n")
    (tmp_path / "atlas.toml").write_text(MINE.format(folder=three.as_posix(), classes='classes = "names.txt"'))
    monkeypatch.chdir(tmp_path)
    assert run("render", "conv2d0:1", "conv2d0@two:1", "output:2")[0] == 0
    assert run("render", "--dry-run")[1].endswith("to render 6, already there 3, in site/store\n")
    assert run("render")[1].startswith("rendered 6, already there 3, failed 0")
    assert run("render")[1].startswith("to render 0, already there 9")
    assert run("build")[0] == run("check")[0] == 0

    asked = ["conv2d0:1 neuron", "conv2d0:1 negative", "conv2d0:1 diversity", "output:2", "conv2d0@two:1"]
    Path("post.md").write_text(" ".join(f"[[{name}]]" for name in asked))
    code, text, said = run("cite", "post.md")
    assert (code, said) == (0, "post.md: 5 references right, 0 problems\n")
    for page in ("conv2d0/1.html#view-diversity", "output/2.html", "conv2d0@two/1.html"):
        assert f"](https://atlas.example/mine/{page})" in text

    theirs = Atlas.open(Path("site"))
    other = tiny_atlas(tmp_path / "other", ())
    units = [view for unit in theirs for view in (unit, *unit.views.values())]
    assert pull(units, other.store) == Pulled(9, 0)
    assert {unit.key for unit in units} == {record.key for record in other.store.records()}

    for name in asked:
        picture = Store(Path("site/store")).path(theirs[name].record.picture)
        whole = picture.read_bytes()
        picture.chmod(0o644)
        picture.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        code, said, damaged = run("verify")
        assert code == 1, name
        assert picture.name in said + damaged
    assert run("verify")[1].startswith("4 answers whole, 0 damaged"), "the five are set aside"
    assert run("render")[1].startswith("rendered 5, already there 4, failed 0")
