"""A power cut at a chosen moment: every system call that changes the disk, in turn, is the last one.

>>> with power_cut(monkeypatch, 3), pytest.raises(PowerCutError):     # doctest: +SKIP
...     store.write(question, provenance, picture, thumbnail)
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class PowerCutError(BaseException):
    """No code of ours may catch it."""


@contextlib.contextmanager
def power_cut(monkeypatch: pytest.MonkeyPatch, step: int) -> Iterator[None]:
    """From the call of this number on, counted from 1, none of them is made."""
    count = 0

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count >= step:
                raise PowerCutError
            return real(*args, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(os, "replace", dying(os.replace))
        patch.setattr(Path, "unlink", dying(Path.unlink))
        yield
