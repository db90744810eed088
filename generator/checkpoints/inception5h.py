"""Google's InceptionV1. The tests compare its table with a description of the released graph."""

from generator.checkpoints import naming
from generator.checkpoints.spec import CheckpointSpec, Download
from generator.core.architecture import Architecture, Conv, Mixed, Norm, Pool

_NORM = Norm(size=9, alpha=1e-4, beta=0.5)

ARCHITECTURE = Architecture(
    name="inception5h",
    steps=(
        Conv("conv2d0", 3, 64, kernel=7, stride=2, padding=(2, 3)),
        Pool(),
        _NORM,
        Conv("conv2d1", 64, 64),
        Conv("conv2d2", 64, 192, kernel=3, padding=(1, 1)),
        _NORM,
        Pool(),
        Mixed("mixed3a", 192, (64, 96, 128, 16, 32, 32)),
        Mixed("mixed3b", 256, (128, 128, 192, 32, 96, 64)),
        Pool(),
        Mixed("mixed4a", 480, (192, 96, 204, 16, 48, 64)),
        Mixed("mixed4b", 508, (160, 112, 224, 24, 64, 64)),
        Mixed("mixed4c", 512, (128, 128, 256, 24, 64, 64)),
        Mixed("mixed4d", 512, (112, 144, 288, 32, 64, 64)),
        Mixed("mixed4e", 528, (256, 160, 320, 32, 128, 128)),
        Pool(),
        Mixed("mixed5a", 832, (256, 160, 320, 48, 128, 128)),
        Mixed("mixed5b", 832, (384, 192, 384, 48, 128, 128)),
    ),
    mean=(117.0, 117.0, 117.0),
    classes=1008,
    names=naming.NAMES,
)

SPEC = CheckpointSpec(
    name="inception5h",
    title="InceptionV1 as Google released it in 2014, the network of Lucid, Lucent and the Circuits thread",
    architecture=ARCHITECTURE,
    downloads=(
        Download(
            "https://github.com/ProGamerGov/pytorch-old-tensorflow-models/raw/master/inception5h.pth",
            "git",
            "119f77db85c8352960933e025312b507d9a96ed7",
        ),
    ),
    class_file="inception5h.txt",
    class_source="the list of classes that came with inception5h",
)
