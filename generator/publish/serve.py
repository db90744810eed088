"""A preview of the site, for this machine alone: http://127.0.0.1:8000/.

Pages open from the disk as well. The preview does what a host does, and also serves 404.html.
"""

import errno
import re
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from generator.core.errors import AtlasError, UsageError
from generator.links import addresses

HOST = "127.0.0.1"
_RELATIVE = re.compile(rb'(href|src)="(?![a-z]+:|/|#)')


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder, and 404.html for all else."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".webp": "image/webp"}  # noqa: RUF012

    def __init__(self, *args: Any, url: str, **kwargs: Any) -> None:
        self.url = url
        super().__init__(*args, **kwargs)

    def send_head(self) -> Any:
        try:
            return super().send_head()
        except ValueError:  # an address that cannot be the name of a file
            return self.send_error(HTTPStatus.NOT_FOUND)

    def list_directory(self, path: Any) -> Any:
        """A folder without a page is not listed, as on most hosts."""
        return self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / addresses.NOT_FOUND
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        if self.url:
            body = body.replace(self.url.encode(), b"/")
        body = _RELATIVE.sub(rb'\1="/', body)  # the page may be served at any depth
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a page built again shows at the next visit
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """No log: a page of pictures makes five hundred requests."""


class _Server(ThreadingHTTPServer):
    """A page of pictures makes many requests at once: with a shorter queue some would wait for a second."""

    request_queue_size = 64


def preview(folder: Path, port: int, url: str = "") -> ThreadingHTTPServer:
    """A server that is bound and not yet serving; ``url`` is the published address, if atlas.toml gives one.

    Port 0 takes a free one, told by ``server_port``. Raises an error that says what to type if there is nothing to
    serve or the port is taken.
    """
    if not (folder / addresses.HOME).is_file():
        raise AtlasError(f"no site in {folder} yet; type `atlas build`")
    try:
        return _Server((HOST, port), partial(_Handler, directory=str(folder), url=url))
    except OverflowError:
        raise UsageError(f"--port {port}: a port is a number from 1 to 65535") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is in use; choose another, for example --port {port + 1}") from error
        if error.errno == errno.EACCES:
            raise UsageError(f"port {port} is not yours to open; choose one above 1023, as --port 8000") from error
        raise AtlasError(f"cannot serve on {HOST}:{port}: {error.strerror}") from error


def serve(folder: Path, port: int, url: str = "") -> None:
    """Serve a built site until Ctrl-C."""
    with preview(folder, port, url) as server:
        print(f"http://{HOST}:{port}/  Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
