"""How time and memory of `atlas study` grow with the number of photographs: on a CPU, on a GPU, or over Ray.

>>> make bench-study                                               # or: python benchmarks/study.py
>>> python benchmarks/study.py --photographs 1000 50000 --device cuda             # doctest: +SKIP
>>> python benchmarks/study.py --photographs 50000 --ray-address 10.0.0.5:6379    # doctest: +SKIP

Each number of photographs is one command in a process of its own, into an empty store. Without ``--photos`` the files
are made: 200 pictures, again and again with other last bytes, so that all are read and counted. Over Ray the time of
the processor and the memory are those of the process that was started, and not of the workers.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from generator.checkpoints import CHECKPOINTS
from generator.photos.photographs import find_photographs

MADE = 200


def main(words: Sequence[str] | None = None) -> None:
    asked, more = arguments(words)
    print("| photographs | seconds | processor seconds | peak memory, GB |\n|---|---|---|---|")
    for count in asked.photographs:
        with tempfile.TemporaryDirectory(prefix="atlas-") as name:
            folder = Path(name)
            (folder / "photographs").mkdir()
            if asked.photos:
                link(asked.photos, folder / "photographs", count)
            else:
                make(folder / "photographs", count)
            seconds, processor, peak = study(folder, asked, more)
        print(f"| {count:,} | {seconds:,.0f} | {processor:,.0f} | {peak:.2f} |", flush=True)


def arguments(words: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """What was typed; what is not known here is an option of `atlas study`."""
    said = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    said.add_argument("--photographs", nargs="+", type=int, default=[250, 500, 1000])
    said.add_argument("--photos", type=Path, help="a folder to take photographs from, evenly spread over it")
    said.add_argument("--analyses", nargs="+", default=["photos", "similar"])
    said.add_argument("--checkpoint", default="bvlc_googlenet", choices=list(CHECKPOINTS))
    return said.parse_known_args(words)


def make(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(min(MADE, count)):
        coarse = Image.fromarray(random.integers(0, 255, (24, 32, 3), dtype=np.uint8))
        file = io.BytesIO()
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
        pictures.append(file.getvalue())
    for i in range(count):
        (folder / f"{i:06}.jpg").write_bytes(pictures[i % MADE] + i.to_bytes(4, "little"))


def link(source: Path, folder: Path, count: int) -> None:
    every = find_photographs([source]).photographs
    if len(every) < count:
        sys.exit(f"{source} has {len(every)} photographs; type --photographs {len(every)}")
    for i in range(count):
        path = every[i * len(every) // count].path.resolve()
        (folder / f"{i:06}{path.suffix}").symlink_to(path)


def study(folder: Path, asked: argparse.Namespace, more: Sequence[str]) -> tuple[float, float, float]:
    """Seconds, seconds of processor and GB at the peak of one `atlas study`."""
    (folder / "atlas.toml").write_text(f"[checkpoints.{asked.checkpoint}]\nunits = []\n")
    words = ["study", *asked.analyses, "--photos", "photographs", *more]
    begun = time.perf_counter()
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.dup2(2, 1)  # the table alone is on stdout
        os.execv(sys.executable, [sys.executable, "-m", "generator.cli.main", *words])
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"`atlas {' '.join(words)}` failed")
    unit = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e9


if __name__ == "__main__":
    main()
