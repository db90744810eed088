"""What a person reads: lines on stdout and stderr. Every command writes by :func:`echo`.

Names of files, tensors and labels may come from any source, and may contain commands for a terminal. So invisible
characters are written as escapes, here and nowhere else.
"""

import click

from generator.core.text import visible


def echo(text: object = "", *, err: bool = False) -> None:
    """One line on stdout or stderr."""
    click.echo(visible(str(text)), err=err)


def echo_lines(text: str) -> None:
    """A text of our own of several lines, on stdout."""
    for line in text.splitlines():
        echo(line)
