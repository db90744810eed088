"""An atlas attacked in every way that was thought of, and a table of what held: `make attack`, in docs/reliability.md.

Commands run in forks of this process, so an attempt takes no longer than its command. What is tried depends on the
seed alone, but for the moment at which a process is killed.
"""

import argparse
import contextlib
import errno
import os
import random
import re
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from photographs import made_up_photographs
from safetensors.numpy import save_file
from test_kinds import arrays
from test_panels import keep, weights
from tiny import FINGERPRINT, LABELS, encoded, tiny_atlas

from generator.cli.main import main
from generator.core.units import Unit
from generator.publish.build import build
from generator.publish.check.site import check
from generator.store.store import Damage, Store

LAYER = {"fingerprint": FINGERPRINT, "layer": "mixed4a", "settings": {}}
RENDER = (
    "render",
    "conv2d0:0-5",
    "--checkpoint",
    "untrained",
    "--steps",
    "20",
    "--size",
    "32",
    "--input",
    "64",
    "--batch",
    "2",
)
STUDY = ("study", "photos", "--checkpoint", "untrained", "--photos", "photos", "--layer", "conv2d0")
DIRECTIONS = """
[directions.plain]
layer = "mixed4a"
file = "vectors.npy"
[directions.named]
layer = "mixed4a"
file = "vectors.safetensors"
"""
NASTY = (
    b"\0",
    b"\x1b[31m",
    "\u202e".encode(),
    b"../../x",
    b"con",
    b"9" * 400,
    b"[" * 3000,
    b"\xff\xfe",
    b'"',
    b"nan",
    b"-1",
    b"{}",
)
Say = Callable[[str], None]


def start(folder: Path, *words: str, before: Callable[[], Any] = lambda: None) -> tuple[int, Path]:
    """A command in a fork, and the file that gets what it says."""
    said = Path(tempfile.mkstemp(dir=folder.parent, suffix=".said")[1])
    if child := os.fork():
        return child, said
    try:
        os.chdir(folder)
        for stream in (1, 2):
            os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), stream)
        sys.argv = ["atlas", *words]
        before()
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 99
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def end(child: int, said: Path, say: Say) -> int:
    """Its exit code, or less than 0 for a signal. Says what no command may do: fail at length, or unseen characters."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    text = said.read_text("utf-8", "replace")
    said.unlink()
    if "Traceback" in text or code == 99:
        say(text.strip().splitlines()[-1][:200])
    if code and re.search(r"[\x00-\x08\x0e-\x1f\u202e]", text.replace("\x1b[?25h", "")):
        say(f"control characters in: {text!r:.200}")
    return code


def typed(folder: Path, say: Say, *words: str, before: Callable[[], Any] = lambda: None) -> int:
    return end(*start(folder, *words, before=before), say)


class Target:
    """An atlas with pictures, answers of a study and names, and a whole copy of its store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.whole = folder / "atlas", folder / "whole"
        atlas = tiny_atlas(self.folder, ("conv2d0:0-2", "mixed4a:0-3,9,12"))
        atlas.label(LABELS)
        vectors = np.random.default_rng(0).normal(size=(2, 512)).astype(np.float32)
        np.save(self.folder / "vectors.npy", vectors)
        save_file({"decoder": vectors}, self.folder / "vectors.safetensors")
        atlas.toml(
            ('"mixed5b:3"', '"output:7", "mixed4a@plain:1", "mixed4a@named:0"'), ("[recipe]", DIRECTIONS + "[recipe]")
        )
        made = atlas.answer(Unit("output", 7), view="logit").provenance
        self.later = [Unit("output", 7), Unit("mixed4a@plain", 1), Unit("mixed4a@named", 0)]
        for unit in self.later:
            atlas.store.write(atlas.config().question(FINGERPRINT, unit), made, encoded(3, 56), encoded(3, 28))
        data = arrays(values=np.arange(512, dtype=np.float32))
        atlas.store.keep("study/bias", LAYER, {"date": "2026-11-28"}, facts={}, files={"arrays": ("npz", data)})
        keep(atlas, "weights", "mixed4a", weights())
        (self.folder / "photos").mkdir()
        made_up_photographs(self.folder / "photos", 3)
        self.toml = (self.folder / "atlas.toml").read_bytes()
        build(atlas.config())
        self.store, self.config = self.folder / "site/store", atlas.config
        shutil.copytree(self.folder, self.whole)

    def restore(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.whole, self.folder)

    def arrays(self) -> set[str]:
        """The files of studies; a hash of what each holds is in its name."""
        return {path.name for path in self.store.glob("??/*.npz")}

    def is_whole(self, say: Say) -> None:
        """A build mends what a killed one left, and the store is what it was."""
        if typed(self.folder, say, "build"):
            say("the next build fails")
            return
        for problem in check(self.config())[:1]:
            say(f"check: {problem}")
        for path in self.folder.rglob("*"):
            if re.search(r"\.atlas-\d+\.tmp$|\.tmp$", path.name):
                say(f"left behind: {path.name}")
        for path in (self.whole / "site/store").rglob("*.*"):
            if (
                path.is_file()
                and (self.store / path.relative_to(self.whole / "site/store")).read_bytes() != path.read_bytes()
            ):
                say(f"changed: {path.name}")


def killed(target: Target, dice: random.Random, say: Say, number: signal.Signals, words: tuple[str, ...]) -> None:
    begun = time.monotonic()
    shutil.rmtree(target.folder / "site/bvlc_googlenet", ignore_errors=True)
    typed(target.folder, say, *words)
    took = time.monotonic() - begun
    whole = target.arrays()
    if words[0] == "build":
        shutil.rmtree(target.folder / "site/bvlc_googlenet")
    else:
        target.restore()
    child, said = start(target.folder, *words)
    time.sleep(dice.random() * took)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, number)
    code = end(child, said, say)
    if code not in (0, 143, -number) or (number == signal.SIGTERM and code < 0 and took > 0.2):
        say(f"exit code {code}")
    if any(isinstance(each, Damage) for each in Store(target.store).verify()):
        say("an answer is half written")
    if words[0] != "build" and (typed(target.folder, say, *words) or target.arrays() != whole):
        say("the same command again does not make what it would have made")
    target.is_whole(say)


def full(target: Target, dice: random.Random, say: Say) -> None:
    """The disk is full from some file on, then there is room again."""
    left, replace = dice.randrange(60), os.replace

    def replaced(*names: Any, **more: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), names[1])
        replace(*names, **more)

    shutil.rmtree(target.folder / "site/bvlc_googlenet")
    if typed(target.folder, say, "build", before=lambda: setattr(os, "replace", replaced)) == 0 and left < 0:
        say("exit code 0 on a full disk")
    target.is_whole(say)


def two(target: Target, dice: random.Random, say: Say) -> None:
    """Three builds and two renders at once."""
    shutil.rmtree(target.folder / "site/bvlc_googlenet")
    running = [start(target.folder, *words) for words in (("build",), RENDER, ("build",), RENDER, ("build",))]
    if {end(*each, say) for each in running} - {0, 1}:
        say("one of them ended oddly")
    if any(isinstance(each, Damage) for each in Store(target.store).verify()):
        say("an answer is damaged")
    target.is_whole(say)


def rot(target: Target, dice: random.Random, say: Say, pattern: str) -> None:
    """One bit of one file turns, or its end is gone; `atlas verify` names it and sets it aside."""
    path = dice.choice(sorted(target.store.glob(f"??/{pattern}")))
    data = bytearray(path.read_bytes())
    at = dice.randrange(len(data))
    if dice.random() < 0.8:
        data[at] ^= 1 << dice.randrange(8)
    else:
        del data[at:]
    path.chmod(0o644)
    path.write_bytes(data)
    if typed(target.folder, say, "build") not in (0, 1):
        say("build ends oddly")
    if typed(target.folder, say, "verify") != 1:
        say(f"not noticed: {path.name}, byte {at}")
    if typed(target.folder, say, "build") != 0:
        say("no build after verify")
    target.restore()


def rot_of_later(target: Target, dice: random.Random, say: Say) -> None:
    """The same of a picture of a class or of a direction."""
    key = target.config().question(FINGERPRINT, dice.choice(target.later)).key
    rot(target, dice, say, f"{key[2:]}.[0-9a-f]*.webp")


def rot_of_site(target: Target, dice: random.Random, say: Say) -> None:
    """One bit of a built file turns, of a gzipped one in one attempt of two; the next build writes it anew."""
    built = [path for path in (target.folder / "site").rglob("*.*") if path.is_file() and "store" not in path.parts]
    gzipped = [path for path in built if path.suffix == ".gz"]
    path = dice.choice(sorted(dice.choice((built, gzipped))))
    whole = path.read_bytes()
    at = dice.randrange(len(whole) * 8) if whole else 0
    path.write_bytes(bytes(byte ^ (1 << at % 8) * (n == at // 8) for n, byte in enumerate(whole)) or b"x")
    if typed(target.folder, say, "build") or path.read_bytes() != whole:
        say(f"not made anew: {path.name}")
    target.is_whole(say)


def torn(data: bytes, dice: random.Random) -> bytes:
    """Bytes damaged in one to three places."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        cut = dice.randrange(40)
        data = data[:at] + (dice.choice(NASTY) if kind < 2 else b"") + data[at + (cut if kind != 1 else 0) :]
        data = data if kind != 3 else data[: max(at, 1)]
    return data


def hostile(target: Target, dice: random.Random, say: Say, name: str, *words: str) -> None:
    """A file of somebody else, damaged on purpose, in a folder with a neighbour that nothing may touch."""
    path = target.folder / name if name != "record" else dice.choice(sorted(target.store.glob("??/*.json")))
    path.chmod(0o644)
    path.write_bytes(torn(path.read_bytes(), dice))
    around = sorted(each.name for each in target.folder.parent.iterdir())
    begun = time.monotonic()
    typed(target.folder, say, *words)
    if time.monotonic() - begun > 60:
        say("took more than a minute")
    if around != sorted(each.name for each in target.folder.parent.iterdir() if not each.name.endswith(".said")):
        say("wrote outside its folder")
    target.restore()


def pulled(target: Target, dice: random.Random, say: Say) -> None:
    """An atlas in another folder, one file of which is damaged; what arrives is whole or is not kept."""
    other, mine = target.folder.parent / "other", target.folder.parent / "mine"
    shutil.copytree(target.whole / "site", other)
    path = dice.choice([other / "index.json", *sorted(other.glob("*/index.json")), *sorted(other.glob("store/??/*"))])
    path.chmod(0o644)
    path.write_bytes(torn(path.read_bytes(), dice))
    mine.mkdir()
    (mine / "atlas.toml").write_bytes(target.toml)
    typed(mine, say, "pull", str(other))
    if any(isinstance(each, Damage) for each in Store(mine / "site/store").verify()):
        say("something damaged was kept")
    shutil.rmtree(other)
    shutil.rmtree(mine)


def hostile_weights(target: Target, dice: random.Random, say: Say) -> None:
    """A file of weights that is none: a header that lies, a torn zip, other bytes."""
    header = b'{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
    good = struct.pack("<Q", len(header)) + header + bytes(16)
    path = target.folder / dice.choice(("w.safetensors", "w.pth", "w.pb", "w.npz"))
    path.write_bytes(torn(dice.choice((good, arrays(a=np.zeros(4)), b"\x80\x02c__builtin__\neval\n")), dice))
    if typed(target.folder, say, "render", "conv2d0:0", "--checkpoint", "bvlc_googlenet", "--weights", str(path)) == 0:
        say("rendered by nothing")
    target.restore()


TRIED: dict[str, Callable[[Target, random.Random, Say], None]] = {
    "`kill -9` of `build`": lambda *given: killed(*given, signal.SIGKILL, ("build",)),
    "SIGTERM of `build`": lambda *given: killed(*given, signal.SIGTERM, ("build",)),
    "`kill -9` of `render`": lambda *given: killed(*given, signal.SIGKILL, RENDER),
    "SIGTERM of `render`": lambda *given: killed(*given, signal.SIGTERM, RENDER),
    "`kill -9` of `study`": lambda *given: killed(*given, signal.SIGKILL, STUDY),
    "SIGTERM of `study`": lambda *given: killed(*given, signal.SIGTERM, STUDY),
    "`kill -9` of `study --ray`": lambda *given: killed(*given, signal.SIGKILL, (*STUDY, "--ray", "--workers", "1")),
    "full disk during `build`": full,
    "three `build` and two `render` at once": two,
    "bit rot: picture": lambda *given: rot(*given, "*[0-9a-f].webp"),
    "bit rot: picture of a class or direction": rot_of_later,
    "bit rot: thumbnail": lambda *given: rot(*given, "*.thumb.webp"),
    "bit rot: record, of a picture or a study": lambda *given: rot(*given, "*.json"),
    "bit rot: arrays of a study": lambda *given: rot(*given, "*.npz"),
    "bit rot: built files": rot_of_site,
    "hostile weights": hostile_weights,
    "hostile vectors of directions": lambda target, dice, say: hostile(
        target, dice, say, dice.choice(("vectors.npy", "vectors.safetensors")), "build"
    ),
    "hostile labels": lambda *given: hostile(*given, "labels/tiny.toml", "build"),
    "hostile atlas.toml": lambda *given: hostile(*given, "atlas.toml", "build"),
    "hostile record": lambda *given: hostile(*given, "record", "build"),
    "hostile list of built files": lambda *given: hostile(*given, "site/.built.json", "build"),
    "hostile atlas, pulled": pulled,
}


def tried(times: int, seed: int, only: str) -> Iterator[tuple[str, int, list[str]]]:
    with tempfile.TemporaryDirectory() as folder:
        target = Target(Path(folder))
        for what, attack in TRIED.items():
            found: list[str] = []
            for number in range(times if only in what else 0):
                target.restore()
                attack(target, random.Random(f"{seed} {what} {number}"), found.append)
            if only in what:
                yield what, times, found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="attempts of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of the name of what is tried")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print("| tried | times | held |\n|---|---|---|", flush=True)
    failed = False
    for what, times, found in tried(asked.times, asked.seed, asked.only):
        failed |= bool(found)
        print(f"| {what} | {times} | {'all' if not found else '; '.join(sorted(set(found)))} |", flush=True)
    sys.exit(failed)
