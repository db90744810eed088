"""Errors that a user can cause, or a machine: their text is one line.

Each of them is one of these two. The command line prints the text and exits with the code. Any other exception is a bug
and shows its traceback. A text says what was wrong and what to type instead.
"""

import difflib
import errno
from collections.abc import Iterable


class AtlasError(Exception):
    """Something failed: weights that do not fit, a full disk, a damaged file."""

    exit_code = 1


class UsageError(AtlasError):
    """Something was asked for that does not exist or does not make sense."""

    exit_code = 2


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The nearest word that exists, or ``otherwise`` (default: all words that exist)."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else otherwise or f"there are {', '.join(known)}"


def why_not_written(error: OSError) -> str:
    """Why a file could not be written, and what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left on the disk; free some"
    return f"{error.strerror or error}; mend that"
