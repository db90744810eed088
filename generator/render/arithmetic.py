"""The arithmetic of a network: the fastest that a device has and that is at least as exact as the recipe asks for.

bfloat16 is faster than float32 only where the hardware multiplies it. Elsewhere it is imitated, and takes twice the
time of float32 on a CPU with AVX-512, or much more (docs/benchmarks.md).
"""

import os
from functools import cache

import torch

_WITHOUT = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI")


def fastest(precision: str, device: torch.device) -> str:
    """A recipe's ``precision``, or ``float32`` where that is faster."""
    return precision if precision == "float32" or multiplies_bfloat16(device) else "float32"


@cache
def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions that multiply bfloat16: known for x86 CPUs, and for GPUs of NVIDIA and AMD.

    Apple's GPUs compute in float32, because nobody has measured them here.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    # oneDNN, which computes a CPU's convolutions, can be told to leave out what the processor has.
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "ALL"
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)  # every CPU with AMX has it too
    return bool(has()) and allowed.upper() not in _WITHOUT
