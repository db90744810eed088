"""The control: inception5h's architecture with random weights. What its units show does not come from training."""

from generator.checkpoints.inception5h import ARCHITECTURE
from generator.checkpoints.spec import CheckpointSpec

SPEC = CheckpointSpec(
    name="untrained",
    title="Random weights in the architecture of inception5h, never trained: the control",
    architecture=ARCHITECTURE,
    fingerprint="6c2951db5c9a61933e46115dcfd2898ba3d2fd5c8b1f8a23380d819cdab1617d",
    seed=20140917,  # the day "Going deeper with convolutions" appeared
)
