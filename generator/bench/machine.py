"""The machine of a measurement: without it a time means nothing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

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
