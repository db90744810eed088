"""`atlas check` finds what is planted, and the preview serves what was built."""

import errno
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import CHECKPOINT, TinyAtlas, tiny_atlas

from generator.core.errors import AtlasError, UsageError
from generator.publish.build import build
from generator.publish.check.hosts import too_much
from generator.publish.check.page import check_page
from generator.publish.check.site import BUDGETS, check
from generator.publish.manifest import NAME as MANIFEST
from generator.publish.processes import in_processes
from generator.publish.serve import preview

UNIT = f"{CHECKPOINT}/mixed4a/448.html"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path_factory.mktemp("checked"))
    build(atlas.config())
    return atlas


@pytest.fixture
def atlas(whole: TinyAtlas, tmp_path: Path) -> TinyAtlas:
    shutil.copytree(whole.folder, tmp_path / "atlas")
    return TinyAtlas(tmp_path / "atlas")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('href="447.html"', 'href="446.html"', "link to 446.html leads nowhere"),
        ('href="447.html"', 'href="447.html#gone"', "no id “gone” there"),
        ("#pool_reduce", "#7x7", "no id “7x7” there"),
        ('href="index.html', 'href="', "leads nowhere"),
        ('id="recipe"', 'id="again"', "id “again” is used 2 times"),
        ('<h2 id="recipe">', "<h2>", "“recipe” is pointed at and no id"),
        ("alt loading", "loading", "has no alt text"),
        ("loading=lazy>448</a>", "loading=lazy></a>", "has no alt text"),
        ('height="56"', "", "has no width and height"),
        ('<html lang="en">', "<html>", "no lang"),
        ("<title>", "<p>", "has no <title>"),
        ("Content-Security-Policy", "X-Nothing", "no content security policy"),
        (
            'src="../../static/atlas.js"',
            'src="https://cdn.example/x.js"',
            "fetches https://cdn.example/x.js from elsewhere",
        ),
        ('src="../../static/atlas.js"', 'src="//cdn.example/x.js"', "fetches //cdn.example/x.js from elsewhere"),
        ("<h1>", '<h1 style="color: red">', "refused by the security policy"),
        ("<h1>", '<h1 onclick="f()">', "refused by the security policy"),
        ("</main>", "x" * BUDGETS["unit"] + "</main>", "weighs"),
    ],
)
def test_a_planted_fault_is_found(whole: TinyAtlas, before: str, after: str, says: str) -> None:
    path = whole.site / UNIT
    text = path.read_text(encoding="utf-8")
    assert before in text
    try:
        path.write_text(text.replace(before, after), encoding="utf-8")
        found = [p for p in check(whole.config()) if p.where == UNIT and says in p.what]
    finally:
        path.write_text(text, encoding="utf-8")
    assert found
    assert found[0].level == "error"


def test_a_name_is_what_stands_below_a_unit_and_no_other_italics() -> None:
    """Names of units may make a page heavier; an icon or a stressed word may not."""
    page = (
        '<ol class="units"><li><a href="1.html">1 <i>Curve</i></a></ol><h2><i class="branch-0"></i>1x1</h2><p><i>so</i>'
    )
    assert check_page("a.html", page, (), base="").contents.names == 1


def test_many_pages_are_checked_in_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, and what is raised in one is raised here."""
    monkeypatch.setattr("generator.publish.processes._FEWEST", 10)
    assert list(in_processes(lambda n: n * n, range(1000))) == [n * n for n in range(1000)]

    def fail(n: int) -> int:
        raise AtlasError(f"cannot write {n}")

    with pytest.raises(AtlasError, match="cannot write"):
        list(in_processes(fail, range(1000)))


def test_links_to_other_sites_are_not_fetched_and_fine(atlas: TinyAtlas) -> None:
    assert "https://distill.pub/" in (atlas.site / "about.html").read_text(encoding="utf-8")
    assert check(atlas.config()) == []


def test_a_style_sheet_may_not_fetch_from_elsewhere(atlas: TinyAtlas) -> None:
    with open(atlas.site / "static/atlas.css", "a") as style:
        style.write("@import 'https://fonts.example/a.css'; p { background: url(//img.example/b.png) }")
    assert len([p for p in check(atlas.config()) if "from elsewhere" in p.what]) == 2


def test_a_missing_page_is_found_from_both_sides(atlas: TinyAtlas) -> None:
    (atlas.site / UNIT).unlink()
    found = check(atlas.config())
    assert any(p.where == UNIT and "is gone" in p.what for p in found)
    assert any("448.html leads nowhere" in p.what for p in found)


def test_pictures_of_the_store(atlas: TinyAtlas) -> None:
    folder = next(atlas.store.root.glob("??"))
    (folder / "left-over.webp").write_bytes(b"")
    (problem,) = check(atlas.config())
    assert (problem.level, problem.what) == ("warning", "belongs to no record; a run was cut short")
    picture = next(folder.glob("*.thumb.webp"))
    picture.unlink()
    assert any(p.level == "error" and "atlas verify" in p.what for p in check(atlas.config()))


def test_heavy_pictures(atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.publish.check.site.BUDGETS", {**BUDGETS, "pictures of a unit": 100})
    assert [p.where for p in check(atlas.config())] == ["store"]


def test_nothing_built(tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match="type `atlas build`"):
        check(tiny_atlas(tmp_path, []).config())


# the preview


@pytest.fixture(scope="module")
def served(whole: TinyAtlas) -> Iterator[str]:
    with preview(whole.site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_pages_and_pictures_are_served(served: str, whole: TinyAtlas) -> None:
    with urllib.request.urlopen(f"{served}/{CHECKPOINT}/mixed4a/") as answer:
        assert b"<h1>mixed4a</h1>" in answer.read()
    picture = next(whole.store.root.glob("*/*.webp")).relative_to(whole.site)
    with urllib.request.urlopen(f"{served}/{picture}") as answer:
        assert answer.headers["Content-Type"] == "image/webp"


def test_what_is_not_there_has_a_page_that_works_at_any_depth(served: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{served}/{CHECKPOINT}/mixed4a/5.html")
    with caught.value as error:
        body = error.read().decode()
        assert error.code == 404
    assert "Nothing here" in body
    assert 'href="/static/atlas.css"' in body


def test_a_port_in_use_says_what_to_type(served: str, whole: TinyAtlas) -> None:
    port = int(served.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"port {port} is in use.*--port {port + 1}"):
        preview(whole.site, port)
    with pytest.raises(UsageError, match="1 to 65535"):
        preview(whole.site, 99999)


def test_a_preview_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match="type `atlas build`"):
        preview(tmp_path, 0)


def test_a_site_without_the_list_of_its_files_is_not_said_to_be_clean(atlas: TinyAtlas) -> None:
    """As after an upload that leaves out names with a dot."""
    (atlas.site / MANIFEST).unlink()
    with pytest.raises(AtlasError, match=r"\.built\.json; type `atlas build`"):
        check(atlas.config())


def test_a_folder_of_others_and_a_pipe_stop_nothing(atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    (atlas.site / "lost+found").mkdir()
    os.mkfifo(atlas.site / "pipe.css")
    scandir = os.scandir

    def refused(path: Path) -> Any:
        if Path(path).name == "lost+found":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert list(map(str, check(atlas.config()))) == ["warning: lost+found/: cannot be read: Permission denied"]


def test_pictures_of_a_record_that_cannot_be_read_are_not_said_to_be_left_over(atlas: TinyAtlas) -> None:
    atlas.store.record_path(next(atlas.store.keys())).write_text("{")
    assert [problem.level for problem in check(atlas.config())] == ["error"]


@pytest.mark.parametrize("target", ["me@host.123", ".#page.html"])
def test_a_link_to_nothing_is_told_and_stops_nothing(atlas: TinyAtlas, target: str) -> None:
    (atlas.site / ".#page.html").symlink_to(target)
    (found,) = check(atlas.config())
    assert str(found) == "warning: .#page.html: is a link to nothing; remove it, or mend it"
    (atlas.site / UNIT).unlink()
    (atlas.site / UNIT).symlink_to("nowhere")
    assert {problem.where for problem in check(atlas.config()) if problem.level == "error"} >= {UNIT}


def test_a_site_that_hosts_refuse_is_named_with_their_limits() -> None:
    assert list(too_much({"index.html": 9, "store/a.webp": 26 * 1024**2})) == [
        "store/a.webp has 26 MB: Cloudflare Pages, free, takes files of 25",
        "store/a.webp has 26 MB: Cloudflare Pages, paid, takes files of 25",
    ]
    many = [what.split(":")[1] for what in too_much({str(n): 6000 for n in range(200_001)})]
    assert [what.split(" takes")[0].strip() for what in many] == [
        "GitHub Pages", "GitLab Pages on GitLab.com", "GitLab Pages on GitLab.com",
        "Cloudflare Pages, free,", "Cloudflare Pages, paid,",
    ]  # fmt: skip
