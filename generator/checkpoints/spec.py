"""What there is to say of a checkpoint: its network, where its weights are had, how they are known, what pages say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from generator.core.architecture import Architecture


@dataclass(frozen=True, slots=True)
class Download:
    """An address and the digest of the file there. A ``git`` digest is that of the file as a git blob."""

    url: str
    algorithm: Literal["sha1", "sha256", "git"]
    digest: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    @property
    def suffix(self) -> str:
        return Path(urlsplit(self.url).path).suffix

    def matches(self, path: Path) -> bool:
        """Whether a file is the one that is meant to be at this address."""
        begin = b"blob %d\0" % path.stat().st_size if self.algorithm == "git" else b""
        algorithm = "sha1" if self.algorithm == "git" else self.algorithm
        digest = hashlib.new(algorithm, begin, usedforsecurity=False)  # sha1 is all that is published of some files
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: digest).hexdigest() == self.digest


@dataclass(frozen=True, slots=True)
class CheckpointSpec:
    """One set of weights that is known by name."""

    name: str
    title: str
    """What pages say of it, without a full stop."""
    architecture: Architecture
    downloads: tuple[Download, ...] = ()
    """In the order in which they are tried."""
    by_hand: str = ""
    """The address of a file of which no whole digest is known: a user downloads it and says --weights."""
    fingerprint: str | None = None
    """The sha256 over its tensors (``generator.network.fingerprint``), where it is known for certain."""
    seed: int | None = None
    """Of weights that are drawn at random instead of read from a file."""
    class_file: str = ""
    """A text file beside this module with the name of a class a line, in the order of the classifier."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, or () where they are not known."""
        return _lines(self.class_file) if self.class_file else ()


@cache
def _lines(name: str) -> tuple[str, ...]:
    return tuple((Path(__file__).parent / name).read_text(encoding="utf-8").splitlines())
