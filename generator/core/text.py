"""Text that a person or another program wrote: read from a file, checked, and made safe for a person to read.

>>> legible("no\\x1b[31m such\\nhost")
'no [31m such host'
>>> print(visible("a\\x1b[31mb\\u202ec \\udcff é…"))
a\\x1b[31mb\\u202ec \\udcff é…
"""

import re
from pathlib import Path

from generator.core.errors import UsageError

SHA256 = re.compile(r"[0-9a-f]{64}")
"""A key, a fingerprint of weights, a checksum: 64 hexadecimal digits."""
INVISIBLE = (
    r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # controls, ends of lines, changes of direction
    r"\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # of no width
    r"\ud800-\udfff\ufffe\uffff"  # no characters at all
)
"""Characters that nobody sees, as the inside of a class of regular expressions. Spaces of any width are seen; joiners
are parts of words and of emoji."""
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def read_text(path: Path) -> str:
    """A text file that a person wrote, in UTF-8, with or without a byte-order mark.

    Raises FileNotFoundError if it is not there, and UsageError if it cannot be read or is a link to nothing.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if path.is_symlink():
            raise UsageError(f"{path} is a link to nothing; remove it, or mend it") from None
        raise
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} cannot be read: it is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def is_line(text: str) -> bool:
    """Whether a text is one line, all of it visible: no control characters, no marks that turn the direction."""
    return not _INVISIBLE.search(text)


def visible(line: str) -> str:
    """A line whose control characters, terminal escapes and changes of direction are written as escapes."""
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)


def legible(said: object, most: int = 160) -> str:
    """What another side said, as one line of at most ``most`` characters. What is invisible becomes a space."""
    line = " ".join(_INVISIBLE.sub(" ", str(said)[: 10 * most]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
