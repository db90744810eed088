"""torchvision's GoogLeNet (torchvision/models/googlenet.py): batch normalisation in place of local response
normalisation, a 3x3 kernel where the paper has 5x5 (pytorch/vision#906), 2x2 pooling before mixed5a.

Batch normalisation is folded into the convolutions when the weights are read. torchvision's preprocessing,
ImageNet's mean and deviation and then ``transform_input``, is the same as (rgb - 0.5) / 0.5.
"""

from generator.checkpoints.spec import CheckpointSpec
from generator.core.architecture import CLASSIFIER, Architecture, Conv, Mixed, Pool, TensorNames

_STEM = {"conv2d0": "conv1", "conv2d1": "conv2", "conv2d2": "conv3", CLASSIFIER: "fc"}
_PARTS = {
    "1x1": "branch1",
    "3x3_bottleneck": "branch2.0",
    "3x3": "branch2.1",
    "5x5_bottleneck": "branch3.0",
    "5x5": "branch3.1",
    "pool_reduce": "branch4.1",
}


def _module(layer: str) -> str:
    """The name of a layer's module in torchvision's network."""
    mixed, _, part = layer.partition("_")
    return _STEM.get(layer) or f"{mixed.replace('mixed', 'inception')}.{_PARTS[part]}"


ARCHITECTURE = Architecture(
    name="torchvision_googlenet",
    steps=(
        Conv("conv2d0", 3, 64, kernel=7, stride=2, padding=(3, 3)),
        Pool(),
        Conv("conv2d1", 64, 64),
        Conv("conv2d2", 64, 192, kernel=3, padding=(1, 1)),
        Pool(),
        Mixed("mixed3a", 192, (64, 96, 128, 16, 32, 32), kernel_5x5=3),
        Mixed("mixed3b", 256, (128, 128, 192, 32, 96, 64), kernel_5x5=3),
        Pool(),
        Mixed("mixed4a", 480, (192, 96, 208, 16, 48, 64), kernel_5x5=3),
        Mixed("mixed4b", 512, (160, 112, 224, 24, 64, 64), kernel_5x5=3),
        Mixed("mixed4c", 512, (128, 128, 256, 24, 64, 64), kernel_5x5=3),
        Mixed("mixed4d", 512, (112, 144, 288, 32, 64, 64), kernel_5x5=3),
        Mixed("mixed4e", 528, (256, 160, 320, 32, 128, 128), kernel_5x5=3),
        Pool(2),
        Mixed("mixed5a", 832, (256, 160, 320, 32, 128, 128), kernel_5x5=3),
        Mixed("mixed5b", 832, (384, 192, 384, 48, 128, 128), kernel_5x5=3),
    ),
    mean=(127.5, 127.5, 127.5),
    scale=1 / 127.5,
    classes=1000,
    names=(TensorNames(_module, conv=".conv", batch_norm=".bn", epsilon=1e-3),),
)

SPEC = CheckpointSpec(
    name="torchvision_googlenet",
    title="GoogLeNet of torchvision, with batch normalisation, trained on ImageNet",
    architecture=ARCHITECTURE,
    by_hand="https://download.pytorch.org/models/googlenet-1378be20.pth",
    class_file="ilsvrc2012.txt",
    class_source="ImageNet Large Scale Visual Recognition Challenge, 2012",
)
