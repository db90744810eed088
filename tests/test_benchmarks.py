"""What `make bench-site` measures is an atlas as it would be, and a large layer is as light as is promised."""

import contextlib
import json
import re
import runpy
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shell import Run

from generator.config.atlas_toml import load_config
from generator.core.record import Record
from generator.publish.build import build
from generator.publish.check.site import check
from generator.publish.files import site_files
from generator.publish.site import read_site
from generator.store.store import Store

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def test_a_synthetic_store_is_a_store_and_its_largest_pages_are_light(tmp_path: Path) -> None:
    synthetic = runpy.run_path(str(BENCHMARKS / "synthetic.py"))["synthetic"]
    assert synthetic(tmp_path / "small", ["conv2d0"]) == 64
    config = load_config(tmp_path / "small/atlas.toml")
    answers = list(Store(config.store).verify())
    assert len(answers) == 64
    assert all(isinstance(answer, Record) for answer in answers)
    build(config)
    assert check(config) == []
    assert synthetic(tmp_path / "large", ["mixed4d"]) == 528
    files = site_files(read_site(load_config(tmp_path / "large/atlas.toml"))).made
    page = files["bvlc_googlenet/mixed4d/index.html"]()
    assert len(page) < 70_000  # 12 KB as hosts send it
    thumbnails = set(re.findall(r"<img src=(\d+\.webp)", page.decode()))
    assert len(thumbnails) == 528
    assert sum(len(files[f"bvlc_googlenet/mixed4d/{name}"]()) for name in thumbnails) < 2_000_000


def test_a_device_is_measured_by_one_command(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where people measure, each of its commands runs in a process of its own; here only the last."""
    main = runpy.run_path(str(BENCHMARKS / "device.py"))["main"]

    def here(line: list[str], *, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
        if "mixed3a:0" in line:
            return subprocess.run(line, cwd=cwd, **more)
        words = line[3:]
        if "--traced" in line:
            Path(line[3]).write_text("{}")
            words = line[5:]
        with contextlib.chdir(cwd):
            code, out, _ = run(*words)
        return subprocess.CompletedProcess(line, code, out)

    monkeypatch.setitem(main.__globals__, "subprocess", SimpleNamespace(run=here, PIPE=subprocess.PIPE))
    monkeypatch.setattr("generator.bench.compare.matrix_rate", lambda dtype, device: 1e12)  # takes longer than the rest
    small = "--checkpoint untrained --layers conv2d0 --batch 2 --size 48 --steps 24 --lucent-steps 2"
    runs = "--first conv2d0:0 --select conv2d0:0-1 mixed3a:0"
    main([*f"--device cpu {small} {runs} --output".split(), str(tmp_path / "found.json")])
    said, found = capsys.readouterr().out, json.loads((tmp_path / "found.json").read_text())
    assert (found["first"]["units"], found["whole"]["units"]) == (1, 3)
    assert 0 < found["whole"]["device_seconds"] < found["whole"]["seconds"]
    spent = found["whole"]["parts"]
    ascents = spent["ascents as the host sees them, all of these in it"]
    assert 0 < ascents < found["whole"]["seconds"] - spent["start-up"]
    assert {"draws, in a thread", "encoding, in threads", "writing, in a thread"} < set(spent)
    assert found["layers"]["conv2d0"]["in_the_loop_us"] > 0
    rows = [line for line in said.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows] == [
        "| µs a unit and step", "| in the loop", "| by `atlas bench`, with what stands around the loop",
        "| convolutions alone",
    ]  # fmt: skip


def test_a_study_is_measured_by_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(BENCHMARKS / "study.py"))["main"]
    main(["--photographs", "2", "--checkpoint", "untrained", "--analyses", "photos", "--layer", "conv2d0"])
    row = re.fullmatch(r"\| 2 \| \d+ \| \d+ \| (\d+\.\d+) \|", capsys.readouterr().out.splitlines()[-1])
    assert row
    assert 0.1 < float(row[1]) < 100, "GB; Linux counts in it what this process has"


def test_no_page_waits_for_its_script() -> None:
    """But a layer's: read before its units, it keeps a browser from loading thumbnails that tiles replace."""
    for template in (BENCHMARKS.parent / "templates").glob("*.html"):
        for script in re.findall(r"<script[^>]*>", template.read_text()):
            assert any(word in script for word in (" defer", "ld+json", '"layer.js"')), f"{template.name}: {script}"
