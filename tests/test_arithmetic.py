"""Each device uses the fastest arithmetic that is exact enough, and the record says which."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from shell import Run
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from generator.bench.compare import compare
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.recipe import Question, Recipe
from generator.core.record import Record
from generator.core.result import read_answer
from generator.core.units import Unit
from generator.network import Inception
from generator.network.load import load_tensors
from generator.render import renderer
from generator.render.arithmetic import fastest, multiplies_bfloat16
from generator.render.local import run
from generator.store.plan import make_plan
from generator.store.store import Store

CPU, MPS = torch.device("cpu"), torch.device("mps")
RECIPE = Recipe(size=32, input=64, steps=3, wake_steps=1)
UNIT = Unit("conv2d0", 3)


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    multiplies_bfloat16.cache_clear()
    yield
    multiplies_bfloat16.cache_clear()


def processor(monkeypatch: pytest.MonkeyPatch, *, bfloat16: bool, allowed: str | None = None) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bfloat16, raising=False)
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    if allowed:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)


def rendered(net: Inception, folder: Path, recipe: Recipe, *, forced: bool = False) -> Record:
    store, question = Store(folder), Question(net.fingerprint, UNIT, "channel", recipe)
    plan = make_plan([question], INCEPTION5H, store, size=2)
    assert run(plan, net, store, forced=forced).rendered == 1
    record = store.read(question.key)
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("bfloat16", "allowed", "used"),
    [
        (True, None, "bfloat16"),
        (True, "AVX512_CORE_AMX", "bfloat16"),
        (True, "avx512_core", "float32"),
        (False, None, "float32"),
    ],
)
def test_a_cpu_uses_bfloat16_only_if_it_multiplies_it(
    bfloat16: bool, allowed: str | None, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, bfloat16=bfloat16, allowed=allowed)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert fastest("bfloat16", CPU) == used
    assert fastest("float32", CPU) == "float32", "never less exact than the recipe asks"


@pytest.mark.parametrize(("capability", "used"), [(True, "bfloat16"), (False, "float32")])
def test_an_old_gpu_and_that_of_apple_use_float32(capability: bool, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or capability

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "device", lambda device: torch.no_grad())
    assert fastest("bfloat16", torch.device("cuda:0")) == used
    assert fastest("bfloat16", MPS) == "float32"


def test_the_record_says_the_arithmetic_and_the_key_stays(
    net: Inception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, bfloat16=False)
    by_default = rendered(net, tmp_path / "default", RECIPE)
    exact = rendered(net, tmp_path / "exact", replace(RECIPE, precision="float32"))
    forced = rendered(net, tmp_path / "forced", RECIPE, forced=True)
    assert [r.provenance.arithmetic for r in (by_default, exact, forced)] == ["float32", "float32", "bfloat16"]
    curves = [r.provenance.activations for r in (by_default, exact, forced)]
    assert curves[0] == curves[1] != curves[2]
    assert by_default.key == forced.key != exact.key
    assert read_answer(forced.to_json()) == forced


def test_an_older_record_does_not_say_it_and_is_written_as_it_was(net: Inception, tmp_path: Path) -> None:
    made = rendered(net, tmp_path, RECIPE)
    older = replace(made, provenance=replace(made.provenance, arithmetic=None))
    assert b"arithmetic" not in older.to_json()
    assert read_answer(older.to_json()).to_json() == older.to_json()


def test_a_benchmark_measures_what_a_run_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, bfloat16=False)
    monkeypatch.setattr("generator.bench.compare.matrix_rate", lambda dtype, device: 1e12)
    loaded = load_tensors("untrained")

    def used(**more: Any) -> str:
        return compare(loaded, [UNIT], RECIPE, CPU, repeats=1, lucent_steps=0, **more).arithmetic

    assert (used(), used(forced=True)) == ("float32", "bfloat16")


class _SinglePrecision(TorchDispatchMode):
    """Fails where an operation gives what Apple's GPUs do not have, or what nobody has measured there."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            dtype = getattr(each, "dtype", None)
            assert dtype not in (torch.float64, torch.complex128, torch.bfloat16), f"{function} gives {dtype}"
        return result


@pytest.mark.parametrize("parameterization", ["fourier", "pixel"])
def test_all_of_an_ascent_is_in_single_precision(parameterization: str, net: Inception, tmp_path: Path) -> None:
    recipe = replace(RECIPE, precision="float32", parameterization=parameterization)
    with _SinglePrecision():
        rendered(net, tmp_path, recipe)


def test_an_operation_that_a_device_lacks_is_named_in_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*args: Any, **more: Any) -> Any:
        raise NotImplementedError(
            "The operator 'aten::grid_sampler_2d_backward' is not currently implemented for the MPS device. If you "
            "want this op to be considered for addition please comment on the issue.\nAs a temporary fix, ..."
        )

    monkeypatch.chdir(tmp_path)
    (tmp_path / "atlas.toml").write_text("[checkpoints.untrained]\nunits = []\n")
    monkeypatch.setattr(renderer, "ascend", lacking)
    code, _, err = run("render", "conv2d0:3", "--device", "cpu")
    assert code == 1
    last = err.splitlines()[-1]
    assert "cannot compute aten::grid_sampler_2d_backward on this device" in last
    assert "--device cpu" in last
    assert "Traceback" not in err
