"""Downloads: interrupted, ignored, refused, corrupted; whatever a server does, the cache only gets the right file."""

import hashlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs.macos
import platformdirs.unix
import pytest

from generator.checkpoints import CHECKPOINTS
from generator.checkpoints.spec import Download
from generator.core.errors import AtlasError, UsageError
from generator.network import fetch as fetching
from generator.network.fetch import cache_folder, fetch
from generator.network.load import find_weights
from generator.remote import http as remote

BODY = bytes(range(256)) * 4096  # 1 MiB
PAUSES: list[float] = []


def git_id(data: bytes) -> str:
    """As git computes it; checked against ``git hash-object`` below."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Server:
    """A server on the loopback address whose behaviour each test sets, and what it was asked for."""

    port: int = 0
    behave: Callable[[http.server.BaseHTTPRequestHandler, str, int], None] | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range

    def source(self, path: str = "/weights.pth", body: bytes = BODY, *, host: str = "127.0.0.1") -> Download:
        return Download(f"http://{host}:{self.port}{path}", "git", git_id(body))

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.asked]


def send(
    handler: http.server.BaseHTTPRequestHandler,
    body: bytes = BODY,
    start: int = 0,
    *,
    stop_after: int | None = None,
    announce: int | None = None,
) -> None:
    """An answer as a good server gives it: 206 for a range. ``stop_after`` breaks off after so many bytes."""
    if start:
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
    else:
        handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) - start if announce is None else announce))
    handler.end_headers()
    handler.wfile.write(body[start:] if stop_after is None else body[start : start + stop_after])
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            made.asked.append((self.path, asked))
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            (made.behave or (lambda handler, path, start: send(handler, start=start)))(self, self.path, start)

        def log_message(self, *args: object) -> None:
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    made.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield made
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def get(*sources: Download, folder: Path, name: str = "net", timeout: float = 60) -> Path:
    PAUSES.clear()
    return fetch(name, sources, folder, timeout=timeout, pause=PAUSES.append)


def fails(*sources: Download, folder: Path, timeout: float = 60) -> str:
    with pytest.raises(AtlasError) as caught:
        get(*sources, folder=folder, timeout=timeout)
    text = str(caught.value)
    assert "\n" not in text
    assert not list(folder.glob("net.*[!t]")), "something but a .part is left"
    return text


def test_a_download_ends_in_the_cache_whole(server: Server, tmp_path: Path) -> None:
    path = get(server.source(), folder=tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "net.pth"
    assert path.read_bytes() == BODY
    assert sorted(p.name for p in path.parent.iterdir()) == [".lock", "net.pth"]


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    get(server.source(), folder=tmp_path)
    get(server.source("/first.caffemodel"), server.source(), folder=tmp_path)
    assert len(server.asked) == 1


def test_both_digests_are_those_of_the_tools(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"what is up, doc?")
    # The id of this text is in the book Pro Git, chapter 10.2
    assert Download("", "git", "bd9dbf5aae1a3862dd1526723246b20206e5fc37").matches(file)
    assert Download("", "sha1", hashlib.sha1(b"what is up, doc?").hexdigest()).matches(file)
    assert not Download("", "sha1", "bd9dbf5aae1a3862dd1526723246b20206e5fc37").matches(file)


def test_a_broken_connection_is_resumed_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.behave = lambda h, path, start: send(h, start=start, stop_after=400_000)
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY
    assert server.ranges == [None, "bytes=400000-", "bytes=800000-"]
    assert len(PAUSES) == 3
    assert PAUSES[1] > 0


def test_a_later_process_resumes(server: Server, tmp_path: Path) -> None:
    server.behave = lambda h, path, start: send(h, start=start, stop_after=100_000)
    assert "the connection broke after 400,000 of 1,048,576 bytes" in fails(server.source(), folder=tmp_path)
    assert (tmp_path / "net.pth.part").stat().st_size == 400_000
    server.asked.clear()
    server.behave = None
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY
    assert server.ranges == ["bytes=400000-"]


def test_a_process_killed_midway_leaves_what_it_has(server: Server, tmp_path: Path) -> None:
    half = threading.Event()

    def stall(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY[: 1 << 19])
        half.wait()

    server.behave = stall
    code = (
        "import sys; from pathlib import Path; from generator.network.fetch import fetch; "
        "from generator.checkpoints.spec import Download; "
        "fetch('net', [Download(sys.argv[1], 'git', sys.argv[2])], Path(sys.argv[3]))"
    )
    source = server.source()
    child = subprocess.Popen([sys.executable, "-c", code, source.url, source.digest, str(tmp_path)])
    part = tmp_path / "net.pth.part"
    while not (part.exists() and part.stat().st_size):
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    half.set()
    have = part.stat().st_size
    assert 0 < have < len(BODY)
    server.behave = None
    server.asked.clear()
    assert get(source, folder=tmp_path).read_bytes() == BODY
    assert server.ranges == [f"bytes={have}-"]


def test_a_part_that_is_already_whole_needs_no_server(tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(BODY)
    source = Download("http://127.0.0.1:9/weights.pth", "git", git_id(BODY))
    assert get(source, folder=tmp_path).read_bytes() == BODY


def test_a_server_that_ignores_range_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(BODY[:1000])
    server.behave = lambda h, path, start: send(h)
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY
    assert server.ranges == ["bytes=1000-"]


@pytest.mark.parametrize("content_range", ["bytes 0-9/10", "nonsense", "bytes 500-1048575/1048576"])
def test_a_server_that_sends_another_range(server: Server, tmp_path: Path, content_range: str) -> None:
    (tmp_path / "net.pth.part").write_bytes(BODY[:1000])

    def other(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        if not start:
            return send(handler)
        handler.send_response(206)
        handler.send_header("Content-Range", content_range)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"x" * 10)
        return None

    server.behave = other
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY


def test_a_part_longer_than_the_file_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(BODY + b"more")

    def strict(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        if start >= len(BODY):
            handler.send_error(416)
        else:
            send(handler, start=start)

    server.behave = strict
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY
    assert server.ranges == [f"bytes={len(BODY) + 4}-", None]


def test_the_beginning_of_another_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    """The file at an address may have been replaced between two attempts."""
    (tmp_path / "net.pth.part").write_bytes(b"x" * 1000)
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY
    assert server.ranges == ["bytes=1000-", None]


def test_a_corrupted_file_is_deleted_and_the_next_address_tried(server: Server, tmp_path: Path) -> None:
    def corrupt(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        send(handler, BODY[:-1] + b"?" if path.startswith("/bad") else BODY, start)

    server.behave = corrupt
    path = get(server.source("/bad.pth"), server.source("/good.caffemodel"), folder=tmp_path)
    assert path.name == "net.caffemodel"
    assert [asked for asked, _ in server.asked] == ["/bad.pth", "/good.caffemodel"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "net.caffemodel"]


def test_a_corrupted_file_alone(server: Server, tmp_path: Path) -> None:
    server.behave = lambda h, path, start: send(h, b"<html>log in first</html>")
    assert "wrong digest" in fails(server.source(), folder=tmp_path)
    assert not (tmp_path / "net.pth.part").exists()
    assert len(server.asked) == 1


def test_404_is_final_and_503_is_tried_again(server: Server, tmp_path: Path) -> None:
    def errors(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        if path.startswith("/gone"):
            handler.send_error(404)
        elif len(server.asked) < 4:
            handler.send_error(503)
        else:
            send(handler)

    server.behave = errors
    assert get(server.source("/gone.pth"), server.source(), folder=tmp_path).read_bytes() == BODY
    assert [path for path, _ in server.asked] == ["/gone.pth"] + ["/weights.pth"] * 3


def test_when_all_fail_one_line_tells_how_to_go_on(server: Server, tmp_path: Path) -> None:
    server.behave = lambda h, path, start: h.send_error(404 if path == "/a.pth" else 503)
    text = fails(server.source("/a.pth"), server.source("/b.pth", host="localhost"), folder=tmp_path)
    assert "127.0.0.1: HTTP 404 Not Found; localhost: HTTP 503 Service Unavailable" in text
    for what in ("net", "/a.pth", "/b.pth", "--weights FILE", "ATLAS_WEIGHTS"):
        assert what in text
    assert len(server.asked) == 1 + len(fetching.PAUSES)


def test_without_a_network(tmp_path: Path) -> None:
    """The real addresses, from a machine that reaches nothing."""
    with pytest.raises(AtlasError, match="no connection") as caught:
        get(*CHECKPOINTS["bvlc_googlenet"].downloads, folder=tmp_path, name="bvlc_googlenet")
    text = str(caught.value)
    assert "\n" not in text
    for source in CHECKPOINTS["bvlc_googlenet"].downloads:
        assert f"{source.host}: no connection (" in text
        assert source.url in text


def test_a_silent_server_is_given_up(server: Server, tmp_path: Path) -> None:
    release = threading.Event()
    server.behave = lambda h, path, start: release.wait() and None
    text = fails(server.source(), folder=tmp_path, timeout=0.1)
    release.set()
    assert "timed out" in text


def test_a_server_that_falls_silent_midway_is_resumed(server: Server, tmp_path: Path) -> None:
    release = threading.Event()

    def stall(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        if start:
            return send(handler, start=start)
        send(handler, stop_after=1 << 18)
        handler.wfile.flush()
        release.wait()
        return None

    server.behave = stall
    assert get(server.source(), folder=tmp_path, timeout=1).read_bytes() == BODY
    release.set()
    first, *later = server.ranges  # on a busy machine more than once
    assert first is None
    assert later
    assert None not in later


def test_garbage_instead_of_http(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in fetching.PAUSES:
                connection, _address = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        port = listener.getsockname()[1]
        text = fails(Download(f"http://127.0.0.1:{port}/w.pth", "git", "0"), folder=tmp_path)
        assert "no connection (SSH-2.0" in text
        thread.join()


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_redirections_leave_http_for_nothing(server: Server, tmp_path: Path, to: str) -> None:
    def redirect(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.behave = redirect
    text = fails(server.source(), folder=tmp_path)
    assert "HTTP 302" in text
    assert to in text
    assert len(server.asked) == 1


def test_a_redirection_keeps_the_range(server: Server, tmp_path: Path) -> None:
    """GitHub answers from another host; a resumed download must be resumed there too."""
    (tmp_path / "net.pth.part").write_bytes(BODY[:1000])

    def redirect(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        if path == "/raw":
            return send(handler, start=start)
        handler.send_response(302)
        handler.send_header("Location", f"http://localhost:{server.port}/raw")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return None

    server.behave = redirect
    assert get(server.source(), folder=tmp_path).read_bytes() == BODY
    assert server.asked == [("/weights.pth", "bytes=1000-"), ("/raw", "bytes=1000-")]


def test_endless_redirections_end(server: Server, tmp_path: Path) -> None:
    def redirect(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        handler.send_response(302)
        handler.send_header("Location", path + "x")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.behave = redirect
    fails(server.source(), folder=tmp_path)
    assert len(server.asked) < 20


def test_absurd_sizes_are_refused_before_a_byte_is_kept(server: Server, tmp_path: Path) -> None:
    server.behave = lambda h, path, start: send(h, announce=40_000_000_000)
    assert "40,000,000,000 bytes, which cannot be right" in fails(server.source(), folder=tmp_path)
    assert len(server.asked) == 1
    assert not (tmp_path / "net.pth.part").exists() or not (tmp_path / "net.pth.part").stat().st_size


def test_a_file_without_end_is_refused(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that announces no size can send for ever."""
    monkeypatch.setattr(remote, "LIMIT", 5_000_000)

    def endless(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(BODY)
        except OSError:
            pass

    server.behave = endless
    assert "more than 5,000,000 bytes" in fails(server.source(), folder=tmp_path)
    assert (tmp_path / "net.pth.part").stat().st_size == 0


def test_a_full_disk_is_said_and_not_tried_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    text = fails(server.source(), folder=tmp_path)
    assert "no space left on the disk" in text
    assert "ATLAS_CACHE" in text
    assert len(server.asked) == 1


def test_a_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(AtlasError, match="ATLAS_CACHE to another folder"):
        get(Download("http://127.0.0.1:9/w.pth", "git", "0"), folder=tmp_path / "file" / "weights")


def test_several_at_once_download_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Threads stand for processes here: each opens the lock file for itself, which is all that flock looks at."""
    told = threading.Semaphore(0)

    def tell(*words: str, file: Any) -> None:
        print(*words, file=file)
        told.release()

    def slow(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        for _ in range(2):
            told.acquire()  # the others wait by now
        send(handler, start=start)

    monkeypatch.setattr(fetching, "print", tell, raising=False)
    server.behave = slow
    got: list[Path] = []
    sources = (server.source("/a.caffemodel"), server.source())
    threads = [threading.Thread(target=lambda: got.append(get(*sources, folder=tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [tmp_path / "net.caffemodel"] * 3
    assert got[0].read_bytes() == BODY
    assert len(server.asked) == 1
    assert capsys.readouterr().err.count("waiting for another process") == 2


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"ATLAS_CACHE": "/a"}, "/a/weights"),
        ({"ATLAS_CACHE": "~/a"}, "/home/me/a/weights"),
        ({"ATLAS_CACHE": "", "XDG_CACHE_HOME": "/x"}, "/x/inception-atlas/weights"),
        ({"ATLAS_CACHE": "", "XDG_CACHE_HOME": ""}, "/home/me/.cache/inception-atlas/weights"),
    ],
)
def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", platformdirs.unix.Unix)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder)


def test_where_the_cache_lies_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", platformdirs.macos.MacOS)
    monkeypatch.setenv("HOME", "/Users/me")
    monkeypatch.delenv("ATLAS_CACHE")
    assert cache_folder() == Path("/Users/me/Library/Caches/inception-atlas/weights")


@pytest.mark.parametrize("cache", ["", "~/a"])
def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch, cache: str) -> None:
    """As in a container that runs under a number that no user has."""
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("ATLAS_CACHE", cache)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what Python does where it finds none
    for find in (cache_folder, lambda: find_weights("inception5h", Path("~/w.pth"))):
        with pytest.raises(UsageError, match="set ATLAS_CACHE to a folder, or give --weights FILE") as caught:
            find()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["", "http://", "http://me:pass%21@"])
def test_a_proxy_of_the_environment_is_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    authorised: list[str | None] = []

    def proxy(handler: http.server.BaseHTTPRequestHandler, path: str, start: int) -> None:
        authorised.append(handler.headers.get("Proxy-Authorization"))
        send(handler, start=start)

    server.behave = proxy
    monkeypatch.setenv("http_proxy", f"{scheme}127.0.0.1:{server.port}")
    monkeypatch.setenv("no_proxy", "inside.example,localhost")
    source = Download("http://weights.example/w.pth", "git", git_id(BODY))
    assert get(source, folder=tmp_path).read_bytes() == BODY
    assert server.asked == [("http://weights.example/w.pth", None)]
    assert authorised == ["Basic bWU6cGFzcyE=" if "@" in scheme else None]
    assert "no connection" in fails(Download("http://inside.example/w.pth", "git", "0"), folder=tmp_path / "other")
