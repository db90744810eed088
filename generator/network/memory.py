"""How freed memory is kept, where a network runs on a CPU."""

import ctypes
import platform


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory, and not to give it back to the kernel after every step.

    Activations of a batch are allocated and freed at each step; without this a CPU spends most of its time on page
    faults (measured in docs/log.md). Without glibc nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    m_trim_threshold, m_top_pad, m_mmap_threshold, m_arena_max = -1, -2, -3, -8
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in (
        (m_mmap_threshold, 1 << 25),
        (m_trim_threshold, (1 << 31) - 1),
        (m_top_pad, 1 << 26),
        (m_arena_max, 1),
    ):
        mallopt(option, value)
