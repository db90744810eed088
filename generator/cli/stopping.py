"""How a command ends after Ctrl-C, or after SIGTERM, which clusters send."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from generator.cli.output import echo

_exit_code = 130  # of Ctrl-C


@contextmanager
def stoppable() -> Iterator[None]:
    """In this block SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets no other thread handle signals
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: Any) -> NoReturn:
    global _exit_code
    _exit_code = 143
    raise KeyboardInterrupt


def end_stopped(left: str = "what is finished is kept") -> NoReturn:
    """Say what is left and how to go on, and end with the exit code of the signal."""
    echo(f"atlas: stopped; {left}. Type the same command again to go on", err=True)
    sys.exit(_exit_code)
