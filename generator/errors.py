"""What a user did wrong or a machine could not do, said in one line.

Every error that a user can cause is one of these two; the command line prints its text and exits with its code, and
anything else that escapes is a bug and shows its traceback. A text names what was wrong and what to type instead.
"""

from __future__ import annotations


class AtlasError(Exception):
    """Something failed: weights that do not fit, a full disk, a damaged file."""

    exit_code = 1


class UsageError(AtlasError):
    """Something was asked for that does not exist or does not make sense."""

    exit_code = 2
