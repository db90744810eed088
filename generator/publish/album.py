"""The photographs that pages name, and those of them whose pixels they show.

The store has no pixels, only names and hashes. A photograph is shown if a folder of ``[photos]`` still has the file,
byte for byte, and its row in ``credits.csv`` gives a licence that allows it, or atlas.toml says ``publish = true``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from generator.config.config import Config
from generator.core.architecture import CLASSIFIER
from generator.core.errors import AtlasError
from generator.core.result import Result
from generator.links.addresses import photograph_address
from generator.photos.credits import Credit, allows_pixels, read_credits, tidied
from generator.photos.photographs import UnreadablePhotographError, read_photograph
from generator.store.findings import as_written, called, newest
from generator.store.store import DamagedError, Store, UnreadableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "study/photos"
STRONGEST, QUANTILE, MIDDLING = 9, 2, 3  # of a unit: the strongest, and of the third percentile that is kept, the 90th
_QUALITY = 50


@dataclass(frozen=True, slots=True)
class Named:
    """A photograph that pages name: its file in its folder, and whose it is as the study was told it."""

    name: str
    credit: Credit


@dataclass(frozen=True)
class Album:
    """The photographs of the newest study of each checkpoint. ``classes`` are those that have a page, by weights."""

    config: Config
    results: tuple[Result, ...]
    classes: Mapping[str | None, Sequence[int]]

    @cached_property
    def credits(self) -> Mapping[str, Credit]:
        """Whose each photograph is that the page of some unit names, tidied, by its sha256.

        What ``credits.csv`` beside the file says now counts more than what the study was told.
        """
        now = {sha256: credit for sha256, (_, credit) in self._found.items() if credit != Credit()}
        return {s: tidied(now.get(s, named.credit), named.name) for s, named in self._named.items()}

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """The files of those whose pixels are shown, by their sha256."""
        if not self.config.pixels:
            return {}
        allowed = self.config.publish
        return {s: path for s, (path, credit) in self._found.items() if allowed or allows_pixels(credit)}

    def shown(self, photos: Mapping[str, NDArray[Any]], index: int) -> tuple[Credit, str]:
        """Whose a photograph of a study is, and the address of its pixels, "" if they are not shown."""
        sha256 = str(photos["sha256"][index])
        credit = self.credits.get(sha256) or tidied(credit_of(photos, index), str(photos["name"][index]))
        return credit, photograph_address(sha256) if sha256 in self.files else ""

    @cached_property
    def _named(self) -> Mapping[str, Named]:
        store, answers = Store(self.config.store), newest(self.results)
        found: dict[str, Named] = {}
        for (kind, fingerprint, layer), result in answers.items():
            of = answers.get((kind, fingerprint, CLASSIFIER))
            same = of and of.question.get("photographs") == result.question.get("photographs")
            if kind != KIND or not of or not same:
                continue
            try:
                photos, arrays = store.arrays(of), store.arrays(result)
            except UnreadableError:
                raise
            except DamagedError:  # `atlas check` tells of it
                continue
            with as_written(layer):
                if layer == CLASSIFIER:
                    numbers = self.classes.get(fingerprint, ())
                    chosen: list[Any] = [called(photos, number)[:STRONGEST] for number in numbers]
                else:
                    chosen = [arrays["best_photo"][:, :STRONGEST], arrays["quantile_photo"][:, QUANTILE, :MIDDLING]]
                for index in sorted({index for some in chosen for index in np.ravel(some).tolist()}):
                    found[str(photos["sha256"][index])] = Named(str(photos["name"][index]), credit_of(photos, index))
        return found

    @cached_property
    def _found(self) -> Mapping[str, tuple[Path, Credit]]:
        """Each photograph that a folder of atlas.toml still has, with its row in the credits of that folder."""
        found: dict[str, tuple[Path, Credit]] = {}
        for folder in self.config.photos:
            credits = read_credits(folder)
            for sha256, named in self._named.items():
                name = PurePosixPath(named.name)  # the store gives it, and nobody vouches for it
                path = folder / name
                if sha256 in found or name.is_absolute() or ".." in name.parts or not path.is_file():
                    continue
                if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                    found[sha256] = (path, credits.get(named.name, Credit()))
        return found


def credit_of(photos: Mapping[str, NDArray[Any]], index: int) -> Credit:
    """Whose a photograph is, as the study was told it."""
    return Credit(*(str(photos[field.name][index]) for field in fields(Credit)))


def pixels(path: Path, kept: bytes | None) -> bytes:
    """A photograph as the network was shown it, as WebP; or the file that is there already, if it is whole."""
    if kept and kept[:4] == b"RIFF" and int.from_bytes(kept[4:8], "little") + 8 == len(kept):
        return kept
    try:
        image = Image.fromarray(read_photograph(path))
    except (UnreadablePhotographError, OSError) as error:
        raise AtlasError(f"{path} changed while the site was built ({error}); type `atlas build` again") from error
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=4)
    return file.getvalue()
