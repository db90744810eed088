"""Renders a plan: batch after batch through the network, each finished unit straight into the store.

A batch that is interrupted is lost and nothing else; whatever is in the store is not rendered again. When a GPU runs
out of memory the batch is halved and goes on.
"""

from __future__ import annotations

import copy
import ctypes
import math
import platform
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator import __version__
from generator.errors import AtlasError
from generator.network import Inception
from generator.plan import Batch, Plan
from generator.recipe import Recipe
from generator.record import Made
from generator.render.ascent import ascend
from generator.render.encode import encode, to_pixels
from generator.render.objective import measure
from generator.render.robustness import enlarge
from generator.store import Store

Advance = Callable[[float], object]
Answer = tuple[NDArray[np.uint8], Made] | Literal["present", "lost"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the units of a plan.

    ``failed`` says why, unit by unit; ``stopped`` is True after Ctrl-C; ``error`` is what ended the run early.
    """

    rendered: int
    present: int
    failed: tuple[str, ...] = ()
    stopped: bool = False
    error: AtlasError | None = None


def pick_device(name: str = "auto") -> torch.device:
    """A device by its torch name, or the GPU if there is one. Raises AtlasError if it cannot be used."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise AtlasError(f"cannot use the device “{name}” ({reason}); type --device cpu") from error
    return device


def run(
    plan: Plan,
    net: Inception,
    store: Store,
    *,
    checkpoint: str,
    force: bool = False,
    advance: Advance = lambda units: None,
) -> Outcome:
    """Render every batch of a plan with a float32 network, on the network's device, and keep what comes of it.

    ``advance`` is called with the units, and fractions of units, that were done since the last call. Ctrl-C, a
    full disk and the like end the run and lose the batch that they interrupt; what was kept stays. Raises AtlasError if
    the store cannot be written at all.
    """
    store.prepare()
    _keep_freed_memory()
    rendered, present, failed = 0, plan.present, list[str]()
    try:
        for batch, answers in _batches(plan, net, store, checkpoint, force, advance):
            for question, answer in zip(batch.questions, answers, strict=True):
                if answer == "present":
                    present += 1
                elif answer == "lost":
                    failed.append(f"{question.unit}: the ascent left the range of numbers; type a smaller --step-size")
                else:
                    pixels, made = answer
                    kept = store.write(question, made, *encode(pixels), force=force)
                    rendered, present = rendered + kept, present + (not kept)
    except KeyboardInterrupt:
        return Outcome(rendered, present, tuple(failed), stopped=True)
    except AtlasError as error:
        return Outcome(rendered, present, tuple(failed), error=error)
    return Outcome(rendered, present, tuple(failed))


def _batches(
    plan: Plan, net: Inception, store: Store, checkpoint: str, force: bool, advance: Advance
) -> Iterator[tuple[Batch, Sequence[Answer]]]:
    """Each batch with its answers, in parts that fit into memory, without what another renderer has kept meanwhile."""
    networks = {"float32": net}
    waiting = deque(plan.batches)
    largest = max((len(batch) for batch in waiting), default=1)
    while waiting:
        batch = waiting.popleft()
        if len(batch) > largest:
            waiting.extendleft(reversed(batch.split(largest)))
            continue
        if not force and (there := [i for i, question in enumerate(batch.questions) if question.key in store]):
            advance(len(there))
            yield batch.only(there), ["present"] * len(there)
            batch = batch.only(i for i in range(len(batch)) if i not in there)
            if not len(batch):
                continue
        precision = batch.recipe.precision
        if precision not in networks:
            networks[precision] = copy.deepcopy(net).to(getattr(torch, precision))
        try:
            answers = _render(batch, networks[precision], net, checkpoint, advance)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            if len(batch) == 1:
                size = batch.recipe.size
                raise AtlasError(
                    f"one unit of {batch.layer} at {size} px does not fit into this GPU's memory; type --device cpu"
                ) from None
            largest = (len(batch) + 1) // 2
            waiting.appendleft(batch)
        else:
            yield batch, answers


def _render(batch: Batch, net: Inception, yardstick: Inception, checkpoint: str, advance: Advance) -> list[Answer]:
    """Pixels and what is known of them for each unit of a batch; "lost" for one that came to no finite picture."""
    begun = time.perf_counter()
    share = len(batch) / batch.recipe.steps
    steps_done = 0

    def on_step() -> None:
        nonlocal steps_done
        steps_done += 1
        advance(share)

    try:
        pictures, activations = _ascend(batch, net, batch.recipe, on_step)
    except BaseException:
        advance(-share * steps_done)
        raise
    finals = _measure(batch, yardstick, pictures)
    wake = batch.recipe.wake_steps
    while batch.view != "negative" and (finals == 0).any() and batch.recipe.leak and 0 < wake < batch.recipe.steps:
        # A unit that fell asleep again when the leak was closed is given twice as long: alone, whatever its batch.
        wake *= 2
        asleep = torch.nonzero(finals == 0).flatten().tolist()
        again = batch.only(asleep)
        pictures[asleep], activations[asleep] = _ascend(again, net, replace(batch.recipe, wake_steps=wake))
        finals[asleep] = _measure(again, yardstick, pictures[asleep])
    seconds = round((time.perf_counter() - begun) / len(batch), 3)
    answers: list[Answer] = []
    for picture, reached, final in zip(pictures.cpu(), activations.tolist(), finals.tolist(), strict=True):
        if not all(map(math.isfinite, (*reached, final, float(picture.sum())))):
            answers.append("lost")
            continue
        pixels = to_pixels(picture.numpy())
        made = Made(
            checkpoint=checkpoint,
            activations=tuple(float(f"{a:.5g}") for a in reached),
            activation=float(f"{final:.7g}"),
            spread=round(float(pixels.std()), 2),
            seconds=seconds,
            device=_describe(yardstick.mean.device),
            versions={"inception-atlas": __version__, "torch": torch.__version__, "python": platform.python_version()},
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        answers.append((pixels, made))
    return answers


def _ascend(
    batch: Batch, net: Inception, recipe: Recipe, on_step: Callable[[], None] = lambda: None
) -> tuple[Tensor, Tensor]:
    seeds = [question.draw_seed for question in batch.questions]
    result = ascend(net, batch.layer, batch.channels, batch.view, recipe, seeds, on_step)
    return result.pictures, result.activations


def _measure(batch: Batch, net: Inception, pictures: Tensor) -> Tensor:
    """The objective of finished pictures by one yardstick: float32, enlarged to the input, no transformations."""
    channels = torch.tensor(batch.channels, device=pictures.device)
    with torch.no_grad():
        return measure(net, enlarge(pictures, batch.recipe.input), batch.layer, channels, batch.view)


def _describe(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"


def _keep_freed_memory() -> None:
    """Tell glibc to keep memory that is freed, instead of handing it back to the kernel after every step.

    Activations of a batch are allocated and freed at each step; without this most of the time on a CPU goes into page
    faults (measured in docs/log.md). Elsewhere the call does not exist and nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    m_trim_threshold, m_top_pad, m_mmap_threshold, m_arena_max = -1, -2, -3, -8
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in (
        (m_mmap_threshold, 1 << 25),
        (m_trim_threshold, (1 << 31) - 1),
        (m_top_pad, 1 << 26),
        (m_arena_max, 1),
    ):
        mallopt(option, value)
