"""Renders a batch: gradient ascent, evaluation, provenance, and the encoded files of each picture.

A :class:`Renderer` has a network and does what needs the device. :func:`finish` encodes; it needs no device, so threads
do it while the next batch runs. A run on this machine and each worker of a cluster use both.
"""

import copy
import math
import platform
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.core.architecture import OUTPUT
from generator.core.errors import AtlasError
from generator.core.recipe import Question, Recipe
from generator.core.record import EncodedFile, Provenance, Rendered
from generator.core.views import VIEWS
from generator.kernels.choice import operations
from generator.network import Inception
from generator.network.versions import versions
from generator.render.arithmetic import fastest
from generator.render.ascent import Ascent, Draws, ascend, draw
from generator.render.capacity import bytes_per_unit, fits, free_bytes
from generator.render.encode import encode, to_pixels
from generator.render.objective import evaluate, probabilities
from generator.store.plan import Batch

Pending = Callable[[], "Rendered | Failure"]
"""Gives an answer, with its record made: no work for the thread that keeps a GPU busy."""

Advance = Callable[[float], object]
"""Called with the units, or fractions of units, done since the last call; negative if they have to be done again."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """All that the store keeps of a picture."""

    question: Question
    provenance: Provenance
    picture: EncodedFile
    thumbnail: EncodedFile


@dataclass(frozen=True, slots=True)
class Failure:
    """A question without a picture, and why."""

    question: Question
    why: str


def finish(pending: Pending) -> EncodedImage | Failure:
    """Make the record of a picture, encode it and its thumbnail; a failure is returned unchanged."""
    rendered = pending()
    if isinstance(rendered, Failure):
        return rendered
    return EncodedImage(rendered.question, rendered.provenance, *encode(rendered.pixels))


class Renderer:
    """Answers batches with the network of one checkpoint, on the device that it is on."""

    def __init__(self, net: Inception, *, forced: bool = False) -> None:
        """``net`` is in float32: pictures are evaluated with it. It is copied for other precisions.

        If ``forced``, the arithmetic is the recipe's precision, though the device may be faster in a more exact one.
        """
        self._net, self._forced = net, forced
        self._networks = {"float32": net}
        self._needed: dict[tuple[str, Recipe, str], int] = {}
        self._device, self._versions = describe(net.mean.device), versions() | triton_version(net.mean.device)
        self._shapes = copy.deepcopy(net).to("meta")
        self._free = free_bytes(net.mean.device)  # asked once: later, a batch may be at work
        self._largest = 1 << 30  # batch that may fit; halved when memory runs out

    def render(self, batches: Iterable[Batch], advance: Advance = lambda units: None) -> Iterator[list[Pending]]:
        """Render batches in parts that fit into memory. If a GPU runs out of memory nevertheless, parts are halved.

        A thread cuts the next part and draws its random numbers while the device works. It touches no GPU, because that
        would spoil a recording. Raises AtlasError if a single unit does not fit.
        """
        parts = (part for batch in batches for part in self._fitting(batch))

        def prepared(part: Batch | None) -> tuple[Batch, Draws] | None:
            part = part or next(parts, None)
            return (part, draw(part.recipe, part.seeds)) if part else None

        with ThreadPoolExecutor(1) as thread:
            waiting = deque([thread.submit(prepared, None)])
            while ready := waiting.popleft().result():
                part, draws = ready
                if not waiting:
                    waiting.append(thread.submit(prepared, None))
                try:
                    rendered = self._render(part, draws, advance)
                except torch.OutOfMemoryError:
                    torch.cuda.empty_cache()
                    if len(part) == 1:
                        raise AtlasError(
                            f"one unit of {part.layer} at {part.recipe.size} px does not fit into this GPU's memory; "
                            "type --device cpu"
                        ) from None
                    self._largest = (len(part) + 1) // 2
                    later = [each[0] for future in waiting if (each := future.result())]
                    smaller = [half for each in (part, *later) for half in self._fitting(each)]
                    waiting = deque(thread.submit(prepared, each) for each in smaller)
                else:
                    yield rendered

    def _fitting(self, batch: Batch) -> list[Batch]:
        asked = (batch.layer, replace(batch.recipe, precision=self._arithmetic(batch.recipe)), batch.view)
        if asked not in self._needed:
            self._needed[asked] = bytes_per_unit(self._shapes, *asked)
        return batch.split(min(self._largest, fits(self._needed[asked], self._free)))

    def _render(self, batch: Batch, draws: Draws, advance: Advance) -> list[Pending]:
        begun = time.perf_counter()
        steps = max(batch.recipe.steps, 1)
        share = len(batch) / steps
        steps_done = 0

        def on_step() -> None:
            nonlocal steps_done
            steps_done += 1
            advance(share)

        try:
            ascent = self._ascend(batch, batch.recipe, on_step, draws)
        except BaseException:
            advance(-share * steps_done)
            raise
        if not steps_done:
            advance(len(batch))
        taken = time.perf_counter() - begun
        answers: list[Pending] = []
        for part in batch.parts:
            steps_of = part.recipe.steps
            pictures = ascent.snapshots.get(steps_of, ascent.pictures)
            reached = ascent.activations[:, :steps_of].clone()  # waking below must not change the other parts
            answers += self._answer(part, pictures, reached, taken * steps_of / steps)
        return answers

    def _answer(self, batch: Batch, pictures: Tensor, activations: Tensor, taken: float) -> list[Pending]:
        """The answers to a batch from its pictures and curves; ``taken`` is how many seconds the ascent took."""
        begun = time.perf_counter()
        pictures, activations = _by_unit(pictures, batch.view), _by_unit(activations, batch.view)
        finals = self._measure(batch, pictures)
        wake = batch.recipe.wake_steps
        while VIEWS[batch.view].wakes and (finals == 0).any() and batch.recipe.leak and 0 < wake < batch.recipe.steps:
            # Units that are dead again when the leak ends get a new ascent with twice the wake steps: they alone, so
            # that no picture depends on its batch.
            wake *= 2
            asleep = torch.nonzero((finals == 0).any(1)).flatten().tolist()
            again = batch.only(asleep)
            woken = self._ascend(again, replace(batch.recipe, wake_steps=wake))
            pictures[asleep] = _by_unit(woken.pictures, batch.view)
            activations[asleep] = _by_unit(woken.activations, batch.view)
            finals[asleep] = self._measure(again, pictures[asleep])
        seconds = round((taken + time.perf_counter() - begun) / len(batch), 3)
        sheets = _sheets(pictures)
        sums = sheets.sum((1, 2, 3)).tolist()  # NaN if any pixel is NaN
        certain: Sequence[float | None] = [None] * len(batch)
        if batch.layer == OUTPUT:
            certain = probabilities(self._net, sheets, batch.recipe.input, batch.channels).tolist()
        numbers = zip(activations.mean(1).tolist(), finals.mean(1).tolist(), sums, certain, strict=True)
        results = zip(batch.questions, to_pixels(sheets), numbers, strict=True)
        return [partial(self._rendered, question, pixels, *each, seconds) for question, pixels, each in results]

    def _rendered(
        self,
        question: Question,
        pixels: NDArray[np.uint8],
        reached: list[float],
        final: float,
        total: float,
        probability: float | None,
        seconds: float,
    ) -> Rendered | Failure:
        if not all(map(math.isfinite, (*reached, final, total))):
            return Failure(question, "the ascent left the range of numbers; type a smaller --step-size")
        provenance = Provenance(
            checkpoint=self._net.name,
            activations=tuple(float(f"{a:.5g}") for a in reached),
            activation=float(f"{final:.7g}"),
            spread=round(float(pixels.std()), 2),
            seconds=seconds,
            device=self._device,
            arithmetic=self._arithmetic(question.recipe),
            versions=self._versions,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            probability=None if probability is None else float(f"{probability:.6g}"),
        )
        return Rendered(question, provenance, pixels)

    def _ascend(
        self,
        batch: Batch,
        recipe: Recipe,
        on_step: Callable[[], None] = lambda: None,
        draws: Draws | None = None,
    ) -> Ascent:
        arithmetic = self._arithmetic(recipe)
        if arithmetic not in self._networks:
            self._networks[arithmetic] = copy.deepcopy(self._net).to(getattr(torch, arithmetic))
        where = (self._networks[arithmetic], batch.layer, batch.channels, batch.view)
        return ascend(*where, recipe, batch.seeds, on_step, snapshots=batch.at, drawn=draws)

    def _arithmetic(self, recipe: Recipe) -> str:
        return recipe.precision if self._forced else fastest(recipe.precision, self._net.mean.device)

    def _measure(self, batch: Batch, pictures: Tensor) -> Tensor:
        """The objective of finished pictures, units x pictures: in float32, enlarged to the input, without
        transformations."""
        flat = pictures.flatten(0, 1)
        finals = evaluate(self._net, flat, batch.recipe.input, batch.layer, batch.channels, batch.view)
        return finals.view(pictures.shape[:2])


def _by_unit(values: Tensor, view: str) -> Tensor:
    """What there is for each picture, for each unit and picture of it: NP x … to N x P x …."""
    each = VIEWS[view].pictures
    return values.reshape(len(values) // each, each, *values.shape[1:])


def _sheets(pictures: Tensor) -> Tensor:
    """The pictures of each unit as one square, row by row: N x n² x 3 x H x W to N x 3 x nH x nW."""
    units, count, colors, height, width = pictures.shape
    side = math.isqrt(count)
    rows = pictures.view(units, side, side, colors, height, width).permute(0, 3, 1, 4, 2, 5)
    return rows.reshape(units, colors, side * height, side * width)


def describe(device: torch.device) -> str:
    """The name of the device, as records give it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"


def triton_version(device: torch.device) -> dict[str, str]:
    """Triton's version, where pictures were made with its kernels: another one that the last digits depend on."""
    return {"triton": version("triton")} if operations(device, torch.float32).fused else {}
