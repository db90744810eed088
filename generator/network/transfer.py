"""One attempt to get a file, or the rest of one, over HTTP.

>>> with open("weights.part", "ab") as file:                          # doctest: +SKIP
...     start = transfer("https://host/weights.pth", file, timeout=30)

What ``file`` holds already is not asked for again. Every way in which an attempt can fail ends in one of two errors:
:class:`BrokenError` if another attempt may go better, :class:`HopelessError` if none will. An OSError that escapes is
the disk's, not the network's. Whether the bytes are the right ones is for the caller to check.
"""

from __future__ import annotations

import http.client
import re
import sys
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from generator import __version__

LIMIT = 1_000_000_000  # bytes; the largest of the files fetched has 54 million
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
    request = urllib.request.Request(url, headers={"User-Agent": f"inception-atlas/{__version__}"})  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        return _opener().open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        said = f"HTTP {error.code} {_quote(error.reason)}"
        if error.code == 416 and have:  # what is here is not the beginning of what the server has
            file.truncate(0)
            raise BrokenError(said) from error
        lasting = error.code < 500 and error.code not in (408, 429)
        raise (HopelessError(said) if lasting else BrokenError(said)) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise BrokenError(f"no connection ({_quote(getattr(reason, 'strerror', None) or reason)})") from error


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


def _opener() -> urllib.request.OpenerDirector:
    """An opener without the handlers for file:, ftp: and data: that build_opener would bring."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
        _OnlyHttp(),
    ):
        opener.add_handler(handler)
    return opener
