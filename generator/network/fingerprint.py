"""The fingerprint of a set of weights: the same for every file format.

Every question in the store names its weights by this fingerprint, so a picture can be traced to the exact tensors that
made it. It is a sha256 over the canonical tensors alone. The file, its format, its names, auxiliary heads and metadata
do not matter.

**Layout.** For every tensor, in ascending order of its canonical name (``conv2d0.bias``, ``conv2d0.weight``, …,
``softmax2.weight``; plain ASCII order), the hash is fed

1. one line of ASCII: name, space, shape in decimal joined by ``x``, newline, as in ``conv2d0.weight 64x3x7x7\\n``;
2. the values, as little-endian IEEE 754 float32 in C order (the last index runs fastest), nothing between them.

Convolutions are OIHW, the classifier is classes x inputs, biases have one dimension. With numpy alone::

    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {'x'.join(map(str, array.shape))}\\n".encode("ascii"))
        digest.update(numpy.ascontiguousarray(array, dtype="<f4").tobytes())
    digest.hexdigest()
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch


def fingerprint(tensors: Mapping[str, torch.Tensor]) -> str:
    """The sha256 over canonical tensors, in the layout above: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name} {write_shape(tensor.shape)}\n".encode("ascii"))
        digest.update(np.ascontiguousarray(tensor.numpy(), dtype="<f4").tobytes())
    return digest.hexdigest()


def write_shape(shape: tuple[int, ...]) -> str:
    """A shape as people write it: ``64x3x7x7``."""
    return "x".join(str(n) for n in shape) or "scalar"
