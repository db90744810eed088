"""Documents as files: which kind one is, its text, and its text put in the place of the one before.

>>> kind_of(Path("post.md"))
'markdown'
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from generator.cite.document import Kind
from generator.cite.layout import BLANK
from generator.core.errors import AtlasError, UsageError, why_not_written

LIMIT = 50_000_000  # bytes; a notebook has its pictures in it
KINDS: Mapping[str, Kind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".tex": "latex",
    ".ipynb": "notebook",
}


def kind_of(path: Path) -> Kind:
    """What a file is, by its ending."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path} is no document that can be cited in; those end with {', '.join(KINDS)}")
    return kind


def read_document(path: Path) -> str:
    """The text of a file, line ends and all."""
    try:
        if not path.is_file():
            raise UsageError(f"no file {path}; name a document")
        with open(path, "rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise AtlasError(f"{path} cannot be read: {error.strerror}; mend that") from error
    if len(data) > LIMIT:
        raise AtlasError(f"{path} has more than {LIMIT:,} bytes; divide it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AtlasError(f"{path} is not text in UTF-8 (byte {error.start:,}); save it as such") from error
    if BLANK in text:
        raise AtlasError(f"{path} is not text: it has a zero byte in it")
    return text


def write_document(path: Path, text: str) -> None:
    """Replace a file's text: all of it or, if something fails, nothing. A link goes on leading where it led."""
    target = path.resolve()
    if not os.access(target, os.W_OK):  # a rename would not mind
        raise AtlasError(f"{path} cannot be written: it is read-only; type `chmod u+w {path}`")
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(target, name)
            os.replace(name, target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise AtlasError(f"{path} cannot be written: {why_not_written(error)}") from error
