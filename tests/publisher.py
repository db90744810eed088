"""Somebody who publishes an atlas on the loopback address, and may lie, stall or die.

>>> with publish(atlas.site) as publisher:                            # doctest: +SKIP
...     publisher.lies["atlas.json"] = b"{}"
...     Atlas.open(publisher.url)
"""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.core.recipe import canonical_json
from generator.core.record import checksum

Handler = http.server.BaseHTTPRequestHandler
Lie = bytes | Callable[[Handler], None]


@dataclass
class Publisher:
    """A server of one folder at ``/atlas/``. ``lies`` are told instead of files; ``before`` runs at each request."""

    folder: Path
    port: int = 0
    lies: dict[str, Lie] = field(default_factory=dict)
    before: Callable[[Handler, str], None] = lambda handler, path: None
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/atlas/"

    def answer(self, handler: Handler) -> None:
        path = handler.path.removeprefix("/atlas/")
        self.asked.append(path)
        self.before(handler, path)
        lie = self.lies.get(path)
        if callable(lie):
            lie(handler)
        elif lie is not None or (self.folder / path).is_file():
            send(handler, (self.folder / path).read_bytes() if lie is None else lie)
        else:
            handler.send_error(404)


def send(handler: Handler, body: bytes, **headers: str) -> None:
    handler.send_response(200)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def redirect(to: str, body: bytes = b"") -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def endless(handler: Handler) -> None:
    """A body that announces no length and does not end while somebody reads it."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


@contextmanager
def publish(folder: Path) -> Iterator[Publisher]:
    publisher = Publisher(folder)

    class EncodedImage(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # whoever asked has gone
                publisher.answer(self)

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64  # with the usual 5, some of 8 connections at once wait a second

    httpd = Server(("127.0.0.1", 0), EncodedImage)
    publisher.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield publisher
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def forged(text: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A record that was changed by somebody who knows how to make its key and its checksum right again."""
    data = json.loads(text)
    change(data)
    data["key"] = hashlib.sha256(canonical_json(data["question"])).hexdigest()
    data["sha256"] = checksum({name: value for name, value in data.items() if name != "sha256"})
    return canonical_json(data) + b"\n"


def put(where: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one field: ``put("picture.width", 9)``."""

    def change(data: dict[str, Any]) -> None:
        *parents, last = where.split(".")
        for parent in parents:
            data = data[parent]
        data[last] = value

    return change
