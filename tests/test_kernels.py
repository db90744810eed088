"""The kernels of a GPU compute what the plain operations do, compile for GPUs, and cost nobody a render.

No test machine has a GPU. Triton's interpreter runs the kernels on the CPU, and its compiler needs no GPU either.
"""

import importlib.util
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

import generator.kernels
from generator.core.architecture import Norm
from generator.core.recipe import Recipe
from generator.kernels import choice, plain
from generator.kernels.choice import Operations, compare, operations
from generator.network import Inception, inception, load_checkpoint
from generator.render import canvas, renderer

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")
triton = pytest.importorskip("triton", reason="Triton, which comes with torch on Linux, is not installed")


@pytest.fixture(scope="module")
def fused() -> ModuleType:
    """The kernels, to be interpreted: a copy of their own, for Triton decides that where they are defined."""
    spec = importlib.util.spec_from_file_location("interpreted", Path(generator.kernels.__path__[0]) / "fused.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        spec.loader.exec_module(module)
    return module


def both_ways(operation: Callable[..., Tensor], numbers: Tensor, *more: Any) -> tuple[Tensor, Tensor]:
    """What an operation gives, and its gradient for random numbers."""
    x = numbers.clone().requires_grad_()
    out = operation(x * 1, *more)
    given = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(out)
    return out.detach(), torch.autograd.grad(out, x, given)[0]


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    return drawn.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("shape", "how", "slope"),
    [
        ((2, 5, 13, 9), (3, 2, 0), 1.0),
        ((1, 70, 8, 8), (3, 2, 0), 0.0),
        ((2, 3, 6, 19), (3, 2, 0), 0.1),
        ((1, 66, 1, 5), (3, 1, 1), 1.0),
        ((2, 3, 6, 9), (3, 1, 1), 0.1),
        ((2, 16, 7, 10), (2, 2, 0), 1.0),
    ],
)
def test_pooling(fused: ModuleType, shape: tuple[int, ...], how: tuple[int, ...], slope: float) -> None:
    ours, theirs = (both_ways(by.pool, numbers(*shape), *how, slope) for by in (fused, plain))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_pooling_takes_the_first_of_equals_and_keeps_what_is_no_number(fused: ModuleType) -> None:
    levels = numbers(2, 4, 11, 11).mul(1.5).round()
    for how in ((3, 2, 0), (3, 1, 1)):
        ours, theirs = (both_ways(by.pool, levels, *how, 0.0) for by in (fused, plain))
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    levels[0, 1, 4, 4] = torch.nan
    assert torch.equal(fused.pool(levels, 3, 2).isnan(), plain.pool(levels.clone(), 3, 2).isnan())


@pytest.mark.parametrize(
    ("channels", "side", "slope", "norm"),
    [
        (64, 3, 1.0, Norm(5, 0.3, 0.75, 2.0)),
        (192, 1, 0.0, Norm(5, 0.3, 0.75)),
        (7, 5, 0.1, Norm(5, 0.3, 0.5)),
        (5, 2, 0.0, Norm(3, 0.3, 0.6)),
    ],
)
def test_normalisation(fused: ModuleType, norm: Norm, channels: int, side: int, slope: float) -> None:
    x = numbers(1, channels, side, side) * 3
    ours, theirs = (both_ways(by.local_response_norm, x, norm, slope) for by in (fused, plain))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [8, 37])
def test_colors(fused: ModuleType, size: int) -> None:
    matrix = canvas._colors(CPU)
    ours, theirs = (both_ways(by.colors, 4 * numbers(2, 3, size, size), matrix) for by in (fused, plain))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_check_on_a_device_finds_good_kernels_good(fused: ModuleType, dtype: torch.dtype) -> None:
    assert compare(kernels(fused), CPU, dtype).fused == ("pool", "norm", "colors")


def kernels(fused: ModuleType) -> dict[str, Any]:
    return {"pool": fused.pool, "norm": fused.local_response_norm, "colors": fused.colors}


@pytest.fixture
def by_kernels(fused: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network and the canvas as they are on a GPU with Triton."""
    found = Operations(**kernels(fused), fused=("pool", "norm", "colors"))
    for module in (inception, canvas, renderer):
        monkeypatch.setattr(module, "operations", lambda device, dtype: found)


@pytest.fixture(scope="module")
def net() -> Inception:
    return load_checkpoint("untrained")


def test_the_network_by_kernels_has_the_same_gradient(
    net: Inception, by_kernels: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through both normalisations and all kinds of pooling, with the ReLUs that they begin with."""
    recipe = Recipe(size=16, input=16)
    start = canvas.start(recipe, [1])

    def through(x: Tensor) -> Tensor:
        return net(canvas.picture(x, recipe), "mixed4a_pool_reduce", leak=0.1)

    ours = both_ways(through, start)
    monkeypatch.undo()
    theirs = both_ways(through, start)
    assert theirs[1].abs().max() > 0
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_a_record_says_whose_kernels_made_the_picture(by_kernels: None) -> None:
    assert renderer.triton_version(GPU) == {"triton": triton.__version__}


@pytest.mark.parametrize("capability", [75, 90])
def test_the_kernels_compile_for_a_gpu(capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from triton.backends.compiler import GPUTarget

    from generator.kernels import fused

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    of_pool = {"SIZE": 3, "STRIDE": 2, "PADDING": 0, "COLUMNS": 8, "CHANNELS": 64}
    of_norm = {"BETA": 0.75, "REACH": 2, "CHANNELS": 64, "ROWS": 2, "LANES": 128}
    constants = {"_pool": of_pool, "_norm": of_norm, "_colors": {"BLOCK": 1024}}
    dtype = "bf16" if capability >= 80 else "fp32"
    tensors = dict.fromkeys(("x", "image", "rgb", "gradient", "matrix", "out"), f"*{dtype}") | {"taps": "*u8"}
    types = tensors | dict.fromkeys(("slope", "scale", "k"), "fp32")
    for name in [f"{kind}_{way}" for kind in constants for way in ("forward", "backward")]:
        kernel, given = getattr(fused, name), constants[name.rpartition("_")[0]]
        signature = {arg: "constexpr" if arg in given else types.get(arg, "i32") for arg in kernel.arg_names}
        source = triton.compiler.ASTSource(kernel, signature, constexprs=given)
        assert triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["ptx"], name


def test_a_kernel_that_fails_is_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    def cannot_compile(*given: Any) -> Tensor:
        raise RuntimeError("ptxas died\nwith much to say")

    def wrong(x: Tensor, *how: Any) -> Tensor:
        return plain.local_response_norm(x, *how) * 1.1

    with caplog.at_level(logging.WARNING), torch.inference_mode():  # a study may be the first to ask
        found = compare({"pool": cannot_compile, "norm": wrong, "colors": plain.colors}, CPU, torch.float32)
    assert found == Operations(fused=("colors",))
    assert len(caplog.messages) == 2
    assert "“pool” is not used (ptxas died)" in caplog.messages[0]
    assert not any("\n" in line for line in caplog.messages)


def test_kernels_are_used_on_a_gpu_alone_and_only_if_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert operations(CPU, torch.float32) == operations(torch.device("mps"), torch.float32) == Operations()
    choice._compared.cache_clear()
    monkeypatch.setattr(choice, "compare", lambda kernels, device, dtype: Operations(fused=tuple(kernels)))
    assert operations(GPU, torch.bfloat16).fused == ("pool", "norm", "colors")
    for leave_out in (
        lambda patch: patch.setenv("ATLAS_KERNELS", "0"),
        lambda patch: patch.setattr(importlib.util, "find_spec", lambda name: None),
        lambda patch: patch.setitem(sys.modules, "generator.kernels.fused", None),
    ):
        choice._compared.cache_clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.delattr(generator.kernels, "fused", raising=False)
            leave_out(patch)
            assert operations(GPU, torch.float32) == Operations()
    choice._compared.cache_clear()
