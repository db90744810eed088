"""The checkpoints known by name. Each file of this folder with a ``SPEC`` is one, and says everything about it.

>>> sorted(CHECKPOINTS)
['bvlc_googlenet', 'inception5h', 'torchvision_googlenet', 'untrained']
>>> CHECKPOINTS["untrained"].architecture is ARCHITECTURES["inception5h"]
True
"""

from generator.checkpoints.spec import CheckpointSpec
from generator.core.architecture import Architecture
from generator.core.package import modules_of

_FILES = modules_of(__name__)

CHECKPOINTS: dict[str, CheckpointSpec] = {file.SPEC.name: file.SPEC for file in _FILES if hasattr(file, "SPEC")}

ARCHITECTURES: dict[str, Architecture] = {spec.architecture.name: spec.architecture for spec in CHECKPOINTS.values()}
