"""Photographs as the networks were trained on them: found in folders, read, credited, and counted by their content.

What cannot be read is named with its reason and left out. Nothing here needs torch.
"""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from generator.core.errors import UsageError
from generator.photos.credits import Credit, read_credits

SHORT_SIDE, SIDE = 256, 224
"""Pixels: what the short side is scaled to, and the square that is cut from the centre (Szegedy et al., 2014)."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SMALLEST = 32  # pixels of the short side; less says nothing when it is enlarged to 256
MOST_PIXELS = 100_000_000  # decoded at once: 300 MB; a larger JPEG is decoded at a fraction of its size


class UnreadablePhotographError(ValueError):
    """A file that is no photograph, or one that cannot be read; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file, by its path in its folder (``name``, with slashes), and the sha256 of its bytes."""

    path: Path
    name: str
    sha256: str
    credit: Credit


@dataclass(frozen=True)
class Photographs:
    """Photographs in the order of their hashes, and what was left out: file and reason.

    The order, like ``fingerprint``, does not depend on names or folders; of two equal files the first is kept.
    ``left_out`` are files whose header shows already that they are of no use.
    """

    photographs: tuple[Photograph, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The sha256 over the sorted hashes of the files."""
        return hashlib.sha256("\n".join(p.sha256 for p in self.photographs).encode()).hexdigest()


def find_photographs(folders: Sequence[Path]) -> Photographs:
    """Every photograph under these folders, at any depth. Files are hashed, and opened far enough to know their size.

    Raises UsageError if a folder does not exist or holds no photograph.
    """
    found: dict[str, Photograph] = {}
    left_out: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"no folder {folder}; name folders of photographs in [photos] of atlas.toml")
        credits = read_credits(folder)
        for path in _files(folder, lambda error: left_out.setdefault(str(error.filename), _reason(error))):
            name = path.relative_to(folder).as_posix()
            try:
                look_at(path)
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except (UnreadablePhotographError, OSError) as error:
                left_out[str(path)] = str(error)
                continue
            found.setdefault(digest, Photograph(path, name, digest, credits.get(name, Credit())))
    if not found:
        raise UsageError(f"no photographs ({', '.join(SUFFIXES)}) in {', '.join(map(str, folders))}")
    return Photographs(tuple(found[digest] for digest in sorted(found)), left_out)


def look_at(path: Path) -> None:
    """Read the header of a photograph. Raises UnreadablePhotographError if it is none, or of no use."""
    if not path.is_file():
        raise UnreadablePhotographError("it is a link to nothing" if path.is_symlink() else "it is no file")
    with _opened(path) as image:
        if min(image.size) < SMALLEST:
            raise UnreadablePhotographError(f"it is {image.width} x {image.height} pixels; {SMALLEST} are needed")


def read_photograph(path: Path) -> NDArray[np.uint8]:
    """A photograph as the network is shown it: SIDE x SIDE x 3, RGB, upright by its EXIF orientation.

    The short side is scaled to SHORT_SIDE by area (bicubic where it is enlarged) and the centre is cut out. Of an
    animation the first picture is taken; 16 bits become 8, CMYK becomes RGB, what is transparent lies on white.
    Raises UnreadablePhotographError with the reason.
    """
    with _opened(path) as image:
        if image.format == "JPEG":
            image.draft("RGB", (SHORT_SIDE * 2, SHORT_SIDE * 2))  # decodes a large one at a fraction of its size
        if image.width * image.height > MOST_PIXELS:
            raise UnreadablePhotographError(f"{image.width} x {image.height} pixels are too many")
        upright = ImageOps.exif_transpose(_rgb(image))
    scale = SHORT_SIDE / min(upright.size)
    size = tuple(max(SHORT_SIDE, round(side * scale)) for side in upright.size)
    resized = upright.resize((size[0], size[1]), Image.Resampling.BICUBIC, reducing_gap=3.0)
    left, top = ((side - SIDE) // 2 for side in resized.size)
    pixels: NDArray[np.uint8] = np.asarray(resized.crop((left, top, left + SIDE, top + SIDE)))
    return pixels


def _rgb(image: Image.Image) -> Image.Image:
    """The first picture of a file with 8 bits a channel, in RGB, with its EXIF data."""
    exif = image.getexif()
    if image.mode.startswith(("I", "F")):  # 16 bits or more: scaled to the range it can have
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I") else float(values.max(initial=1e-9))
        plain = Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    elif image.has_transparency_data:
        layered = image.convert("RGBA")
        plain = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    else:
        plain = image.convert("RGB")
    plain.info["exif"] = exif.tobytes()
    return plain


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A file opened as a picture, its header read; what is wrong with it is an UnreadablePhotographError."""
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            image = Image.open(path, formats=("JPEG", "PNG", "WEBP"))
        with image:
            yield image
    except UnreadablePhotographError:
        raise
    except UnidentifiedImageError:
        raise UnreadablePhotographError("it is no JPEG, PNG or WebP file") from None
    except (OSError, SyntaxError, ValueError, MemoryError, Image.DecompressionBombError) as error:
        raise UnreadablePhotographError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return "its pixels are too many"
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(said.split())[:100]


def _files(folder: Path, failed: Callable[[OSError], object]) -> Iterator[Path]:
    """What is called like a photograph, in order; nothing that is hidden. ``failed`` is told of folders not listed."""
    for here, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(here, name)


def read_batches(
    photographs: Sequence[Photograph], size: int, left_out: Callable[[Photograph, str], object]
) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """Indices and pixels (N x SIDE x SIDE x 3) of up to ``size`` photographs at a time, read by threads a batch ahead.

    A photograph whose header is sound and whose pixels cannot be read is told to ``left_out`` with the reason.
    """
    starts = range(0, len(photographs), size)
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as readers:

        def begin(start: int) -> Iterator[NDArray[np.uint8] | str]:
            return readers.map(_read_or_reason, photographs[start : start + size])

        ahead = begin(0)
        for start in starts:
            came, ahead = list(ahead), begin(start + size)
            indices = []
            for index, each in enumerate(came, start):
                if isinstance(each, str):
                    left_out(photographs[index], each)
                else:
                    indices.append(index)
            if indices:
                yield indices, np.stack([each for each in came if not isinstance(each, str)])


def _read_or_reason(photograph: Photograph) -> NDArray[np.uint8] | str:
    try:
        return read_photograph(photograph.path)
    except (UnreadablePhotographError, OSError) as error:
        return str(error)
