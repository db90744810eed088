"""The types that describe an InceptionV1: its steps, and the size and receptive field of every layer.

Networks that share the nine-module topology of Szegedy et al., "Going deeper with convolutions" (2014), differ in
widths, kernels, padding, pooling, normalisation and input. The network is built from these values and the pages print
them, without torch. The values themselves are in ``generator.checkpoints``.

>>> from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as net
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

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from generator.core.directions import AT, Directions, base_layer, has_vector, sum_of

BRANCHES = ("1x1", "3x3", "5x5", "pool_reduce")  # in the order of concatenation
PARTS = ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce")  # the convolutions of a module
CLASSIFIER = "softmax2"
OUTPUT = "output"  # the layer of its logits, a unit a class


@dataclass(frozen=True, slots=True)
class Conv:
    """One convolution with bias and ReLU. These hold all weights of the network, except the classifier's.

    ``padding`` is the number of zeros before and after, the same for rows and columns.
    """

    name: str
    inputs: int
    channels: int
    kernel: int = 1
    stride: int = 1
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Pool:
    """Max-pooling over ``size`` x ``size`` positions, with stride 2. The last window may reach over the edge."""

    size: int = 3


@dataclass(frozen=True, slots=True)
class Norm:
    """Local response normalisation: x / (k + alpha / size * sum of squares over ``size`` channels) ** beta."""

    size: int
    alpha: float
    beta: float
    k: float = 1.0


@dataclass(frozen=True)
class Mixed:
    """A module: four branches side by side. ``widths`` are the channels of its convolutions in the order of PARTS,
    ``kernel_5x5`` is the kernel of the branch that the paper calls 5x5."""

    name: str
    inputs: int
    widths: tuple[int, int, int, int, int, int]
    kernel_5x5: int = 5

    @cached_property
    def convs(self) -> Mapping[str, Conv]:
        """Its convolutions by part. Their padding keeps the size of the grid."""
        width, kernels = dict(zip(PARTS, self.widths, strict=True)), {"3x3": 3, "5x5": self.kernel_5x5}
        convs = {}
        for part, channels in width.items():
            inputs, kernel = width.get(f"{part}_bottleneck", self.inputs), kernels.get(part, 1)
            pad = kernel // 2
            convs[part] = Conv(f"{self.name}_{part}", inputs, channels, kernel, padding=(pad, pad))
        return convs

    @property
    def channels(self) -> int:
        """Of all branches, which are concatenated."""
        return sum(self.convs[branch].channels for branch in BRANCHES)


Step = Conv | Pool | Norm | Mixed


@dataclass(frozen=True, slots=True)
class TensorNames:
    """How one kind of weights file names its tensors.

    ``module`` gives the name of a convolution or of the classifier there: it stands before ``.weight`` and ``.bias``.
    Where a module is a convolution and its batch normalisation, ``conv`` and ``batch_norm`` come between, as in
    ``conv1.bn.weight``. ``epsilon`` is that of the normalisation.
    """

    module: Callable[[str], str]
    conv: str = ""
    batch_norm: str = ""
    epsilon: float = 0.0


@dataclass(frozen=True, slots=True)
class Branch:
    """The channels of a mixed layer that come from one of its four paths."""

    name: str
    first: int
    channels: int
    receptive_field: int

    @property
    def last(self) -> int:
        """The last channel of the layer that is of this branch."""
        return self.first + self.channels - 1


@dataclass(frozen=True, slots=True)
class Layer:
    """A set of channels on one grid. Of kind ``output`` are the logits of the classes, a grid of one position; of kind
    ``directions`` are vectors over the channels of another layer."""

    name: str
    kind: Literal["conv", "mixed", "branch", "bottleneck", "output", "directions"]
    channels: int
    stride: int  # input pixels between neighbouring positions of the grid
    receptive_field: int  # width in input pixels
    offset: int  # position i of the grid is centred on input pixel stride * i + offset
    branches: tuple[Branch, ...] = ()

    def branch_of(self, channel: int) -> Branch | None:
        """The branch that a channel of a mixed layer comes from; None in any other layer."""
        return next((b for b in self.branches if b.first <= channel <= b.last), None)


@dataclass(frozen=True)
class Architecture:
    """Everything in which one InceptionV1 differs from another, and the layers computed from it.

    The network is given (rgb * 255 - mean) * scale, with its channels in the order blue, green, red if ``bgr``.
    ``mean`` is in 0..255 and in the order in which the network reads its channels.
    """

    name: str
    steps: tuple[Step, ...] = field(repr=False)  # from the picture to the classifier; the first has stride 2
    mean: tuple[float, float, float]
    classes: int
    scale: float = 1.0
    bgr: bool = False
    names: tuple[TensorNames, ...] = field(default=(), repr=False)
    """The names of tensors in weights files, besides the names used here."""
    directions: tuple[Directions, ...] = field(default=(), repr=False, compare=False)
    """The sets of directions that are units too, besides the channels."""

    @cached_property
    def convs(self) -> Mapping[str, Conv]:
        """Every convolution by name, in the order of the forward pass."""
        convs: dict[str, Conv] = {}
        for step in self.steps:
            if isinstance(step, Conv):
                convs[step.name] = step
            elif isinstance(step, Mixed):
                convs |= {conv.name: conv for conv in step.convs.values()}
        return convs

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """Every layer by name: stem, mixed modules, the branches and bottlenecks of each module, ``output``, and the
        sets of directions."""
        layers: dict[str, Layer] = {}
        stride, rf, offset = 1, 1, 0
        for step in self.steps:
            if isinstance(step, Pool):
                reach = (step.size - 1) * stride
                stride, rf, offset = stride * 2, rf + reach, offset + reach // 2
            elif isinstance(step, Conv):
                rf, offset = rf + (step.kernel - 1) * stride, offset + (step.kernel // 2 - step.padding[0]) * stride
                stride *= step.stride
                layers[step.name] = Layer(step.name, "conv", step.channels, stride, rf, offset)
            elif isinstance(step, Mixed):
                made = _layers_of(step, stride, rf, offset)
                layers |= {layer.name: layer for layer in made}
                rf = made[0].receptive_field
        layers[OUTPUT] = Layer(OUTPUT, "output", self.classes, stride, rf, offset)
        for found in self.directions:
            of = layers[found.layer]
            layers[str(found)] = replace(of, name=str(found), kind="directions", channels=found.count, branches=())
        return layers

    def including(self, layers: Iterable[str]) -> Architecture:
        """The architecture with those of these layers that are sums of channels, such as ``mixed4a@5_plus_11``."""
        absent = [name for name in dict.fromkeys(layers) if AT in name and name not in self.layers]
        widths = {name: self.layers[base_layer(name)].channels for name in absent if base_layer(name) in self.layers}
        found = tuple(each for name, channels in widths.items() if (each := sum_of(name, channels)))
        return replace(self, directions=(*self.directions, *found)) if found else self

    def direction_set(self, layer: str) -> Directions:
        """The set of directions that a layer is. Raises KeyError for any other layer."""
        for found in self.including([layer]).directions:
            if str(found) == layer:
                return found
        raise KeyError(layer)

    def vector_of(self, layer: str, row: int) -> str:
        """The sha256 of a direction's vector, where a question has one; else ""."""
        return self.direction_set(layer).checksum(row) if has_vector(layer) else ""

    @cached_property
    def main_layers(self) -> tuple[str, ...]:
        """The twelve layers of the hierarchy, from conv2d0 to mixed5b."""
        return tuple(x.name for x in self.layers.values() if x.kind in ("conv", "mixed"))

    @property
    def weighted_layers(self) -> tuple[str, ...]:
        """The main layers and ``output``: each has weights on the one before it."""
        return (*self.main_layers, OUTPUT)

    @property
    def seeing_layers(self) -> tuple[str, ...]:
        """The main layers and the sets of directions in them: photographs excite their units at some positions."""
        return (*self.main_layers, *(str(found) for found in self.directions if found.layer in self.main_layers))

    @property
    def known_directions(self) -> tuple[str, ...]:
        """The sets of directions in the main layers whose vectors are known: what can be studied of them."""
        return tuple(str(x) for x in self.directions if x.layer in self.main_layers and x.vectors is not None)

    def beside(self, layer: str) -> dict[str, str]:
        """A main layer and those beside it, as ``same``, ``before`` and ``after``; the first and last lack one, and a
        set of directions both."""
        if layer not in self.main_layers:
            return {"same": layer}
        place, last = self.main_layers.index(layer), len(self.main_layers) - 1
        there = {"same": place, "before": place - 1, "after": place + 1}
        return {name: self.main_layers[i] for name, i in there.items() if 0 <= i <= last}

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Names of convolutions in weights files, in lower case, and our names; the longest first."""
        found = {names.module(conv).lower(): conv for names in self.names for conv in self.convs}
        return dict(sorted(found.items(), key=lambda item: -len(item[0])))

    def locate(self, layer: str, channel: int) -> tuple[str, int]:
        """The convolution that computes a channel, and the channel's number in it."""
        branch = self.layers[layer].branch_of(channel)
        return (f"{layer}_{branch.name}", channel - branch.first) if branch else (layer, channel)

    def grid(self, layer: str, size: int) -> int:
        """Positions along one side of a layer's grid for a square input of ``size`` pixels."""
        module = base_layer(layer).split("_")[0]
        for step in self.steps:
            if isinstance(step, Pool):
                size = 1 - (step.size - size) // 2
            elif isinstance(step, Conv):
                size = (size + sum(step.padding) - step.kernel) // step.stride + 1
            if isinstance(step, Conv | Mixed) and step.name == module:
                return size
        if layer == OUTPUT:
            return min(size, 1)  # the mean over the grid of the last layer
        raise KeyError(layer)


def _layers_of(module: Mixed, stride: int, rf: int, offset: int) -> list[Layer]:
    """A module, then its branches and bottlenecks. ``rf`` is what its input sees."""
    sees = {part: rf + (conv.kernel - 1) * stride for part, conv in module.convs.items()}
    sees["pool_reduce"] = rf + 2 * stride
    branches, first = [], 0
    for branch in BRANCHES:
        channels = module.convs[branch].channels
        branches.append(Branch(branch, first, channels, sees[branch]))
        first += channels
    widest = max(sees.values())
    layers = [Layer(module.name, "mixed", first, stride, widest, offset, tuple(branches))]
    for part, conv in module.convs.items():
        kind: Literal["branch", "bottleneck"] = "branch" if part in BRANCHES else "bottleneck"
        layers.append(Layer(conv.name, kind, conv.channels, stride, sees[part], offset))
    return layers
