"""Everything about a checkpoint: its network, the addresses of its weights, their fingerprint, the text for pages."""

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
        """The host, as messages name it."""
        return urlsplit(self.url).hostname or self.url

    @property
    def suffix(self) -> str:
        """The ending of the file, with its dot; it says the format."""
        return Path(urlsplit(self.url).path).suffix

    def matches(self, path: Path) -> bool:
        """Whether a file has this digest."""
        begin = b"blob %d\0" % path.stat().st_size if self.algorithm == "git" else b""
        algorithm = "sha1" if self.algorithm == "git" else self.algorithm
        digest = hashlib.new(algorithm, begin, usedforsecurity=False)  # for some files only a sha1 is published
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
    """The address of a file without a known digest: a user downloads it and gives it by --weights."""
    fingerprint: str | None = None
    """The sha256 over its tensors (``generator.network.fingerprint``), where it is known for certain."""
    seed: int | None = None
    """The seed, if weights are drawn at random and not read from a file."""
    class_file: str = ""
    """A text file beside this module: one name of a class a line, in the order of the classifier."""
    class_source: str = ""
    """Where these names come from."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, or () where they are not known."""
        return _lines(self.class_file) if self.class_file else ()


@cache
def _lines(name: str) -> tuple[str, ...]:
    return tuple((Path(__file__).parent / name).read_text(encoding="utf-8").splitlines())
