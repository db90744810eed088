"""The peak of memory: of this process on a CPU, of the allocator on a GPU."""

from __future__ import annotations

from pathlib import Path

import torch

_PROCESS = Path("/proc/self")


class Peak:
    """``with Peak(device) as peak: ...`` and then ``peak.bytes``; None where the system does not tell.

    On a CPU this is all memory of the process, with torch and weights. The kernel keeps the peak and can reset it, so
    no thread has to watch.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.bytes: int | None = None

    def __enter__(self) -> Peak:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        self.reset = self.device.type == "cpu" and _reset()
        return self

    def __exit__(self, *error: object) -> None:
        if self.device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self.device)
        elif self.reset:
            status = dict(line.split(":", 1) for line in (_PROCESS / "status").read_text().splitlines())
            self.bytes = int(status["VmHWM"].split()[0]) * 1024


def _reset() -> bool:
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True
