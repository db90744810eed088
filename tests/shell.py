"""The command line as people type it: in this process (the fixture ``run``), or in one of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]
"""Type a command: exit code, what it said, what it complained of."""


PATIENCE = 240  # seconds; no command takes so long, and a busy machine may
HEED = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A shell's background jobs do not heed Ctrl-C, nor what they start."""


def held_after(batches: int) -> str:
    """Code for :func:`spawn`: the command renders so many batches, and then waits until it is stopped."""
    return f"""
import time
from generator.render import renderer
ascend, left = renderer.ascend, iter(range({batches}))
def held(*given, **named):
    next(left, None) is not None or time.sleep({10 * PATIENCE})
    return ascend(*given, **named)
renderer.ascend = held
"""


def after(*commands: Sequence[str], code: int = 0) -> str:
    """Code for :func:`spawn`: these commands come first, in the same process, and each ends with this exit code."""
    return f"""
import sys
from generator.cli.main import main
asked = sys.argv
for words in {commands}:
    sys.argv = ["atlas", *words]
    try:
        main()
        ended = 0
    except SystemExit as stop:
        ended = stop.code or 0
    assert ended == {code}, words
sys.argv = asked
"""


def spawn(folder: Path, *words: str, code: str = "", group: bool = False) -> subprocess.Popen[str]:
    """The command in a process of its own, or in a ``group`` of its own; ``code`` runs in it first."""
    program = f"{HEED}{code}\nfrom generator.cli.main import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *words], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=group, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def answers(atlas: Path) -> list[Path]:
    return list((atlas / "site/store").glob("[0-9a-f][0-9a-f]/*.json"))


def wait_for_answers(atlas: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Until the store has so many answers, which the process is to give."""
    begun = time.monotonic()
    while (there := len(answers(atlas))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < begun + PATIENCE, f"{there} of {count} answers after {PATIENCE} s"
        time.sleep(0.05)
