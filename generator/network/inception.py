"""InceptionV1 built from an architecture. It runs no further than the layer that is asked for.

The module has no hooks and no state but its weights, which are frozen: gradients are with respect to the picture. The
first convolution runs on a space-to-depth copy of its input, which computes the same several times faster on a CPU;
pooling and normalisation are those of :mod:`generator.kernels`.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.core.architecture import BRANCHES, CLASSIFIER, OUTPUT, Architecture, Conv, Mixed, Norm, Pool, Step
from generator.core.errors import UsageError
from generator.kernels.choice import operations
from generator.kernels.plain import leaky


class Inception(nn.Module):
    """The network of one checkpoint. ``fingerprint`` is that of the weights it was given, ``name`` the checkpoint's."""

    mean: Tensor

    def __init__(
        self, architecture: Architecture, tensors: Mapping[str, Tensor], fingerprint: str = "", name: str = ""
    ) -> None:
        """``tensors`` has ``NAME.weight`` and ``NAME.bias`` for each convolution and the classifier."""
        super().__init__()
        self.architecture = architecture
        self.fingerprint = fingerprint
        self.name = name or architecture.name
        for layer in (*architecture.convs, CLASSIFIER):
            weight = tensors[f"{layer}.weight"]
            if layer == architecture.main_layers[0]:
                # the kernel takes RGB from 0 to 1: converted once, and not at every step
                weight = _space_to_depth_kernel(weight.flip(1) if architecture.bgr else weight)
                weight = weight * (255 * architecture.scale)
            self.register_buffer(f"{layer}_weight", weight.clone(), persistent=False)
            self.register_buffer(f"{layer}_bias", tensors[f"{layer}.bias"].clone(), persistent=False)
        mean = torch.tensor(architecture.mean[::-1] if architecture.bgr else architecture.mean) / 255
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor, layer: str, leak: float = 0.0, activate: bool = True) -> Tensor:
        """Activations of a layer, N x channels x grid x grid, after ReLU or concatenation.

        ``rgb`` is N x 3 x H x W in 0..1, preprocessed here as the checkpoint wants it. ``layer`` is any name of the
        architecture's layers, a branch or bottleneck too: ``output`` is the logits, N x classes x 1 x 1; or it is
        ``softmax2`` for N x classes probabilities.
        ``leak`` is the slope of every ReLU below zero; without ``activate`` the ReLU of ``layer`` itself is left
        out. Raises UsageError for a layer that does not exist.
        """
        if layer not in self.architecture.layers and layer != CLASSIFIER:
            raise UsageError(f"no layer “{layer}” in {self.architecture.name}")
        x = rgb - self.mean
        bare = () if activate else (layer, *(f"{layer}_{branch}" for branch in BRANCHES))
        slope = 1.0  # of the ReLU that the step before has left to this one; 1 is none
        steps = self.architecture.steps
        for step, after in zip(steps, (*steps[1:], None), strict=True):
            if isinstance(step, Mixed) and layer.startswith(f"{step.name}_"):
                return self._branch(step, layer.removeprefix(f"{step.name}_"), x, leak, bare)
            if isinstance(step, Pool | Norm):
                x, slope = self._step(step, x, slope=slope), 1.0
            elif step.name == layer:
                return self._step(step, x, leak, bare)
            elif isinstance(after, Pool | Norm):
                x, slope = self._step(step, x, leak, _last(step)), leak
            else:
                x = self._step(step, x, leak)
        logits = self._logits(x)
        return logits[..., None, None] if layer == OUTPUT else logits.softmax(1)

    def vectors(self, layer: str, rows: Sequence[int] | None = None) -> Tensor:
        """Rows of a set of directions, or all, each scaled to length 1: K x channels, where the weights are."""
        found = self.architecture.direction_set(layer).vectors
        assert found is not None  # only atlases that are read have none
        chosen = torch.from_numpy(found if rows is None else found[list(rows)])
        return F.normalize(chosen.double(), dim=1, eps=0).float().to(self.mean.device)  # a square may be no float32

    def every_layer(self, rgb: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each main layer with its values before the ReLU, shallow first; at the end ``softmax2``, N x classes.

        ``rgb`` is N x 3 x H x W in 0..1. One pass for all layers; ``forward`` would start again for each.
        """
        x = rgb - self.mean
        for step in self.architecture.steps:
            if isinstance(step, Pool | Norm):
                x = self._step(step, x)
                continue
            x = self._step(step, x, bare=_last(step))
            yield step.name, x
            x = F.relu(x)
        yield CLASSIFIER, self._logits(x).softmax(1)

    def _step(self, step: Step, x: Tensor, leak: float = 0.0, bare: Sequence[str] = (), slope: float = 1.0) -> Tensor:
        """One step of the network. ``bare`` names the convolutions whose ReLU is left out; pooling and normalisation
        begin with a ReLU that has this ``slope``."""
        if isinstance(step, Pool):
            return operations(x.device, x.dtype).pool(x, step.size, 2, 0, slope)
        if isinstance(step, Norm):
            return operations(x.device, x.dtype).norm(x, step, slope)
        if isinstance(step, Conv):
            return self._conv(step, x, leak, bare)
        return torch.cat([self._branch(step, branch, x, leak, bare) for branch in BRANCHES], dim=1)

    def _logits(self, x: Tensor) -> Tensor:
        """The classifier before its softmax, N x classes, from the last layer."""
        return F.linear(F.avg_pool2d(x, x.shape[-2:]).flatten(1), *self._weights(CLASSIFIER))

    def _branch(self, module: Mixed, part: str, x: Tensor, leak: float, bare: Sequence[str]) -> Tensor:
        if part == "pool_reduce":
            x = operations(x.device, x.dtype).pool(x, 3, 1, 1, 1.0)
        elif part in ("3x3", "5x5"):
            x = self._conv(module.convs[f"{part}_bottleneck"], x, leak, bare)
        return self._conv(module.convs[part], x, leak, bare)

    def _conv(self, conv: Conv, x: Tensor, leak: float, bare: Sequence[str]) -> Tensor:
        weight, bias = self._weights(conv.name)
        if conv.stride == 2:
            x = F.conv2d(_space_to_depth(x, conv.padding, weight.dtype), weight, bias)
        else:
            x = F.conv2d(x, weight, bias, padding=conv.padding[0])
        return x if conv.name in bare else leaky(x, leak)

    def _weights(self, name: str) -> tuple[Tensor, Tensor]:
        return self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")


def _last(step: Conv | Mixed) -> tuple[str, ...]:
    """The convolutions that give a step's output."""
    return (step.name,) if isinstance(step, Conv) else tuple(f"{step.name}_{branch}" for branch in BRANCHES)


def _space_to_depth(x: Tensor, padding: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Pad for conv2d0 and fold each 2 x 2 block of pixels into channels: N x 12 x h/2 x w/2, channels last."""
    before, after = padding
    n, c, h, w = x.shape
    # A 7x7 kernel with stride 2 is a 4x4 kernel over blocks; an odd side gets one more row, which the kernel ignores.
    down, across = ((side + before + after - 7) // 2 + 4 for side in (h, w))
    x = F.pad(x.to(dtype), (before, 2 * across - w - before, before, 2 * down - h - before))
    x = x.view(n, c, down, 2, across, 2).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(n, down, across, 4 * c).permute(0, 3, 1, 2)


def _space_to_depth_kernel(weight: Tensor) -> Tensor:
    """The 7x7 kernel with stride 2 as a 4x4 kernel over 2 x 2 blocks: O x 3 x 7 x 7 to O x 12 x 4 x 4."""
    out, c, _, _ = weight.shape
    weight = F.pad(weight, (0, 1, 0, 1)).view(out, c, 4, 2, 4, 2)
    return weight.permute(0, 1, 3, 5, 2, 4).reshape(out, 4 * c, 4, 4)
