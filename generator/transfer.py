"""Files over HTTP: one attempt to get a large one, or the rest of it, and small ones read whole.

>>> with open("weights.part", "ab") as file:                          # doctest: +SKIP
...     start = transfer("https://host/weights.pth", file, timeout=30)

What ``file`` holds already is not asked for again. Every way in which an attempt can fail ends in one of two errors:
:class:`BrokenError` if another attempt may go better, :class:`HopelessError` if none will. An OSError that escapes is
the disk's, not the network's. Whether the bytes are the right ones is for the caller to check.

>>> read("https://host/atlas/atlas.json", limit=100_000_000)          # doctest: +SKIP
b'{"format": 1, ...
"""

from __future__ import annotations

import http.client
import re
import sys
import time
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from generator import __version__

LIMIT = 1_000_000_000  # bytes; the largest of the files fetched has 54 million
PAUSE = 1.0  # seconds before another attempt at a small file
_CHUNK = 1 << 18


class BrokenError(Exception):
    """An attempt failed; what has come is kept, and another attempt at the same address may succeed."""


class HopelessError(Exception):
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
            raise BrokenError("it sent another part of the file than was asked for")
        if total is not None and total > LIMIT:
            raise HopelessError(f"its file has {total:,} bytes, which cannot be right")
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
        raise BrokenError(str(error)) from error


def read(url: str, *, limit: int, timeout: float = 30.0, attempts: int = 3) -> bytes:
    """A file of at most ``limit`` bytes, whole. Redirections are followed on the same host only.

    Raises HopelessError if it cannot be had, BrokenError if it may be later.
    """
    for left in reversed(range(attempts)):
        try:
            return _read(url, limit, timeout)
        except BrokenError:
            if not left:
                raise
            time.sleep(PAUSE)
    raise AssertionError("attempts is 1 or more")


def _read(url: str, limit: int, timeout: float) -> bytes:
    with _ask(url, timeout, _SameHost(), {}) as response:
        _, total = _extent(response)
        if total is not None and total > limit:
            raise HopelessError(f"its {total:,} bytes are more than the {limit:,} that it may have")
        parts, have = list[bytes](), 0
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise BrokenError(f"the connection broke after {have:,} bytes") from error
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
            if have > limit:
                raise HopelessError(f"it sent more than the {limit:,} bytes that it may have")
        if total is not None and have < total:
            raise BrokenError(f"the connection broke after {have:,} of {total:,} bytes")
        return b"".join(parts)


class _NotTheBeginningError(HopelessError):
    """What is here is not the beginning of what the server has."""


def _ask(url: str, timeout: float, redirects: urllib.request.HTTPRedirectHandler, headers: dict[str, str]) -> Any:
    """The response to a request; what fails is a BrokenError or a HopelessError."""
    agent = {"User-Agent": f"inception-atlas/{__version__}"}
    request = urllib.request.Request(url, headers=agent | headers)  # noqa: S310
    try:
        return _opener(redirects).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        said = f"HTTP {error.code} {_quote(error.reason)}"
        if error.code == 416:
            raise _NotTheBeginningError(said) from error
        lasting = error.code < 500 and error.code not in (408, 429)
        raise (HopelessError(said) if lasting else BrokenError(said)) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise BrokenError(f"no connection ({_quote(getattr(reason, 'strerror', None) or reason)})") from error
    except ValueError as error:
        raise HopelessError(f"not an address ({_quote(error)})") from error


def _quote(said: object) -> str:
    """What a server or a library said, fit for one line of a terminal."""
    words = "".join(c if c.isprintable() else " " for c in str(said)).split()
    return " ".join(words)[:100]


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
    """Write the response to ``file``. Raises BrokenError if it ends early."""
    have = start
    with tqdm(
        total=total, initial=start, desc=host, unit="B", unit_scale=True, file=sys.stderr, disable=None, leave=False
    ) as bar:
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise BrokenError(f"the connection broke after {have:,} bytes") from error
            if not chunk:
                break
            have += len(chunk)
            if have > LIMIT:
                file.truncate(0)
                raise HopelessError(f"it sent more than {LIMIT:,} bytes, which cannot be right")
            file.write(chunk)
            bar.update(len(chunk))
    if total is not None and have < total:  # urllib does not tell when a body is shorter than announced
        raise BrokenError(f"the connection broke after {have:,} of {total:,} bytes")


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to http and https, and to nothing else."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.HTTPError(req.full_url, code, f"redirects to {newurl[:60]}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _SameHost(_OnlyHttp):
    """Follows a redirection on the host that was asked, also from http to https, and to no other."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        asked, told = urlsplit(req.full_url), urlsplit(newurl)
        upgraded = (asked.scheme, told.scheme, asked.port, told.port) == ("http", "https", None, None)
        if asked.hostname != told.hostname or not (upgraded or (asked.scheme, asked.port) == (told.scheme, told.port)):
            raise urllib.error.HTTPError(req.full_url, code, f"redirects elsewhere, to {newurl[:60]}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(redirects: urllib.request.HTTPRedirectHandler) -> urllib.request.OpenerDirector:
    """An opener without the handlers for file:, ftp: and data: that build_opener would bring."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
        redirects,
    ):
        opener.add_handler(handler)
    return opener
