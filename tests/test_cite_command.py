"""`atlas cite` as it is typed: what goes to which stream, which files are touched, what the exit code says."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from pathlib import Path

import pytest
from citing import BASE, PAGE, tiny_to_cite
from shell import Run
from tiny import TinyAtlas

from generator.cite.writing import FORMATS
from generator.cli import main as cli
from generator.cli.commands.cite import command as cite
from generator.publish.build import build

LINK = f"[mixed4a:9]({PAGE})"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    return tiny_to_cite(tmp_path_factory.mktemp("atlas"))


@pytest.fixture(autouse=True)
def here(tiny: TinyAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the atlas's own atlas.toml, whose output is the atlas."""
    (tmp_path / "atlas.toml").write_text(
        (tiny.folder / "atlas.toml").read_text().replace("[atlas]", f'[atlas]\noutput = "{tiny.site}"')
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(cli.atlas.commands, "cite", cite)
    return tmp_path


def test_the_text_goes_to_stdout_and_the_report_to_stderr(run: Run, here: Path) -> None:
    (here / "a.md").write_bytes(b"Like mixed4a:9.\r\n")
    (here / "b.md").write_text("mixed4a:9999 is none")
    code, out, err = run("cite", "a.md", "b.md")
    assert (code, out) == (0, f"Like {LINK}.\r\nmixed4a:9999 is none")
    assert err.splitlines() == [
        "a.md: 1 reference right, 0 problems",
        "b.md:1: mixed4a has channels 0 to 511, not 9999; the nearest is mixed4a:511",
        "b.md: 0 references right, 1 problem",
    ]
    assert (here / "a.md").read_bytes() == b"Like mixed4a:9.\r\n"


def test_write_puts_the_text_into_the_file_that_was_meant(run: Run, here: Path) -> None:
    """Its mode stays, a link to it stays one, what needs no change is not touched, and nothing is left beside it."""
    post, right = here / "post.md", here / "right.md"
    post.write_text("mixed4a:9 mixed4a:9")
    post.chmod(0o640)
    right.write_text(f"{LINK}\n")
    os.utime(right, (1, 1))
    (here / "link.md").symlink_to("post.md")
    before = sorted(here.iterdir())
    code, out, _ = run("cite", "link.md", "right.md", "--write")
    assert (code, out) == (0, "link.md: 2 references written\n")
    assert post.read_text() == f"{LINK} {LINK}"
    assert stat.S_IMODE(post.stat().st_mode) == 0o640
    assert (here / "link.md").is_symlink()
    assert right.stat().st_mtime == 1
    assert sorted(here.iterdir()) == before
    assert run("cite", "link.md", "right.md", "--write")[:2] == (0, "")


def test_write_keeps_owner_mode_and_attributes(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it refuses, and says why; the text is then untouched."""
    post = here / "post.md"
    post.write_text("mixed4a:9")
    post.chmod(0o604)
    with contextlib.suppress(OSError):
        os.setxattr(post, "user.note", b"mine")
    with contextlib.suppress(OSError):  # root may, and not in every container
        os.chown(post, 1234, 4321)
    before, attributes = post.stat(), os.listxattr(post)
    assert run("cite", "post.md", "--write")[0] == 0
    after = post.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert os.listxattr(post) == attributes
    post.write_text("mixed4a:9")
    monkeypatch.setattr("os.chown", lambda *_: (_ for _ in ()).throw(PermissionError(1, "Operation not permitted")))
    if before.st_uid == 1234:
        code, _, err = run("cite", "post.md", "--write")
        assert (code, post.read_text()) == (1, "mixed4a:9")
        assert "post.md belongs to another user or group (uid 1234, gid 4321), and would no longer; let its" in err
        assert sorted(path.name for path in here.iterdir()) == ["atlas.toml", "post.md"]


def test_write_refuses_a_file_of_several_names(run: Run, here: Path) -> None:
    (here / "a.md").write_text("mixed4a:9")
    os.link(here / "a.md", here / "b.md")
    code, out, err = run("cite", "a.md", "--write")
    assert (code, out) == (1, "")
    assert err.startswith("atlas: a.md has 2 names (hard links), and the others would keep the old text; type `cp a.md")
    assert (here / "b.md").read_text() == "mixed4a:9"
    assert (here / "a.md").samefile(here / "b.md")
    os.link(here / "a.md", here / "$(a) b.md")
    assert "`cp '$(a) b.md' '$(a) b.md'.new && mv" in run("cite", "$(a) b.md", "--write")[2], "what is typed is safe"


def test_a_folder_that_cannot_be_written_is_named(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "a.md").write_text("mixed4a:9")
    refused = PermissionError(13, "Permission denied")
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (_ for _ in ()).throw(refused))
    code, _, err = run("cite", "a.md", "--write")
    assert (code, err) == (1, f"atlas: the folder {here} cannot be written: Permission denied; mend that\n")


@pytest.mark.parametrize("ending", ["qmd", "Rmd", "mdx", "markdown", "MD"])
def test_what_is_markdown(run: Run, here: Path, ending: str) -> None:
    (here / f"a.{ending}").write_text("mixed4a:9 `mixed4a:9`")
    assert run("cite", f"a.{ending}")[1] == f"{LINK} `mixed4a:9`"


def test_standard_input_is_a_document(run: Run, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="ascii"))

    given("é mixed4a:9\r\n")
    assert run("cite", "-")[:2] == (0, f"é {LINK}\r\n")
    given("<b>mixed4a:9</b>")
    assert run("cite", "-", "--format", "html")[1] == f'<b><a href="{PAGE}">mixed4a:9</a></b>'
    assert run("cite", "-", "--write")[2] == (
        "atlas: --write needs files; what comes from standard input goes to stdout\n"
    )
    (here / "a.txt").write_text("mixed4a:9")
    assert run("cite", "a.txt", "--format", "markdown")[1] == LINK
    assert "or say --format" in run("cite", "a.txt")[2]


def test_check_only_reports_and_its_exit_code_says_it(run: Run, here: Path) -> None:
    foreign = "https://microscope.openai.com/models/inceptionv1_caffe_places365/inception_4a_output_0/11"
    text = f"mixed4a:9 {LINK}\n\n[x]({foreign})\n"
    (here / "good.md").write_text(text)
    code, out, err = run("cite", "--check", "good.md")
    assert (code, err) == (0, "")
    first, last = out.splitlines()
    assert first.startswith(f"good.md:3: note: {foreign} names a unit of inceptionv1_caffe_places365")
    assert last == "good.md: 2 references right, 0 problems"
    (here / "bad.md").write_text(f"a\n[b]({PAGE}#p-00000000)\n")
    code, out, err = run("cite", "--check", "good.md", "bad.md")
    assert code == 1
    assert "bad.md:2: the picture of mixed4a:9 has changed since: #p-00000000 is #p-" in out
    assert err == "atlas: 1 problem; mend the documents, or render and build what they name\n"
    assert (here / "good.md").read_text() == text


def test_an_atlas_can_be_named(run: Run, here: Path, tiny: TinyAtlas, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Its folder; without an atlas.toml here it has to be. And --checkpoint, --to are heard."""
    (here / "a.md").write_text("mixed4a:5")
    (here / "atlas.toml").unlink()
    code, _, err = run("cite", "a.md")
    assert (code, err) == (
        2,
        "atlas: no atlas.toml here; name an atlas with --atlas, its folder or https://host/path/\n",
    )
    code, out, _ = run("cite", "a.md", "--atlas", str(tiny.site), "--checkpoint", "inception5h", "--to", "chip")
    assert code == 0
    assert out.startswith(f'<a class="atlas-chip" href="{BASE}inception5h/mixed4a/5.html#p-')
    assert run("cite", "a.md", "--atlas", str(tiny.site), "--checkpoint", "nope")[0] == 2


def test_an_atlas_without_an_address_says_what_to_do(run: Run, here: Path, tmp_path: Path) -> None:
    from tiny import tiny_atlas

    nowhere = tiny_atlas(tmp_path / "nowhere")
    build(nowhere.config())
    (here / "a.md").write_text("mixed4a:9")
    code, out, err = run("cite", "a.md", "--atlas", str(nowhere.site))
    assert (code, out) == (2, "")
    assert "set url in atlas.toml and type `atlas build`, or name the published one with --atlas https://" in err


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.docx", b"", "atlas: a.docx is no document that can be cited in; those end with .md, .markdown, .html,"),
        ("a.md", b"\xff\xfe\x00", "atlas: a.md is not text in UTF-8 (byte 0); save it as such"),
        ("a.md", b"a\x00b", "atlas: a.md is not text: it has a zero byte in it"),
        ("a.md", b"a" * 2001, "atlas: a.md has more than 2,000 bytes; divide it"),
        ("a.ipynb", b"{", "atlas: a.ipynb: it is not a notebook (Expecting property name enclosed in double quotes"),
        ("a.ipynb", b"{}", "atlas: a.ipynb: it is not a notebook of format 4: it has no cells; open it in Jupyter"),
        ("a.md", None, "atlas: no file a.md; name a document"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_nothing_is_written(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None, complaint: str
) -> None:
    """Even if it is the last of several, the others are not half done."""
    monkeypatch.setattr("generator.cite.files.LIMIT", 2000)
    (here / "good.md").write_text("mixed4a:9")
    if content is not None:
        (here / name).write_bytes(content)
    code, out, err = run("cite", "good.md", name, "--write")
    assert (code != 0, out) == (True, "")
    assert err.startswith(complaint)
    assert err.count("\n") == 1
    assert (here / "good.md").read_text() == "mixed4a:9"


def test_a_file_that_cannot_be_replaced_is_whole(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "a.md").write_text("mixed4a:9")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    before = sorted(here.iterdir())
    code, out, err = run("cite", "a.md", "--write")
    assert (code, out, err) == (1, "", "atlas: a.md cannot be written: no space left on the disk; free some\n")
    assert (here / "a.md").read_text() == "mixed4a:9"
    assert sorted(here.iterdir()) == before


def test_check_and_write_exclude_each_other(run: Run, here: Path) -> None:
    (here / "a.md").write_text("mixed4a:9")
    assert run("cite", "a.md", "--check", "--write")[0] == 2
    assert (here / "a.md").read_text() == "mixed4a:9"


def test_reports_have_no_control_characters_of_documents_in_them(run: Run, here: Path) -> None:
    (here / "a.html").write_text(f'<a href="{BASE}bvlc_googlenet/mixed4a/13.html?\x1b[31m\n{"x" * 9999}">x</a>')
    code, out, err = run("cite", "--check", "a.html")
    assert code == 1
    assert "\x1b" not in out + err
    assert len(out.splitlines()) == 2
    assert max(map(len, out.splitlines())) < 400


def test_help_has_examples(run: Run) -> None:
    out = run("cite", "--help")[1]
    assert "  atlas cite --check posts/*.md" in out
    assert f"--to [{'|'.join(FORMATS)}]" in out
