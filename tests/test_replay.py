"""A step of ascent can be recorded and replayed, as a GPU does it.

No test machine has a GPU, so the recording is played here on the CPU: every operation that the step runs is written
down with the tensors that it reads and writes, and a replay runs these again and nothing else. What would break a CUDA
graph, a number that Python put into the step or a tensor that it made anew, gives other pictures here too.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from test_render import SMALL, climb
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from generator.network import Inception, load_checkpoint
from generator.render import ascent, replay
from generator.render.ascent import ascend


class Recording(TorchDispatchMode):
    """Stands for a CUDA graph. A capture runs the operations once, so that the first replay has nothing left to do."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, list[Any]]] = []
        self.replays = 0
        Recording.made += 1

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        self.operations.append((function, args, kwargs or {}, tree_leaves(out)))
        return out

    def replay(self) -> None:
        self.replays += 1
        if self.replays == 1:
            return
        with torch._C._AutoDispatchBelowAutograd():
            for function, args, kwargs, written in self.operations:
                again = tree_leaves(function(*args, **kwargs))
                for old, new in zip(written, again, strict=True):
                    if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The path that a GPU takes, with recordings in place of CUDA graphs. Gives the side streams that were made."""
    streams: list[object] = []

    class Stream:
        def __init__(self, device: object = None) -> None:
            streams.append(device)

        def wait_stream(self, other: object) -> None: ...

    @contextlib.contextmanager
    def stream(_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Recording)
    monkeypatch.setattr(torch.cuda, "graph", lambda recording: recording)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(wait_stream=lambda other: None))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: None)
    monkeypatch.setattr(ascent, "replayable", lambda step, device: replay._Graph(step))
    monkeypatch.setattr(Recording, "made", 0)
    replay._aside_of.cache_clear()
    yield streams
    replay._aside_of.cache_clear()


@pytest.mark.parametrize(
    ("precision", "view"),
    [("float32", "channel"), ("float32", "neuron"), ("float32", "negative"), ("bfloat16", "channel")],
)
def test_a_replayed_ascent_is_the_same(net: Inception, on_a_gpu: list[object], precision: str, view: Any) -> None:
    recipe = replace(SMALL, steps=14, wake_steps=6)
    trained = net if precision == "float32" else load_checkpoint("untrained", dtype=torch.bfloat16)
    replayed = climb(trained, [4, 9], recipe, view)
    assert Recording.made == 2, "one recording with the leak and one without"
    with pytest.MonkeyPatch.context() as plain:
        plain.setattr(ascent, "replayable", lambda step, device: step)
        called = climb(trained, [4, 9], recipe, view)
    torch.testing.assert_close(replayed.activations, called.activations)
    torch.testing.assert_close(replayed.pictures, called.pictures)


def test_a_short_ascent_is_not_recorded(net: Inception, on_a_gpu: list[object]) -> None:
    climb(net, [4, 9], replace(SMALL, steps=3, wake_steps=1))
    assert Recording.made == 0
    assert on_a_gpu == [0], "each side stream has memory of its own"


def test_what_python_puts_into_a_step_would_be_noticed(on_a_gpu: list[object]) -> None:
    """A check that finds nothing proves nothing: a step that counts on the host is not replayed rightly."""
    x, turns = torch.zeros(1), iter(range(100))
    step = replay._Graph(lambda: x.add_(float(next(turns))))
    for _ in range(8):
        step()
    assert x.item() != sum(range(8))


def test_a_cpu_calls_the_step_itself() -> None:
    def step() -> torch.Tensor:
        return torch.zeros(1)

    assert replay.replayable(step, torch.device("cpu")) is step


def test_snapshots_are_the_pictures_before_their_steps(net: Inception) -> None:
    seeds = [1, 2]
    kept = ascend(net, "mixed3a_1x1", [4, 9], "channel", SMALL, seeds, snapshots=[0, 5])
    short = ascend(net, "mixed3a_1x1", [4, 9], "channel", replace(SMALL, steps=5), seeds)
    assert list(kept.snapshots) == [0, 5]
    torch.testing.assert_close(kept.snapshots[5], short.pictures)
    assert (kept.snapshots[0] - 0.5).abs().max() < 0.2, "before the first step there is faint noise on grey"
    alone = ascend(net, "mixed3a_1x1", [4], "channel", SMALL, seeds[:1], snapshots=[5])
    assert alone.snapshots[5].shape == (1, 3, 48, 48)
