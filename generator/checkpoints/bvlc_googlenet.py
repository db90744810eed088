"""Caffe's GoogLeNet, as in models/bvlc_googlenet/train_val.prototxt of BVLC/caffe."""

from generator.checkpoints import naming
from generator.checkpoints.spec import CheckpointSpec, Download
from generator.core.architecture import Architecture, Conv, Mixed, Norm, Pool

_NORM = Norm(size=5, alpha=1e-4, beta=0.75)

ARCHITECTURE = Architecture(
    name="bvlc_googlenet",
    steps=(
        Conv("conv2d0", 3, 64, kernel=7, stride=2, padding=(3, 3)),
        Pool(),
        _NORM,
        Conv("conv2d1", 64, 64),
        Conv("conv2d2", 64, 192, kernel=3, padding=(1, 1)),
        _NORM,
        Pool(),
        Mixed("mixed3a", 192, (64, 96, 128, 16, 32, 32)),
        Mixed("mixed3b", 256, (128, 128, 192, 32, 96, 64)),
        Pool(),
        Mixed("mixed4a", 480, (192, 96, 208, 16, 48, 64)),
        Mixed("mixed4b", 512, (160, 112, 224, 24, 64, 64)),
        Mixed("mixed4c", 512, (128, 128, 256, 24, 64, 64)),
        Mixed("mixed4d", 512, (112, 144, 288, 32, 64, 64)),
        Mixed("mixed4e", 528, (256, 160, 320, 32, 128, 128)),
        Pool(),
        Mixed("mixed5a", 832, (256, 160, 320, 32, 128, 128)),
        Mixed("mixed5b", 832, (384, 192, 384, 48, 128, 128)),
    ),
    mean=(104.0, 117.0, 123.0),
    bgr=True,
    classes=1000,
    names=naming.NAMES,
)

SPEC = CheckpointSpec(
    name="bvlc_googlenet",
    title="GoogLeNet as trained on ImageNet by the Berkeley Vision and Learning Center with Caffe, 2014",
    architecture=ARCHITECTURE,
    downloads=(
        Download(
            "https://github.com/ProGamerGov/pytorch-old-caffemodels/raw/master/bvlc_googlenet.pth",
            "git",
            "9038679730b000111aebc5d3baddfe1936bfda0b",
        ),
        Download(
            "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            "sha1",
            "405fc5acd08a3bb12de8ee5e23a96bec22f08204",
        ),
    ),
    fingerprint="5c6c418c5b8cce23f32095bd8767e276d040f8da196375ea10eef99045c97dd1",
    class_file="ilsvrc2012.txt",
    class_source="ImageNet Large Scale Visual Recognition Challenge, 2012",
)
