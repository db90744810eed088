"""How Caffe and Lucent name tensors and layers. Files of one network come in the names of either.

| names | example | where they are found |
|---|---|---|
| ours | ``mixed4a_3x3.weight`` | |
| Lucent's | ``mixed4a_3x3_pre_relu_conv.weight`` | inception5h.pth |
| Caffe's | ``inception_4a/3x3.weight`` | bvlc_googlenet.caffemodel |
| Caffe's, as Python attributes | ``inception_4a_3x3.weight`` | bvlc_googlenet.pth |
"""

from generator.core.architecture import CLASSIFIER, TensorNames

_STEM = {"conv2d0": "conv1/7x7_s2", "conv2d1": "conv2/3x3_reduce", "conv2d2": "conv2/3x3"}
_PARTS = {"3x3_bottleneck": "3x3_reduce", "5x5_bottleneck": "5x5_reduce", "pool_reduce": "pool_proj"}


def _lucent(layer: str) -> str:
    return f"{layer}_pre_activation_matmul" if layer == CLASSIFIER else f"{layer}_pre_relu_conv"


def _caffe(layer: str) -> str:
    if layer == CLASSIFIER:
        return "loss3/classifier"
    module, _, part = layer.partition("_")
    return _STEM.get(layer) or f"inception_{module.removeprefix('mixed')}/{_PARTS.get(part, part)}"


def _caffe_attribute(layer: str) -> str:
    return _caffe(layer).replace("/", "_")


NAMES = (TensorNames(_lucent), TensorNames(_caffe), TensorNames(_caffe_attribute))
