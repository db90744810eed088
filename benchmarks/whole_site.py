"""What the atlas of a whole network weighs and how long it takes to build: 5,808 units, none of them rendered.

>>> make bench-site                                # or: python benchmarks/whole_site.py

Each build is a process of its own, as `atlas build` is; its peak memory is the kernel's. The first paint of the home
page is told by Chromium, where there is one, and once more with a script that never arrives. Numbers are kept in
docs/benchmarks.md.
"""

from __future__ import annotations

import functools
import http.server
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from synthetic import synthetic

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
GOALS = {"cold": 10, "unchanged": 3, "memory": 500e6, "layer": 60_000, "thumbnails": 2e6, "unit": 100_000, "paint": 2}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="atlas-") as name:
        folder = Path(name)
        print(f"{synthetic(folder):,} units in a synthetic store, {os.cpu_count()} cores")
        site = folder / "site"
        first, peak = build(folder)
        tell("first build", f"{first:.1f} s")
        weight = sum(f.stat().st_size for f in built(site))
        tell("what it wrote", f"{len(built(site)):,}, {weight / 1e6:.0f} MB")
        tell("its peak memory", f"{peak / 1e6:.0f} MB", peak < GOALS["memory"])
        for file in built(site):
            file.unlink()
        cold, _ = build(folder)
        tell("all written anew", f"{cold:.1f} s", cold < GOALS["cold"])
        before = snapshot(site)
        again, _ = build(folder)
        tell("nothing changed", f"{again:.2f} s", again < GOALS["unchanged"])
        tell("files it wrote", str(changed := len(before.items() ^ snapshot(site).items())), not changed)
        (site / "index.html").touch()
        full, _ = build(folder)
        tell("all rendered, nothing to write", f"{full:.1f} s")
        layer = site / "bvlc_googlenet" / "mixed4d"
        page = layer / "index.html"
        tell("layer page of 528 units", size(page), page.stat().st_size < GOALS["layer"])
        thumbnails = sum(file.stat().st_size for file in layer.glob("*.webp"))
        tell("with every thumbnail", f"{thumbnails / 1e6:.2f} MB", thumbnails < GOALS["thumbnails"])
        units = sorted(layer.glob("[0-9]*.html"), key=lambda file: file.stat().st_size + fetched(file))
        heaviest = units[-1].stat().st_size + fetched(units[-1])
        tell("heaviest unit page with all it shows", f"{heaviest:,} bytes", heaviest < GOALS["unit"])
        tell("home page", size(site / "index.html"))
        if browser := next(filter(None, map(shutil.which, CHROMIUM)), None):
            for what, delay in (("first paint of home", 0.0), ("with a script that takes 5 s", 5.0)):
                painted = first_paint(browser, site, delay)
                tell(what, f"{painted:.2f} s", painted < GOALS["paint"])


def tell(what: str, found: str, good: bool | None = None) -> None:
    print(
        f"{what:<40}{found:>16}{'' if good is None else '   within its goal' if good else '   OVER ITS GOAL'}",
        flush=True,
    )


def build(folder: Path) -> tuple[float, int]:
    """Seconds and peak memory in bytes of one `atlas build`."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "generator.cli.main", "build"], cwd=folder, stdout=subprocess.PIPE
    )
    assert process.stdout
    said = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"the build failed: {said}")
    return time.perf_counter() - begun, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    return {f: (f.stat().st_ino, f.stat().st_mtime_ns) for f in folder.rglob("*") if f.is_file()}


def built(site: Path) -> list[Path]:
    """What a build has written, but its list."""
    return [f for f in site.rglob("*") if f.is_file() and "store" not in f.parts and f.name != ".built.json"]


def size(page: Path) -> str:
    return f"{page.stat().st_size:,} bytes"


def fetched(page: Path) -> int:
    """The bytes of the pictures, style and script that a page shows."""
    links = set(re.findall(r'(?:<img src|<script src|stylesheet" href)="([^"]+)', page.read_text(encoding="utf-8")))
    return sum((page.parent / link).stat().st_size for link in links)


PROBE = b"""new PerformanceObserver(list => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) new Image().src = "/painted?" + paint.startTime;
}).observe({type: "paint", buffered: true});"""


def first_paint(browser: str, site: Path, script_delay: float) -> float:
    """Seconds from navigation to the first contentful paint of the home page, as Chromium itself times it.

    The page is served with one more script, which waits for nothing and tells the time; ours comes after a delay.
    """
    told: queue.Queue[float] = queue.Queue()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/painted?"):
                told.put(float(self.path.partition("?")[2]) / 1000)
                self.send_error(404)
            elif self.path == "/":
                home = (site / "index.html").read_bytes()
                self.reply("text/html", home.replace(b"<head>", b"<head><script async src=/probe.js></script>"))
            elif self.path == "/probe.js":
                self.reply("text/javascript", PROBE)
            else:
                if self.path.endswith(".js"):
                    time.sleep(script_delay)
                super().do_GET()

        def reply(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    handler = functools.partial(Handler, directory=str(site))
    profiles = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # a browser's helpers outlive it by a moment
    with profiles as profile, http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        shown = subprocess.Popen(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--remote-debugging-port=0", f"--user-data-dir={profile}", "--window-size=1280,900", f"http://127.0.0.1:{server.server_port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return told.get(timeout=60)
        finally:
            os.killpg(shown.pid, signal.SIGKILL)
            shown.wait()
            server.shutdown()


if __name__ == "__main__":
    main()
