"""Every address of an atlas, relative to its root. Published addresses stay: docs/addresses.md says what each means.

>>> from generator.core.units import Unit
>>> unit_address("bvlc_googlenet", Unit("mixed4a", 11))
'bvlc_googlenet/mixed4a/11.html'
>>> card_address(unit_address("bvlc_googlenet", Unit("mixed4a", 11)))
'bvlc_googlenet/mixed4a/11.jpg'

Addresses are lower-case. Their only dot is the one before the ending.
"""

import re
import unicodedata

from generator.core.record import Picture
from generator.core.units import Unit

HOME = "index.html"
ABOUT = "about.html"
HOW = "how.html"
FIND = "find.html"
CREDITS = "photographs.html"
NOT_FOUND = "404.html"
INDEX = "atlas.json"
LATEX = "atlas.sty"
FAMILIES = "families"
RESERVED = ("store", "static", "embed", "schema", "study", "photographs")
"""Folders at the root that are not checkpoints."""
STORE, STATIC, EMBED, SCHEMA, STUDY, PHOTOGRAPHS = RESERVED
CHECKPOINT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""A name that a checkpoint may have: it is part of addresses."""
_DEVICE = re.compile(r"aux|con|nul|prn|(com|lpt)[0-9]")  # no file of Windows may have these names, with any ending


def why_not_checkpoint(name: str) -> str:
    """Why a checkpoint may not have this name, which is a part of addresses, or ""."""
    if not CHECKPOINT.fullmatch(name) or name in RESERVED:
        return f"use a-z, 0-9, _ and -, not {', '.join(RESERVED)}"
    return "Windows keeps this name for a device; use another" if is_device(name) else ""


def is_device(name: str) -> bool:
    """Whether Windows cannot have a file or folder of this name."""
    return bool(_DEVICE.fullmatch(name))


def checkpoint_address(checkpoint: str) -> str:
    """The page of a checkpoint."""
    return f"{checkpoint}/index.html"


def layer_address(checkpoint: str, layer: str) -> str:
    """The page of a layer."""
    return f"{checkpoint}/{layer}/index.html"


def layer_json_address(checkpoint: str, layer: str) -> str:
    """The index of a layer, for programs."""
    return f"{checkpoint}/{layer}/index.json"


def map_address(checkpoint: str, layer: str) -> str:
    """The units of a layer on a map, each beside units that respond alike."""
    return f"{checkpoint}/{layer}/map.html"


def mosaic_address(checkpoint: str, layer: str) -> str:
    """The picture of that map. It changes with what is rendered."""
    return f"{checkpoint}/{layer}/mosaic.jpg"


def tiles_address(checkpoint: str, layer: str, sheet: int) -> str:
    """A sheet of small pictures of a layer, for its page. Like a style sheet it is promised to nobody."""
    return f"{checkpoint}/{layer}/tiles-{sheet}.jpeg"


def pictures_address(checkpoint: str, layer: str) -> str:
    """A script that names the picture of each unit of a layer, for its page."""
    return f"{checkpoint}/{layer}/pictures.js"


def unit_address(checkpoint: str, unit: Unit) -> str:
    """The page of a unit. It never changes."""
    return f"{checkpoint}/{unit.layer}/{unit.channel}.html"


def oembed_address(checkpoint: str, unit: Unit) -> str:
    """What programs that embed links ask for, beside the page that they embed."""
    return f"{EMBED}/{checkpoint}/{unit.layer}/{unit.channel}.json"


def record_address(checkpoint: str, unit: Unit, view: str = "") -> str:
    """The record of the unit's present picture; of its picture by another ``view``, if one is given."""
    return f"{checkpoint}/{unit.layer}/{unit.channel}{view and f'-{view}'}.json"


def study_address(checkpoint: str, unit: Unit) -> str:
    """What a study found about a unit, for programs."""
    return f"{STUDY}/{checkpoint}/{unit.layer}/{unit.channel}.json.gz"


def photograph_address(sha256: str) -> str:
    """A photograph as the network was shown it, by the hash of its file."""
    return f"{PHOTOGRAPHS}/{sha256[:16]}.webp"


def thumbnail_address(checkpoint: str, unit: Unit, view: str = "") -> str:
    """The unit's present thumbnail, or that of a view. The exact picture has an address in the store."""
    return f"{checkpoint}/{unit.layer}/{unit.channel}{view and f'-{view}'}.webp"


def view_address(checkpoint: str, layer: str, view: str) -> str:
    """The units of a layer by a view, if it is not the one that the layer's own page shows."""
    return f"{checkpoint}/{layer}/{view}.html"


def view_fragment(view: str) -> str:
    """The id of a view on a unit's page."""
    return f"view-{view}"


def embed_address(checkpoint: str, unit: Unit, view: str = "") -> str:
    """The page that shows a unit, or its picture by a view, in a frame of other pages."""
    return f"{EMBED}/{checkpoint}/{unit.layer}/{unit.channel}{view and f'-{view}'}.html"


def card_address(page: str, view: str = "") -> str:
    """The page's picture for link previews; for a unit, its picture as JPEG, or that by a ``view``."""
    return f"{page.removesuffix('.html')}{view and f'-{view}'}.jpg"


def families_address(checkpoint: str) -> str:
    """The page of all families of a checkpoint."""
    return f"{checkpoint}/{FAMILIES}/index.html"


def family_address(checkpoint: str, family: str) -> str:
    """The page of a family; its name becomes lower case, with hyphens."""
    return f"{checkpoint}/{FAMILIES}/{slug(family)}.html"


def picture_address(picture: Picture) -> str:
    """Exactly one picture, for ever: its address contains the hash of its question and its own hash."""
    return f"{STORE}/{picture.name}"


def picture_fragment(sha256: str) -> str:
    """The id of one picture on a unit's page: ``p-1f2e3d4c``, from the picture's own hash."""
    return f"p-{sha256[:8]}"


def stored_record_address(key: str) -> str:
    """The record under a key."""
    return f"{STORE}/{key[:2]}/{key[2:]}.json"


def slug(name: str) -> str:
    """A name as part of an address, or "" if no character of it can be.

    >>> slug("High-Low Frequency"), slug("Color Contrast/Gradient"), slug("Boundary (any)")
    ('high-low-frequency', 'color-contrast-gradient', 'boundary-any')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]
