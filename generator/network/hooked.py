"""The network as a tree of named modules, for tools that use hooks.

:class:`generator.network.Inception` has no modules inside, because it runs faster without. Lucent and similar tools
find a layer by the name of its module. So this is the same network as Lucent writes it: ``mixed4a`` and ``mixed4a_3x3``
are modules whose output is that layer, every padding is an operation of its own, and weights are trainable parameters.
It computes the same activations (a test compares the two) and is as slow as the original.

>>> loaded = load_tensors("bvlc_googlenet")                                        # doctest: +SKIP
>>> net = InceptionV1(loaded.architecture, loaded.tensors).eval()                  # doctest: +SKIP
>>> lucent.optvis.render.render_vis(net, "mixed4a:11")                             # doctest: +SKIP
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generator.core.architecture import BRANCHES, CLASSIFIER, Architecture, Conv, Mixed, Norm, Pool

_LUCENT_MEAN = 117  # Lucent gives a network of this name rgb * 255 - 117


class InceptionV1(nn.Module):
    """The network of an architecture, module by module. Lucent looks at the name of the class."""

    mean: Tensor

    def __init__(self, architecture: Architecture, tensors: Mapping[str, Tensor]) -> None:
        """``tensors`` has ``NAME.weight`` and ``NAME.bias`` for each convolution and the classifier."""
        from lucent.modelzoo.inceptionv1 import helper_layers as lucent

        super().__init__()
        self.architecture = architecture
        for name, conv in architecture.convs.items():
            module = nn.Conv2d(conv.inputs, conv.channels, conv.kernel, conv.stride)
            self._add(f"{name}_pre_relu_conv", module, name, tensors)
            self.add_module(name, lucent.RedirectedReluLayer())
        for step in architecture.steps:
            if isinstance(step, Mixed):
                self.add_module(f"{step.name}_pool", lucent.MaxPool2dLayer())
                self.add_module(step.name, lucent.CatLayer())
        last = nn.Linear(architecture.layers[architecture.main_layers[-1]].channels, architecture.classes)
        self._add(f"{CLASSIFIER}_pre_activation_matmul", last, CLASSIFIER, tensors)
        self.add_module(CLASSIFIER, lucent.SoftMaxLayer())
        mean = architecture.mean[::-1] if architecture.bgr else architecture.mean
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities, N x classes, from N x 3 x H x W in -117..138, as Lucent's preprocessing gives it."""
        if self.architecture.mean != (_LUCENT_MEAN,) * 3:
            x = x + _LUCENT_MEAN - self.mean
        if self.architecture.scale != 1:
            x = x * self.architecture.scale
        if self.architecture.bgr:
            x = x.flip(1)
        for step in self.architecture.steps:
            if isinstance(step, Pool):
                x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), step.size, 2)
            elif isinstance(step, Norm):
                x = F.local_response_norm(x, step.size, step.alpha, step.beta, step.k)
            elif isinstance(step, Conv):
                x = self._conv(step, x)
            else:
                x = self.get_submodule(step.name)([self._branch(step, branch, x) for branch in BRANCHES], 1)
        x = F.avg_pool2d(x, x.shape[-2:]).flatten(1)
        return self._run(CLASSIFIER, self._run(f"{CLASSIFIER}_pre_activation_matmul", x))

    def _branch(self, module: Mixed, branch: str, x: Tensor) -> Tensor:
        if branch == "pool_reduce":
            x = self._run(f"{module.name}_pool", F.pad(x, (1, 1, 1, 1), value=-torch.inf))
        elif branch != "1x1":
            x = self._conv(module.convs[f"{branch}_bottleneck"], x)
        return self._conv(module.convs[branch], x)

    def _conv(self, conv: Conv, x: Tensor) -> Tensor:
        if any(conv.padding):
            x = F.pad(x, conv.padding * 2)
        return self._run(conv.name, self._run(f"{conv.name}_pre_relu_conv", x))

    def _run(self, name: str, x: Tensor) -> Tensor:
        out: Tensor = self.get_submodule(name)(x)
        return out

    def _add(self, name: str, module: nn.Module, source: str, tensors: Mapping[str, Tensor]) -> None:
        module.load_state_dict({part: tensors[f"{source}.{part}"] for part in ("weight", "bias")})
        self.add_module(name, module)
