"""Units in every spelling in use, and errors that name the nearest thing that exists."""

import pytest
from spellings import SPELLINGS

from generator.checkpoints import ARCHITECTURES
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.architecture import Architecture
from generator.core.errors import UsageError
from generator.core.units import Unit, parse_unit, parse_units, select_units, write_channels


@pytest.mark.parametrize(("text", "unit"), SPELLINGS)
def test_spellings(text: str, unit: str) -> None:
    assert str(parse_unit(text, INCEPTION5H)) == unit


@pytest.mark.parametrize(
    ("text", "count", "first", "last"),
    [
        ("mixed4a", 508, "mixed4a:0", "mixed4a:507"),
        ("mixed4a_3x3", 204, "mixed4a:192", "mixed4a:395"),
        ("mixed4a_3x3_bottleneck", 96, "mixed4a_3x3_bottleneck:0", "mixed4a_3x3_bottleneck:95"),
        ("4a:0-2,40", 4, "mixed4a:0", "mixed4a:40"),
        ("mixed4a_3x3:0-1", 2, "mixed4a:192", "mixed4a:193"),
        ("https://host/inception5h/mixed5b/", 1024, "mixed5b:0", "mixed5b:1023"),
        ("https://host/inception5h/mixed5b/index.html", 1024, "mixed5b:0", "mixed5b:1023"),
        ("inception_4a/output", 508, "mixed4a:0", "mixed4a:507"),
        (
            "http://storage.googleapis.com/deepdream/visualz/tensorflow_inception/mixed4d_5x5_pre_relu.html",
            64,
            "mixed4d:400",
            "mixed4d:463",
        ),
    ],
)
def test_many_units(text: str, count: int, first: str, last: str) -> None:
    units = parse_units(text, INCEPTION5H)
    assert (len(units), str(units[0]), str(units[-1])) == (count, first, last)


@pytest.mark.parametrize("net", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_every_unit_is_read_back_from_its_own_name_and_from_its_branch(net: Architecture) -> None:
    for name, layer in net.layers.items():
        for channel in (0, layer.channels - 1):
            if layer.kind != "branch":
                assert parse_unit(str(Unit(name, channel)), net) == Unit(name, channel)
        for branch in layer.branches:
            for n in (0, branch.channels - 1):
                assert parse_unit(f"{name}_{branch.name}:{n}", net) == Unit(name, branch.first + n)


def test_select_puts_units_in_order_once() -> None:
    words = ["mixed4a:7", "conv2d0:1", "4a_1x1:0-2", "mixed4a:7", "mixed3a:9"]
    units = [str(u) for u in select_units(words, INCEPTION5H)]
    assert units == ["conv2d0:1", "mixed3a:9", "mixed4a:0", "mixed4a:1", "mixed4a:2", "mixed4a:7"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mixed4f:11", "did you mean mixed4"),
        ("mixd4a:11", "did you mean mixed4a?"),
        ("4z:1", "did you mean mixed4"),
        ("conv2d3:0", "did you mean conv2d"),
        ("mixed4a_3x3_botleneck:5", "mixed4a"),
        ("zebra", "layers are conv2d0, "),
        ("", "layers are conv2d0, "),
        ("mixed4a:508", "mixed4a has channels 0 to 507, not 508; the nearest is mixed4a:507"),
        ("mixed4a_3x3:204", "mixed4a_3x3 has channels 0 to 203"),
        ("mixed4a:9-3", "mixed4a:3-9"),
        ("mixed4a:", "write mixed4a:0-9,40"),
        ("mixed4a:x", "cannot read the channels “x”"),
        ("mixed4a:-1", "cannot read the channels “-1”"),
        ("mixed4a:1,,2", "write mixed4a:0-9,40"),
        ("mixed4a:1.5", "write mixed4a:0-9,40"),
        ("4a:5+11-3", "write mixed4a:5+mixed4a:11-mixed4a:3"),
        ("mixed4a:99999999999999999999", "cannot read the channels"),
        ("mixed4a:٣", "cannot read the channels"),
        ("https://host/", "no unit in the address"),
        ("https://microscope.openai.com/models/inceptionv1", "no unit in the address"),
    ],
)
def test_errors_name_what_exists(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_units(text, INCEPTION5H)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_of_another_checkpoint_is_refused() -> None:
    """The same number is another unit there."""
    microscope = "https://microscope.openai.com/models/inceptionv1/mixed4a_0/11"
    explorer = "https://storage.googleapis.com/distill-circuits/inceptionv1-weight-explorer/mixed4a_11.html"
    for address in ("https://h/inception5h/mixed4a/11.html", microscope, explorer):
        with pytest.raises(UsageError, match="--checkpoint inception5h, or write mixed4a:11"):
            parse_units(address, BVLC_GOOGLENET)
    assert parse_units("https://h/mine/mixed4a/11.html", BVLC_GOOGLENET, "mine") == (Unit("mixed4a", 11),)
    places = "https://microscope.openai.com/models/inceptionv1_caffe_places365/inception_4a_output_0/11"
    with pytest.raises(UsageError, match="names a unit of inceptionv1_caffe_places365, not of bvlc_googlenet"):
        parse_units(places, BVLC_GOOGLENET)
    with pytest.raises(UsageError, match="not of mine"):
        parse_units("https://h/bvlc_googlenet/mixed4a/11.html", BVLC_GOOGLENET, "mine")


def test_one_unit_where_one_is_wanted() -> None:
    with pytest.raises(UsageError, match="names 508 units where one is wanted; add a channel, as in mixed4a:0"):
        parse_unit("mixed4a", INCEPTION5H)


@pytest.mark.parametrize(
    ("channels", "text"), [([], ""), ([3], "3"), ([0, 1, 2, 40], "0-2,40"), ([5, 3, 4, 3], "3-5"), ([1, 3], "1,3")]
)
def test_channels_written_as_ranges(channels: list[int], text: str) -> None:
    assert write_channels(channels) == text
    if channels:
        assert {u.channel for u in parse_units(f"4a:{text}", INCEPTION5H)} == set(channels)


@pytest.mark.parametrize(
    ("text", "first", "count"),
    [
        ("bvlc_googlenet/mixed4a/11.html", "mixed4a:11", 1),
        ("site/bvlc_googlenet/mixed4a/11.json", "mixed4a:11", 1),
        ("https://host/atlas/bvlc_googlenet/mixed4a/11", "mixed4a:11", 1),
        ("https://host/bvlc_googlenet/mixed4a/index.html", "mixed4a:0", 512),
        ("https://host/bvlc_googlenet/mixed4a/index.html#3x3", "mixed4a:192", 208),
        ("https://host/bvlc_googlenet/mixed4a/", "mixed4a:0", 512),
    ],
)
def test_pages_of_ours_however_they_are_copied(text: str, first: str, count: int) -> None:
    units = parse_units(text, BVLC_GOOGLENET)
    assert (str(units[0]), len(units)) == (first, count)
