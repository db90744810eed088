"""Joins a Ray cluster, or starts one on this machine, and divides it among workers."""

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.core.errors import AtlasError, UsageError

LOCAL = "local"
_GROUP = 8  # cores of a worker without a GPU: docs/scaling.md
_REACH_SECONDS = 5
_OBJECT_STORE = 256 * 2**20  # bytes, of a cluster that we start: weights are 28 MB, a batch's answers below 2 MB
_HOW_TO_JOIN = "type --ray-address HOST:PORT as `ray start --head` printed it, or --ray alone to use this machine"


@dataclass(frozen=True, slots=True)
class WorkerPool:
    """How many workers a run has, and how many cores, or a GPU, each of them has."""

    workers: int
    cores: int
    gpu: bool

    def __str__(self) -> str:
        each = "a GPU" if self.gpu else f"{self.cores} core{'s' * (self.cores != 1)}"
        return f"{self.workers} worker{'s' * (self.workers != 1)} with {each} each"


def divide(nodes: Sequence[Mapping[str, float]], workers: int | None = None, device: str = "auto") -> WorkerPool:
    """The pool for these nodes; each has a number of ``CPU`` and of ``GPU``.

    One worker for each GPU, if there is one anywhere. Otherwise one for every 8 cores of a node, and one for a node
    that has fewer. With ``workers``, that many, each with as many cores as fit. Raises UsageError if the nodes have too
    few.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"no device “{device}” on a cluster; type --device cpu or --device cuda")
    gpus = [(int(node["GPU"]), int(node.get("CPU", 0))) for node in nodes if node.get("GPU", 0) >= 1]
    cores = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
    if device == "cuda" and not gpus:
        raise UsageError("the cluster has no GPU; type --device cpu")
    by_gpu = bool(gpus) and device != "cpu"
    most = sum(count for count, _ in gpus) if by_gpu else sum(cores)
    if (workers or 1) > most:
        what = "GPUs" if by_gpu else "cores"
        raise UsageError(f"the cluster has {most} {what}, too few for {workers or 1} workers; type --workers {most}")
    if by_gpu:
        return WorkerPool(workers or most, min(_GROUP, *(among // count for count, among in gpus)), True)
    wanted = workers or sum(max(1, count // _GROUP) for count in cores)
    each = next(n for n in range(max(cores), 0, -1) if sum(count // n for count in cores) >= wanted)
    return WorkerPool(wanted, each, False)


@contextlib.contextmanager
def connect(address: str = LOCAL, *, workers: int | None = None, device: str = "auto") -> Iterator[WorkerPool]:
    """Join the cluster at HOST:PORT, or the one this machine is a node of (``auto``), or start one here (``local``).

    A cluster that is started here has a token of its own, listens on the loopback address only (unless ray was imported
    before), and ends with the context. Raises AtlasError if there is no cluster, or it cannot be joined.
    """
    if address == LOCAL:
        if "ray" not in sys.modules:  # Ray reads it at import: the node's address is 127.0.0.1, on Linux too
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    else:
        _reach(address)
    import ray

    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == LOCAL:
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE}
    terminate = signal.getsignal(signal.SIGTERM)  # Ray puts a handler of its own there, which ends the process
    with contextlib.redirect_stdout(sys.stderr):  # Ray prints about its processes; our stdout says what was rendered
        try:
            try:
                ray.init(address, **options)
            except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                why = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise AtlasError(f"cannot join a Ray cluster at {address} ({why}); {_HOW_TO_JOIN}") from error
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, terminate)
            nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
            yield divide([node["Resources"] for node in nodes if node["Alive"]], workers, device)
        finally:
            ray.shutdown()


def _reach(address: str) -> None:
    """Fail at once if nothing listens there; Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if not host:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise AtlasError(f"no Ray cluster at {address} ({error.args[-1]}); {_HOW_TO_JOIN}") from error
