"""Files over HTTP: one attempt to get a large one, or the rest of it, and small ones read whole.

>>> with open("weights.part", "ab") as file:                          # doctest: +SKIP
...     start = transfer("https://host/weights.pth", file, timeout=30)

What ``file`` holds already is not asked for again. Every way in which an attempt can fail ends in one of two errors:
:class:`TransientError` if another attempt may go better, :class:`PermanentError` if none will. An OSError that escapes
is the disk's, not the network's. Whether the bytes are the right ones is for the caller to check.

>>> read("https://host/atlas/atlas.json", limit=100_000_000)          # doctest: +SKIP
b'{"format": 1, ...

A server need not be a friend: what is read is bounded in size and in time, a small file comes from the host that was
asked or not at all, and what is said is made fit for a terminal (:func:`legible`).
"""

from __future__ import annotations

import http.client
import queue
import re
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache
from typing import IO, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from generator import __version__

LIMIT = 1_000_000_000  # bytes; the largest of the files fetched has 54 million
PAUSE = 1.0  # seconds before another attempt at a small file
_CHUNK = 1 << 18
_SLOWEST = 1_000  # bytes a second on average, once the timeout is over: what drips is never silent and never ends
_PORTS = {"http": 80, "https": 443}


class TransientError(Exception):
    """An attempt failed; what has come is kept, and another attempt at the same address may succeed."""


class PermanentError(Exception):
    """An address failed for good."""


def transfer(url: str, file: IO[bytes], timeout: float) -> int:
    """Append to ``file``, open for appending, what it lacks. The position from which on the bytes are new.

    That position is 0 if the server does not resume and sent the whole file again.
    """
    have = file.tell()
    with _open(url, file, have, timeout) as response:
        start, total = _extent(response)
        if response.status == 206 and start != have:
            file.truncate(0)
            raise TransientError("it sent another part of the file than was asked for")
        if total is not None and total > LIMIT:
            raise PermanentError(f"its file has {total:,} bytes, which cannot be right")
        if start == 0:  # nothing was here, or the server does not resume
            file.truncate(0)
        _copy(response, file, start, total, urlsplit(url).hostname)
        return start


def _open(url: str, file: IO[bytes], have: int, timeout: float) -> Any:
    """The response to a request for everything from byte ``have`` on."""
    try:
        return _ask(url, timeout, _OnlyHttp(), {"Range": f"bytes={have}-"} if have else {})
    except _NotTheBeginningError as error:
        file.truncate(0)
        raise TransientError(str(error)) from error


def read(url: str, *, limit: int, timeout: float = 30.0, attempts: int = 3) -> bytes:
    """A file of at most ``limit`` bytes, whole. Redirections are followed on the same host only.

    Raises PermanentError if it cannot be had, TransientError if it may be later.
    """
    for left in reversed(range(attempts)):
        try:
            return _read(url, limit, timeout)
        except TransientError:
            if not left:
                raise
            time.sleep(PAUSE)
    raise AssertionError("attempts is 1 or more")


def _read(url: str, limit: int, timeout: float) -> bytes:
    began = time.monotonic()
    with _in_time(2 * timeout, lambda: _ask(url, timeout, _SameHost(), {})) as response:
        if response.status != 200:
            raise PermanentError(f"HTTP {response.status} is not the whole file")
        _, total = _extent(response)
        if total is not None and total > limit:
            raise PermanentError(f"its {total:,} bytes are more than the {limit:,} that it may have")
        parts, have = list[bytes](), 0
        for chunk in _chunks(response, 0, total):
            parts.append(chunk)
            have += len(chunk)
            if have > limit:
                raise PermanentError(f"it sent more than the {limit:,} bytes that it may have")
            waited = time.monotonic() - began
            if waited > timeout and have < _SLOWEST * waited:
                raise TransientError(f"it is too slow: {have:,} bytes in {waited:.0f} s")
        return b"".join(parts)


def _in_time(seconds: float, ask: Callable[[], Any]) -> Any:
    """What is asked for, unless it takes too long: a header that drips is never silent, so no timeout would end it."""
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def wait() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=wait, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TransientError(f"no answer in {seconds:.0f} s") from None
    if error:
        raise error
    return answer


class _NotTheBeginningError(PermanentError):
    """What is here is not the beginning of what the server has."""


def _ask(url: str, timeout: float, redirects: urllib.request.HTTPRedirectHandler, headers: dict[str, str]) -> Any:
    """The response to a request; what fails is a TransientError or a PermanentError."""
    agent = {"User-Agent": f"inception-atlas/{__version__}"}
    try:
        request = urllib.request.Request(url, headers=agent | headers)  # noqa: S310
        return _opener(redirects).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        said = f"HTTP {error.code} {legible(error.reason)}"
        if error.code == 416:
            raise _NotTheBeginningError(said) from error
        lasting = error.code < 500 and error.code not in (408, 429)
        raise (PermanentError(said) if lasting else TransientError(said)) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise TransientError(f"no connection ({legible(getattr(reason, 'strerror', None) or reason)})") from error
    except ValueError as error:
        raise PermanentError(f"not an address ({legible(error)})") from error


def legible(said: object, most: int = 100) -> str:
    """What another side said, fit for one line of a terminal: no escapes, no line breaks, no end of it."""
    words = "".join(c if c.isprintable() else " " for c in str(said)[: 10 * most]).split()
    return " ".join(words)[:most]


def _extent(response: Any) -> tuple[int, int | None]:
    """The position of the response's first byte in the file (-1 if it does not say), and the file's size if known."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", response.headers.get("Content-Range", ""))
        if match is None:
            return -1, None
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if re.fullmatch(r"\d{1,18}", length) else None


def _copy(response: Any, file: IO[bytes], start: int, total: int | None, host: str | None) -> None:
    """Write the response to ``file``. Raises TransientError if it ends early."""
    have = start
    with tqdm(
        total=total, initial=start, desc=host, unit="B", unit_scale=True, file=sys.stderr, disable=None, leave=False
    ) as bar:
        for chunk in _chunks(response, start, total):
            have += len(chunk)
            if have > LIMIT:
                file.truncate(0)
                raise PermanentError(f"it sent more than {LIMIT:,} bytes, which cannot be right")
            file.write(chunk)
            bar.update(len(chunk))


def _chunks(response: Any, start: int, total: int | None) -> Iterator[bytes]:
    """What comes of a file from byte ``start`` on, as it comes. Raises TransientError if it ends early."""
    have = start
    while total is None or have < total:
        try:
            chunk = response.read1(_CHUNK)  # read() waits for all that it was asked, and to a chunk of size -1 for ever
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(f"the connection broke after {have:,} bytes") from error
        if not chunk:
            break
        have += len(chunk)
        yield chunk
    if total is not None and have < total:  # urllib does not tell when a body is shorter than announced
        raise TransientError(f"the connection broke after {have:,} of {total:,} bytes")


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to http and https, and to nothing else."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        fp.close()  # urllib would read to its end what comes with a redirection, and there may be none
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in _PORTS:
            raise urllib.error.HTTPError(req.full_url, code, f"redirects to {newurl[:60]}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _SameHost(_OnlyHttp):
    """Follows a redirection on the host that was asked, also from http to https, and to no other."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        asked, told = _origin(req.full_url), _origin(newurl)
        upgraded = (asked[0], asked[2], told[0], told[2]) == ("http", 80, "https", 443)
        if asked != told and not (upgraded and asked[1] == told[1]):
            raise urllib.error.HTTPError(req.full_url, code, f"redirects elsewhere, to {newurl[:60]}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port. Raises ValueError if the port is none."""
    split = urlsplit(url)
    return split.scheme, split.hostname, _PORTS.get(split.scheme) if split.port is None else split.port


def _opener(redirects: urllib.request.HTTPRedirectHandler) -> urllib.request.OpenerDirector:
    """An opener without the handlers for file:, ftp: and data: that build_opener would bring."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_tls()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
        redirects,
    ):
        opener.add_handler(handler)
    return opener


@cache
def _tls() -> ssl.SSLContext:
    """Provenance once: to read all certificates takes 20 ms, and an atlas has 17,000 files."""
    return ssl.create_default_context()
