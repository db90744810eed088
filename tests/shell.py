"""The command line as people type it: in this process (the fixture ``run``), or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]
"""Type a command: exit code, what it said, what it complained of."""


def spawn(folder: Path, *words: str, code: str = "") -> subprocess.Popen[str]:
    """The command in a process of its own; ``code`` runs in it first."""
    program = f"{code}\nfrom generator.cli.main import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *words], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def answers(atlas: Path) -> list[Path]:
    return list((atlas / "site/store").glob("[0-9a-f][0-9a-f]/*.json"))


def wait_for_answers(atlas: Path, count: int) -> None:
    for _ in range(1200):
        if len(answers(atlas)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {count} answers after a minute")
