"""Whatever people type: a unit in any spelling is that unit, and any other text is a mistake that is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.checkpoints import ARCHITECTURES
from generator.core.errors import UsageError
from generator.core.external_urls import read_address
from generator.core.units import Unit, parse_unit, parse_units, read_channels, select_units, write_channels

NETS = st.sampled_from(sorted(ARCHITECTURES)).map(ARCHITECTURES.__getitem__)
PIECES = st.sampled_from(
    ["mixed", "4a", "conv2d", "inception_", "3x3", "_bottleneck", "pool", "output", ":", "/", "_", " ", "-", ",", "..",
     "11", "0", "²", "٣", "999999", "9999999", "https://", "h.example/", ".html", "#3x3", "%2e", "[", "\n", "\0"]
)  # fmt: skip
NEARLY = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)
"""Text of the pieces that units are written of, and any text."""


@st.composite
def units(draw: st.DrawFn) -> tuple[Unit, str]:
    """A unit, and the name of its network."""
    net = draw(NETS)
    layer = draw(st.sampled_from([name for name, layer in net.layers.items() if layer.kind != "branch"]))
    return Unit(layer, draw(st.integers(0, net.layers[layer].channels - 1))), net.name


@given(units(), st.sampled_from(":/_ "), st.booleans(), st.booleans())
def test_a_unit_is_read_from_every_spelling(asked: tuple[Unit, str], mark: str, short: bool, loud: bool) -> None:
    unit, name = asked
    layer = unit.layer.removeprefix("mixed") if short else unit.layer
    text = f" {layer}{mark}{unit.channel}\n"
    assert parse_unit(text.upper() if loud else text, ARCHITECTURES[name]) == unit


@given(st.data())
def test_a_channel_of_a_branch_is_the_channel_of_its_layer(data: st.DataObject) -> None:
    net = data.draw(NETS)
    parent = data.draw(st.sampled_from([name for name, layer in net.layers.items() if layer.branches]))
    branch = data.draw(st.sampled_from(net.layers[parent].branches))
    number = data.draw(st.integers(0, branch.last - branch.first))
    unit = parse_unit(f"{parent}_{branch.name}:{number}", net)
    assert unit == Unit(parent, branch.first + number)
    assert net.locate(unit.layer, unit.channel) == (f"{parent}_{branch.name}", number)


@given(st.sampled_from(sorted(ARCHITECTURES)), NEARLY)
def test_other_text_is_units_that_exist_or_a_mistake_that_is_named(name: str, text: str) -> None:
    net = ARCHITECTURES[name]
    try:
        found = parse_units(text, net)
    except UsageError:
        return
    assert all(0 <= unit.channel < net.layers[unit.layer].channels for unit in found)
    assert select_units(map(str, found), net) == select_units([text], net)


@given(NEARLY)
def test_an_address_is_read_or_refused(text: str) -> None:
    try:
        read_address(text)
    except ValueError:
        return


@given(st.sets(st.integers(0, 2000), min_size=1))
def test_channels_are_read_as_they_are_written(channels: set[int]) -> None:
    text = write_channels(channels)
    assert list(read_channels(text)) == sorted(channels)
    assert write_channels(read_channels(text)) == text


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_unit_has_one_place_in_the_network(name: str) -> None:
    net = ARCHITECTURES[name]
    for layer in net.main_layers:
        places = [net.locate(layer, channel) for channel in range(net.layers[layer].channels)]
        assert len(set(places)) == len(places)
