"""How many units go through the network at once."""

import gc
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.network import Inception, load_checkpoint
from generator.render import canvas, renderer
from generator.render.capacity import bytes_per_unit, fits, free_bytes
from generator.render.local import run
from generator.render.objective import measure
from generator.render.renderer import EncodedImage, Renderer, finish
from generator.render.robustness import transformations, warp
from generator.store.plan import Batch, make_plan
from generator.store.store import Store

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("layer", ["conv2d0", "mixed3b_5x5"])
def test_it_counts_what_a_step_really_keeps(net: Inception, layer: str, precision: str) -> None:
    recipe = Recipe(size=64, input=96, precision=precision)
    real = load_checkpoint("untrained", dtype=getattr(torch, precision))
    kept = []
    for units in (2, 5):
        sizes: dict[int, int] = {}

        def keep(tensor: torch.Tensor, sizes: dict[int, int] = sizes) -> torch.Tensor:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        numbers = canvas.start(recipe, range(units)).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            seen = warp(canvas.picture(numbers, recipe), transformations(recipe, range(units))[0], recipe.input)
            held = measure(real, seen, layer, torch.zeros(units, dtype=torch.long), "channel", recipe.leak)
        kept.append(sum(sizes.values()))
        del held
    assert bytes_per_unit(net, layer, recipe) == pytest.approx((kept[1] - kept[0]) / 3, rel=0.02)


def test_a_large_canvas_goes_in_small_batches(net: Inception) -> None:
    each = [
        fits(bytes_per_unit(net, "mixed4a_3x3", Recipe(size=n, input=n)), free_bytes(CPU)) for n in (64, 224, 448, 1024)
    ]
    assert each == sorted(each, reverse=True)
    assert each[1] >= 32 > each[3] >= 2
    assert fits(1 << 50, free_bytes(CPU)) == 2, (
        "what does not fit at all is left to the renderer, which halves and says so"
    )


def test_a_gpu_is_asked_for_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10 << 30, 80 << 30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50 << 30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20 << 30)
    assert 16 <= fits(1 << 30, free_bytes(gpu)) <= 20, "what torch keeps for itself is free too"


def test_the_renderer_cuts_a_batch_to_what_fits(net: Inception, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(size=32, input=64, steps=2, precision="float32")
    questions = [Question(net.fingerprint, Unit("conv2d0", n), "channel", recipe) for n in range(5)]
    batch = Batch("conv2d0", "channel", recipe, tuple(questions), tuple(range(5)))
    whole = [each().question for part in Renderer(net).render([batch]) for each in part]
    monkeypatch.setattr(renderer, "fits", lambda needed, device: 2)
    parts = [[each().question for each in part] for part in Renderer(net).render([batch])]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [question for part in parts for question in part] == whole == questions


def tensors() -> int:
    """How many tensors Python holds. Whatever torch keeps for good hangs on one of them, a graph of a step too."""
    gc.collect()
    return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())


def test_nothing_is_kept_from_step_to_step(net: Inception) -> None:
    """Not even an activation: many small tensors among large ones split the heap, and memory rose by 6 MB a step."""
    recipe = Recipe(size=32, input=64, steps=12, wake_steps=4, precision="float32")
    asked = tuple(Question(net.fingerprint, Unit("mixed3a", n), "channel", recipe) for n in range(3))
    batch = Batch("mixed3a_1x1", "channel", recipe, asked, (0, 1, 2))
    held: list[int] = []
    list(Renderer(net).render([batch], lambda units: held.append(tensors())))
    assert len(held) == 12
    assert len(set(held[1:3])) == len(set(held[5:])) == 1, held  # while the leak is open, and when it is closed


def test_nothing_is_kept_from_batch_to_batch(net: Inception) -> None:
    recipe = Recipe(size=64, input=64, steps=2, precision="float32")
    renderer = Renderer(net)

    def held_after(first: int) -> tuple[int, int]:
        asked = tuple(Question(net.fingerprint, Unit("conv2d0", first + n), "channel", recipe) for n in range(8))
        batch = Batch("conv2d0", "channel", recipe, asked, tuple(range(first, first + 8)))
        done = sum(isinstance(finish(each), EncodedImage) for part in renderer.render([batch]) for each in part)
        assert done == 8
        return tensors(), tracemalloc.get_traced_memory()[0]

    held_after(0)
    tracemalloc.start()
    try:
        (tensors_before, bytes_before), *_, (tensors_after, bytes_after) = [held_after(n) for n in (8, 16, 24, 32)]
    finally:
        tracemalloc.stop()
    assert tensors_after == tensors_before
    assert bytes_after - bytes_before < 64 * 64 * 3 * 8, "arrays of one batch, and three were made in between"


def test_the_thread_that_keeps_a_gpu_busy_does_nothing_else(
    net: Inception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is counted, from shapes, and records are made in other threads."""
    seen: dict[str, set[bool]] = {}

    def noted(name: str) -> Callable[..., Any]:
        plain = getattr(renderer, name)

        def call(*given: Any, **named: Any) -> Any:
            seen.setdefault(name, set()).add(threading.current_thread() is threading.main_thread())
            assert not (given and isinstance(given[0], Inception)) or given[0].mean.is_meta
            return plain(*given, **named)

        return call

    for name in ("bytes_per_unit", "draw", "Provenance", "encode"):
        monkeypatch.setattr(renderer, name, noted(name))
    recipe = Recipe(size=32, input=64, steps=2, wake_steps=1, precision="float32")
    asked = [Question(net.fingerprint, Unit("conv2d0", n), "channel", recipe) for n in range(5)]
    store = Store(tmp_path)
    plan = make_plan(asked, net.architecture, store, size=2)
    assert run(plan, net, store).rendered == 5
    assert len(seen) == 4
    assert all(on_main == {False} for on_main in seen.values()), seen
