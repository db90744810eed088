"""Every address that is made is read back, wherever an atlas is published, and every relative link leads there."""

import re
from urllib.parse import urljoin

from hypothesis import example, given
from hypothesis import strategies as st

from generator.core.external_urls import ExternalUnit, read_address
from generator.core.units import Unit
from generator.links import addresses
from generator.publish.urls import Urls

BASES = st.lists(st.from_regex(r"\A[a-z][a-z0-9-]{0,8}\Z"), max_size=3).map(
    lambda folders: "/".join(["https://host.example", *folders, ""])
)
CHECKPOINTS = st.from_regex(rf"\A{addresses.CHECKPOINT.pattern}\Z").filter(lambda name: name not in addresses.RESERVED)
LAYERS = st.sampled_from(["conv2d0", "mixed4a", "mixed4a_3x3_bottleneck"])
UNITS = st.builds(Unit, LAYERS, st.integers(0, 1023))


@given(BASES, CHECKPOINTS, UNITS)
@example("https://host.example/models/", "mine", Unit("mixed4a", 11))
@example("https://host.example/", "models", Unit("mixed4a", 11))
def test_an_address_of_a_unit_names_it_wherever_it_is_published(base: str, checkpoint: str, unit: Unit) -> None:
    page = addresses.unit_address(checkpoint, unit)
    for address in (
        page,
        addresses.record_address(checkpoint, unit),
        addresses.thumbnail_address(checkpoint, unit),
        addresses.embed_address(checkpoint, unit),
        addresses.card_address(page),
    ):
        assert read_address(base + address) == ExternalUnit(checkpoint, unit.layer, str(unit.channel))
        assert re.fullmatch(r"[a-z0-9_/-]+\.[a-z]+", address), "lower-case, with one dot"


@given(BASES, CHECKPOINTS, LAYERS)
def test_an_address_of_a_layer_names_it(base: str, checkpoint: str, layer: str) -> None:
    page = addresses.layer_address(checkpoint, layer)
    for address in (page, addresses.layer_json_address(checkpoint, layer), addresses.card_address(page)):
        assert read_address(base + address) == ExternalUnit(checkpoint, layer, None)


FOLDERS = st.lists(st.sampled_from(["a", "b", "mixed4a", "families"]), max_size=3).map("/".join)
FILES = st.builds(
    lambda folder, name: f"{folder}/{name}".strip("/"), FOLDERS, st.sampled_from(["x.html", "a", "b.json"])
)


@given(BASES, FOLDERS, FILES, st.sampled_from(["", "top"]))
def test_a_relative_link_leads_where_it_says(base: str, folder: str, address: str, fragment: str) -> None:
    page = f"{base}{folder}/page.html" if folder else f"{base}page.html"
    assert urljoin(page, Urls(folder).to(address, fragment)) == base + address + (f"#{fragment}" if fragment else "")


@given(st.text(max_size=80))
def test_a_family_of_any_name_has_an_address_of_plain_letters(name: str) -> None:
    made = addresses.slug(name)
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*-?)?", made)
    assert addresses.slug(made) == made.strip("-")
