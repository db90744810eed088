"""The store: whole answers or none, whatever kills the writer, fills the disk, or lies in a record."""

import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCutError, power_cut
from writing import MADE, ask, encoded, put

from generator.core.errors import AtlasError
from generator.core.record import Picture, Record, checksum
from generator.core.result import read_answer
from generator.store.store import Damage, DamagedError, Store, UnreadableError


def files(store: Store) -> set[str]:
    return {str(p.relative_to(store.root)) for p in store.root.rglob("*") if p.is_file() and p.name != ".lock"}


def assert_sound(store: Store) -> list[Record]:
    """Every record reads back whole, and every file is a record, a picture of one, or known to belong to none."""
    records = []
    for answer in store.verify():
        assert isinstance(answer, Record), answer
        records.append(answer)
    claimed = {str(store.record_path(r.key).relative_to(store.root)) for r in records}
    claimed |= {p.name for r in records for p in r.pictures}
    assert files(store) == claimed | {str(p.relative_to(store.root)) for p in store.unclaimed()}
    return records


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "site" / "store")


def test_an_answer_is_read_back_whole(store: Store) -> None:
    assert store.read(ask().key) is None
    assert put(store)
    record = store.read(ask().key)
    assert record is not None
    assert (record.question, record.provenance, record.earlier) == (ask(), MADE, ())
    assert store.path(record.picture).read_bytes() == encoded("p11").data
    assert store.path(record.thumbnail).read_bytes() == encoded("t11", 900).data
    assert ask().key in store
    assert list(store.keys()) == [ask().key]
    key = ask().key
    digest = record.picture.sha256[:16]
    assert record.picture.name == f"{key[:2]}/{key[2:]}.{digest}.webp"


def test_reading_an_empty_place_makes_nothing(store: Store) -> None:
    assert list(store.keys()) == []
    assert list(store.verify()) == []
    assert list(store.unclaimed()) == []
    assert ask().key not in store
    assert not store.root.exists()


def test_the_first_answer_stays(store: Store) -> None:
    put(store)
    before = {name: (store.root / name).read_bytes() for name in files(store)}
    assert put(store, version="other") is False
    assert {name: (store.root / name).read_bytes() for name in files(store)} == before


def test_force_keeps_the_earlier_pictures_where_they_are(store: Store) -> None:
    put(store)
    first = store.read(ask().key)
    assert put(store, version="b", force=True)
    assert put(store, version="c", force=True)
    record = store.read(ask().key)
    assert first
    assert record
    assert len({p.name for p in record.pictures}) == 6
    assert record.earlier[2:] == (first.picture, first.thumbnail), "both have addresses that others may have linked"
    assert store.path(first.picture).read_bytes() == encoded("p11").data
    assert_sound(store)
    assert put(store, version="c", force=True), "the same picture once more is not its own earlier one"
    again = store.read(ask().key)
    assert again
    assert again.picture not in again.earlier
    assert list(store.unclaimed()) == []


# --- interruption --------------------------------------------------------------------------------------------------

WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from writing import Store, put
store, label = Store(Path(sys.argv[1])), sys.argv[3]
print("ready", flush=True)
won = 0
for n in range(int(sys.argv[4])):
    won += put(store, n % 7 if label.startswith("kill") else n, f"{label}{n}", force=label.startswith("kill"))
print(won, flush=True)
"""


def writer(store: Store, label: str, count: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store.root), here, label, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_kill_9_at_any_moment_leaves_whole_answers(store: Store) -> None:
    """Killed while it replaces the same seven answers over and over."""
    moment = random.Random(0)
    for n in range(8):
        child = writer(store, f"kill{n}-", 1_000_000)
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        time.sleep(moment.uniform(0.005, 0.08))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert_sound(store)
    for n in range(7):  # what was left behind goes when the answer is given again
        put(store, n, "last", force=True)
    assert len(assert_sound(store)) == 7
    assert list(store.unclaimed()) == []


@pytest.mark.parametrize("step", range(1, 13))
@pytest.mark.parametrize("force", [False, True])
def test_death_at_each_step_of_a_write(store: Store, monkeypatch: pytest.MonkeyPatch, step: int, force: bool) -> None:
    """Every system call that changes the disk, in turn, is the last one."""
    if force:
        put(store)
    before = store.read(ask().key)

    with power_cut(monkeypatch, step):
        try:
            put(store, version="new", force=force)
        except PowerCutError:
            pass
        else:
            assert step > 9
    records = assert_sound(store)
    if records and (before is None or records[0] != before):
        assert store.path(records[0].picture).read_bytes() == encoded("p11new").data
    else:
        assert records == ([before] if before else [])
    put(store, version="new", force=True)
    assert_sound(store)
    assert list(store.unclaimed()) == []


def test_two_processes_writing_the_same_answers(store: Store) -> None:
    """Each answer is given by exactly one of them, and none is a mixture."""
    children = [writer(store, label, 60) for label in ("one-", "two-")]
    won = [int(child.communicate()[0].split()[1]) for child in children]
    assert sum(won) == 60
    records = assert_sound(store)
    assert len(records) == 60
    assert list(store.unclaimed()) == []
    for record in records:
        n = record.question.unit.channel
        pair = (store.path(record.picture).read_bytes(), store.path(record.thumbnail).read_bytes())
        of = [(encoded(f"p{n}{x}{n}").data, encoded(f"t{n}{x}{n}", 900).data) for x in ("one-", "two-")]
        assert pair in of


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("step", range(1, 7))
@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_nothing_torn(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: int, force: bool, code: int
) -> None:
    if force:
        put(store)
    before, count, real = files(store), 0, os.fsync

    def full(fd: int) -> None:
        nonlocal count
        count += 1
        if count == step:
            raise OSError(code, os.strerror(code))
        real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(AtlasError, match="then type the same command again") as caught:
            put(store, version="new", force=force)
    assert ("no space left" in str(caught.value)) is (code != errno.EIO)
    assert "\n" not in str(caught.value)
    assert before <= files(store)
    assert not list(store.root.rglob("*.tmp"))
    assert_sound(store)
    put(store, version="new", force=True)
    assert list(store.unclaimed()) == []


def test_a_disk_that_is_really_full(store: Store) -> None:
    """The kernel's own refusal, by a limit on the size of files: half a picture must not stay."""
    code = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from writing import *; from generator.core.errors import AtlasError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try: put(Store(Path(sys.argv[1])))\n"
        "except AtlasError as error: print(error)\n"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, str(store.root), here], capture_output=True, text=True)
    assert "cannot write to the store" in done.stdout, done.stderr
    assert files(store) == set()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(AtlasError, match="cannot write to the store"):
        put(Store(tmp_path / "file" / "store"))


def test_an_answer_that_is_no_number_leaves_nothing(store: Store) -> None:
    """NaN has no place in JSON; it is refused before a file is written."""
    with pytest.raises(ValueError):
        store.write(ask(), replace(MADE, activation=float("nan")), encoded("p"), encoded("t"))
    assert files(store) == set()


# --- damage --------------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [truncate, flip, Path.unlink, lambda p: p.write_bytes(b"")])
@pytest.mark.parametrize("which", ["picture", "thumbnail", "earlier", "record"])
def test_damage_is_found_and_set_aside(store: Store, which: str, harm: Callable[[Path], None]) -> None:
    for channel in (1, 2, 3):
        put(store, channel)
        put(store, channel, "b", force=True)
    record = store.read(ask(2).key)
    assert record
    pictures = {"picture": record.picture, "thumbnail": record.thumbnail, "earlier": record.earlier[0]}
    harm(store.path(pictures[which]) if which in pictures else store.record_path(record.key))

    damages = [found for found in store.verify() if isinstance(found, Damage)]
    if which == "record" and harm is Path.unlink:  # without a record there is no answer, and the pictures are nobody's
        assert damages == []
        assert len(list(store.unclaimed())) == 4
        return
    assert [d.key for d in damages] == [record.key]
    assert "\n" not in damages[0].reason
    list(store.unclaimed())  # works beside a damaged record
    aside = store.set_aside(damages[0])
    assert aside == store.root / "damaged" / record.key[:2]
    assert record.key not in store
    assert {r.key for r in assert_sound_but(store, "damaged/")} == {ask(1).key, ask(3).key}
    assert list(store.unclaimed()) == [], "nothing of it is left among the answers"
    assert put(store, 2, "anew"), "it is rendered again"


def assert_sound_but(store: Store, folder: str) -> list[Record]:
    records = [r for r in store.verify() if isinstance(r, Record)]
    claimed = {p.name for r in records for p in r.pictures}
    claimed |= {str(store.record_path(r.key).relative_to(store.root)) for r in records}
    assert {f for f in files(store) if not f.startswith(folder)} == claimed
    return records


def test_a_damaged_record_is_told_with_the_command_that_helps(store: Store) -> None:
    put(store)
    truncate(store.record_path(ask().key))
    with pytest.raises(DamagedError, match="type `atlas verify`"):
        store.read(ask().key)
    with pytest.raises(DamagedError):
        put(store, version="b")


def test_a_picture_that_cannot_be_read_is_not_said_to_be_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store)
    (record,) = assert_sound(store)

    def refused(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(UnreadableError, match="cannot be read: Permission denied"):
        store.show(record)


@pytest.mark.parametrize("place", ["folder", "damaged"])
def test_nothing_is_written_through_a_link_that_leads_out_of_the_store(
    store: Store, tmp_path: Path, place: str
) -> None:
    put(store)
    (record,) = assert_sound(store)
    away, folder = tmp_path / "away", store.record_path(record.key).parent
    away.mkdir()
    if place == "folder":
        shutil.rmtree(folder)
    (folder if place == "folder" else store.root / "damaged").symlink_to(away)
    damage = Damage(record.key, "", (store.path(record.picture),))
    with pytest.raises(AtlasError, match="a link leads out of the store"):
        put(store) if place == "folder" else store.set_aside(damage)
    assert list(away.iterdir()) == []


def test_verify_beside_a_writer_sees_no_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit rendered again by force between the reading of its record and of its pictures is not damaged."""
    put(store)
    real, done = Store.read, False

    def read_then_replaced(self: Store, key: str) -> Record | None:
        nonlocal done
        record = real(self, key)
        if not done:
            done = True
            put(store, version="b", force=True)
        return record

    monkeypatch.setattr(Store, "read", read_then_replaced)
    assert [type(found) for found in store.verify()] == [Record]


def test_a_record_under_another_key(store: Store) -> None:
    put(store, 1)
    put(store, 2)
    store.record_path(ask(2).key).write_bytes(store.record_path(ask(1).key).read_bytes())
    with pytest.raises(DamagedError, match="another key"):
        store.read(ask(2).key)


# --- records that mean harm: an atlas published by a stranger can be used as a cache --------------------------------

NAME = f"ab/{'c' * 62}.{'0' * 16}"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        f"../{NAME}.webp",
        f"{NAME}.webp/../../x",
        f"{NAME}.html",
        f"{NAME}.webp\n",
        f"{NAME.upper()}.webp",
        "",
        7,
        None,
    ],
)
def test_names_that_lead_elsewhere_are_refused(store: Store, name: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Picture(name, "0" * 64, 1, 1, 1)
    put(store)
    path = store.record_path(ask().key)
    for field in ("picture", "thumbnail"):
        data = json.loads(path.read_bytes())
        data[field]["name"] = name
        data["sha256"] = checksum({key: value for key, value in data.items() if key != "sha256"})
        with pytest.raises(ValueError, match=r"must be|is not"):
            read_answer(json.dumps(data))


def change(data: dict[str, Any], where: str, value: Any) -> dict[str, Any]:
    *parents, last = where.split(".")
    for parent in parents:
        data = data[parent]
    data[last] = value
    return data


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("format", 2),
        ("key", "0" * 64),
        ("question.unit", "mixed4a:12"),
        ("question.unit", "../../x:1"),
        ("question.unit", "<script>:1"),
        ("question.unit", "mixed4a:-1"),
        ("question.fingerprint", "../../x"),
        ("question.recipe.steps", 10**9),
        ("question.recipe.shade", 1),
        ("question", []),
        ("made", None),
        ("made.activations", 5),
        ("made.activations", ["x"]),
        ("made.activation", 10**400),
        ("made.versions", []),
        ("picture.bytes", -1),
        ("picture.width", 1e9),
        ("picture.height", True),
        ("picture.sha256", "<b>"),
        ("earlier", [{"name": "../x"}]),
        ("earlier", 3),
    ],
)
def test_fields_that_are_not_what_they_should_be(store: Store, where: str, value: Any) -> None:
    put(store)
    data = json.loads(store.record_path(ask().key).read_bytes())
    change(data, where, value)
    if where.startswith("question.") and "shade" not in where:  # a liar computes the key that fits
        from hashlib import sha256

        from generator.core.recipe import canonical_json

        if value != "mixed4a:12":
            data["key"] = sha256(canonical_json(data["question"])).hexdigest()
    data["sha256"] = checksum({name: value for name, value in data.items() if name != "sha256"})
    with pytest.raises(ValueError):
        read_answer(json.dumps(data))


@pytest.mark.parametrize("text", ["", "null", "[]", "7", "{}", '"x"', "[" * 100_000, '{"format": 1', "\x00" * 500])
def test_what_is_no_record(text: str) -> None:
    with pytest.raises(ValueError):
        read_answer(text)


@pytest.mark.parametrize("key", ["", "ab", "../" * 21 + "x", "AB" * 32, "g" * 64, "ab" * 32 + "\n"])
def test_what_is_no_key(store: Store, key: str) -> None:
    with pytest.raises(ValueError):
        store.read(key)


def test_strange_files_in_the_store_are_no_answers(store: Store) -> None:
    put(store)
    (store.root / "README").write_text("hello")
    (store.root / ask().key[:2] / ".DS_Store").write_text("")
    (store.root / "zz").mkdir()
    assert list(store.keys()) == [ask().key]
    assert [p.name for p in store.unclaimed()] == [".DS_Store"]


def test_a_number_changed_in_a_record_is_damage(store: Store) -> None:
    put(store)
    path = store.record_path(ask().key)
    text = path.read_text()
    changed = re.sub(r'"spread":[0-9.]+', '"spread":77.5', text)
    assert changed != text
    path.write_text(changed)
    assert [type(found) for found in store.verify()] == [Damage]
