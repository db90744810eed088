"""What a person reads: lines on stdout and stderr. Every command writes by :func:`echo`.

Names of files, tensors and labels may come from any source, and may contain commands for a terminal. So invisible
characters are written as escapes, here and nowhere else.
"""

from __future__ import annotations

import unicodedata

import click


def echo(text: object = "", *, err: bool = False) -> None:
    """A line, or several, on stdout or stderr."""
    click.echo("\n".join(map(visible, str(text).split("\n"))), err=err)


def visible(line: str) -> str:
    """A line whose control characters, terminal escapes and changes of direction are written as escapes.

    >>> print(visible("a\\x1b[31mb\\u202ec \\udcff é…"))
    a\\x1b[31mb\\u202ec \\udcff é…
    """
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(c) for c in line)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
