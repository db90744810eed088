"""The benchmark measures what it says: that it is right, not how fast anything is."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from generator.bench.compare import compare
from generator.bench.floor import Floor, matrix_rate
from generator.bench.machine import Peak
from generator.bench.parts import PARTS, REST, parts
from generator.bench.result import HEADER, Comparison, account, row, whole
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.network import Inception
from generator.network.load import Loaded, load_tensors
from generator.render.ascent import ascend
from generator.render.objective import measure
from generator.render.robustness import enlarge

CPU = torch.device("cpu")
QUICK = Recipe(size=48, input=64, steps=8, wake_steps=2, precision="float32")
ASKED = [Unit("mixed3a", channel) for channel in (70, 3, 71)]  # of two branches, out of order


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_tensors("untrained")


@pytest.fixture(scope="module", autouse=True)
def a_chip_is_not_measured_each_time() -> Iterator[None]:
    """A large matrix product takes longer than everything else here; one test has it really done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generator.bench.compare.matrix_rate", lambda dtype, device: 1e12)
        yield


@pytest.fixture(scope="module")
def found(loaded: Loaded) -> Comparison:
    told: list[tuple[int, int]] = []
    result = compare(
        loaded, ASKED, QUICK, CPU, repeats=1, lucent_steps=2, loop=True,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[0][0] == 0
    assert all(done <= total for done, total in told)
    assert told[-1][0] == told[-1][1], "the bar ends where it said it would"
    return result


def test_both_are_measured_by_one_yardstick_unit_by_unit(found: Comparison, net: Inception) -> None:
    assert found.units == ("mixed3a:70", "mixed3a:71", "mixed3a:3"), "those of a branch together"
    for i, unit in enumerate(ASKED[j] for j in (0, 2, 1)):
        seed = Question(net.fingerprint, unit, "channel", QUICK).draw_seed
        conv, channel = INCEPTION5H.locate(unit.layer, unit.channel)
        picture = ascend(net, conv, [channel], "channel", QUICK, [seed]).pictures
        with torch.no_grad():
            activation = measure(net, enlarge(picture, 224), conv, torch.tensor([channel]), "channel")
        assert found.ours.activations[i] == pytest.approx(activation.item(), rel=1e-3), unit
    assert found.batches == (2, 1)
    assert found.lucent
    assert len(found.lucent.activations) == len(found.lucent.seconds) == 3
    assert min(found.lucent.activations) > 0


def test_lucent_on_one_model_draws_the_same_pictures(found: Comparison) -> None:
    assert found.lucent
    assert found.lucent_loop
    assert found.lucent_loop.activations == pytest.approx(found.lucent.activations, rel=1e-3)


def test_the_headline_is_the_time_until_the_last_unit_is_there(found: Comparison) -> None:
    assert found.lucent
    reached = replace(
        found, steps_to_lucent=(4, 8, 4), seconds_to_lucent=0.5, floor_ms=(2.0, 4.0, 2.0),
        lucent=replace(found.lucent, seconds=(50.0, 40.0, 90.0)), ours=replace(found.ours, ms_per_step=5.0),
        flops_per_step=1e9, matrix_flops=1e12,
    )  # fmt: skip
    assert reached.speedup_to_lucent_activation == 100
    assert reached.over_floor == 2.5
    assert reached.matrix_share == pytest.approx(0.2)
    assert replace(reached, seconds_to_lucent=None).speedup_to_lucent_activation is None


def test_what_is_never_reached_is_said_and_what_is_reached_late_is_looked_for(loaded: Loaded) -> None:
    faint = replace(QUICK, steps=4, step_size=1e-6)
    result = compare(loaded, ASKED[1:2], faint, CPU, repeats=1, lucent_steps=6, loop=False)
    assert result.steps_to_lucent == (None,)
    assert result.seconds_to_lucent is None
    assert "not reached" in row(result)
    slow = replace(QUICK, steps=4, step_size=0.03)
    result = compare(loaded, ASKED[1:2], slow, CPU, repeats=1, lucent_steps=2, loop=False)
    assert result.steps_to_lucent[0] is not None
    assert result.seconds_to_lucent is not None


def test_it_renders_in_batches_as_a_run_does(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare(loaded, ASKED, QUICK, CPU, repeats=1, lucent_steps=0)
    cut = compare(loaded, ASKED, QUICK, CPU, batch=1, repeats=1, lucent_steps=0)
    assert (whole.batches, cut.batches) == ((2, 1), (1, 1, 1))
    assert cut.ours.activations == pytest.approx(whole.ours.activations, rel=1e-3)
    monkeypatch.setattr("generator.bench.compare.fits", lambda needed, device: 1)
    assert compare(loaded, ASKED, QUICK, CPU, repeats=1, lucent_steps=0).batches == (1, 1, 1)


def test_lucent_can_be_left_out(loaded: Loaded) -> None:
    result = compare(loaded, ASKED, QUICK, CPU, repeats=1, lucent_steps=0)
    assert result.lucent is result.speedup_to_lucent_activation is None
    assert result.over_floor > 0
    assert json.loads(json.dumps(result.as_dict()))["lucent"] is None
    cells = [cell.strip() for cell in row(result).strip("|").split("|")]
    assert [i for i, cell in enumerate(cells) if cell == "–"] == [2, 4, 5, 6]
    seconds = float(np.median(result.ours.seconds))
    assert f"{256 * seconds:,.0f} s" in whole([result], {"mixed3a": 256})


def test_it_is_told_in_json_and_in_a_table(found: Comparison) -> None:
    told = json.loads(json.dumps(found.as_dict()))
    assert {"speedup_to_lucent_activation", "over_floor", "machine", "fingerprint"} <= set(told)
    assert told["ours"]["seconds_per_unit"] > 0
    assert told["recipe"]["steps"] == 8
    assert told["machine"]["versions"]["torch-lucent"] != "not installed"
    assert row(found).count("|") == HEADER.splitlines()[0].count("|")
    assert "Lucent on one model" in account(found)


def test_the_floor_is_every_convolution_up_to_the_layer_and_nothing_else(net: Inception) -> None:
    floor = Floor(net, "mixed4a_3x3", torch.rand(2, 3, 96, 96))
    convs = list(INCEPTION5H.convs.values())
    needed = [c for c in convs if c.name < "mixed4a"] + [c for c in convs if c.name.startswith("mixed4a_3x3")]
    assert len(floor.calls) == len(needed) == 3 + 2 * 6 + 2
    products = {c.name: INCEPTION5H.grid(c.name, 96) ** 2 * c.inputs * c.channels * c.kernel**2 for c in needed}
    products["conv2d0"] = products["conv2d0"] * 64 // 49  # 7x7 runs as 4x4 over blocks of 2x2
    assert floor.flops == 2 * 4 * sum(products.values())
    assert min(floor.timed(2)) > 0
    assert matrix_rate(torch.float32, CPU) > 0


def test_parts_are_told_apart(net: Inception) -> None:
    recipe = replace(QUICK, steps=2)
    shares = parts(lambda: ascend(net, "mixed3a_pool_reduce", [0, 1], "channel", recipe, [1, 2]), CPU, steps=1)
    assert set(shares) == {*PARTS, REST}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["convolutions"] > 0


def test_peak_memory_is_that_of_the_block(net: Inception) -> None:
    with Peak(CPU) as before:
        pass
    if before.bytes is None:
        pytest.skip("this system does not tell the most memory a process took")
    with Peak(CPU) as during:
        torch.ones(100_000_000)  # 400 MB, freed at once
    with Peak(CPU) as after:
        pass
    assert before.bytes is not None
    assert during.bytes is not None
    assert after.bytes is not None
    assert during.bytes - before.bytes > 350e6
    assert during.bytes - after.bytes > 350e6
