"""The operations of :mod:`generator.kernels.plain` as Triton kernels, one launch each way.

Tensors are N x C x H x W with the channels last in memory, so neighbouring threads read neighbouring channels. Sums are
in float32, results in the type of the input. What is read and written is said as bytes in bfloat16, for each element of
the input (i) and of the output (o). Triton's interpreter runs all of it on a CPU: ``TRITON_INTERPRET=1``, read when
this file is imported.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from generator.core.architecture import Norm

_PIXELS = 1024  # of a program that works on pixels
_COLUMNS, _CHANNELS = 8, 64  # of a program that pools; two warps read 16 bytes a thread at a time
_LANES, _ROWS = 128, 8  # of a program that normalises: neighbours are not aligned, so an element a thread, eight times
_LAST = torch.channels_last

# Triton reads annotations of kernels as code, so what they are given has none.


@triton.jit
def _leaky(value, slope):
    """ReLU with a slope below zero, 0 to 1; 1 leaves it out. NaN stays NaN."""
    return tl.maximum(value, value * slope)


@triton.jit
def _part(channels, COLUMNS: tl.constexpr, CHANNELS: tl.constexpr):
    """The columns, as a column, and the channels, as a row, that a program works on."""
    blocks = (channels + CHANNELS - 1) // CHANNELS
    column = tl.program_id(1) // blocks * COLUMNS + tl.arange(0, COLUMNS)[:, None]
    return column, tl.program_id(1) % blocks * CHANNELS + tl.arange(0, CHANNELS)[None, :]


@triton.jit
def _pool_forward(
    x, out, taps, slope, height, width, channels, high, wide,
    SIZE: tl.constexpr, STRIDE: tl.constexpr, PADDING: tl.constexpr, COLUMNS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Part of one row of the output. Where its maximum lies: the number of the tap, plus 16 if the ReLU scales it."""
    row = tl.program_id(0)
    column, channel = _part(channels, COLUMNS, CHANNELS)
    there = (column < wide) & (channel < channels)
    top, left = row % high * STRIDE - PADDING, column * STRIDE - PADDING
    best = tl.full([COLUMNS, CHANNELS], float("-inf"), tl.float32)
    where = tl.full([COLUMNS, CHANNELS], 0, tl.int32) + (tl.maximum(-top, 0) * SIZE + tl.maximum(-left, 0))
    for down in tl.static_range(SIZE):
        if (top + down >= 0) & (top + down < height):
            line = x + (row // high * height + top + down).to(tl.int64) * width * channels
            for right in tl.static_range(SIZE):
                across = left + right
                inside = there & (across >= 0) & (across < width)
                value = tl.load(line + across * channels + channel, mask=inside, other=float("-inf")).to(tl.float32)
                better = (value > best) | (value != value)  # as torch: the first of equals, and any NaN
                best, where = tl.where(better, value, best), tl.where(better, down * SIZE + right, where)
    place = row.to(tl.int64) * wide * channels + column * channels + channel
    tl.store(out + place, _leaky(best, slope).to(out.dtype.element_ty), mask=there)
    tl.store(taps + place, tl.where(best <= 0, where + 16, where).to(tl.uint8), mask=there)


@triton.jit
def _pool_backward(
    gradient, taps, out, slope, height, width, channels, high, wide,
    SIZE: tl.constexpr, STRIDE: tl.constexpr, PADDING: tl.constexpr, COLUMNS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Part of one row of the input: each element gathers from the windows that it is in."""
    row = tl.program_id(0)
    column, channel = _part(channels, COLUMNS, CHANNELS)
    there = (column < width) & (channel < channels)
    y, across = row % height + PADDING, column + PADDING
    total = tl.full([COLUMNS, CHANNELS], 0, tl.float32)
    for i in tl.static_range((SIZE + STRIDE - 1) // STRIDE):
        line = y // STRIDE - i
        if (line >= 0) & (line < high) & (y - line * STRIDE < SIZE):
            first = (row // height * high + line).to(tl.int64) * wide * channels
            for j in tl.static_range((SIZE + STRIDE - 1) // STRIDE):
                window = across // STRIDE - j
                tap = (y - line * STRIDE) * SIZE + across - window * STRIDE
                inside = there & (window >= 0) & (window < wide) & (across - window * STRIDE < SIZE)
                place = first + window * channels + channel
                found = tl.load(taps + place, mask=inside, other=255).to(tl.int32)
                given = tl.load(gradient + place, mask=inside, other=0.0).to(tl.float32)
                total += tl.where(found == tap, given, tl.where(found == tap + 16, given * slope, 0.0))
    place = row.to(tl.int64) * width * channels + column * channels + channel
    tl.store(out + place, total.to(out.dtype.element_ty), mask=there)


class _Pool(torch.autograd.Function):
    """Forward reads 2i and writes 2o + o bytes, backward reads 2o + o and writes 2i. No sum is atomic."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: int, stride: int, padding: int, slope: float) -> Tensor:
        x = x.contiguous(memory_format=_LAST)
        n, channels, *sides = x.shape
        high, wide = (_windows(side, size, stride, padding) for side in sides)
        out = torch.empty((n, channels, high, wide), dtype=x.dtype, device=x.device, memory_format=_LAST)
        taps = torch.empty_like(out, dtype=torch.uint8)
        ctx.save_for_backward(taps)
        ctx.settings = (slope, *sides, channels, high, wide, size, stride, padding, _COLUMNS, _CHANNELS)
        with torch.cuda.device_of(x):
            _pool_forward[_grid(n * high, wide, channels)](x, out, taps, *ctx.settings, num_warps=2)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        (taps,) = ctx.saved_tensors
        gradient = gradients[0].contiguous(memory_format=_LAST)
        _, height, width, channels, *_ = ctx.settings
        shape = (len(taps), channels, height, width)
        out = torch.empty(shape, dtype=gradient.dtype, device=gradient.device, memory_format=_LAST)
        with torch.cuda.device_of(out):
            grid = _grid(len(taps) * height, width, channels)
            _pool_backward[grid](gradient, taps, out, *ctx.settings, num_warps=2)
        return out, None, None, None, None


def _grid(rows: int, columns: int, channels: int) -> tuple[int, int]:
    return rows, triton.cdiv(columns, _COLUMNS) * triton.cdiv(channels, _CHANNELS)


def _windows(side: int, size: int, stride: int, padding: int) -> int:
    """How many windows a side has: the last may reach over the edge, but begins inside (torch's ``ceil_mode``)."""
    count = -((size - side - 2 * padding) // stride) + 1
    return count - ((count - 1) * stride >= side + padding)


def pool(x: Tensor, size: int, stride: int, padding: int = 0, slope: float = 1.0) -> Tensor:
    """As :func:`generator.kernels.plain.pool`, but ``x`` is not changed."""
    out: Tensor = _Pool.apply(x, size, stride, padding, slope)
    return out


@triton.jit
def _power(total, BETA: tl.constexpr):
    """total ** -BETA."""
    root = tl.rsqrt(total)
    if BETA == 0.5:
        return root
    return root * tl.sqrt(root) if BETA == 0.75 else tl.exp2(-BETA * tl.log2(total))


@triton.jit
def _near(x, at, channel, there, slope, STEP: tl.constexpr, CHANNELS: tl.constexpr):
    """The values some channels further on, and 0 beyond the first and the last."""
    inside = there & (channel + STEP >= 0) & (channel + STEP < CHANNELS)
    return _leaky(tl.load(x + at + STEP, mask=inside, other=0.0).to(tl.float32), slope)


@triton.jit
def _total(x, at, channel, there, slope, scale, k, STEP: tl.constexpr, REACH: tl.constexpr, CHANNELS: tl.constexpr):
    """What the value some channels further on is divided by, before the power."""
    total = _near(x, at, channel, there, slope, STEP, CHANNELS) * 0
    for other in tl.static_range(-REACH, REACH + 1):
        value = _near(x, at, channel, there, slope, STEP + other, CHANNELS)
        total += value * value
    return k + scale * total


@triton.jit
def _norm_forward(
    x, out, count, slope, scale, k,
    BETA: tl.constexpr, REACH: tl.constexpr, CHANNELS: tl.constexpr, ROWS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Rows of two positions each, so that rows of 64 and of 192 channels are whole programs."""
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    channel = lane % CHANNELS
    for row in tl.static_range(ROWS):
        at = (tl.program_id(0).to(tl.int64) * ROWS + row) * 2 * CHANNELS + lane
        there = (lane < 2 * CHANNELS) & (at < count)
        power = _power(_total(x, at, channel, there, slope, scale, k, 0, REACH, CHANNELS), BETA)
        value = _near(x, at, channel, there, slope, 0, CHANNELS) * power
        tl.store(out + at, value.to(out.dtype.element_ty), mask=there)


@triton.jit
def _norm_backward(
    gradient, x, out, count, slope, scale, k,
    BETA: tl.constexpr, REACH: tl.constexpr, CHANNELS: tl.constexpr, ROWS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    channel = lane % CHANNELS
    for row in tl.static_range(ROWS):
        at = (tl.program_id(0).to(tl.int64) * ROWS + row) * 2 * CHANNELS + lane
        there = (lane < 2 * CHANNELS) & (at < count)
        shared = tl.full([LANES], 0, tl.float32)
        for step in tl.static_range(-REACH, REACH + 1):  # the compiler loads each of the 9 and 5 values once
            root = tl.rsqrt(_total(x, at, channel, there, slope, scale, k, step, REACH, CHANNELS))
            given = _near(gradient, at, channel, there, 1.0, step, CHANNELS)
            power = _power(_total(x, at, channel, there, slope, scale, k, step, REACH, CHANNELS), BETA)
            shared += given * power * root * root * _near(x, at, channel, there, slope, step, CHANNELS)
        power = _power(_total(x, at, channel, there, slope, scale, k, 0, REACH, CHANNELS), BETA)
        direct = _near(gradient, at, channel, there, 1.0, 0, CHANNELS) * power
        value = _near(x, at, channel, there, slope, 0, CHANNELS)
        slid = direct - 2 * scale * BETA * value * shared
        bare = _near(x, at, channel, there, 1.0, 0, CHANNELS)
        tl.store(out + at, tl.where(bare > 0, slid, slid * slope).to(out.dtype.element_ty), mask=there)


class _Norm(torch.autograd.Function):
    """Forward reads 2i and writes 2i bytes, backward reads 4i and writes 2i; neighbours come from the cache."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: Norm, slope: float) -> Tensor:
        x = x.contiguous(memory_format=_LAST)
        out = torch.empty_like(x)
        ctx.save_for_backward(x)
        channels = x.shape[1]
        ctx.grid = triton.cdiv(x.numel(), 2 * channels * _ROWS), triton.cdiv(2 * channels, _LANES)
        numbers = (x.numel(), slope, norm.alpha / norm.size, norm.k)
        ctx.settings = (*numbers, norm.beta, norm.size // 2, channels, _ROWS, _LANES)
        with torch.cuda.device_of(x):
            _norm_forward[ctx.grid](x, out, *ctx.settings)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        gradient, out = gradients[0].contiguous(memory_format=_LAST), torch.empty_like(x)
        with torch.cuda.device_of(x):
            _norm_backward[ctx.grid](gradient, x, out, *ctx.settings)
        return out, None, None


def local_response_norm(x: Tensor, norm: Norm, slope: float = 1.0) -> Tensor:
    """As :func:`generator.kernels.plain.local_response_norm`, but ``x`` is not changed."""
    out: Tensor = _Norm.apply(x, norm, slope)
    return out


@triton.jit
def _colors_forward(image, matrix, out, pixels, BLOCK: tl.constexpr):
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there, first = at < pixels, tl.program_id(0).to(tl.int64) * 3 * pixels
    for row in tl.static_range(3):
        total = tl.full([BLOCK], 0, tl.float32)
        for column in tl.static_range(3):
            value = tl.load(image + first + column * pixels + at, mask=there, other=0.0).to(tl.float32)
            total += tl.load(matrix + 3 * row + column).to(tl.float32) * value
        tl.store(out + first + row * pixels + at, (1 / (1 + tl.exp(-total))).to(out.dtype.element_ty), mask=there)


@triton.jit
def _colors_backward(gradient, rgb, matrix, out, pixels, BLOCK: tl.constexpr):
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there, first = at < pixels, tl.program_id(0).to(tl.int64) * 3 * pixels
    for column in tl.static_range(3):
        total = tl.full([BLOCK], 0, tl.float32)
        for row in tl.static_range(3):
            seen = tl.load(rgb + first + row * pixels + at, mask=there, other=0.0).to(tl.float32)
            given = tl.load(gradient + first + row * pixels + at, mask=there, other=0.0).to(tl.float32)
            total += tl.load(matrix + 3 * row + column).to(tl.float32) * given * seen * (1 - seen)
        tl.store(out + first + column * pixels + at, total.to(out.dtype.element_ty), mask=there)


class _Colors(torch.autograd.Function):
    """In float32: forward reads 4i and writes 4i bytes, backward reads 8i and writes 4i."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, matrix: Tensor) -> Tensor:
        image = image.contiguous()
        out, pixels = torch.empty_like(image), image.shape[2] * image.shape[3]
        ctx.save_for_backward(out, matrix)
        with torch.cuda.device_of(image):
            _colors_forward[(len(image), triton.cdiv(pixels, _PIXELS))](image, matrix, out, pixels, _PIXELS)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        rgb, matrix = ctx.saved_tensors
        gradient, out, pixels = gradients[0].contiguous(), torch.empty_like(rgb), rgb.shape[2] * rgb.shape[3]
        with torch.cuda.device_of(rgb):
            _colors_backward[(len(rgb), triton.cdiv(pixels, _PIXELS))](gradient, rgb, matrix, out, pixels, _PIXELS)
        return out, None


def colors(image: Tensor, matrix: Tensor) -> Tensor:
    """As :func:`generator.kernels.plain.colors`."""
    out: Tensor = _Colors.apply(image, matrix)
    return out
