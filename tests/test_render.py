"""What makes a picture: its draws, its canvas, its transformations, the objective and the ascent."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.network import Inception, load_checkpoint
from generator.render import canvas
from generator.render.ascent import Ascent, ascend
from generator.render.encode import encode, to_pixels
from generator.render.objective import measure
from generator.render.robustness import enlarge, transformations, warp

SMALL = Recipe(size=48, input=64, steps=12, wake_steps=4, precision="float32")
STILL = replace(SMALL, rotate=0.0, scale=0.0, shift=0.0)
SEEDS = (3, 2**64 - 1, 12345)


def draws(unit: str, recipe: Recipe = SMALL, view: str = "channel") -> int:
    layer, channel = unit.split(":")
    return Question("0" * 64, Unit(layer, int(channel)), view, recipe).draw_seed


def climb(net: Inception, channels: list[int], recipe: Recipe = SMALL, view: str = "channel") -> Ascent:
    seeds = [draws(f"mixed3a:{channel}", recipe, view) for channel in channels]
    return ascend(net, "mixed3a_1x1", channels, view, recipe, seeds)


def test_a_picture_does_not_depend_on_its_company(net: Inception) -> None:
    """Bit for bit. How many they are may change a processor's last digits, and steps amplify these; who they are may
    not."""
    alone, pair, other = (climb(net, channels) for channels in ([4], [4, 9], [4, 31]))
    for company in (pair, other):
        assert torch.equal(company.pictures[0], alone.pictures[0])
        assert torch.equal(company.activations[0], alone.activations[0])
    many = climb(net, [50, 9, 30, 31, 4])
    torch.testing.assert_close(many.activations[4, 0], alone.activations[0, 0], atol=0, rtol=1e-3)


def test_nor_does_it_with_trained_weights(real_weights: Path) -> None:
    trained = load_checkpoint("bvlc_googlenet", real_weights)
    recipe, channels = replace(SMALL, size=64), [1, 2, 5, 9, 40]
    seeds = [draws(f"mixed4a:{channel}", recipe) for channel in channels]
    first, *others = (
        ascend(trained, "mixed4a_1x1", [channels[i] for i in who], "channel", recipe, [seeds[i] for i in who])
        for who in ([1, 0, 2], [1, 3, 4], [1, 2, 0])
    )
    for other in others:
        assert torch.equal(other.pictures[0], first.pictures[0])


def test_random_draws_are_exactly_a_units_own() -> None:
    both, alone = canvas.start(SMALL, SEEDS), canvas.start(SMALL, SEEDS[1:2])
    assert torch.equal(both[1], alone[0])
    assert not torch.equal(both[0], both[1])
    warps = transformations(SMALL, SEEDS)
    assert torch.equal(warps[:, 2], transformations(SMALL, SEEDS[2:])[:, 0])
    longer = transformations(replace(SMALL, steps=40), SEEDS)
    assert torch.equal(longer[: SMALL.steps], warps), "the first steps must not depend on how many there are"


def test_draws_are_those_that_were_drawn_when_the_store_was_made() -> None:
    drawn = canvas.draw(draws("mixed4a:11", Recipe()), canvas.NOISE).standard_normal(3, dtype=np.float32)
    np.testing.assert_allclose(drawn, [0.062576637, 1.644606, -0.76623774], rtol=1e-6)


@pytest.mark.parametrize("size", [16, 33, 48])
@pytest.mark.parametrize("parameterization", ["fourier", "pixel"])
@pytest.mark.parametrize("decorrelate", [True, False])
def test_every_parameterization_makes_a_picture_in_range(size: int, parameterization: str, decorrelate: bool) -> None:
    recipe = replace(SMALL, size=size, parameterization=parameterization, decorrelate=decorrelate, init=1.0)
    image = canvas.picture(canvas.start(recipe, SEEDS), recipe)
    assert image.shape == (3, 3, size, size)
    assert 0 <= image.min() < image.max() <= 1


def test_fourier_amplitudes_fall_with_frequency() -> None:
    recipe = replace(SMALL, size=64, init=1.0, decay=1.0, decorrelate=False)
    image = canvas.picture(canvas.start(recipe, range(8)), recipe).logit()
    power = torch.fft.rfft2(image, norm="ortho").abs().square().mean((0, 1))
    assert power[0, 2] / power[0, 16] == pytest.approx(64, rel=0.8), "1 / frequency in amplitude"


def test_no_transformation_is_the_canvas_itself() -> None:
    image = torch.rand(3, 3, 64, 64)
    torch.testing.assert_close(warp(image, transformations(STILL, SEEDS)[0], 64), image, atol=1e-4, rtol=0)


def test_a_shift_shows_grey_where_the_canvas_ends_and_no_more_than_asked_for() -> None:
    recipe = replace(STILL, shift=8.0, steps=200)
    thetas = transformations(recipe, SEEDS)
    pixels = thetas[..., 2].abs() * recipe.input / 2
    assert 7.5 < pixels.max() <= 8
    seen = warp(torch.ones(3, 3, 64, 64), thetas[0], 64)
    assert seen.amin() == pytest.approx(0.5)
    assert (seen > 0.999).float().mean() > 0.7


def test_rotation_and_scale_keep_within_their_range() -> None:
    thetas = transformations(replace(SMALL, steps=500, rotate=20.0, scale=0.25), SEEDS)
    a, b = thetas[..., 0, 0], thetas[..., 0, 1]
    angle, scale = torch.rad2deg(torch.atan2(-b, a)), 1 / torch.hypot(a, b)
    assert 19 < angle.abs().max() <= 20.001
    assert 0.749 < scale.min() < 0.77
    assert 1.23 < scale.max() < 1.2501


def test_a_small_canvas_is_enlarged_to_the_networks_input() -> None:
    assert enlarge(torch.rand(1, 3, 48, 48), 64).shape[-1] == 64


def test_ascent_climbs_and_records_every_step(net: Inception) -> None:
    result = climb(net, [4, 9], replace(SMALL, steps=40))
    assert result.activations.shape == (2, 40)
    assert (result.activations[:, -1] > 2 * result.activations[:, 4].clamp(min=0.01)).all()


def test_views_are_maximised_each_in_its_own_way(net: Inception) -> None:
    rgb = torch.rand(2, 3, 64, 64)
    channels = torch.tensor([5, 6])
    maps, bare = (net(rgb, "mixed3a_1x1", activate=activate) for activate in (True, False))
    torch.testing.assert_close(
        measure(net, rgb, "mixed3a_1x1", channels, "channel"),
        torch.stack([maps[0, 5].mean(), maps[1, 6].mean()]),
    )
    torch.testing.assert_close(
        measure(net, rgb, "mixed3a_1x1", channels, "neuron"), torch.stack([maps[0, 5, 4, 4], maps[1, 6, 4, 4]])
    )
    torch.testing.assert_close(
        measure(net, rgb, "mixed3a_1x1", channels, "negative"),
        -torch.stack([bare[0, 5].mean(), bare[1, 6].mean()]),
    )
    away = climb(net, [5], view="negative")
    assert away.activations[0, -1] > away.activations[0, 0]


def test_bfloat16_reaches_what_float32_reaches(net: Inception) -> None:
    """All together, for each unit goes another way: 0.97 to 0.99 of it with four kinds of kernels, AVX-512 to SSE."""
    recipe, channels = replace(SMALL, steps=16), [4, 12, 20, 30, 50]
    half = load_checkpoint("untrained", dtype=torch.bfloat16)
    start, full, rounded = (
        measure(net, enlarge(climb(*asked).pictures, 64), "mixed3a_1x1", torch.tensor(channels), "channel").sum()
        for asked in ((net, channels, replace(recipe, steps=0)), (net, channels, recipe), (half, channels, recipe))
    )
    assert full > 3 * start
    assert 0.8 * full < rounded < 1.25 * full


def test_pixels_are_rounded_and_clipped() -> None:
    pictures = torch.tensor([[0.0, 0.5, 1.2], [-0.1, 1.5 / 255, 2.5 / 255]])[:, :, None, None]
    assert to_pixels(pictures).tolist() == [[[[0, 128, 255]]], [[[0, 2, 2]]]]


@pytest.mark.parametrize(("side", "shown"), [(64, 256), (96, 192), (128, 256), (224, 224)])
def test_picture_and_thumbnail_are_what_was_rendered(side: int, shown: int) -> None:
    ramp = np.linspace(0, 255, side)
    channels = np.broadcast_arrays(ramp[:, None], ramp[None, :], np.full((side, side), 90.0))
    pixels = np.stack(channels, -1).astype(np.uint8)
    for encoded, width in zip(encode(pixels), (shown, 112), strict=True):
        image = Image.open(io.BytesIO(encoded.data))
        assert (image.format, image.size) == ("WEBP", (width, width))
        assert (encoded.width, encoded.height) == image.size
        back = np.asarray(image.convert("RGB").resize((side, side)), float)
        assert np.abs(back - pixels).mean() < 6
