"""The machine of a measurement, without which a time means nothing, and the peak of its memory."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_PROCESS = Path("/proc/self")
_TELLING = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")  # what decides how fast matrices are multiplied


def describe(device: torch.device) -> dict[str, Any]:
    """Processor, device, threads, versions and the date, as plain values."""
    model, flags = _processor()
    return {
        "processor": model,
        "instructions": [flag for flag in _TELLING if flag in flags],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("inception-atlas", "torch", "torch-lucent")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> tuple[str, frozenset[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return facts.get("model name", platform.machine()), frozenset(facts.get("flags", "").split())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


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
