"""atlas.toml: what it means, and that every mistake is told with its file, its line and what to write instead."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.checkpoints import CHECKPOINTS
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.config.atlas_toml import load_config
from generator.config.config import Config
from generator.config.positions import value_lines
from generator.core.errors import UsageError
from generator.core.recipe import Recipe
from generator.core.units import Unit

ROOT = Path(__file__).parent.parent
GOOD = """\
[atlas]
title = "Small"
url = "https://host/atlas"
output = "out"

[checkpoints.inception5h]
units = ["mixed4a:0-2", "4a_3x3:0"]
featured = ["mixed4a:1"]

[checkpoints.mine]
architecture = "bvlc_googlenet"
weights = "weights/mine.pth"
fingerprint = "%s"
about = "trained on tiles"
units = ["conv2d0"]

[recipe]
steps = 64
rotate = 5

[recipe.mixed4a]
steps = 32

[recipe.mixed4a_3x3_bottleneck]
size = 96
""" % ("ab" * 32)  # fmt: skip


def load(folder: Path, text: str) -> Config:
    path = folder / "atlas.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_everything_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    first, mine = config.checkpoints
    assert (config.title, config.url) == ("Small", "https://host/atlas/")
    assert config.store == tmp_path / "out" / "store"
    assert [str(u) for u in first.units] == ["mixed4a:0", "mixed4a:1", "mixed4a:2", "mixed4a:192"]
    assert first.featured == (Unit("mixed4a", 1),)
    assert (first.architecture, first.weights) == (INCEPTION5H, None)
    assert mine.architecture is BVLC_GOOGLENET
    assert mine.weights == tmp_path / "weights" / "mine.pth", "relative to the file, not to where one stands"
    assert (mine.fingerprint, mine.about, len(mine.units)) == ("ab" * 32, "trained on tiles", 64)


def test_recipes_of_layers(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.recipe_for("mixed3a") == Recipe(steps=64, rotate=5.0)
    assert config.recipe_for("mixed4a") == Recipe(steps=32, rotate=5.0)
    assert config.recipe_for("mixed4a_5x5_bottleneck").steps == 32, "a bottleneck follows its module"
    assert config.recipe_for("mixed4a_3x3_bottleneck") == Recipe(steps=32, rotate=5.0, size=96)
    assert config.recipe_for("mixed4a", steps=7) == Recipe(steps=7, rotate=5.0)
    assert config.question("f" * 64, Unit("mixed4a", 1)).recipe.steps == 32


def test_a_view_has_settings_of_its_own_and_a_layer_has_the_last_word(tmp_path: Path) -> None:
    config = load(tmp_path, f"{GOOD}\n[recipe.diversity]\nsteps = 256\nscale = 0.2\n")
    assert config.recipe_for("mixed5b", "diversity") == Recipe(steps=256, scale=0.2, rotate=5.0)
    assert config.recipe_for("mixed4a", "diversity") == Recipe(steps=32, scale=0.2, rotate=5.0)
    assert config.recipe_for("mixed5b", "diversity", steps=7).steps == 7
    assert config.question("f" * 64, Unit("mixed5b", 1), "diversity").recipe.steps == 256
    assert config.question("f" * 64, Unit("mixed5b", 1)).recipe == Recipe(steps=64, rotate=5.0), "no other view"


def test_the_smallest_file_has_the_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, "[checkpoints.bvlc_googlenet]\n")
    assert config.recipe_for("mixed5b") == Recipe()
    assert (config.url, config.output, config.title) == ("", tmp_path / "site", "InceptionV1 Atlas")
    assert config.checkpoint().fingerprint == CHECKPOINTS["bvlc_googlenet"].fingerprint


def test_checkpoints_by_name(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.checkpoint().name == "inception5h"
    assert config.checkpoint("mine").architecture is BVLC_GOOGLENET
    assert config.checkpoint("untrained").units == ()
    with pytest.raises(UsageError, match=r"no checkpoint “inception5”: did you mean inception5h\?"):
        config.checkpoint("inception5")


HEAD = "[checkpoints.inception5h]\n"


@pytest.mark.parametrize(
    ("line", "says", "text"),
    [
        (1, "no key “checkpoint”: did you mean checkpoints?", '[checkpoint.inception5h]\nunits = ["4a"]\n'),
        (1, "no checkpoint; add [checkpoints.inception5h]", ""),
        (3, "atlas = 3: must be a section; write [atlas]", "\n\natlas = 3\n" + HEAD),
        (3, "no key “titel” in [atlas]: did you mean title?", "[atlas]\n\ntitel = 'x'\n" + HEAD),
        (2, "title = 3: must be text", "[atlas]\ntitle = 3\n" + HEAD),
        (3, "is not a full address: it does not begin with https://", '[atlas]\n# url\nurl = "host/path"\n' + HEAD),
        (2, "not a full address", '[atlas]\nurl = "javascript:alert(1)"\n' + HEAD),
        (2, "not a full address", '[atlas]\nurl = "https://[1::2::3]/"\n' + HEAD),
        (2, "not a full address", '[atlas]\nurl = "https://host/x?y"\n' + HEAD),
        (2, "not a full address", '[atlas]\nurl = "https://me@host/x"\n' + HEAD),
        (1, "Windows keeps this name for a device", "[checkpoints.aux]\narchitecture = 'inception5h'\n"),
        (1, "Windows keeps this name for a device", "[checkpoints.com1]\narchitecture = 'inception5h'\n"),
        (2, "“~nobody-here/x”: there is no such home folder", HEAD + "weights = '~nobody-here/x'\n"),
        (2, "“~nobody-here/x”: there is no such home", "[photos]\nfolders = ['~nobody-here/x']\n" + HEAD),
        (2, "title = 'a\\u202eb': must be text, on one line", '[atlas]\ntitle = "a\\u202eb"\n' + HEAD),
        (2, "output = ['x']: must be text", "[atlas]\noutput = ['x']\n" + HEAD),
        (2, "no key “unit” in [checkpoints.inception5h]: did you mean units?", HEAD + 'unit = ["4a"]\n'),
        (2, "units = '4a': must be a list of text", HEAD + 'units = "4a"\n'),
        (2, "units = [4]: must be a list of text", HEAD + "units = [4]\n"),
        (3, "did you mean mixed4a?", HEAD + '# all\nunits = ["mixd4a"]\n'),
        (3, "mixed4a has channels 0 to 507", HEAD + 'units = ["4a"]\nfeatured = ["mixed4a:508"]\n'),
        (2, "not of inception5h", HEAD + 'units = ["https://h/bvlc_googlenet/mixed4a/1.html"]\n'),
        (1, "“Mine” cannot be an address", "[checkpoints.Mine]\narchitecture = 'inception5h'\n"),
        (1, "“store” cannot be an address", "[checkpoints.store]\narchitecture = 'inception5h'\n"),
        (1, "cannot be an address", "[checkpoints.'../up']\narchitecture = 'inception5h'\n"),
        (2, "inception5h has its own architecture", HEAD + "architecture = 'bvlc_googlenet'\n"),
        (1, "architecture of “mine”: write one of bvlc_googlenet, inception5h", "[checkpoints.mine]\nunits = []\n"),
        (2, "architecture of “mine”", "[checkpoints.mine]\narchitecture = 'vgg'\n"),
        (2, "fingerprint = 'abc': must be 64 hexadecimal digits", HEAD + "fingerprint = 'abc'\n"),
        (2, "weights = 1: must be text", HEAD + "weights = 1\n"),
        (2, "= ['4a']: must be a section; write [checkpoints.NAME]", "[checkpoints]\ninception5h = ['4a']\n"),
        (4, "no key “step” in [recipe]: did you mean steps?", HEAD + "\n[recipe]\nstep = 3\n"),
        (3, "steps = -1: must be 0 to 100000", HEAD + "[recipe]\nsteps = -1\n"),
        (3, "size = 'big': must be a whole number", HEAD + "[recipe]\nsize = 'big'\n"),
        (3, "no key “renderer” in [recipe]", HEAD + "[recipe]\nrenderer = 2\n"),
        (4, "step_size = 1000.0: must be", HEAD + "[recipe]\nsteps = 3\n  step_size=1000\n"),
        (2, "no key “mixed9a” in [recipe]: did you mean mixed", HEAD + "[recipe.mixed9a]\nsteps = 3\n"),
        (2, "no key “mixed4a_3x3” in [recipe]", HEAD + "[recipe.mixed4a_3x3]\nsteps = 3\n"),
        (5, "no key “sede” in [recipe.mixed4a]", HEAD + "[recipe]\nsteps = 3\n[recipe.mixed4a]\nsede = 3\n"),
        (3, "seed = -1: must be", HEAD + "[recipe.mixed4a]\nseed = -1\n"),
        (3, "“mixed4a” is a section; write [recipe.mixed4a]", HEAD + "[recipe]\nmixed4a = 3\n"),
        (4, "title = 3: must be text", "[recipe]\nsteps = 3\n[atlas]\ntitle = 3\n" + HEAD),
        (5, "no key “mixed9a”", HEAD + "units = [\n]\n[recipe.mixed4a]\n[recipe.mixed9a]\n"),
        (2, "steps = -1", 'recipe.seed = 1\nrecipe.steps = -1\n' + HEAD),
        (2, 'no key “unit” in [lesson]: write a unit, for example "mixed4a:0"', HEAD + "[lesson]\n"),
        (3, "names 508 units where one is wanted", HEAD + "[lesson]\nunit = '4a'\n"),
        (4, "did you mean seeds?", HEAD + "[lesson]\nunit = '4a:1'\nseed = '4a:1'\n"),
        (4, "names 508 units where one is wanted", HEAD + "[lesson]\nunit = '4a:1'\nagrees = '4a'\n"),
        (2, "pixels = 'free': must be true or false", "[photos]\npixels = 'free'\n" + HEAD),
        (1, "lesson = 3: must be a section; write [lesson]", "lesson = 3\n" + HEAD),
        (3, "did you mean mixed4a?", '[checkpoints]\n# inline\ninception5h = { units = ["mixd4a"] }\n'),
        (3, "did you mean mixed4a?", '[checkpoints.inception5h] # here\nabout = "units = [1]"\nunits = ["mixd4a"]\n'),
    ],
)  # fmt: skip
def test_every_mistake_has_a_line(tmp_path: Path, line: int, says: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'atlas.toml'}:{line}: ")
    assert says in said
    assert "\n" not in said


def test_not_toml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"atlas\.toml: not TOML: .*line 2"):
        load(tmp_path, "[atlas]\ntitle =\n")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"type `atlas init {tmp_path}`"):
        load_config(tmp_path / "atlas.toml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "atlas.toml").write_bytes(b'[atlas]\ntitle = "\xff"\n')
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path / "atlas.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://host/@me/~x/a,b", "https://host/@me/~x/a,b/"),
        ("HTTPS://Host/Atlas", "https://host/Atlas/"),
        ("http://[2001:DB8::1]:8000/x", "http://[2001:db8::1]:8000/x/"),
        ("http://[::1]", "http://[::1]/"),
        ("https://münchen.example:8443/x", "https://xn--mnchen-3ya.example:8443/x/"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example/"),
        ("https://straße.example", "https://xn--strae-oqa.example/"),
        ("https://M%C3%9CNCHEN.example", "https://xn--mnchen-3ya.example/"),
        ("http://[fe80::1%25eth0]:80", "http://[fe80::1%25eth0]:80/"),
        ("https://例え。テスト/größe", "https://xn--r8jz45g.xn--zckzah/gr%C3%B6%C3%9Fe/"),
        ("https://host/(1)/it's;$x!*", "https://host/%281%29/it%27s%3B%24x%21%2A/"),
    ],
)
def test_every_legal_address_is_taken(tmp_path: Path, given: str, url: str) -> None:
    config = load(tmp_path, f'[atlas]\nurl = "{given}"\n' + HEAD)
    assert config.url == url
    assert bool(config.notes) is (url.casefold().rstrip("/") != given.casefold()), "only what is more than a slash"
    assert all(f"the url “{given}” is written {url}" in note for note in config.notes)


ODD = """\
a.b."c.d" = 3  # = [
s = \"""
 a = [ "x" ] \\\""" "" \"""
[x . y]
d = 07:32:00
t = [ [1, 2], { q = { r = 1 }, z = '"[' },
 "]" ]
[[l]]
[[l.m]]
k = 1
[[l.m]]
[l.n]
[[l]]
[[l.m]]
"""


@pytest.mark.parametrize(
    "path", [None, *(ROOT / name for name in ("atlas.toml", "labels/bvlc_googlenet.toml", "labels/inception5h.json"))]
)
def test_every_value_has_its_line(path: Path | None) -> None:
    """The reader of positions sees the same keys as the parsers do, and each key stands on the line that it says."""
    text, is_json = path.read_text(encoding="utf-8") if path else ODD, bool(path and path.suffix == ".json")

    def paths(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
        yield from [path] if path else []
        for key, value in data.items() if isinstance(data, dict) else enumerate(data if isinstance(data, list) else ()):
            yield from paths(value, (*path, key))

    lines = value_lines(text, is_json=is_json)
    assert {path for path in lines if path} == set(paths(json.loads(text) if is_json else tomllib.loads(text)))
    assert all(
        str(path[-1]) in text.splitlines()[n - 1] for path, n in lines.items() if path and isinstance(path[-1], str)
    )


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, mark: str) -> None:
    assert load(tmp_path, f"{mark}[atlas]\ntitle = 'x'\n" + HEAD).title == "x"


def test_the_output_may_lie_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert load(tmp_path, "[atlas]\noutput = '~/site'\n" + HEAD).output == Path("/home/me/site")


def test_views_are_selected_for_all_units_or_for_some(tmp_path: Path) -> None:
    toml = '[checkpoints.inception5h]\nunits = ["mixed4a:0-1", "output:7"]\nfeatured = ["mixed4a:1"]\n'
    first = load(tmp_path, toml + 'views = ["channel", "neuron"]').checkpoints[0]
    assert {view: list(map(str, units)) for view, units in first.views.items()} == {
        "neuron": ["mixed4a:0", "mixed4a:1"]
    }
    assert [f"{unit} {view}" for unit, view in first.asked] == [
        "mixed4a:0 channel", "mixed4a:1 channel", "output:7 logit", "mixed4a:0 neuron", "mixed4a:1 neuron",
    ]  # fmt: skip
    section = toml + '[checkpoints.inception5h.views]\nneuron = ["featured"]\nnegative = ["mixed4a:5", "featured"]\n'
    some = load(tmp_path, section).checkpoints[0]
    assert {view: list(map(str, units)) for view, units in some.views.items()} == {
        "neuron": ["mixed4a:1"],
        "negative": ["mixed4a:1", "mixed4a:5"],
    }
    assert Unit("mixed4a", 5) in some.units, "it has a page, which shows its channel first"


@pytest.mark.parametrize(
    ("views", "told"),
    [
        (
            'views = ["sideways"]',
            "atlas.toml:3: no view “sideways”: there are channel, diversity, neuron",
        ),
        ("views = 3", "atlas.toml:3: views = 3: must be a list of views"),
        ('[checkpoints.inception5h.views]\nneuron = ["output:7"]', "atlas.toml:4: output:7 has no view “neuron”"),
        ('[checkpoints.inception5h.views]\nneuron = ["mixed9:7"]', "atlas.toml:4: no layer in “mixed9:7”"),
        ("[checkpoints.inception5h.views]\nneuron = 7", "atlas.toml:3: views = {'neuron': 7}: must be a list of views"),
    ],
)
def test_a_mistake_in_views_is_told_with_its_line(tmp_path: Path, views: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        load(tmp_path, f'[checkpoints.inception5h]\nunits = ["mixed4a:0"]\n{views}\n')
    assert told in str(error.value)


def test_folders_that_are_not_there_and_checkpoints_without_units_are_told(tmp_path: Path) -> None:
    file = tmp_path / "atlas.toml"
    file.write_text('[checkpoints.inception5h]\n[photos]\nfolders = ["gone"]\n')
    gone, empty = load_config(file).gaps
    assert gone == f"the folder of photographs {tmp_path / 'gone'} is not there"
    assert empty.startswith("no units of inception5h are selected; write units")
