"""Files over HTTP: one attempt to get a large one, or the rest of it, and small ones read whole.

What the file of :func:`transfer` holds already is not asked for again. An attempt that fails ends in one of two errors:
:class:`TransientError` if another attempt may succeed, :class:`PermanentError` if none will. An OSError that escapes
comes from the disk, not from the network. Whether the bytes are the right ones is for the caller to check.

A server may be hostile: what is read has a limit in size and in time, a small file comes from the host that was asked
or not at all, and what the server says is cleaned before it is shown.
"""

import re
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache
from typing import IO
from urllib.parse import unquote, urljoin

import urllib3
from tqdm import tqdm
from urllib3.exceptions import HTTPError
from urllib3.util import Url, make_headers, parse_url

from generator import __version__
from generator.core.text import legible

LIMIT = 1_000_000_000  # bytes; the largest of the files fetched has 54 million
PAUSE = 1.0  # seconds before another attempt at a small file
_CHUNK = 1 << 18
_REDIRECTS = 10
_SLOWEST = 1_000  # bytes a second on average, once the timeout is over: a byte now and then keeps any timeout away
_PORTS = {"http": 80, "https": 443}
_TRY_AGAIN = (408, 429)  # besides 500 and above


class TransientError(Exception):
    """An attempt failed; what has come is kept, and another attempt at the same address may succeed."""


class PermanentError(Exception):
    """An address failed for good."""


def transfer(url: str, file: IO[bytes], timeout: float) -> int:
    """Append to ``file``, open for appending, what it lacks. The position from which on the bytes are new.

    That position is 0 if the server does not resume and sent the whole file again. ``timeout`` is in seconds without a
    byte. Redirections are followed to any host.
    """
    have = file.tell()
    with _ask(url, timeout, lambda asked, told: True, {"Range": f"bytes={have}-"} if have else {}) as response:
        start, total = _extent(response)
        if response.status == 416 or (response.status == 206 and start != have):
            file.truncate(0)
            raise TransientError("what is here is not the beginning of its file")
        if total is not None and total > LIMIT:
            raise PermanentError(f"its file has {total:,} bytes, which cannot be right")
        if start == 0:  # nothing was here, or the server does not resume
            file.truncate(0)
        bar = tqdm(
            total=total, initial=start, desc=parse_url(url).host, unit="B", unit_scale=True, file=sys.stderr,
            disable=None, leave=False,
        )  # fmt: skip
        with bar:
            for have, chunk in _chunks(response, start, total):
                if have > LIMIT:
                    file.truncate(0)
                    raise PermanentError(f"it sent more than {LIMIT:,} bytes, which cannot be right")
                file.write(chunk)
                bar.update(len(chunk))
        return start


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
    with _in_time(2 * timeout, lambda: _ask(url, timeout, same_host, {})) as response:
        if response.status != 200:
            raise PermanentError(f"HTTP {response.status} is not the whole file")
        _, total = _extent(response)
        if total is not None and total > limit:
            raise PermanentError(f"its {total:,} bytes are more than the {limit:,} that it may have")
        parts = []
        for have, chunk in _chunks(response, 0, total):
            parts.append(chunk)
            if have > limit:
                raise PermanentError(f"it sent more than the {limit:,} bytes that it may have")
            waited = time.monotonic() - began
            if waited > timeout and have < _SLOWEST * waited:
                raise TransientError(f"it is too slow: {have:,} bytes in {waited:.0f} s")
        return b"".join(parts)


def same_host(asked: Url, told: Url) -> bool:
    """Whether an address is on the host and port of another; from http to https on the usual ports, too."""
    origins = [(url.scheme, url.host, url.port or _PORTS.get(url.scheme or "")) for url in (asked, told)]
    return origins[0] == origins[1] or origins == [("http", asked.host, 80), ("https", asked.host, 443)]


def _in_time(seconds: float, ask: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
    """The response, unless it takes too long: a header that comes byte by byte never meets a timeout of the socket."""
    answer = Future[urllib3.BaseHTTPResponse]()

    def wait() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=wait, daemon=True).start()  # not of a pool: Python would wait for its threads at the end
    try:
        return answer.result(timeout=seconds)
    except TimeoutError:
        raise TransientError(f"no answer in {seconds:.0f} s") from None


def _ask(
    url: str, timeout: float, may_follow: Callable[[Url, Url], bool], headers: dict[str, str]
) -> urllib3.BaseHTTPResponse:
    """The response of status 2xx or 416, its body still to come; what fails is a TransientError or a PermanentError."""
    headers = {"User-Agent": f"inception-atlas/{__version__}", **headers}
    try:
        for _ in range(_REDIRECTS):
            response = _pools(_proxy(url)).request(
                "GET", url, headers=headers, timeout=timeout, redirect=False, retries=False, preload_content=False
            )
            if 200 <= response.status < 300 or response.status == 416:  # "range not satisfiable"
                return response
            response.close()  # what comes with it is not read: it may have no end
            said = f"HTTP {response.status}"
            if not (location := response.get_redirect_location()):
                break
            told = urljoin(url, location)
            if told.partition(":")[0] not in _PORTS:
                raise PermanentError(f"{said} redirects to {legible(told, 60)}")
            if not may_follow(parse_url(url), parse_url(told)):
                raise PermanentError(f"{said} redirects elsewhere, to {legible(told, 60)}")
            url = told
    except ValueError as error:  # of urllib.parse and of urllib3
        raise PermanentError(f"not an address ({legible(error)})") from error
    except (HTTPError, OSError) as error:
        raise TransientError(f"no connection ({legible(_reason(error))})") from error
    lasting = response.status < 500 and response.status not in _TRY_AGAIN
    raise (PermanentError if lasting else TransientError)(f"{said} {legible(response.reason)}")


def _reason(error: BaseException) -> object:
    """The words of the operating system or of the server, from within what urllib3 makes of them."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return getattr(error, "strerror", None) or error


def _extent(response: urllib3.BaseHTTPResponse) -> tuple[int, int | None]:
    """The position of the response's first byte in the file (-1 if it does not say), and the file's size if known."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", response.headers.get("Content-Range", ""))
        if match is None:
            return -1, None
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if re.fullmatch(r"\d{1,18}", length) else None


def _chunks(response: urllib3.BaseHTTPResponse, start: int, total: int | None) -> Iterator[tuple[int, bytes]]:
    """What comes of a file from byte ``start`` on, as it comes, each with the bytes that are there with it.

    Raises TransientError if it ends early.
    """
    have, error = start, None
    while total is None or have < total:
        try:
            chunk = response.read1(_CHUNK, decode_content=False)  # a few bytes of gzip can hold gigabytes
        except (HTTPError, OSError) as broken:
            error = broken
            break
        if not chunk:
            break
        have += len(chunk)
        yield have, chunk
    if error or (total is not None and have < total):
        of = "" if total is None else f" of {total:,}"
        raise TransientError(f"the connection broke after {have:,}{of} bytes") from error


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address, as urllib reads it."""
    split = parse_url(url)
    proxy = urllib.request.getproxies().get(split.scheme or "")
    if not proxy or (split.host and urllib.request.proxy_bypass(split.netloc or split.host)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@cache
def _pools(proxy: str | None) -> urllib3.PoolManager:
    """Connections that are kept open; certificates are read once, which takes 20 ms."""
    tls = ssl.create_default_context()
    if proxy is None:
        return urllib3.PoolManager(maxsize=16, ssl_context=tls)
    auth = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=unquote(auth)) if auth else None
    return urllib3.ProxyManager(proxy, maxsize=16, ssl_context=tls, proxy_headers=headers)
