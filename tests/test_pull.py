"""`atlas pull`: what somebody published is copied once, whole and unharmed, and whoever means harm changes nothing."""

import dataclasses
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCutError, power_cut
from publisher import Handler, Lie, Publisher, endless, forged, publish, put, redirect, send
from shell import Run, finish, spawn, wait_for_answers
from tiny import CHECKPOINT, FINGERPRINT, TinyAtlas, encoded, other_recipe, tiny_atlas

from generator import Atlas
from generator.checkpoints import CHECKPOINTS
from generator.core.errors import AtlasError
from generator.core.record import EncodedFile, Record
from generator.core.result import read_answer
from generator.core.units import Unit
from generator.publish.build import build
from generator.reader import pull as pull_room
from generator.reader.pull import Pulled, pull
from generator.remote import http
from generator.store.store import Damage, DamagedError, Store

WEIGHTS = f"{CHECKPOINT}  weights {FINGERPRINT[:12]}\n"
UNITS = 27
NINE = Unit("mixed4a", 9)
RECORD = f"{CHECKPOINT}/mixed4a/9.json"


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    """An atlas that somebody has built; mixed4a:12 has an earlier picture too."""
    atlas = tiny_atlas(tmp_path_factory.mktemp("theirs"))
    atlas.answer(Unit("mixed4a", 12), seed=99, force=True)
    build(atlas.config())
    return atlas


@dataclass(frozen=True)
class World:
    """Somebody's atlas, published; one's own, empty; and all of the disk that a pull has no business with."""

    publisher: Publisher
    own: TinyAtlas
    root: Path

    def pull(self, *words: str) -> Pulled:
        """As a program pulls."""
        atlas = Atlas.open(self.publisher.url)
        units = [atlas[word] for word in words] if words else list(atlas)
        return pull(units, self.own.store)

    def outside(self) -> dict[str, bytes]:
        """Every file that is not in the store."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and self.own.store.root not in path.parents
        }

    def sound(self) -> dict[Unit, Record]:
        """The answers of the store, each whole and the same as theirs, and nothing beside them."""
        answers = list(self.own.store.verify())
        assert not [answer for answer in answers if isinstance(answer, Damage)]
        assert list(self.own.store.unclaimed()) == []
        return {answer.question.unit: answer for answer in answers if isinstance(answer, Record)}


@pytest.fixture
def world(theirs: TinyAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(http, "PAUSE", 0.01)
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # no power is cut here but in one test, which counts the calls
    (tmp_path / "precious").write_text("not theirs to touch")
    own = tiny_atlas(tmp_path / "own", units=())
    monkeypatch.chdir(own.folder)
    with publish(theirs.site) as publisher:
        world = World(publisher, own, tmp_path)
        before = world.outside()
        yield world
        after = {name: data for name, data in world.outside().items() if name in before or "own/site" not in name}
        assert after == before, "something outside the store has changed"


def files(store: Store) -> dict[str, bytes]:
    return {str(p.relative_to(store.root)): p.read_bytes() for p in store.root.rglob("*.*") if p.name != ".lock"}


# --- what it is for --------------------------------------------------------------------------------------------------


def test_what_is_published_becomes_ones_own(run: Run, world: World, theirs: TinyAtlas) -> None:
    code, out, err = run("pull", world.publisher.url)
    assert (code, err) == (0, "")
    assert out == f"{WEIGHTS}pulled {UNITS}, already there 0, failed 0, into site/store; type `atlas build`\n"
    assert files(world.own.store) == files(theirs.store)
    assert world.sound()[Unit("mixed4a", 12)].earlier
    build(world.own.config())
    page = f"{CHECKPOINT}/mixed4a/9.html"
    assert (world.own.site / page).read_bytes() == (theirs.site / page).read_bytes()
    code, out, _ = run("render", "--dry-run")  # what nobody has rendered is all that is left
    assert out.endswith("to render 9, already there 23, in site/store\n")


def test_what_is_there_is_not_asked_for_again(run: Run, world: World) -> None:
    run("pull", world.publisher.url)
    world.publisher.asked.clear()
    code, out, _ = run("pull", world.publisher.url)
    assert code == 0
    assert out == f"{WEIGHTS}pulled 0, already there {UNITS}, failed 0, into site/store; type `atlas build`\n"
    assert world.publisher.asked == ["atlas.json"]


def test_a_folder_is_pulled_as_an_address_is(run: Run, world: World, theirs: TinyAtlas) -> None:
    assert run("pull", str(theirs.site))[0] == 0
    assert files(world.own.store) == files(theirs.store)
    assert world.publisher.asked == []


def test_some_units(run: Run, world: World) -> None:
    code, out, err = run("pull", world.publisher.url, "4a:9", "mixed4a_3x3", "conv2d0:4-9")
    assert code == 0
    assert "pulled 4, already there 0" in out
    assert "shows 4 of these 215 units" in err
    assert set(world.sound()) == {NINE, Unit("mixed4a", 200), Unit("conv2d0", 4), Unit("conv2d0", 5)}
    code, out, _ = run("pull", world.publisher.url, "4a")
    assert "pulled 8, already there 2" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["4a:13"], "shows nothing of 4a:13; it has 27 units"),
        (["mixed9z"], "no layer"),
        (["https://microscope.openai.com/models/inceptionv1/mixed4a_0/9"], "names a unit of inception5h"),
        (["--checkpoint", "untrained"], f"has no checkpoint “untrained”: it has {CHECKPOINT}"),
    ],
)
def test_what_is_not_there_is_said_before_a_unit_is_asked_for(
    run: Run, world: World, words: list[str], said: str
) -> None:
    code, _, err = run("pull", world.publisher.url, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert world.publisher.asked == ["atlas.json"]
    assert not world.own.store.root.exists()


def test_an_atlas_of_other_checkpoints(run: Run, world: World) -> None:
    world.own.toml((f"[checkpoints.{CHECKPOINT}]", "[checkpoints.untrained]"))
    code, _, err = run("pull", world.publisher.url)
    assert code == 2
    assert f"has {CHECKPOINT}, and none of these is in atlas.toml; type --checkpoint NAME" in err
    world.own.toml()


def test_other_weights_are_other_units(run: Run, world: World) -> None:
    world.own.toml((FINGERPRINT, "cd" * 32))
    code, _, err = run("pull", world.publisher.url)
    assert (code, err.count("\n")) == (1, 1)
    assert f"other weights than yours (fingerprint {FINGERPRINT[:12]}, not cdcdcdcdcdcd)" in err
    world.own.toml(
        (f'fingerprint = "{FINGERPRINT}"\n', ""),
        (CHECKPOINT, "mine"),
        ("units =", 'architecture = "inception5h"\nunits ='),
    )
    index = (world.publisher.folder / "atlas.json").read_bytes()
    world.publisher.lies["atlas.json"] = index.replace(f'"name": "{CHECKPOINT}"'.encode(), b'"name": "mine"')
    assert "has the architecture bvlc_googlenet, not inception5h" in run("pull", world.publisher.url)[2]
    assert set(world.publisher.asked) == {"atlas.json"}
    assert not world.own.store.root.exists()
    world.own.toml()


def test_weights_that_are_known_by_what_was_rendered(run: Run, world: World) -> None:
    """atlas.toml need not say the fingerprint: the store knows which weights it has pictures of."""
    renamed = (f"[checkpoints.{CHECKPOINT}]", f'[checkpoints.mine]\narchitecture = "{CHECKPOINT}"')
    world.own.toml(renamed, (f'fingerprint = "{FINGERPRINT}"\n', ""))
    index = (world.publisher.folder / "atlas.json").read_bytes()
    world.publisher.lies["atlas.json"] = index.replace(f'"name": "{CHECKPOINT}"'.encode(), b'"name": "mine"')
    world.own.answer(Unit("conv2d0", 0), fingerprint="cd" * 32, checkpoint="mine")
    assert "other weights than yours" in run("pull", world.publisher.url)[2]
    assert set(world.publisher.asked) == {"atlas.json"}
    world.own.toml()


def test_an_atlas_that_shows_nothing_yet(run: Run, world: World) -> None:
    index = json.loads((world.publisher.folder / "atlas.json").read_text())
    index["checkpoints"][0] |= {"fingerprint": None, "units": []}
    world.publisher.lies["atlas.json"] = json.dumps(index).encode()
    code, _, err = run("pull", world.publisher.url)
    assert (code, err.count("\n")) == (2, 1)
    assert f"shows nothing of {CHECKPOINT}; it has 0 units" in err


def test_a_checkpoint_that_ones_own_atlas_does_not_show(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHECKPOINTS, CHECKPOINT, replace(CHECKPOINTS[CHECKPOINT], fingerprint=FINGERPRINT))
    world.own.toml(
        (f"[checkpoints.{CHECKPOINT}]", "[checkpoints.untrained]"), (FINGERPRINT, CHECKPOINTS["untrained"].fingerprint)
    )
    code, _, err = run("pull", world.publisher.url, "4a:9", "--checkpoint", CHECKPOINT)
    assert (code, err.count("\n")) == (0, 1)
    assert f"has a section [checkpoints.{CHECKPOINT}]" in err
    assert set(world.sound()) == {NINE}
    world.own.toml()


def test_another_recipe_is_told(run: Run, world: World) -> None:
    world.own.toml(("steps = 8", "steps = 9"))
    code, _, err = run("pull", world.publisher.url, "conv2d0")
    assert code == 0
    assert "note: 6 of these 6 are by another recipe than atlas.toml asks for" in err
    world.own.toml()


def test_ones_own_answer_stays(world: World) -> None:
    own = world.own.answer(NINE, seed=77)
    before = files(world.own.store)
    assert world.pull("4a:9", "4a:0") == Pulled(1, 1)
    assert {name: data for name, data in files(world.own.store).items() if name in before} == before
    assert world.sound()[NINE] == own


# --- interrupted -----------------------------------------------------------------------------------------------------


def held_after(publisher: Publisher, count: int) -> threading.Event:
    """The server answers for so many units and keeps every other waiting until the event is set."""
    free, lock, answered = threading.Event(), threading.Lock(), set[str]()

    def before(handler: Handler, path: str) -> None:
        if path == "atlas.json" or not path.endswith(".json"):
            return
        with lock:
            if len(answered) < count:
                answered.add(path)
        if path not in answered:
            free.wait()

    publisher.before = before
    return free


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_and_resumed(run: Run, world: World, theirs: TinyAtlas, by: signal.Signals) -> None:
    free = held_after(world.publisher, 7)
    at_the_end = (
        "import atexit, sys, threading\natexit.register(lambda: print(threading.active_count() > 8, file=sys.stderr))"
    )
    child = spawn(world.own.folder, "pull", world.publisher.url, code=at_the_end)
    wait_for_answers(world.own.folder, 7, child)
    child.send_signal(by)
    code, out, err = finish(child)
    if by is signal.SIGINT:
        assert code == 130
        assert out == f"{WEIGHTS}pulled 7, already there 0, failed 0, into site/store\n"
        said = "atlas: stopped; what is finished is kept. Type the same command again to go on\n"
        assert err == f"{said}True\n", "it waits for no thread that waits for the server"
    assert len(world.sound()) == 7
    free.set()
    world.publisher.asked.clear()
    code, out, _ = run("pull", world.publisher.url)
    assert code == 0
    assert "pulled 20, already there 7, failed 0" in out
    assert len({path for path in world.publisher.asked if path.startswith(CHECKPOINT)}) == 20
    assert files(world.own.store) == files(theirs.store)


def test_ctrl_c_while_an_answer_is_kept_waits_for_it_and_counts_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    adopt = Store.adopt

    def adopt_and_stop(*given: Any) -> bool:
        kept = adopt(*given)
        os.kill(os.getpid(), signal.SIGINT)
        return kept

    monkeypatch.setattr(Store, "adopt", adopt_and_stop)
    try:
        pulled = world.pull()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (pulled.pulled, pulled.stopped) == (1, True)
    assert len(world.sound()) == 1


@pytest.mark.parametrize("step", range(1, 17))
def test_death_at_each_step_of_keeping(
    world: World, theirs: TinyAtlas, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Every system call that changes the disk, in turn, is the last one; an answer is there whole or not at all."""
    steps = 3 * (1 + len(Atlas.open(theirs.site)["4a:12"].record.pictures))  # each synced, renamed, its folder synced
    with power_cut(monkeypatch, step):
        if step <= steps:
            with pytest.raises(PowerCutError):
                world.pull("4a:12")
        else:
            world.pull("4a:12")
    kept = [answer for answer in world.own.store.verify() if isinstance(answer, Record)]
    assert len(kept) == len(list(world.own.store.keys())) == (step >= steps)
    assert world.pull("4a:12") == Pulled(1 - len(kept), len(kept))
    assert len(world.sound()) == 1


def test_two_pulls_at_once(world: World, theirs: TinyAtlas) -> None:
    children = [spawn(world.own.folder, "pull", world.publisher.url) for _ in range(2)]
    counts = [int(finish(child)[1].split("pulled ")[1].split(",")[0]) for child in children]
    assert sum(counts) == UNITS
    assert files(world.own.store) == files(theirs.store)


def test_a_full_disk(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = os.fsync, 0

    def full(fd: int) -> None:
        nonlocal count
        count += 1
        if count > 20:
            raise OSError(28, "No space left on device")
        real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, out, err = run("pull", world.publisher.url)
    assert code == 1
    assert "no space left on the disk" in err
    assert err.count("\n") == 1
    assert "pulled 3," in out
    assert len(list(world.own.store.verify())) == 3
    assert run("pull", world.publisher.url)[0] == 0
    assert len(world.sound()) == UNITS


def test_ones_own_damage_is_told_and_not_touched(run: Run, world: World) -> None:
    world.pull("4a:9")
    path = world.own.store.record_path(Atlas.open(world.publisher.url)["4a:9"].key)
    path.write_bytes(path.read_bytes()[:100])
    code, out, err = run("pull", world.publisher.url)
    assert (code, err.count("\n")) == (1, 1)
    assert "failed: mixed4a:9: " in err
    assert "type `atlas verify`" in err
    assert "pulled 26, already there 0, failed 1" in out
    assert path.stat().st_size == 100


# --- what comes is not what it should be -----------------------------------------------------------------------------


def picture_of(world: World, unit: str = "4a:9") -> str:
    return Atlas.open(world.publisher.url)[unit].picture


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def record_of(world: World) -> bytes:
    return (world.publisher.folder / RECORD).read_bytes()


def other_pictures(world: World, change: Callable[[str, Record], dict[str, Any]]) -> bytes:
    record = read_answer(record_of(world))
    return forged(record_of(world), lambda data: data.update(change(record.key, record)))


def moved(world: World) -> bytes:
    """The picture lies under the key of another answer, which would take it for a leftover, or be overwritten."""
    other = Atlas.open(world.publisher.url)["4a:0"].key

    def change(key: str, record: Record) -> dict[str, Any]:
        data = encoded(5, 56)
        picture = data.named(other)
        world.publisher.lies[f"store/{picture.name}"] = data.data
        return {"picture": dataclasses.asdict(picture)}

    return other_pictures(world, change)


def many(world: World) -> bytes:
    def change(key: str, record: Record) -> dict[str, Any]:
        return {"earlier": [dataclasses.asdict(EncodedFile(b"%d" % n, 9, 9).named(key)) for n in range(500)]}

    return other_pictures(world, change)


def large(world: World) -> bytes:
    return forged(record_of(world), put("picture.bytes", 2**31 - 1))


def twice(world: World) -> bytes:
    return other_pictures(world, lambda key, record: {"earlier": [dataclasses.asdict(record.picture)]})


def sealed(where: str, value: Any) -> Callable[[World], bytes]:
    """One field changed by somebody who can compute a checksum."""
    return lambda world: forged(record_of(world), put(where, value))


def of_another_unit(world: World) -> bytes:
    return (world.publisher.folder / f"{CHECKPOINT}/mixed4a/12.json").read_bytes()


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lambda world: record_of(world)[:-50], "is damaged"),
        (lambda world: record_of(world).replace(b'"spread":', b'"spread":1'), "it is not what its sha256 says"),
        (of_another_unit, "is the record of mixed4a:12"),
        (sealed("made.checkpoint", "untrained"), "made for the checkpoint “untrained”"),
        (sealed("made.checkpoint", "\x1b[31m" + "x" * 5000), "must be one line"),
        (sealed("made.date", "9999-99-99 <script>"), "must be a date"),
        (sealed("made.date", "9999-01-01T00:00:00Z"), "a day that has not come"),
        (sealed("made.device", "x" * 300), "must be one line"),
        (sealed("question.fingerprint", "cd" * 32), "of weights cdcdcdcdcdcd"),
        (lambda world: json.dumps(json.loads(record_of(world))).encode(), "not written as records are"),
        (sealed("picture.name", "../../x"), "is not the name of a picture"),
        (sealed("picture.name", "../../../precious"), "is not the name of a picture"),
        (sealed("picture.name", "/etc/passwd"), "is not the name of a picture"),
        (sealed("picture.name", f"ab/{'c' * 62}.{'0' * 16}.html"), "is not the name of a picture"),
        (sealed("picture.name", "\x1b[2J"), "is not the name of a picture"),
        (sealed("picture.name", ["x"] * 10_000), "must be the name of a file in the store"),
        (moved, "is not a file of it"),
        (many, "names 502 pictures of"),
        (large, "names 2 pictures of 2,147,"),
        (twice, "names a file twice"),
        (lambda world: b"x" * 2_000_001, "more than the 2,000,000"),
        (lambda world: endless, "more than the 2,000,000"),
        (lambda world: lambda handler: handler.send_error(500, "\x1b[2Jbad"), "HTTP 500"),
        (lambda world: lambda handler: handler.send_error(404), "HTTP 404"),
        (lambda world: redirect("file:///etc/passwd"), "HTTP 302"),
        (lambda world: redirect("http://localhost:1/x"), "redirects elsewhere"),
    ],
)
def test_a_record_that_lies_costs_its_unit_alone(
    run: Run, world: World, lie: Callable[[World], Lie], said: str
) -> None:
    world.publisher.lies[RECORD] = lie(world)
    code, out, err = run("pull", world.publisher.url)
    assert code == 1
    assert "pulled 26, already there 0, failed 1" in out
    assert err.startswith("failed: mixed4a:9: ")
    assert said in err
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert len(err) < 500
    assert len(world.sound()) == 26
    world.publisher.lies.clear()
    assert "pulled 1, already there 26, failed 0" in run("pull", world.publisher.url)[1]
    assert len(world.sound()) == UNITS


@pytest.mark.parametrize("which", ["picture", "thumbnail", "earlier"])
@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (flipped, "not what its record says"),
        (lambda data: data[:-1], "not what its record says"),
        (lambda data: data + b"x", "more than the"),
        (lambda data: b"", "not what its record says"),
        (lambda data: endless, "more than the"),
        (lambda data: lambda handler: send(handler, data, Content_Length="99999999999"), "99,999,999,999 bytes"),
        (lambda data: lambda handler: handler.send_error(404), "HTTP 404"),
        (lambda data: redirect("http://localhost:1/x"), "redirects elsewhere"),
    ],
)
def test_a_corrupted_picture_costs_its_unit_alone(
    run: Run, world: World, which: str, lie: Callable[[bytes], Any], said: str
) -> None:
    record = Atlas.open(world.publisher.url)["4a:12"].record
    picture = {"picture": record.picture, "thumbnail": record.thumbnail, "earlier": record.earlier[0]}[which]
    path = f"store/{picture.name}"
    world.publisher.lies[path] = lie((world.publisher.folder / path).read_bytes())
    code, out, err = run("pull", world.publisher.url, "4a")
    assert (code, err.count("\n")) == (1, 2)
    assert "pulled 9, already there 0, failed 1" in out
    assert "failed: mixed4a:12: " in err
    assert said in err
    assert Unit("mixed4a", 12) not in world.sound()


def test_a_gigantic_picture_is_refused_from_its_header(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right hash, right number of bytes, and 16,383 pixels a side, whether the record says so or not."""
    frame = b"\x10\x00\x00\x9d\x01\x2a" + b"\xff\x3f" * 2 + bytes(10)
    chunk = b"WEBPVP8 " + len(frame).to_bytes(4, "little") + frame
    data = b"RIFF" + len(chunk).to_bytes(4, "little") + chunk
    for size, said in ((16383, "more than 4096 a side"), (224, "16383 x 16383 pixels large")):

        def change(key: str, record: Record, size: int = size) -> dict[str, Any]:
            picture = EncodedFile(data, size, size).named(key)
            world.publisher.lies[f"store/{picture.name}"] = data
            return {"picture": dataclasses.asdict(picture)}

        world.publisher.lies[RECORD] = other_pictures(world, change)
        [failed] = world.pull("4a:9").failed
        assert said in failed
    assert world.sound() == {}


def test_an_index_that_names_other_places_chooses_none(world: World) -> None:
    """Addresses in it are not read: records lie where units say, and pictures where records say."""
    index = json.loads((world.publisher.folder / "atlas.json").read_text())
    for unit in index["checkpoints"][0]["units"]:
        unit |= dict.fromkeys(("page", "record", "card", "embed"), "../../../precious")
    world.publisher.lies["atlas.json"] = json.dumps(index).encode()
    assert world.pull("4a:9") == Pulled(1, 0)
    assert world.publisher.asked[1] == RECORD


def test_an_index_that_names_another_units_picture_hides_none(world: World) -> None:
    """What is there is what the store says, not what somebody's index says."""
    world.pull("4a:0")
    index = json.loads((world.publisher.folder / "atlas.json").read_text())
    units = {unit["unit"]: unit for unit in index["checkpoints"][0]["units"]}
    units["mixed4a:9"]["picture"] = units["mixed4a:0"]["picture"]
    world.publisher.lies["atlas.json"] = json.dumps(index).encode()
    assert world.pull("4a:9") == Pulled(1, 0)


def test_what_a_record_says_is_text_on_ones_pages(world: World) -> None:
    script = "<script>alert(1)</script>"
    world.publisher.lies[RECORD] = forged(
        record_of(world), lambda data: data["made"].update(device=script, versions={script: script})
    )
    assert world.pull("4a:9") == Pulled(1, 0)
    build(world.own.config())
    page = (world.own.site / f"{CHECKPOINT}/mixed4a/9.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_a_redirection_reaches_no_other_server(run: Run, world: World, tmp_path: Path) -> None:
    with publish(world.publisher.folder) as other:
        for lie in (RECORD, picture_of(world)):
            world.publisher.lies = {lie: redirect(other.url + lie)}
            code, _, err = run("pull", world.publisher.url, "4a:9")
            assert (code, err.count("redirects elsewhere")) == (1, 1)
        world.publisher.lies = {"atlas.json": redirect(f"{other.url}atlas.json")}
        assert run("pull", world.publisher.url)[0] == 1
        assert other.asked == []
    assert world.sound() == {}


# --- servers that die ------------------------------------------------------------------------------------------------


def test_a_server_that_is_gone_is_not_asked_for_everything(run: Run, world: World) -> None:
    def before(handler: Handler, path: str) -> None:
        if path != "atlas.json":
            raise ConnectionResetError

    world.publisher.before = before
    code, out, err = run("pull", world.publisher.url)
    assert code == 1
    assert out == f"{WEIGHTS}pulled 0, already there 0, failed 0, into site/store\n"
    assert err.count("\n") == 1
    assert err.endswith("what is finished is kept. Type the same command again to go on\n")
    assert len(world.publisher.asked) < 1 + 3 * (pull_room.IN_A_ROW + pull_room.AT_ONCE) < 3 * UNITS


def test_a_server_that_dies_midway_leaves_what_came(run: Run, world: World) -> None:
    dead, records = threading.Event(), list[str]()

    def before(handler: Handler, path: str) -> None:
        if path.startswith(CHECKPOINT):
            records.append(path)
            if len(records) > 5:
                dead.set()
        if dead.is_set():
            handler.send_error(503)
            raise BrokenPipeError

    world.publisher.before = before
    code, out, err = run("pull", world.publisher.url)
    assert code == 1
    assert "HTTP 503" in err
    kept = len(world.sound())
    assert kept <= 5
    assert f"pulled {kept}," in out
    world.publisher.before = lambda handler, path: None
    assert f"pulled {UNITS - kept}, already there {kept}, failed 0" in run("pull", world.publisher.url)[1]


def test_a_server_that_fails_now_and_then_is_asked_for_all(world: World) -> None:
    """Failures in a row end a pull; others do not, however many."""
    index = [unit.unit for unit in Atlas.open(world.publisher.url)]
    bad = [unit for n, unit in enumerate(index) if n % 3]
    world.publisher.lies = {
        f"{CHECKPOINT}/{unit.layer}/{unit.channel}.json": lambda handler: handler.send_error(503) for unit in bad
    }
    pulled = pull(list(Atlas.open(world.publisher.url)), world.own.store)
    assert (pulled.pulled, len(pulled.failed), pulled.error) == (UNITS - len(bad), len(bad), None)


def test_what_is_not_there_however_often_is_no_sign_of_a_dead_server(world: World) -> None:
    atlas = Atlas.open(world.publisher.url)
    gone = list(atlas)[:20]
    for unit in gone:
        path = f"{CHECKPOINT}/{unit.unit.layer}/{unit.unit.channel}.json"
        world.publisher.lies[path] = lambda handler: handler.send_error(404)
    pulled = pull(list(atlas), world.own.store)
    assert (pulled.pulled, len(pulled.failed), pulled.error) == (UNITS - 20, 20, None)


def test_a_server_that_holds_everything_up_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_room, "SILENCE", 0.3)
    free = held_after(world.publisher, 0)
    pulled = world.pull()
    assert "nothing has come for 0 seconds" in str(pulled.error)
    assert world.sound() == {}
    free.set()


def test_a_slow_way_is_gone_several_times_at_once(world: World) -> None:
    """The first are answered when all of them have been asked for."""
    together = threading.Barrier(pull_room.AT_ONCE)
    first = iter(range(pull_room.AT_ONCE))

    def before(handler: Handler, path: str) -> None:
        if path != "atlas.json" and next(first, None) is not None:
            together.wait()

    world.publisher.before = before
    assert world.pull() == Pulled(UNITS, 0)


# --- the store itself ------------------------------------------------------------------------------------------------


def test_the_store_takes_only_what_it_would_have_written(theirs: TinyAtlas, tmp_path: Path) -> None:
    """Whoever calls it: it checks for itself."""
    store = Store(tmp_path / "store")
    [record] = [r for r in theirs.store.records() if r.question.unit == NINE]
    text = theirs.store.record_path(record.key).read_bytes()
    whole = {picture.name: theirs.store.path(picture).read_bytes() for picture in record.pictures}
    for lie, pictures in (
        (text, {**whole, record.picture.name: flipped(whole[record.picture.name])}),
        (text, {**whole, record.picture.name: whole[record.thumbnail.name]}),
        (text.rstrip(), whole),
        (text + b" ", whole),
        (text.decode().encode("utf-16"), whole),
        (b"{}", whole),
        (forged(text, put("picture", dataclasses.asdict(record.thumbnail))), whole),
        (forged(text, lambda data: data.update(picture=data["thumbnail"], thumbnail=data["picture"])), whole),
    ):
        with pytest.raises(DamagedError):
            store.adopt(lie, pictures)
    assert not store.root.exists()
    assert store.adopt(text, whole) is True
    assert store.adopt(text, whole) is False
    assert store.record_path(record.key).read_bytes() == text


def test_what_a_newer_version_adds_to_a_record_is_kept(world: World, theirs: TinyAtlas) -> None:
    text = forged(record_of(world), lambda data: data.update(note="from a later version"))
    world.publisher.lies[RECORD] = text
    assert world.pull("4a:9") == Pulled(1, 0)
    assert world.own.store.record_path(world.sound()[NINE].key).read_bytes() == text


def test_leftovers_of_an_earlier_attempt_are_swept(world: World, theirs: TinyAtlas) -> None:
    key = Atlas.open(world.publisher.url)["4a:9"].key
    folder = world.own.store.root / key[:2]
    folder.mkdir(parents=True)
    (folder / f"{key[2:]}.{'0' * 16}.webp").write_bytes(b"half")
    (folder / f"{key[2:]}.json.123.tmp").write_bytes(b"half")
    world.pull("4a:9")
    world.sound()


def test_a_store_that_cannot_be_written_is_said_at_once(world: World) -> None:
    world.own.site.mkdir(exist_ok=True)
    shutil.rmtree(world.own.store.root, ignore_errors=True)
    world.own.store.root.write_text("a file")
    with pytest.raises(AtlasError, match="cannot write to the store"):
        world.pull("4a:9")
    assert world.publisher.asked == ["atlas.json"]


def test_another_recipe_of_ones_own_is_another_answer(world: World) -> None:
    mine = world.own.answer(NINE, recipe=other_recipe(seed=1))
    assert world.pull("4a:9") == Pulled(1, 0)
    assert len(list(world.own.store.keys())) == 2
    assert world.own.store.read(mine.key) == mine
