"""The atlas that a unit comes from: its title, its address, and its files, each checked as it is read.

Nothing in an atlas is trusted. A record must match its checksum, and a picture its sha256 and its size.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.core.errors import AtlasError
from generator.core.record import Picture, StoredFile
from generator.core.result import Answer, read_answer
from generator.core.text import legible
from generator.links import addresses
from generator.reader.location import Location
from generator.reader.webp import webp_size

if TYPE_CHECKING:
    from PIL import Image

RECORD_LIMIT = 2_000_000  # bytes; a record of 100,000 steps, the most there are, has 1.2 million at the most
PICTURE_LIMIT = 4_000_000
FILE_LIMIT = 64_000_000  # the largest file of a study has some 4 million
SIDE_LIMIT = 4_096  # pixels; a canvas has 1,024 at most


@dataclass(frozen=True, slots=True)
class Origin:
    """An atlas as its units know it. ``url`` is the published address, with a slash at its end, or ""."""

    title: str
    url: str
    location: Location

    def answer(self, address: str) -> tuple[Answer, bytes]:
        """The record at an address of this atlas, and the file as it is written. Raises AtlasError if it is none."""
        text = self.location.read(address, limit=RECORD_LIMIT)
        try:
            return read_answer(text), text
        except ValueError as error:
            raise AtlasError(f"{self.location.name}: {address} is damaged ({legible(error, 200)})") from error

    def picture(self, picture: Picture) -> bytes:
        """The file of a picture. Raises AtlasError if it is not there, or does not match its record."""
        name, size = f"{self.location.name}: {picture.name}", (picture.width, picture.height)
        if max(size) > SIDE_LIMIT:
            raise AtlasError(f"{name} is said to have {size[0]} x {size[1]} pixels, more than {SIDE_LIMIT} a side")
        data = self.file(picture, PICTURE_LIMIT)
        try:
            found = webp_size(data)
        except ValueError as error:
            raise AtlasError(f"{name} is not a picture ({error})") from error
        if found != size:
            raise AtlasError(f"{name} is {found[0]} x {found[1]} pixels large, not as its record says")
        return data

    def file(self, file: StoredFile, limit: int = FILE_LIMIT) -> bytes:
        """A file of an answer. Raises AtlasError if it is not there, or not what its record says."""
        data = self.location.read(f"{addresses.STORE}/{file.name}", limit=min(file.bytes, limit))
        if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
            raise AtlasError(f"{self.location.name}: {file.name} is not what its record says (wrong sha256)")
        return data

    def image(self, picture: Picture) -> Image.Image:
        """A picture in RGB. Raises AtlasError if it is not what its record says."""
        from PIL import Image

        data = self.picture(picture)
        try:
            with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
                return image.convert("RGB")
        except Exception as error:  # whatever a decoder raises at what is no picture
            raise AtlasError(f"{self.location.name}: {picture.name} cannot be decoded ({legible(error)})") from error
