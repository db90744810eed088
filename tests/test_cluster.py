"""Rendering on a Ray cluster: the same answers, once each, whatever happens to the workers."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from photographs import made_up_photographs
from shell import Run, answers, finish, spawn, wait_for_answers

from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.cli import rendering
from generator.cluster import scheduler
from generator.cluster.pool import WorkerPool, connect, divide
from generator.core.errors import AtlasError, UsageError
from generator.core.recipe import Question, Recipe
from generator.core.units import select_units
from generator.network import load, load_checkpoint
from generator.network.load import Loaded, load_tensors
from generator.render import distributed
from generator.render.local import Outcome
from generator.render.local import run as run_here
from generator.store.plan import Batch, Plan, make_plan
from generator.store.store import Store
from generator.study import responses, shards, shared_grid
from generator.study.analyses import analyses
from generator.study.analysis import Subject

RECIPE = Recipe(size=32, input=32, steps=4, wake_steps=4, precision="float32")
needs_ray = pytest.mark.skipif(
    not rendering.installed("ray"), reason="needs Ray: pip install 'inception-atlas[ray]' (make test does)"
)
WORDS = ("conv2d0:0-5", "mixed3a:60-65")


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_tensors("untrained")


@pytest.fixture(scope="module", autouse=True)
def two_cores() -> Iterator[None]:
    """What Ray takes this machine to have, however many it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_OVERRIDE_RESOURCES", '{"CPU": 2}')
        yield


@pytest.fixture(scope="module")
def pool(two_cores: None) -> Iterator[WorkerPool]:
    """Two workers on this machine; tests that need no second take ``replace(pool, workers=1)`` and start sooner."""
    with connect(workers=2, device="cpu") as pool:
        yield pool


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def plan(loaded: Loaded, store: Store, words: Iterable[str] = WORDS) -> Plan:
    asked = [Question(loaded.fingerprint, unit, "channel", RECIPE) for unit in select_units(words, INCEPTION5H)]
    return make_plan(asked, INCEPTION5H, store, size=2)


def go(loaded: Loaded, store: Store, pool: WorkerPool, **more: Any) -> Outcome:
    return distributed.run(plan(loaded, store), loaded, store, pool, **more)


@pytest.mark.parametrize(
    ("nodes", "workers", "device", "pool"),
    [
        ([(2, 0)], None, "auto", WorkerPool(1, 2, False)),
        ([(2, 0)], 2, "auto", WorkerPool(2, 1, False)),
        ([(64, 0), (12, 0)], None, "auto", WorkerPool(9, 8, False)),
        ([(64, 0), (64, 0)], 6, "auto", WorkerPool(6, 21, False)),
        ([(32, 4), (32, 8), (64, 0)], None, "auto", WorkerPool(12, 4, True)),
        ([(256, 8)], 2, "cuda", WorkerPool(2, 8, True)),
        ([(16, 8)], None, "cpu", WorkerPool(2, 8, False)),
        ([(0, 0), (4, 0)], None, "auto", WorkerPool(1, 4, False)),
    ],
)
def test_a_cluster_is_divided_by_gpus_or_by_cores(
    nodes: list[tuple[int, int]], workers: int | None, device: str, pool: WorkerPool
) -> None:
    assert divide([{"CPU": cores, "GPU": gpus} for cores, gpus in nodes], workers, device) == pool


@pytest.mark.parametrize(
    ("node", "workers", "device", "said"),
    [
        ({"CPU": 2}, 3, "auto", "--workers 2"),
        ({"CPU": 64, "GPU": 4}, 5, "auto", "--workers 4"),
        ({"CPU": 2}, None, "cuda", "--device cpu"),
        ({"CPU": 2, "GPU": 2}, None, "cuda:1", "--device cuda"),
    ],
)
def test_what_a_cluster_has_not_is_said(node: dict[str, float], workers: int | None, device: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        divide([node], workers, device)


@needs_ray
def test_a_killed_worker_loses_a_batch_and_nothing_else(
    loaded: Loaded, store: Store, pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, killed = tmp_path / "rendered", tmp_path / "killed"

    class Mortal(distributed.Worker):
        """Notes what it renders. The first to have an answer in the store is killed over its next batch."""

        before: Batch | None = None

        def render(self, batch: Batch) -> Any:
            while self.before and not killed.exists() and self.before.questions[-1].key not in store:
                time.sleep(0.01)
            rendered = super().render(batch)
            with log.open("a") as file:
                file.write(f"{batch.questions[0].key} {os.getpid()}\n")
            with contextlib.suppress(FileExistsError):  # the other worker may come to it at the same time
                if self.before:
                    with killed.open("x") as file:
                        file.write(batch.questions[0].key)
                    os.kill(os.getpid(), signal.SIGKILL)
            self.before = batch
            return rendered

    monkeypatch.setattr(distributed, "Worker", Mortal)
    steps: list[float] = []
    warned: list[str] = []
    outcome = go(loaded, store, pool, advance=steps.append, warn=warned.append)
    assert outcome == Outcome(rendered=12, present=0), "every answer is written once, and none came twice"
    assert sum(steps) == 12
    assert warned == ["a worker was lost; its work goes to another"]
    lines = [line.split() for line in log.read_text().splitlines()]
    rendered = Counter(key for key, _ in lines)
    keys = [batch.questions[0].key for batch in plan(loaded, Store(tmp_path / "empty")).batches]
    assert rendered == {key: 1 + (key == killed.read_text()) for key in keys}, "only the lost batch is rendered twice"
    assert len({worker for key, worker in lines if key == killed.read_text()}) == 2, "by another worker"
    assert plan(loaded, store).batches == ()

    plain = Store(tmp_path / "plain")
    run_here(plan(loaded, plain), load_checkpoint("untrained"), plain)
    assert list(store.keys()) == list(plain.keys())
    for key, other in zip(store.keys(), plain.keys(), strict=True):
        mine, theirs = store.read(key), plain.read(other)
        assert mine is not None
        assert theirs is not None
        assert mine.question == theirs.question
        assert mine.provenance.activations[0] == pytest.approx(theirs.provenance.activations[0], rel=1e-3)
    assert not [answer for answer in store.verify() if not hasattr(answer, "provenance")], (
        "pictures are what records say"
    )


@needs_ray
def test_a_batch_that_takes_every_worker_with_it_fails_by_name(
    loaded: Loaded, store: Store, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Allergic(distributed.Worker):
        def render(self, batch: Batch) -> Any:
            if batch.channels == (2, 3):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().render(batch)

    monkeypatch.setattr(distributed, "Worker", Allergic)
    monkeypatch.setattr(scheduler, "_LOSSES", 2)
    outcome = go(loaded, store, replace(pool, workers=1))
    assert outcome.rendered == 10
    assert [failure.split(":")[:2] for failure in outcome.failed] == [["conv2d0", "2"], ["conv2d0", "3"]]
    assert all("--batch" in failure for failure in outcome.failed)


@needs_ray
def test_a_workers_error_is_one_line_and_ends_the_run(
    loaded: Loaded, store: Store, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(distributed.Worker):
        def render(self, batch: Batch) -> Any:
            if batch.layer != "conv2d0":
                raise AtlasError("one unit does not fit")
            return super().render(batch)

    monkeypatch.setattr(distributed, "Worker", Small)
    outcome = go(loaded, store, replace(pool, workers=1))
    assert str(outcome.error) == "one unit does not fit"
    assert outcome.rendered == len(list(store.keys())) <= 6


@needs_ray
def test_a_cluster_on_which_no_worker_can_start_is_one_line(
    loaded: Loaded, store: Store, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stillborn(distributed.Worker):
        def start(self, *orders: Any) -> list[str]:
            os.kill(os.getpid(), signal.SIGKILL)
            return []

    monkeypatch.setattr(distributed, "Worker", Stillborn)
    monkeypatch.setattr(scheduler, "_LOSSES", 1)
    outcome = go(loaded, store, replace(pool, workers=1))
    assert "no worker could start" in str(outcome.error)
    assert "inception-atlas[ray]" in str(outcome.error)
    assert (outcome.rendered, len(str(outcome.error).splitlines())) == (0, 1)


def test_a_node_with_another_version_is_refused(loaded: Loaded) -> None:
    with pytest.raises(AtlasError, match=r"pip install 'inception-atlas\[ray\]==9.9'"):
        scheduler.Worker().start({"untrained": loaded}, WorkerPool(1, 1, False), {"inception-atlas": "9.9"})


@pytest.fixture
def atlas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "atlas.toml").write_text(
        '[checkpoints.untrained]\nunits = ["conv2d0:0-7"]\n'
        '[recipe]\nsize = 32\ninput = 32\nsteps = 4\nprecision = "float32"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@needs_ray
@pytest.mark.parametrize(
    ("stop", "code", "workers"),
    [(signal.SIGINT, 130, "2 workers with 1 core each"), (signal.SIGTERM, 143, "1 worker with 2 cores each")],
)
def test_stopped_on_a_cluster_of_our_own_it_keeps_what_is_finished(
    atlas: Path, stop: int, code: int, workers: str
) -> None:
    words = ("render", "conv2d0", "--ray", "--workers", workers[0], "--batch", "1", "--steps", "400")
    process = spawn(atlas, *words, group=True)
    wait_for_answers(atlas, 1, process)
    os.killpg(process.pid, stop) if stop == signal.SIGINT else process.send_signal(stop)
    ended, out, err = finish(process)
    kept = len(answers(atlas))
    assert (ended, out) == (code, f"rendered {kept}, already there 0, failed 0, in site/store\n"), err
    assert 1 <= kept < 64
    assert err.startswith(f"{workers}\n")
    assert err.endswith("Type the same command again to go on\n")


@needs_ray
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--ray-address", "127.0.0.1:1"], 1, "type --ray-address HOST:PORT"),
        (["--ray", "127.0.0.1:6379"], 2, "typed as --ray-address HOST:PORT"),
        (["--ray", "head-node"], 2, "typed as --ray-address HOST:PORT"),
        (["--ray-address", "ray://127.0.0.1:10001"], 2, "type HOST:PORT"),
        (["--workers", "2"], 2, "--ray --workers 2"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(atlas: Path, run: Run, words: list[str], code: int, said: str) -> None:
    ended, out, err = run("render", *words)
    assert (ended, out, len(err.splitlines())) == (code, "", 1), err
    assert said in err


def test_a_unit_after_ray_is_no_address(atlas: Path, run: Run) -> None:
    _, out, _ = run("render", "--ray", "conv2d0:9", "conv2d0:8", "--dry-run")
    assert out.splitlines()[0] == "conv2d0:8-9  2 units, 32 px, 4 steps"


def test_without_ray_what_to_install_is_said(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "installed", lambda module: module != "ray")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "atlas.toml").write_text("[checkpoints.untrained]\n")
    code, _, err = run("render", "conv2d0:0", "--ray")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "pip install 'inception-atlas[ray]'" in err


@needs_ray
def test_snapshots_are_of_one_ascent_and_another_torch_is_warned_of(
    loaded: Loaded, store: Store, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = scheduler.versions()
    monkeypatch.setattr(scheduler, "versions", lambda: {**here, "torch": "1.0"})
    units = select_units(["conv2d0:0-2"], INCEPTION5H)
    asked = [
        Question(loaded.fingerprint, unit, "channel", replace(RECIPE, steps=steps))
        for unit in units
        for steps in (4, 0, 2)
    ]
    steps: list[float] = []
    warned: list[str] = []
    outcome = distributed.run(
        make_plan(asked, INCEPTION5H, store, size=2), loaded, store, replace(pool, workers=1),
        advance=steps.append, warn=warned.append,
    )  # fmt: skip
    assert outcome == Outcome(rendered=9, present=0)
    assert sum(steps) == pytest.approx(3)
    assert all(question.key in store for question in asked)
    assert f"torch {here['torch']}, not 1.0" in warned[0]


@needs_ray
def test_a_study_on_a_cluster_finds_what_one_process_finds_though_a_worker_dies(
    loaded: Loaded, pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"

    class Mortal(shards.Worker):
        """The first to get the second shard is killed over it."""

        def answer(self, work: Any) -> Any:
            if work[0] == 1 and not killed.exists():
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().answer(work)

    for room in (responses, shared_grid):
        monkeypatch.setattr(room, "SHARD", 2)
    monkeypatch.setattr(shards, "Worker", Mortal)
    threads = torch.get_num_threads()
    torch.set_num_threads(pool.cores)
    photographs = made_up_photographs(tmp_path, 7)
    net = load_checkpoint("untrained")
    twin = Subject("twin", net.architecture, net.fingerprint, lambda: net)
    subject = Subject("untrained", net.architecture, net.fingerprint, lambda: net, photographs, (twin,))
    layers, warned = ("conv2d0", "mixed3a", "softmax2"), list[str]()

    def found(subject: Subject) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        for name in ("photos", "similar"):
            for each in analyses()[name].compute(subject, layers[: 3 if name == "photos" else 2], lambda share: None):
                yield f"{name} {each.layer}", each.facts, dict(each.arrays)

    try:
        here = list(found(subject))
        with shards.on_cluster([loaded, replace(loaded, name="twin")], pool, warned.append) as spread:
            there = list(found(replace(subject, spread=spread)))
    finally:
        torch.set_num_threads(threads)
    assert warned == ["a worker was lost; its work goes to another"]
    assert len(here) == len(there) == 5
    for (name, facts, arrays), (_, other_facts, others) in zip(here, there, strict=True):
        assert facts == other_facts
        assert arrays.keys() == others.keys()
        for what in arrays:
            assert np.array_equal(arrays[what], others[what]), (name, what)


@needs_ray
def test_a_study_asks_for_a_cluster_as_a_render_does(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "atlas.toml").write_text('[checkpoints.untrained]\nunits = ["conv2d0:0"]\n')
    made_up_photographs(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    drawn, draw = list[Any](), load.draw_weights
    monkeypatch.setattr(load, "draw_weights", lambda *asked: drawn.append(asked) or draw(*asked))
    code, _, err = run("study", "photos", "--photos", ".", "--ray-address", "127.0.0.1:1")
    assert (code, err.count("\n")) == (1, 1)
    assert "type --ray-address HOST:PORT" in err
    assert len(drawn) == 1, "the weights are read once"
