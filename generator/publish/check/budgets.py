"""How large pages, scripts and pictures may be, in bytes on the disk."""

import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.links import addresses

BUDGETS: Mapping[str, int] = {
    "home": 72_000,
    "layer": 16_000,  # and as much again for each unit as "layer unit" says,
    "layer unit": 235,
    "528 units": 54_000,  # but no more than this, and as much for each further unit as "further unit" says,
    "further unit": 85,
    "name": 130,  # and on any page for each name of a unit, and each link to a family
    "address": 14,  # and on any page so often the published address
    "photograph": 300,  # and for each photograph on the page of their credits
    "families": 24_000,  # and for each picture on a page of families
    "family picture": 500,
    "unit": 33_000,  # with the panels of its studies
    "map": 12_000,  # and for each unit on a map
    "map unit": 96,
    "photograph shown": 600,  # and for each photograph whose pixels it shows
    "other picture": 600,  # and for each other picture of the unit
    "embed": 40_000,  # with all that it fetches,
    "embed page": 8_000,  # or, where a large canvas makes a heavy picture, this without it
    "style": 16_384,
    "script": 8_192,
    "embed script": 4_096,  # loaded by other people's pages
    "search index": 100_000,  # compressed, as hosts send it
    "pictures of a unit": 18_432,  # the mean, with the record; contrast is heavier than grey
}


@dataclass(frozen=True, slots=True)
class PageContents:
    """What a page holds that it may weigh more for.

    ``fetched`` are the addresses in the site that it shows, ``base`` is the length of the published address.
    """

    names: int = 0
    pictures: int = 0
    others: int = 0
    credited: int = 0
    photographs: int = 0
    fetched: tuple[str, ...] = ()
    base: int = 0


def too_heavy(output: Path, pages: Mapping[str, PageContents], files: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Each page, style sheet and script that weighs more than it may, and what is wrong with it."""
    static = sorted(a for a in files if a.startswith(f"{addresses.STATIC}/") and a.endswith((".css", ".js")))
    for address in (*pages, *static):
        holds = pages.get(address, PageContents())
        weight, allowed = _weigh(output, address, holds, files)
        allowed += holds.names * BUDGETS["name"] + holds.base * BUDGETS["address"]
        if weight > allowed:
            yield address, f"weighs {weight:,} bytes, more than {allowed:,}"


def _weigh(output: Path, address: str, holds: PageContents, files: Mapping[str, int]) -> tuple[int, int]:
    """What an address weighs, and what it may."""
    weight = files.get(address, 0)
    folder, _, name = address.rpartition("/")
    if address == f"{addresses.STATIC}/units.js" or address.startswith(f"{addresses.STATIC}/facet-"):
        return len(zlib.compress((output / address).read_bytes())), BUDGETS["search index"]
    if address == f"{addresses.STATIC}/embed.js":
        return weight, BUDGETS["embed script"]
    if name.endswith((".css", ".js")):
        return weight, BUDGETS["style" if name.endswith(".css") else "script"]
    if folder.startswith(f"{addresses.EMBED}/"):
        shown = {fetched: files.get(fetched, 0) for fetched in holds.fetched}
        pictures = sum(size for fetched, size in shown.items() if fetched.endswith(".webp"))
        return weight + sum(shown.values()), max(BUDGETS["embed"], BUDGETS["embed page"] + pictures)
    if address == addresses.CREDITS:
        return weight, BUDGETS["home"] + holds.credited * BUDGETS["photograph"]
    if folder.count("/") == 0:
        return weight, BUDGETS["home"]
    if folder.endswith(f"/{addresses.FAMILIES}"):
        return weight, BUDGETS["families"] + holds.pictures * BUDGETS["family picture"]
    if name[0].isdigit():
        seen = holds.photographs * BUDGETS["photograph shown"]
        return weight, BUDGETS["unit"] + holds.others * BUDGETS["other picture"] + seen
    units = sum(file.endswith(".html") for file in os.listdir(output / folder))
    if name == "map.html":
        return weight, BUDGETS["map"] + units * BUDGETS["map unit"]
    small = BUDGETS["layer"] + units * BUDGETS["layer unit"]
    large = BUDGETS["528 units"] + max(0, units - 528) * BUDGETS["further unit"]
    return weight, min(small, large)
