"""Running a plan: everything ends up in the store, whatever happens on the way."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.errors import AtlasError
from generator.core.recipe import Question, Recipe
from generator.core.units import select_units
from generator.network import Inception, load_checkpoint
from generator.render import ascent, renderer
from generator.render.ascent import Ascent, Draws, ascend
from generator.render.encode import encode
from generator.render.local import Outcome, pick_device, run
from generator.store.plan import Plan, make_plan
from generator.store.store import Store

RECIPE = Recipe(size=32, input=64, steps=4, wake_steps=4, precision="float32")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def questions(net: Inception, *words: str, recipe: Recipe = RECIPE) -> list[Question]:
    return [Question(net.fingerprint, unit, "channel", recipe) for unit in select_units(words, INCEPTION5H)]


def plan(asked: Iterable[Question], store: Store, size: int = 2, force: bool = False) -> Plan:
    return make_plan(asked, INCEPTION5H, store, size=size, force=force)


def go(plan: Plan, net: Inception, store: Store, **more: Any) -> Outcome:
    return run(plan, net, store, **more)


def test_a_plan_batches_units_of_one_convolution(store: Store, net: Inception) -> None:
    made = plan(questions(net, "mixed4a:189-194", "conv2d0:3"), store, size=2)
    assert [(b.layer, b.channels) for b in made.batches] == [
        ("conv2d0", (3,)),
        ("mixed4a_1x1", (189, 190)),
        ("mixed4a_1x1", (191,)),
        ("mixed4a_3x3", (0, 1)),
        ("mixed4a_3x3", (2,)),
    ]
    assert (made.units, made.present) == (7, 0)


def test_units_are_rendered_once_with_all_that_is_known_of_them(store: Store, net: Inception) -> None:
    asked = questions(net, "conv2d0:0-2", "mixed3a:63-64")
    steps: list[float] = []
    assert go(plan(asked, store), net, store, advance=steps.append) == Outcome(rendered=5, present=0)
    assert sum(steps) == pytest.approx(5), "progress must end where the work ends"
    for question in asked:
        record = store.read(question.key)
        assert record is not None
        assert record.question == question
        assert len(record.provenance.activations) == RECIPE.steps
        assert record.provenance.checkpoint == "untrained"
        assert record.provenance.versions["torch"] == torch.__version__
        pixels = np.asarray(Image.open(store.path(record.picture)).convert("RGB"), float)
        assert pixels.std() == pytest.approx(record.provenance.spread, abs=2)
    again = plan(asked, store)
    assert (again.units, again.present) == (0, 5)
    assert plan(asked, store, force=True).units == 5


def test_shorter_ascents_are_answered_on_the_way_of_the_longest(
    store: Store, tmp_path: Path, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    climbed: list[int] = []

    def counting(net: Any, layer: str, channels: Any, view: Any, recipe: Recipe, *rest: Any, **more: Any) -> Ascent:
        climbed.append(recipe.steps)
        return ascend(net, layer, channels, view, recipe, *rest, **more)

    monkeypatch.setattr(renderer, "ascend", counting)
    asked = [q for steps in (6, 0, 2) for q in questions(net, "conv2d0:3-5", recipe=replace(RECIPE, steps=steps))]
    together = plan(asked, store, size=3)
    assert (together.units, together.pictures) == (3, 9)
    steps: list[float] = []
    assert go(together, net, store, advance=steps.append) == Outcome(rendered=9, present=0)
    assert climbed == [6]
    assert sum(steps) == pytest.approx(3)
    apart = Store(tmp_path / "apart")
    for question in asked:
        go(plan([question], apart), net, apart)
        mine, theirs = store.read(question.key), apart.read(question.key)
        assert mine is not None
        assert theirs is not None
        assert mine.provenance.activations == theirs.provenance.activations
        assert len(mine.provenance.activations) == question.recipe.steps
        assert mine.provenance.activation == pytest.approx(theirs.provenance.activation, rel=1e-5)
        assert store.path(mine.picture).read_bytes() == apart.path(theirs.picture).read_bytes()
    climbed.clear()
    lacking = [*asked, *questions(net, "conv2d0:3-5", recipe=replace(RECIPE, steps=3))]
    assert go(plan(lacking, store, size=3), net, store) == Outcome(rendered=3, present=9)
    assert climbed == [3]


def test_a_unit_that_is_woken_again_at_a_snapshot_leaves_the_longer_curve_alone(
    store: Store, tmp_path: Path, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asleep after 6 steps and so climbed anew; the ascent of 12 goes on as it was."""
    measured = renderer.Renderer._measure

    def asleep(self: renderer.Renderer, batch: Any, pictures: Any) -> Any:
        finals = measured(self, batch, pictures)
        return finals * 0 if batch.recipe.steps == 6 else finals

    recipe = replace(RECIPE, wake_steps=2)
    asked = [q for steps in (12, 6) for q in questions(net, "conv2d0:3-4", recipe=replace(recipe, steps=steps))]
    apart = Store(tmp_path / "apart")
    go(plan(asked[:2], apart, size=2), net, apart)
    monkeypatch.setattr(renderer.Renderer, "_measure", asleep)
    go(plan(asked, store, size=2), net, store)
    for question in asked[:2]:
        mine, theirs = store.read(question.key), apart.read(question.key)
        assert mine is not None
        assert theirs is not None
        assert mine.provenance.activations == theirs.provenance.activations
    woken = store.read(asked[2].key)
    assert woken is not None
    assert woken.provenance.activations[:6] != theirs.provenance.activations[:6], "not a fair test"


def test_raw_pixels_start_as_strong_noise_and_are_kept_in_range(store: Store, net: Inception) -> None:
    raw = replace(RECIPE, parameterization="raw", decorrelate=False, init=1.0, step_size=1.0, steps=12)
    (asked,) = questions(net, "conv2d0:0", recipe=raw)
    (start,) = questions(net, "conv2d0:0", recipe=replace(raw, steps=0))
    go(plan([asked, start], store), net, store)
    noise, picture = store.read(start.key), store.read(asked.key)
    assert noise is not None
    assert picture is not None
    assert 55 < noise.provenance.spread < 66, "a quarter of the range, less what is cut off"
    assert noise.provenance.activations == ()
    assert picture.provenance.activations[-1] > picture.provenance.activations[0]
    reached = picture.provenance.activations[-1]
    assert reached > 1.2 * picture.provenance.activation, "driven out of range, which no picture shows"


def test_the_final_activation_is_that_of_the_picture_in_float32(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(renderer, "encode", lambda pixels: kept.append(pixels) or encode(pixels))
    recipe = replace(RECIPE, steps=30, size=64, precision="bfloat16")
    (question,) = questions(net, "mixed3a:70", recipe=recipe)
    go(plan([question], store), net, store)
    record = store.read(question.key)
    assert record is not None
    rgb = torch.from_numpy(kept[0].astype(np.float32) / 255).permute(2, 0, 1)[None]
    assert float(net(rgb, "mixed3a")[0, 70].mean()) == pytest.approx(record.provenance.activation, rel=0.01)


def test_another_renderer_on_the_same_store_is_not_repeated(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions(net, "conv2d0:0-3")
    mine = plan(asked, store)
    theirs = plan(asked[1:], store, size=8)
    assert go(theirs, net, store).rendered == 3
    assert go(mine, net, store) == Outcome(rendered=1, present=3)


def test_out_of_memory_halves_the_batch_and_goes_on(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def small_memory(net: Any, layer: str, channels: Any, *rest: Any, **more: Any) -> Ascent:
        sizes.append(len(channels))
        if len(channels) > 3:
            rest[-1]()  # a step that was counted before the memory ran out
            raise torch.OutOfMemoryError("CUDA out of memory")
        return ascend(net, layer, channels, *rest, **more)

    monkeypatch.setattr(renderer, "ascend", small_memory)
    asked = questions(net, "conv2d0:0-9", "conv2d1:0-4")
    steps: list[float] = []
    assert go(plan(asked, store, size=10), net, store, advance=steps.append).rendered == 15
    assert sizes == [10, 5, 3, 2, 3, 2, 3, 2]
    assert sum(steps) == pytest.approx(15)
    assert all(question.key in store for question in asked)


def test_the_host_draws_for_the_next_batch_while_the_device_works(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [threading.Event() for _ in range(3)]
    drawing, rendering = iter(drawn), iter(drawn[1:])

    def draw(recipe: Recipe, seeds: Sequence[int]) -> Draws:
        next(drawing).set()
        return ascent.draw(recipe, seeds)

    def patient(*args: Any, **more: Any) -> Ascent:
        if following := next(rendering, None):
            assert following.wait(60), "nobody draws while this batch is rendered"
        return ascend(*args, **more)

    monkeypatch.setattr(renderer, "draw", draw)
    monkeypatch.setattr(renderer, "ascend", patient)
    assert go(plan(questions(net, "conv2d0:0-5"), store), net, store).rendered == 6


def test_one_unit_that_does_not_fit_says_what_to_type(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: Any, **more: Any) -> Ascent:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(renderer, "ascend", no_memory)
    outcome = go(plan(questions(net, "conv2d0:0-1"), store), net, store)
    assert "--device cpu" in str(outcome.error)


def test_a_full_disk_ends_the_run_and_keeps_the_count(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*args: Any, **more: Any) -> bool:
        if len(list(store.keys())) == 3:
            raise AtlasError("no space left on the disk")
        return Store.write(store, *args, **more)

    monkeypatch.setattr(store, "write", write)
    outcome = go(plan(questions(net, "conv2d0:0-7"), store), net, store)
    assert (outcome.rendered, str(outcome.error)) == (3, "no space left on the disk")


def test_a_store_that_cannot_be_is_found_before_anything_is_rendered(
    tmp_path: Path, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "ascend", lambda *_, **more: pytest.fail("rendered in vain"))
    (tmp_path / "store").write_text("a file")
    store = Store(tmp_path / "store")
    with pytest.raises(AtlasError, match="cannot write to the store"):
        go(plan(questions(net, "conv2d0:0"), store), net, store)


def test_ctrl_c_keeps_what_is_finished(store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: Iterator[int] = iter(range(9))

    def impatient(*args: Any, **more: Any) -> Ascent:
        if next(turns) == 2:
            raise KeyboardInterrupt
        return ascend(*args, **more)

    monkeypatch.setattr(renderer, "ascend", impatient)
    asked = questions(net, "conv2d0:0-7")
    assert go(plan(asked, store), net, store) == Outcome(rendered=4, present=0, stopped=True)
    assert go(plan(asked, store), net, store) == Outcome(rendered=4, present=4)


def test_a_picture_of_no_numbers_fails_by_name_and_alone(
    store: Store, net: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(*args: Any, **more: Any) -> Ascent:
        result = ascend(*args, **more)
        result.pictures[1].fill_(torch.nan)
        return result

    monkeypatch.setattr(renderer, "ascend", overflow)
    asked = questions(net, "conv2d0:0-2")
    outcome = go(plan(asked, store, size=3), net, store)
    assert outcome.rendered == 2
    assert len(outcome.failed) == 1
    assert "conv2d0:1" in outcome.failed[0]
    assert asked[1].key not in store


def test_force_renders_again_and_keeps_the_earlier_picture(store: Store, net: Inception) -> None:
    asked = questions(net, "conv2d0:0")
    go(plan(asked, store), net, store)
    first = store.read(asked[0].key)
    assert first is not None
    go(plan(asked, store, force=True), net, store, force=True)
    second = store.read(asked[0].key)
    assert second is not None
    assert store.path(first.picture).is_file()
    assert second.picture == first.picture or first.picture in second.earlier


def sleepy(net: Inception) -> Inception:
    """The network with a bias that keeps every unit of mixed3a_1x1 far below zero on grey."""
    asleep = load_checkpoint("untrained")
    asleep.get_buffer("mixed3a_1x1_bias").fill_(-25.0)
    return asleep


def test_every_unit_wakes(store: Store, net: Inception) -> None:
    recipe = Recipe(size=64, input=64, steps=64, precision="float32")
    asleep = sleepy(net)
    dead = questions(net, "mixed3a:1-3", recipe=replace(recipe, wake_steps=0))
    live = questions(net, "mixed3a:1-3", recipe=recipe)
    go(plan(dead, store, size=4), asleep, store)
    go(plan(live, store, size=4), asleep, store)
    kept = [[store.read(question.key) for question in asked] for asked in (dead, live)]
    dull = (r is not None and r.provenance.activation == 0 and r.provenance.spread < 10 for r in kept[0])
    assert all(dull), "not a fair test"
    assert all(r is not None and r.provenance.activation > 0 and r.provenance.spread > 20 for r in kept[1])


def test_a_device_that_is_not_there_is_named() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    for name in ("cuda:77", "toaster", "meta"):
        with pytest.raises(AtlasError, match=f"{name}.*--device cpu"):
            pick_device(name)
