"""Text that a person or another program wrote: read from a file, checked, and made safe for a person to read.

>>> legible("no\\x1b[31m such\\nhost")
'no [31m such host'
>>> print(visible("a\\x1b[31mb\\u202ec \\udcff é…"))
a\\x1b[31mb\\u202ec \\udcff é…
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from generator.core.errors import UsageError

SHA256 = re.compile(r"[0-9a-f]{64}")
"""A key, a fingerprint of weights, a checksum: 64 hexadecimal digits."""
_JOINERS = "\u200c\u200d"  # invisible, and parts of words and of emoji


def read_text(path: Path) -> str:
    """A text file that a person wrote, in UTF-8, with or without a byte-order mark.

    Raises FileNotFoundError if it is not there, and UsageError if it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} cannot be read: it is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def is_line(text: str) -> bool:
    """Whether a text is one line, all of it visible: no control characters, no marks that turn the direction."""
    return text.isprintable() or all(_is_visible(character) or character in _JOINERS for character in text)


def legible(said: object, most: int = 100) -> str:
    """A text fit for one line of a terminal: without escapes and line breaks, at most ``most`` characters."""
    words = "".join(c if c.isprintable() else " " for c in str(said)[: 10 * most]).split()
    return " ".join(words)[:most]


def visible(line: str) -> str:
    """A line whose control characters, terminal escapes and changes of direction are written as escapes."""
    return "".join(c if _is_visible(c) else c.encode("unicode_escape").decode("ascii") for c in line)


def _is_visible(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"
