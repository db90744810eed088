"""A Chromium to open built pages in, and servers to open them from. Without a Chromium these tests are skipped by name.

>>> with served(folder) as root:                                  # doctest: +SKIP
...     page.goto(f"{root}site/index.html")
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 120  # seconds; no test takes so long, and a busy machine may
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """A headless browser."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium: install the package chromium")
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=1000 * PATIENCE
        )
        yield browser
        browser.close()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder as a static host serves it: no header that a plain one would not send. The address of its root."""

    class Quiet(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".webp": "image/webp"}  # noqa: RUF012

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(page: Any, expression: str, arg: Any = None) -> None:
    """Wait for what a page's script does. Playwright's own way is an eval, which our pages forbid."""
    begun = time.monotonic()
    while not page.evaluate(expression, arg):
        assert time.monotonic() < begun + PATIENCE, f"{PATIENCE} s went by without: {expression}"
        page.wait_for_timeout(20)


def search(page: Any, text: str, *, by_keys: bool = False) -> Any:
    """Put a text into the box, or type it there; the results, when what the box knows is loaded and they are there."""
    if by_keys:
        page.keyboard.press("/")
        page.keyboard.type(text)
    else:
        page.locator(".find input").fill(text)
    said = "document.querySelector('.found:not([hidden]) [role=status]')?.textContent ?? ''"
    wait_until(page, f"/^(?!Loading)./.test({said})")
    return page.locator(".found [role=option]")


class Visit:
    """One page opened in a context of its own; ``errors`` is what it complained of."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(1000 * PATIENCE)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the reader went on before it had come
            self.errors.append(f"{request.url}: {request.failure}")

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()
