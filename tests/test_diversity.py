"""The view diversity: four pictures of a unit at once, unlike each other where it fires, in one sheet."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from generator.api import render
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.core.views import VIEWS
from generator.network import Inception, load_checkpoint
from generator.render.capacity import bytes_per_unit
from generator.render.objective import evaluate

SMALL = Recipe(size=32, input=64, steps=6, wake_steps=2, precision="float32")


@pytest.fixture(scope="module")
def net() -> Inception:
    return load_checkpoint("untrained")


def test_a_sheet_depends_on_no_other_unit(net: Inception) -> None:
    pair, other = (render(net, units, SMALL, view="diversity", progress=False) for units in ("3a:4,9", "3a:4,31"))
    assert pair[0].pixels.shape == (64, 64, 3)
    assert (pair[0].pixels == other[0].pixels).all()
    assert pair[0].activations == other[0].activations
    quarters = [pair[0].pixels[y : y + 32, x : x + 32] for y in (0, 32) for x in (0, 32)]
    assert len({quarter.tobytes() for quarter in quarters}) == 4


def test_a_record_has_the_mean_activation_of_the_four(net: Inception) -> None:
    [sheet] = render(net, "3a:4", SMALL, view="diversity", progress=False)
    pixels = torch.from_numpy(sheet.pixels).permute(2, 0, 1) / 255
    quarters = torch.stack([pixels[:, y : y + 32, x : x + 32] for y in (0, 32) for x in (0, 32)])
    four = evaluate(net, quarters, 64, "mixed3a_1x1", [4] * 4, "channel")
    assert sheet.activation == pytest.approx(four.mean().item(), rel=0.02)


def test_what_others_do_counts_where_the_unit_fires_and_nowhere_else() -> None:
    torch.manual_seed(0)
    bare = (torch.rand(1, 6, 4, 4) + torch.rand(4, 6, 4, 4) / 50).requires_grad_()
    channels = torch.full((4,), 2)
    with torch.no_grad():
        bare[:, 2, :2] = -1.0
        before = _likeness(bare)
    measure = VIEWS["diversity"].measure
    value = measure(bare, channels, torch.relu)
    assert torch.equal(value, VIEWS["channel"].measure(bare, channels, torch.relu)), "records have the activation"
    [gradient] = torch.autograd.grad(value.sum(), bare)
    others = gradient[:, [0, 1, 3, 4, 5]]
    assert not others[:, :, :2].any()
    assert others[:, :, 2:].any()
    optimizer = torch.optim.Adam([bare], lr=0.05)
    for _ in range(20):
        optimizer.zero_grad()
        (-measure(bare, channels, torch.relu).sum()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert before > 0.95 > 0.6 > _likeness(bare.detach())


def _likeness(bare: torch.Tensor) -> float:
    """How alike the other channels are where the channel fires: the mean cosine of four vectors."""
    shown = torch.nn.functional.normalize(bare[:, [0, 1, 3, 4, 5], 2:].clamp(min=0).flatten(1))
    return ((shown @ shown.T).sum().item() - 4) / 12


def test_a_unit_that_is_dead_in_one_picture_is_woken() -> None:
    """The gradient of the matrix of a silent unit is 0 and no number is lost."""
    bare = torch.rand(4, 6, 4, 4)
    bare[1, 2] = -1.0
    bare.requires_grad_()
    [gradient] = torch.autograd.grad(VIEWS["diversity"].measure(bare, torch.full((4,), 2), torch.relu).sum(), bare)
    assert gradient.isfinite().all()


def test_four_pictures_take_the_memory_of_four(net: Inception) -> None:
    one, four = (bytes_per_unit(net, "mixed3a_1x1", SMALL, view) for view in ("channel", "diversity"))
    assert 4 * one <= four < 5 * one


def test_it_asks_another_question(net: Inception) -> None:
    channel = Question(net.fingerprint, Unit("mixed3a", 4), "channel", SMALL)
    assert channel.key != replace(channel, view="diversity").key
