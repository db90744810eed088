"""What every test stands on: nothing of the user's own environment, no network but the loopback address, and weights.

Tests that need trained weights take ``real_weights`` and are skipped, by name, where there are none. Point
ATLAS_WEIGHTS at ``bvlc_googlenet.safetensors`` (or a folder with it) to run them.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import jinja2
import pytest
from shell import Run

from generator.cli import main as cli

if TYPE_CHECKING:
    from generator.network import Inception

# Torch takes every core for itself. Where tests run beside each other (`make test`), each process takes its share, and
# so do the processes that it starts. Torch and its libraries read this as they are imported.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _CORES // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))))

# The same examples each time, so that no change is blamed for what chance finds. To look for more:
# pytest tests/test_properties_*.py --hypothesis-profile=search
# A slow machine is no fault, and our fixtures that are made once a test hold for all of its examples.
_CHECKS = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
hypothesis.settings.register_profile(
    "same", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_CHECKS
)
hypothesis.settings.register_profile("search", max_examples=3000, deadline=None, suppress_health_check=_CHECKS)
hypothesis.settings.load_profile("same")

DATA = Path(__file__).parent / "data"
_GIVEN = os.environ.get("ATLAS_WEIGHTS", "")  # as it was before any test hid it
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, no variables of ours, the same draws each time, no way out to the network. The folder
    ATLAS_CACHE names."""
    cache = tmp_path_factory.mktemp("cache")
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
    for name in [name for name in os.environ if name.startswith("ATLAS_")] + list(_PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("no_proxy", "*")
    plain = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
            raise ConnectionRefusedError(111, f"tests may not connect to {address[0]}")
        plain(self, address)

    def resolve(host: Any, *args: Any, **more: Any) -> Any:
        if host not in ("127.0.0.1", "::1", "localhost", None, b"localhost"):
            raise socket.gaierror(-2, "Name or service not known")
        return plain_resolve(host, *args, **more)

    plain_resolve = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return cache


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """Hundreds of atlases are built in one process; compiling the templates is a third of a small one."""
    plain, known = jinja2.Environment.compile, {}

    def compile(self: jinja2.Environment, source: Any, name: Any = None, filename: Any = None, *more: Any) -> Any:
        key = type(self), source, name, filename, more
        if key not in known:
            known[key] = plain(self, source, name, filename, *more)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile)
        yield


@pytest.fixture(scope="session")
def net() -> Inception:
    """The untrained network. A test that changes one loads its own."""
    from generator.network import load_checkpoint

    return load_checkpoint("untrained")


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The file bvlc_googlenet.safetensors, if ATLAS_WEIGHTS pointed to it when the tests were started."""
    path = Path(_GIVEN).expanduser() / "bvlc_googlenet.safetensors" if Path(_GIVEN).is_dir() else Path(_GIVEN)
    if not _GIVEN or not path.is_file() or path.name != "bvlc_googlenet.safetensors":
        pytest.skip("needs trained weights: set ATLAS_WEIGHTS to bvlc_googlenet.safetensors or a folder with it")
    return path.resolve()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command: exit code, what it said, what it complained of."""

    def type_in(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["atlas", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_in
