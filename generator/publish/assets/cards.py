"""The pictures of link previews, as JPEG, which every program that shows previews reads.

A card is made once. Its comment contains the hashes of its pictures (a mosaic has one over all of them) and of its own
bytes. So the next build keeps the file that is there, and a copy found elsewhere can be traced to its picture.
"""

import hashlib
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SIDE = 448  # of a unit's card, in pixels
WIDE = (1200, 630)  # of a sheet of several pictures: the size to which sites crop large previews
MOST = 72  # pictures on a sheet
MOSAIC, _TILE = 1280, 112  # pixels: the side of a mosaic of many cells, that of a cell where there are few
ROW, SMALL = 8, 40  # tiles a side of the sheets of a layer's page, and the side of one in pixels
_QUALITY, _MOSAIC_QUALITY, _SMALL_QUALITY = 70, 45, 30  # the smaller a tile is shown, the less is seen
_PAPER = (250, 249, 246)  # the colour of the pages
_VERSION = b"1"  # raised whenever cards are drawn in another way


@dataclass(frozen=True, slots=True)
class CardPicture:
    """A picture that a card is made of, and its sha256."""

    path: Path
    sha256: str


def unit_card(source: CardPicture, kept: bytes | None = None) -> bytes:
    """The picture of a unit on SIDE x SIDE pixels. ``kept`` is the file of the last build, returned if it is still
    valid."""

    def draw() -> Image.Image:
        with Image.open(source.path) as image:
            return image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)

    return _card(_named([source]), kept, draw)


def sheet_card(sources: Sequence[CardPicture], kept: bytes | None = None) -> bytes:
    """Up to MOST pictures side by side on WIDE pixels, in their order."""
    sources = sources[:MOST]
    wide, high = WIDE
    columns = min(len(sources), max(1, math.ceil(math.sqrt(len(sources) * wide / high))))
    rows = math.ceil(len(sources) / columns)
    tile = min(wide // columns, high // rows)
    left, top = (wide - tile * columns) // 2, (high - tile * rows) // 2

    def draw() -> Image.Image:
        sheet = Image.new("RGB", WIDE, _PAPER)
        for place, source in enumerate(sources):
            row, column = divmod(place, columns)
            with Image.open(source.path) as image:
                shown = image.convert("RGB").resize((tile - 4, tile - 4), Image.Resampling.BICUBIC)
            sheet.paste(shown, (left + column * tile + 2, top + row * tile + 2))
        return sheet

    return _card(_named(sources), kept, draw)


def mosaic_side(cells: int) -> int:
    """The side in pixels of a mosaic of so many cells a side."""
    return cells * min(_TILE, MOSAIC // cells)


Placed = tuple[CardPicture, int, int]
"""A picture with its row and column."""


def mosaic(cells: int, sources: Sequence[Placed], kept: bytes | None = None) -> bytes:
    """Pictures on a square of cells without gaps."""
    return _mosaic(mosaic_side(cells) // cells, cells, sources, kept, _MOSAIC_QUALITY)


def tiles(sources: Sequence[Placed], kept: bytes | None = None) -> bytes:
    """Up to ROW x ROW small tiles: of this size JPEG is a quarter smaller than WebP."""
    return _mosaic(SMALL, ROW, sources, kept, _SMALL_QUALITY)


def _mosaic(tile: int, cells: int, sources: Sequence[Placed], kept: bytes | None, quality: int) -> bytes:
    def draw() -> Image.Image:
        sheet = Image.new("RGB", (tile * cells, tile * cells), _PAPER)
        for source, row, column in sources:
            with Image.open(source.path) as image:
                shown = image.convert("RGB").resize((tile, tile), Image.Resampling.LANCZOS)
            sheet.paste(shown, (column * tile, row * tile))
        return sheet

    placed = ",".join(f"{source.sha256} {row} {column}" for source, row, column in sources)
    made_of = f"{hashlib.sha256(placed.encode()).hexdigest()} {tile} {quality}"
    return _card(made_of, kept, draw, quality=quality, optimize=True, progressive=True)


def _named(sources: Sequence[CardPicture]) -> str:
    return ",".join(source.sha256[:16] for source in sources)


def _card(
    made_of: str, kept: bytes | None, draw: Callable[[], Image.Image], quality: int = _QUALITY, **how: bool
) -> bytes:
    made_from = b"inception-atlas card " + _VERSION + b" of " + made_of.encode()
    if kept and _holds(kept, made_from):
        return kept
    drawn = io.BytesIO()
    draw().save(drawn, "JPEG", quality=quality, **how)
    data = drawn.getvalue()
    comment = made_from + b" " + hashlib.sha256(data).hexdigest().encode()
    at = _after_header(data)
    return data[:at] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[at:]


def _holds(card: bytes, made_from: bytes) -> bool:
    """Whether a card was made from these pictures and is whole."""
    at = _after_header(card)
    if card[at : at + 2] != b"\xff\xfe":
        return False
    end = at + 2 + int.from_bytes(card[at + 2 : at + 4], "big")
    said, _, digest = card[at + 4 : end].rpartition(b" ")
    return said == made_from and hashlib.sha256(card[:at] + card[end:]).hexdigest().encode() == digest


def _after_header(jpeg: bytes) -> int:
    """The end of the JFIF segment, which has to come first."""
    return 4 + int.from_bytes(jpeg[4:6], "big")
