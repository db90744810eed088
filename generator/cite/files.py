"""Documents as files: which kind one is, and its text, with line ends and all.

>>> kind_of(Path("post.qmd"))
'markdown'
"""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from generator.cite.mentions import Language
from generator.core.errors import AtlasError, UsageError

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
    """The text of a file or of standard input. Raises AtlasError if there is none, or no text in UTF-8."""
    if path != STDIN and not path.is_file():
        raise UsageError(f"no file {path}; name a document")
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else open(path, "rb") as file:
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
