"""What reads an atlas works where Python has no modules and functions of POSIX, as on Windows. Real ones run there;
here they are taken away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from citing import PAGE, tiny_to_cite
from tiny import TinyAtlas

WITHOUT_POSIX = """
import os, sys

class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "grp", "pwd", "pty", "readline", "resource", "syslog", "termios", "tty"):
            raise ImportError(f"no module {name} on Windows")

sys.meta_path.insert(0, Nowhere())
for name in ("chown", "fork", "getegid", "geteuid", "getgid", "getgroups", "getuid", "getxattr", "killpg", "lchown",
             "listxattr", "mkfifo", "nice", "setsid", "setxattr", "statvfs", "O_DIRECTORY", "O_NOFOLLOW"):
    if hasattr(os, name):
        delattr(os, name)
from generator.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    return tiny_to_cite(tmp_path_factory.mktemp("atlas"))


def typed(folder: Path, *words: str) -> str:
    """What a command says that ends well."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, *words], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "BROWSER": "true"},
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    return done.stdout + done.stderr


def test_an_atlas_is_built_checked_opened_verified_and_cited(atlas: TinyAtlas) -> None:
    (atlas.site / "bvlc_googlenet/mixed4a/9.html").unlink()
    typed(atlas.folder, "build")
    assert (atlas.site / "bvlc_googlenet/mixed4a/9.html").is_file()
    typed(atlas.folder, "check")
    typed(atlas.folder, "verify")
    assert "mixed4a" in typed(atlas.folder, "status")
    typed(atlas.folder, "open", "mixed4a:9")
    post = atlas.folder / "post.md"
    post.write_bytes(b"Like mixed4a:9.\r\n")
    typed(atlas.folder, "cite", "post.md", "--write")
    assert post.read_bytes() == f"Like [mixed4a:9]({PAGE}).\r\n".encode()


def test_an_atlas_is_pulled(atlas: TinyAtlas, tmp_path: Path) -> None:
    typed(tmp_path, "init", "mine")
    toml = tmp_path / "mine/atlas.toml"
    toml.write_text((atlas.folder / "atlas.toml").read_text())
    typed(tmp_path / "mine", "pull", str(atlas.site), "mixed4a:9")
    assert list((tmp_path / "mine/site/store").glob("??/*.webp"))
