"""Documents as files: which kind one is, its text, and new text in the place of the old.

>>> kind_of(Path("post.qmd"))
'markdown'
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.cite.mentions import Language
from generator.core.atomic import write_atomically
from generator.core.errors import AtlasError, UsageError, why_not_written

LIMIT = 50_000_000  # bytes; a notebook has its pictures in it
STDIN = Path("-")
KINDS: Mapping[str, Language] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".tex": "latex",
    ".ipynb": "notebook",
    ".qmd": "markdown",  # Quarto
    ".rmd": "markdown",  # R
    ".mdx": "markdown",  # with JSX
}


def kind_of(path: Path) -> Language:
    """What a file is, by its ending. Standard input is Markdown."""
    kind = "markdown" if path == STDIN else KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{path} is no document that can be cited in; those end with {', '.join(KINDS)}; or say --format"
        )
    return kind


def read_document(path: Path) -> str:
    """The text of a file or of standard input, line ends and all."""
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(LIMIT + 1)
        elif not path.is_file():
            raise UsageError(f"no file {path}; name a document")
        else:
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
    if "\0" in text:
        raise AtlasError(f"{path} is not text: it has a zero byte in it")
    return text


def write_document(path: Path, text: str) -> None:
    """Replace a file's text: all of it or, if something fails, nothing. A symbolic link goes on leading where it led.

    The new file has the owner, the group, the mode and the extended attributes of the old one. Raises AtlasError, with
    the reason, where that cannot be: a replaced file cannot keep its other names (hard links).
    """
    target = path.resolve()
    before = target.stat()
    if before.st_nlink > 1:
        raise AtlasError(
            f"{path} has {before.st_nlink} names (hard links), and the others would keep the old text; type "
            f"`cp {path} {path}.new && mv {path}.new {path}` if that is meant, or use the text on stdout"
        )
    if not os.access(target, os.W_OK):  # a rename would not mind
        raise AtlasError(f"{path} cannot be written: it is read-only; type `chmod u+w {path}`")
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(descriptor)
    except OSError as error:
        raise AtlasError(f"the folder {target.parent} cannot be written: {why_not_written(error)}") from error
    try:
        _take_on(Path(name), path, before)
        write_atomically(target, text.encode("utf-8"), temporary=Path(name))
    except OSError as error:
        raise AtlasError(f"{path} cannot be written: {why_not_written(error)}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _take_on(new: Path, path: Path, before: os.stat_result) -> None:
    """Give a new file everything of the old one but its text and time."""
    now = new.stat()
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.chown(new, before.st_uid, before.st_gid)
        except OSError as error:
            raise AtlasError(
                f"{path} belongs to another user or group (uid {before.st_uid}, gid {before.st_gid}), and would no "
                f"longer; let its owner write it, or use the text on stdout"
            ) from error
    if hasattr(os, "listxattr"):
        for attribute in os.listxattr(path):
            os.setxattr(new, attribute, os.getxattr(path, attribute))
    new.chmod(before.st_mode & 0o7777)
