"""The network as a plain table: every layer of InceptionV1, its size, and where it looks.

Two trained networks share the nine-module topology of Szegedy et al., "Going deeper with convolutions" (2014), and
differ in a few widths, in padding, normalisation and input. One table describes both, so the renderer builds the
network from it and the pages print it, without torch:

>>> net = ARCHITECTURES["bvlc_googlenet"]
>>> net.layers["mixed4a"].channels
512
>>> [(b.name, b.first, b.last) for b in net.layers["mixed4a"].branches]
[('1x1', 0, 191), ('3x3', 192, 399), ('5x5', 400, 447), ('pool_reduce', 448, 511)]
>>> net.layers["mixed4a_3x3"].receptive_field
139

Receptive fields and strides are in input pixels and follow Araujo et al., "Computing receptive fields of convolutional
neural networks", Distill 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

BRANCHES = ("1x1", "3x3", "5x5", "pool_reduce")  # in the order of concatenation
STEM: tuple[str | tuple[str, int, int, int], ...] = (
    # layer, kernel, stride, channels; "pool" is 3x3 with stride 2, "norm" is local response normalisation
    ("conv2d0", 7, 2, 64),
    "pool",
    "norm",
    ("conv2d1", 1, 1, 64),
    ("conv2d2", 3, 1, 192),
    "norm",
    "pool",
)
POOL_BEFORE = ("mixed4a", "mixed5a")  # modules that a 3x3 pooling with stride 2 comes before
CLASSIFIER = "softmax2"
KERNELS = {"1x1": 1, "3x3_bottleneck": 1, "3x3": 3, "5x5_bottleneck": 1, "5x5": 5, "pool_reduce": 1}


@dataclass(frozen=True, slots=True)
class Conv:
    """One convolution with bias and ReLU: all the weights of the network but the classifier are in these."""

    name: str
    inputs: int
    channels: int
    kernel: int
    stride: int = 1


@dataclass(frozen=True, slots=True)
class Branch:
    """The part of a mixed layer that one of its four paths contributes."""

    name: str
    first: int
    channels: int
    bottleneck: int | None
    receptive_field: int

    @property
    def last(self) -> int:
        return self.first + self.channels - 1


@dataclass(frozen=True, slots=True)
class Layer:
    """A set of channels on one grid. ``kind`` is "conv", "mixed", "branch" or "bottleneck"."""

    name: str
    kind: Literal["conv", "mixed", "branch", "bottleneck"]
    inputs: int
    channels: int
    stride: int  # input pixels between neighbouring positions of the grid
    receptive_field: int  # width in input pixels
    offset: int  # position i of the grid is centred on input pixel stride * i + offset
    branches: tuple[Branch, ...] = ()

    def branch_of(self, channel: int) -> Branch | None:
        """The branch that a channel of a mixed layer comes from; None in any other layer."""
        return next((b for b in self.branches if b.first <= channel <= b.last), None)


@dataclass(frozen=True, slots=True)
class Norm:
    """Local response normalisation: x / (k + alpha / size * sum of squares over ``size`` channels) ** beta."""

    size: int
    alpha: float
    beta: float
    k: float = 1.0


@dataclass(frozen=True)
class Architecture:
    """Everything that tells one InceptionV1 from another, and the layers that follow from it."""

    name: str
    title: str
    widths: Mapping[str, tuple[int, int, int, int, int, int]] = field(repr=False)  # in the order of KERNELS
    stem_padding: tuple[int, int]  # before and after, of conv2d0 alone; all other padding keeps the grid
    norm: Norm
    mean: tuple[float, float, float]  # subtracted from 0..255, in the order the network reads its channels
    bgr: bool
    classes: int

    @cached_property
    def convs(self) -> Mapping[str, Conv]:
        """Every convolution by name, in the order of the forward pass."""
        convs, inputs = [], 3
        for step in STEM:
            if not isinstance(step, str):
                name, kernel, stride, channels = step
                convs.append(Conv(name, inputs, channels, kernel, stride))
                inputs = channels
        for module, widths in self.widths.items():
            width = dict(zip(KERNELS, widths, strict=True))
            for part, kernel in KERNELS.items():
                narrow = width.get(f"{part}_bottleneck", inputs)
                convs.append(Conv(f"{module}_{part}", narrow, width[part], kernel))
            inputs = sum(width[b] for b in BRANCHES)
        return {c.name: c for c in convs}

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """Every layer by name: stem, mixed modules, and the branches and bottlenecks of each module."""
        layers: dict[str, Layer] = {}
        stride, rf, offset = 1, 1, 0

        for step in STEM:
            if step == "pool":
                stride, rf, offset = stride * 2, rf + 2 * stride, offset + stride
            elif not isinstance(step, str):
                name, kernel, step_by, channels = step
                pad = self.stem_padding[0] if name == "conv2d0" else kernel // 2
                rf, offset = rf + (kernel - 1) * stride, offset + (kernel // 2 - pad) * stride
                stride *= step_by
                inputs = self.convs[name].inputs
                layers[name] = Layer(name, "conv", inputs, channels, stride, rf, offset)
        for module, widths in self.widths.items():
            if module in POOL_BEFORE:
                stride, rf, offset = stride * 2, rf + 2 * stride, offset + stride
            width = dict(zip(KERNELS, widths, strict=True))
            reach = {"1x1": rf, "3x3": rf + 2 * stride, "5x5": rf + 4 * stride, "pool_reduce": rf + 2 * stride}
            inputs = self.convs[f"{module}_1x1"].inputs
            branches, first = [], 0
            for b in BRANCHES:
                branches.append(Branch(b, first, width[b], width.get(f"{b}_bottleneck"), reach[b]))
                first += width[b]
            layers[module] = Layer(module, "mixed", inputs, first, stride, reach["5x5"], offset, tuple(branches))
            for part in KERNELS:
                bottleneck = part.endswith("_bottleneck")
                conv = self.convs[f"{module}_{part}"]
                layers[conv.name] = Layer(
                    conv.name, "bottleneck" if bottleneck else "branch", conv.inputs, conv.channels, stride,
                    rf if bottleneck else reach[part], offset,
                )  # fmt: skip
            rf = reach["5x5"]
        return layers

    @cached_property
    def main_layers(self) -> tuple[str, ...]:
        """The twelve layers of the hierarchy, from conv2d0 to mixed5b."""
        return tuple(x.name for x in self.layers.values() if x.kind in ("conv", "mixed"))

    def locate(self, layer: str, channel: int) -> tuple[str, int]:
        """The convolution that a channel comes out of, and which of its channels it is."""
        branch = self.layers[layer].branch_of(channel)
        return (f"{layer}_{branch.name}", channel - branch.first) if branch else (layer, channel)

    def grid(self, layer: str, size: int) -> int:
        """Positions along one side of a layer's grid for a square input of ``size`` pixels."""
        n = (size + sum(self.stem_padding) - 7) // 2 + 1
        for _ in range(self.layers[layer].stride.bit_length() - 2):
            n //= 2
        return n


_MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def _widths(*rows: tuple[int, int, int, int, int, int]) -> dict[str, tuple[int, int, int, int, int, int]]:
    return {f"mixed{m}": row for m, row in zip(_MODULES, rows, strict=True)}


INCEPTION5H = Architecture(
    name="inception5h",
    title="InceptionV1 as Google released it in 2014, the network of Lucid, Lucent and the Circuits thread",
    widths=_widths(
        (64, 96, 128, 16, 32, 32),
        (128, 128, 192, 32, 96, 64),
        (192, 96, 204, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
        (256, 160, 320, 48, 128, 128),
        (384, 192, 384, 48, 128, 128),
    ),
    stem_padding=(2, 3),
    norm=Norm(size=9, alpha=1e-4, beta=0.5),
    mean=(117.0, 117.0, 117.0),
    bgr=False,
    classes=1008,
)

BVLC_GOOGLENET = Architecture(
    name="bvlc_googlenet",
    title="GoogLeNet as trained on ImageNet by the Berkeley Vision and Learning Center with Caffe, 2014",
    widths={
        **INCEPTION5H.widths,
        "mixed4a": (192, 96, 208, 16, 48, 64),
        "mixed5a": (256, 160, 320, 32, 128, 128),
    },
    stem_padding=(3, 3),
    norm=Norm(size=5, alpha=1e-4, beta=0.75),
    mean=(104.0, 117.0, 123.0),
    bgr=True,
    classes=1000,
)

ARCHITECTURES: Mapping[str, Architecture] = {a.name: a for a in (INCEPTION5H, BVLC_GOOGLENET)}

CHECKPOINTS: Mapping[str, Architecture] = {**ARCHITECTURES, "untrained": INCEPTION5H}
"""The checkpoints known by name. ``untrained`` is inception5h's architecture with random weights: the control."""

FINGERPRINTS: Mapping[str, str] = {
    "bvlc_googlenet": "5c6c418c5b8cce23f32095bd8767e276d040f8da196375ea10eef99045c97dd1",
    "untrained": "6c2951db5c9a61933e46115dcfd2898ba3d2fd5c8b1f8a23380d819cdab1617d",
}
"""The sha256 over a checkpoint's tensors (``generator.network.fingerprint``), where it is known for certain."""
