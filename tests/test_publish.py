"""The built site, asked as its readers would: is the picture there, does the link lead on, is what it says true."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jinja2
import jinja2.meta
import numpy as np
import pytest
from shell import Run
from test_panels import keep, photographs
from tiny import CHECKPOINT, FINGERPRINT, LABELS, STEPS, TinyAtlas, other_recipe, tiny_atlas

from generator.config.config import Config
from generator.config.lesson_questions import lesson_questions
from generator.core.atomic import write_atomically
from generator.core.errors import AtlasError
from generator.core.recipe import Recipe
from generator.core.record import printed
from generator.core.units import Unit
from generator.core.views import VIEWS
from generator.publish import panels
from generator.publish.assets import charts
from generator.publish.build import build
from generator.publish.catalog_reader import read_catalog
from generator.publish.check.site import check
from generator.publish.manifest import NAME as MANIFEST
from generator.publish.page import frame, own_variables
from generator.publish.pages import page_kinds
from generator.publish.rendering import environment
from generator.publish.site import Site, read_site
from generator.store.status import status
from generator.store.store import Damage, Store


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> TinyAtlas:
    """One atlas for all tests that only look."""
    atlas = tiny_atlas(tmp_path_factory.mktemp("tiny"))
    build(atlas.config())
    return atlas


@pytest.fixture
def atlas(built: TinyAtlas, tmp_path: Path) -> TinyAtlas:
    """A copy of it, to change."""
    shutil.copytree(built.folder, tmp_path / "atlas")
    return TinyAtlas(tmp_path / "atlas")


def page(atlas: TinyAtlas, address: str) -> str:
    return (atlas.site / address).read_text(encoding="utf-8")


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its inode and time: a file written again shows."""
    files = (f for f in folder.rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): (f.stat().st_ino, f.stat().st_mtime_ns) for f in files}


# the whole


def test_the_built_site_is_without_fault(built: TinyAtlas) -> None:
    assert [str(problem) for problem in check(built.config())] == []


def test_building_again_writes_nothing_and_renders_nothing(atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    build(atlas.config())  # a copied tree has times of its own
    before = snapshot(atlas.site)
    monkeypatch.setattr("generator.publish.files.render", lambda *_: pytest.fail("rendered in vain"))
    again = build(atlas.config())
    assert (again.written, again.removed) == (0, 0)
    assert again.unchanged + 1 == sum(not name.startswith("store/") for name in before)  # all but the manifest
    assert snapshot(atlas.site) == before


def test_what_was_changed_or_removed_is_built_again(atlas: TinyAtlas) -> None:
    build(atlas.config())
    home, thumbnail = atlas.site / "index.html", atlas.site / CHECKPOINT / "mixed4a/12.webp"
    whole = home.read_text()
    home.write_text("defaced")
    thumbnail.unlink()
    assert build(atlas.config()).written == 2
    assert home.read_text() == whole
    own = atlas.folder / "templates"
    own.mkdir()
    (own / "404.html").write_text("<p>Mine.")
    assert build(atlas.config()).written == 1
    (own / "404.html").unlink()
    assert build(atlas.config()).written == 1
    atlas.answer(Unit("mixed4b", 1))
    assert (build(atlas.config()).written, (atlas.site / CHECKPOINT / "mixed4b/1.html").is_file()) == (14, True)
    atlas.answer(Unit("mixed4b", 1), seed=77, force=True)
    assert build(atlas.config()).written == 9, (
        "page, frame, record, thumbnail; home; indexes; tiles and pictures of the layer"
    )
    atlas.toml(('"Tiny Atlas"', '"Mine"'))
    build(atlas.config())
    assert "<title>Mine</title>" in home.read_text()


def test_a_change_while_a_site_is_built_is_seen_by_the_next_build(
    atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    import generator.publish.build as module

    def late(config: Config) -> Site:
        site = read_site(config)
        atlas.answer(Unit("mixed4b", 1))
        return site

    atlas.toml(('"Tiny Atlas"', '"Mine"'))
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_site", late)
        build(atlas.config())
    assert not (atlas.site / CHECKPOINT / "mixed4b/1.html").exists()
    build(atlas.config())
    assert (atlas.site / CHECKPOINT / "mixed4b/1.html").is_file()


def test_damage_is_told_at_every_build(atlas: TinyAtlas) -> None:
    atlas.store.record_path(next(iter(atlas.store.keys()))).write_text("{")
    assert [len(build(atlas.config()).warnings) for _ in range(3)] == [1, 1, 1]


def test_progress_counts_to_the_end(atlas: TinyAtlas) -> None:
    steps: list[tuple[int, int]] = []
    (atlas.site / "index.html").unlink()
    report = build(atlas.config(), lambda done, total: steps.append((done, total)))
    total = report.written + report.unchanged
    assert steps[0] == (0, total)
    assert steps[-1] == (total, total)


def test_an_atlas_of_nothing_builds_and_says_so(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path, [])
    report = build(atlas.config())
    assert report.index.is_file()
    assert "Nothing is rendered yet" in page(atlas, "index.html")
    assert f"atlas render mixed4a --checkpoint {CHECKPOINT}" in page(atlas, f"{CHECKPOINT}/mixed4a/index.html")
    assert check(atlas.config()) == []


def test_a_unit_that_is_gone_takes_its_page_along(atlas: TinyAtlas) -> None:
    for file in atlas.site.glob(f"{CHECKPOINT}/mixed5b/*"):
        assert file.name in ("index.html", "index.json", "3.html", "3.json", "3.webp", "tiles-0.jpeg", "pictures.js")
    record = next(r for r in map(atlas.store.read, atlas.store.keys()) if r and r.question.unit == Unit("mixed5b", 3))
    atlas.store.record_path(record.key).unlink()
    assert build(atlas.config()).removed == 7, "page, frame, record, thumbnail; the layer's index, tiles, pictures"
    assert [f.name for f in atlas.site.glob(f"{CHECKPOINT}/mixed5b/*")] == ["index.html"]
    assert not (atlas.site / "embed" / CHECKPOINT / "mixed5b").exists()
    assert {p.level for p in check(atlas.config())} == {"warning"}  # its pictures lie there unclaimed


def test_a_checkpoint_that_is_gone_leaves_no_folder(atlas: TinyAtlas) -> None:
    atlas.toml((f"[checkpoints.{CHECKPOINT}]", "[checkpoints.mine]\narchitecture = 'bvlc_googlenet'"))
    build(atlas.config())
    assert not (atlas.site / CHECKPOINT).exists()
    assert (atlas.site / "mine/mixed4a/12.html").is_file()  # the same weights under another name
    assert list(atlas.store.keys())


# whose folder it is


def test_a_folder_of_somebody_else_is_refused_and_untouched(atlas: TinyAtlas, tmp_path: Path) -> None:
    foreign = tmp_path / "home"
    (foreign / "store").mkdir(parents=True)
    (foreign / "thesis.txt").write_text("years of work")
    atlas.toml(('title = "Tiny Atlas"', f'output = "{foreign}"'))
    with pytest.raises(AtlasError, match=r"thesis\.txt.*choose another `output`"):
        build(atlas.config())
    assert sorted(f.name for f in foreign.iterdir()) == ["store", "thesis.txt"]


def test_a_folder_with_a_store_and_what_systems_hide_in_it_is_built(atlas: TinyAtlas) -> None:
    """A branch of git that was just checked out, a folder that was looked at on a Mac."""
    store = atlas.folder / "kept"
    shutil.move(atlas.store.root, store)
    shutil.rmtree(atlas.site)
    (atlas.site / ".git").mkdir(parents=True)
    (atlas.site / ".DS_Store").write_text("")
    shutil.move(store, atlas.store.root)
    build(atlas.config())
    assert check(atlas.config()) == []


@pytest.mark.parametrize(
    "damage", [None, b"", b"[]", b"{", b'{"files": 3}', b'{"files": ["a\\u0000b", "../x"]}', b"[" * 9999]
)
def test_a_site_without_a_usable_list_of_its_files_is_known_and_built_anew(
    atlas: TinyAtlas, damage: bytes | None
) -> None:
    """An upload that leaves out dotfiles leaves out the list; the folder holds the store, and nothing may be lost."""
    (atlas.site / "CNAME").write_text("atlas.example")
    before = {f: f.read_bytes() for f in atlas.site.rglob("*") if f.is_file() and f.name != MANIFEST}
    for hidden in atlas.site.glob(".*"):
        hidden.unlink()
    if damage is not None:
        (atlas.site / MANIFEST).write_bytes(damage)
    build(atlas.config())
    assert {f: f.read_bytes() for f in atlas.site.rglob("*") if f.is_file() and f.name != MANIFEST} == before
    assert check(atlas.config()) == []


def test_no_advice_loses_a_store(atlas: TinyAtlas) -> None:
    (atlas.site / MANIFEST).unlink()
    (atlas.site / "atlas.json").write_text("{}")
    with pytest.raises(AtlasError, match=r"move .* elsewhere") as refused:
        build(atlas.config())
    assert "empty" not in str(refused.value)
    assert "delete" not in str(refused.value)


@pytest.mark.parametrize("place", ["elsewhere", "site/store"])
def test_nothing_is_written_through_a_link_that_leads_away(atlas: TinyAtlas, tmp_path: Path, place: str) -> None:
    away = atlas.store.root if place == "site/store" else tmp_path / "elsewhere"
    away.mkdir(exist_ok=True)
    before = sorted(away.rglob("*"))
    shutil.rmtree(atlas.site / CHECKPOINT)
    (atlas.site / CHECKPOINT).symlink_to(away, target_is_directory=True)
    with pytest.raises(AtlasError, match=f"{CHECKPOINT} leads out of .* remove the link"):
        build(atlas.config())
    assert sorted(away.rglob("*")) == before


def test_nothing_is_written_through_a_link_in_the_place_of_a_temporary_file(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "page.tmp"
    mine.write_text("mine")
    link.symlink_to(mine)
    with pytest.raises(OSError, match="symbolic link"):
        write_atomically(tmp_path / "page", b"new", temporary=link)
    assert mine.read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for by signal 0")
def test_a_build_clears_what_a_killed_one_left(atlas: TinyAtlas) -> None:
    no_process = 2**31 - 1  # no system counts so far
    numbers = no_process, os.getpid(), os.getppid()  # in a container each build has the number of the one before
    left, same, in_use = (atlas.site / f".atlas-{number}.tmp" for number in numbers)
    in_use.write_text("half")
    atlas.answer(Unit("mixed4a", 4))
    for written in (True, False):  # also where there is nothing to build
        left.write_text("half")
        same.write_text("half")
        assert (build(atlas.config()).written > 0) == written
        assert not left.exists()
        assert not same.exists()
        assert in_use.exists()


def test_what_lies_beside_the_site_stays(atlas: TinyAtlas) -> None:
    (atlas.site / "CNAME").write_text("atlas.example")
    build(atlas.config())
    assert (atlas.site / "CNAME").read_text() == "atlas.example"


@pytest.mark.parametrize(
    "entry",
    ["../outside", "store/kept", "/{outside}", "way-out/outside", "store", "STORE/kept", ".", "", "static", "x" * 300],
)
def test_the_list_of_built_files_cannot_remove_anything_else(atlas: TinyAtlas, entry: str) -> None:
    outside, kept = atlas.folder / "outside", atlas.site / "store/kept"
    outside.write_text("mine")
    kept.write_text("mine")
    (atlas.site / "way-out").symlink_to(atlas.folder)
    entry = entry.replace("/{outside}", str(outside))
    listed = json.loads((atlas.site / MANIFEST).read_text())
    (atlas.site / MANIFEST).write_text(json.dumps({"files": [*listed["files"], entry]}))
    assert build(atlas.config()).removed == 0
    assert outside.read_text() == kept.read_text() == "mine"


def test_a_build_that_died_can_be_finished(atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    import generator.publish.files as module

    def die(*_: object) -> str:
        raise KeyboardInterrupt

    shutil.move(atlas.store.root, atlas.folder / "kept")
    shutil.rmtree(atlas.site)
    atlas.site.mkdir()
    shutil.move(atlas.folder / "kept", atlas.store.root)
    with monkeypatch.context() as patch:
        patch.setattr(module, "render", die)
        with pytest.raises(KeyboardInterrupt):
            build(atlas.config())
    build(atlas.config())
    assert check(atlas.config()) == []
    assert not list(atlas.site.glob(".atlas-*"))


def test_a_full_disk_is_one_line(atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(temporary: Path, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    (atlas.site / "index.html").unlink()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        AtlasError, match="no space left on the disk; free some, then type `atlas build` again"
    ) as caught:
        build(atlas.config())
    assert "\n" not in str(caught.value)


# what the catalogue chooses


def shown(atlas: TinyAtlas, unit: Unit) -> tuple[Recipe, bool]:
    found = read_catalog(atlas.config()).checkpoints[0].layers[unit.layer].units[unit.channel]
    assert found.record
    return found.record.question.recipe, found.current


def test_the_recipe_asked_for_is_shown_though_another_is_newer(atlas: TinyAtlas) -> None:
    unit = Unit("mixed4a", 12)
    atlas.answer(unit, recipe=other_recipe(seed=5), date="2031-01-01T00:00:00Z")
    assert shown(atlas, unit) == (other_recipe(), True)
    atlas.toml((f"steps = {STEPS}", f"steps = {STEPS}\nseed = 5"))
    assert shown(atlas, unit) == (other_recipe(seed=5), True)


def test_without_it_the_newest_is_shown_and_marked(atlas: TinyAtlas) -> None:
    unit = Unit("mixed4a", 12)
    atlas.answer(unit, recipe=other_recipe(seed=5), date="2031-01-01T00:00:00Z")
    atlas.toml((f"steps = {STEPS}", f"steps = {STEPS}\nseed = 6"))
    assert shown(atlas, unit) == (other_recipe(seed=5), False)
    build(atlas.config())
    assert "made by another recipe" in page(atlas, f"{CHECKPOINT}/mixed4a/12.html")
    assert "--seed 5" in page(atlas, f"{CHECKPOINT}/mixed4a/12.html")


def test_a_picture_on_the_way_of_another_ascent_is_not_taken_for_the_units(atlas: TinyAtlas) -> None:
    unit = Unit("mixed4b", 3)
    for steps in (0, 2, 6):
        for parameterization in ("raw", "fourier"):
            recipe = other_recipe(steps=steps, parameterization=parameterization)
            atlas.answer(unit, recipe=recipe, date="2031-01-01T00:00:00Z")
    assert read_catalog(atlas.config()).checkpoints[0].layers["mixed4b"].rendered == ()
    atlas.answer(unit, recipe=other_recipe(seed=5))
    assert shown(atlas, unit) == (other_recipe(seed=5), False)


def test_other_views_and_other_weights_are_not_shown(atlas: TinyAtlas) -> None:
    atlas.answer(Unit("mixed4b", 1), view="negative")
    atlas.answer(Unit("mixed4b", 2), checkpoint="untrained", fingerprint="cd" * 32)
    layer = read_catalog(atlas.config()).checkpoints[0].layers["mixed4b"]
    assert layer.rendered == ()


def test_weights_are_known_from_the_newest_record(atlas: TinyAtlas) -> None:
    atlas.toml((f"[checkpoints.{CHECKPOINT}]", "[checkpoints.mine]\narchitecture = 'bvlc_googlenet'"),
               (f'fingerprint = "{FINGERPRINT}"', ""))  # fmt: skip
    assert read_catalog(atlas.config()).checkpoints[0].fingerprint is None
    atlas.answer(Unit("mixed4a", 1), checkpoint="mine", fingerprint="ef" * 32)
    assert read_catalog(atlas.config()).checkpoints[0].fingerprint == "ef" * 32
    assert status(atlas.config(), atlas.store)[0].rendered == 1


def test_a_bottleneck_is_shown_once_it_is_rendered(atlas: TinyAtlas) -> None:
    name = "mixed4a_3x3_bottleneck"
    assert name not in read_catalog(atlas.config()).checkpoints[0].layers
    atlas.answer(Unit(name, 4))
    build(atlas.config())
    assert f'href="../{name}/index.html"' in page(atlas, f"{CHECKPOINT}/mixed4a/index.html")
    assert check(atlas.config()) == []


@pytest.mark.parametrize("place", ["picture", "store"])
def test_a_link_whose_target_is_not_here_now_costs_no_page(atlas: TinyAtlas, place: str) -> None:
    """A disk that is not mounted, a file that git-annex has not fetched: that is no empty store, and no damage."""
    unit = Unit("mixed4a", 12)
    record = next(r for r in map(atlas.store.read, atlas.store.keys()) if r and r.question.unit == unit)
    path = atlas.store.path(record.picture) if place == "picture" else atlas.store.root
    path.rename(atlas.folder / "away")
    path.symlink_to(atlas.folder / "elsewhere")
    with pytest.raises(AtlasError, match="cannot be read"):
        build(atlas.config())
    assert (atlas.site / CHECKPOINT / "mixed4a/12.html").is_file()
    if place == "picture":
        (found,) = (found for found in atlas.store.verify() if isinstance(found, Damage))
        assert (found.proven, found.reason) == (False, f"{record.picture.name} is a link to nothing")
    else:
        with pytest.raises(AtlasError, match="store cannot be read"):
            list(atlas.store.verify())


@pytest.mark.parametrize("damage", ["record", "picture", "foreign"])
def test_damage_does_not_stop_a_build(atlas: TinyAtlas, damage: str) -> None:
    unit = Unit("mixed4a", 12)
    record = next(r for r in map(atlas.store.read, atlas.store.keys()) if r and r.question.unit == unit)
    if damage == "record":
        atlas.store.record_path(record.key).write_text("{")
    elif damage == "picture":
        atlas.store.path(record.thumbnail).unlink()
    else:
        moved = atlas.store.record_path("0" * 64)
        moved.parent.mkdir(exist_ok=True)
        atlas.store.record_path(record.key).rename(moved)
    report = build(atlas.config())
    assert len(report.warnings) == 1
    assert "atlas verify" in report.warnings[0]
    assert not (atlas.site / CHECKPOINT / "mixed4a/12.html").exists()
    assert any(problem.level == "error" for problem in check(atlas.config()))


def test_what_cannot_be_read_costs_no_page_and_is_not_moved(
    atlas: TinyAtlas, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions, a stale handle, a failing disk: that says nothing of what the file holds."""
    unit = Unit("mixed4a", 12)
    record = next(r for r in map(atlas.store.read, atlas.store.keys()) if r and r.question.unit == unit)
    page, read = atlas.site / CHECKPOINT / "mixed4a/12.html", Path.read_bytes
    shut = {atlas.store.record_path(record.key)}

    def refused(path: Path) -> bytes:
        if path in shut:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    atlas.answer(Unit("mixed4a", 4))  # so that there is something to build
    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(AtlasError, match="cannot be read: Permission denied"):
        build(atlas.config())
    assert page.is_file()
    for path in (*shut, atlas.store.path(record.thumbnail)):
        shut = {path}
        (found,) = (found for found in atlas.store.verify() if isinstance(found, Damage))
        assert not found.proven
        code, out, _ = run("--config", str(atlas.folder / "atlas.toml"), "verify")
        assert code == 1
        assert f"{path} cannot be read: Permission denied (left where it is)" in out
        assert "0 damaged, 1 unreadable" in out
        assert path.is_file()


def test_status_counts_what_is_asked_for_now(atlas: TinyAtlas) -> None:
    (now,) = status(atlas.config(), atlas.store)
    by_layer = {layer.layer: layer for layer in now.layers}
    assert (now.selected, now.rendered) == (32, 23)
    assert [str(u) for u in by_layer["conv2d0"].missing] == ["conv2d0:6", "conv2d0:7"]
    files = [f for f in atlas.store.root.rglob("*") if f.suffix in (".webp", ".json")]
    extra = 4  # of mixed4a: rendered, not selected
    assert now.bytes < sum(f.stat().st_size for f in files)
    assert len(list(atlas.store.keys())) == now.rendered + extra
    assert json.loads(json.dumps(now.as_dict()))["layers"][0]["missing"] == ["conv2d0:6", "conv2d0:7"]
    atlas.toml((f"steps = {STEPS}", "steps = 9"))
    (changed,) = status(atlas.config(), atlas.store)
    assert (changed.rendered, len(changed.missing), changed.bytes) == (0, 32, 0)


def test_what_a_lesson_needs_is_missing_until_it_is_rendered(atlas: TinyAtlas) -> None:
    atlas.toml(("[recipe]", '[lesson]\nunit = "mixed4a:12"\n[recipe]'))
    lesson = status(atlas.config(), atlas.store)[0].layers[-1]
    asked = list(lesson_questions(atlas.config(), FINGERPRINT) or ())
    assert (lesson.layer, lesson.selected, len(lesson.missing)) == ("lesson", len(asked) - 1, len(asked) - 1)
    for question in asked:
        atlas.answer(question.unit, recipe=question.recipe)
    assert status(atlas.config(), atlas.store)[0].layers[-1].missing == ()


def test_status_of_nothing(tmp_path: Path) -> None:
    atlas = tiny_atlas(tmp_path, [])
    assert status(atlas.config(), Store(tmp_path / "nowhere"))[0].rendered == 0


# what the pages say


def test_a_unit_page_says_what_it_is(built: TinyAtlas) -> None:
    text = page(built, f"{CHECKPOINT}/mixed4a/200.html")
    record = next(r for r in map(built.store.read, built.store.keys()) if r and r.question.unit == Unit("mixed4a", 200))
    assert "<h1>mixed4a:200</h1>" in text
    assert re.search(r"3x3 branch</a>, channel 8 \(numbered 0–207\)", text)
    assert "One neuron sees a 139-pixel square of the 224-pixel picture. The channel has 14 × 14 neurons." in text
    for known in (record.key, FINGERPRINT, "torch 2.4.0", "2025-01-02T03:04:05Z", "<b>218</b>"):
        assert known in text
    assert f"atlas render mixed4a:200 --checkpoint {CHECKPOINT} --steps {STEPS} --force" in text
    assert 'rel="prev" href="12.html"' in text
    assert 'rel="next" href="447.html"' in text


def test_the_record_beside_a_page_is_the_one_in_the_store(built: TinyAtlas) -> None:
    beside = (built.site / CHECKPOINT / "mixed4a/200.json").read_bytes()
    key = json.loads(beside)["key"]
    assert beside == built.store.record_path(key).read_bytes()


def test_the_thumbnail_beside_a_page_is_that_of_its_picture(atlas: TinyAtlas) -> None:
    beside = atlas.site / CHECKPOINT / "mixed4a/12.webp"
    before = atlas.answer(Unit("mixed4a", 12))
    assert beside.read_bytes() == atlas.store.path(before.thumbnail).read_bytes()
    after = atlas.answer(Unit("mixed4a", 12), seed=77, force=True)
    build(atlas.config())
    assert beside.read_bytes() == atlas.store.path(after.thumbnail).read_bytes()


def test_the_command_names_every_setting_that_is_not_the_default(atlas: TinyAtlas) -> None:
    recipe = other_recipe(decorrelate=False, step_size=0.1, precision="float32", shift=3.0)
    atlas.answer(Unit("mixed4c", 7), recipe=recipe)
    build(atlas.config())
    assert (
        f"atlas render mixed4c:7 --checkpoint {CHECKPOINT} --no-decorrelate --steps {STEPS} --step-size 0.1 --shift 3 "
        "--precision float32 --force"
    ) in page(atlas, f"{CHECKPOINT}/mixed4c/7.html")


def test_the_command_names_a_default_that_atlas_toml_would_change(atlas: TinyAtlas) -> None:
    atlas.answer(Unit("mixed4c", 7), recipe=Recipe())
    build(atlas.config())
    assert f"--checkpoint {CHECKPOINT} --steps 128 --force" in page(atlas, f"{CHECKPOINT}/mixed4c/7.html")


def test_earlier_pictures_stay_in_reach(atlas: TinyAtlas) -> None:
    """Whether it was rendered again, by another recipe, as another view, or for other weights of the same name."""
    unit = Unit("mixed4a", 12)
    before = atlas.answer(unit)
    atlas.answer(unit, seed=77, force=True)
    others = [
        atlas.answer(unit, recipe=other_recipe(steps=2, parameterization="raw"), seed=5),
        atlas.answer(unit, view="negative", seed=6),
        atlas.answer(unit, fingerprint="cd" * 32, seed=7),
    ]
    build(atlas.config())
    text = page(atlas, f"{CHECKPOINT}/mixed4a/12.html")
    assert "Other pictures of this unit" in text
    assert (text.count(before.picture.name), text.count(before.thumbnail.name)) == (1, 1)
    assert "the same recipe, rendered before" in text
    assert f'<figure id="p-{others[1].picture.sha256[:8]}">' in text
    said = ("parameterization raw, steps 2", "other weights")
    for record, differs in zip(others[::2], said, strict=True):
        item = re.search(rf'<li id="p-{record.picture.sha256[:8]}">.*?(?=<li|</ul>)', text, re.DOTALL)
        assert item
        assert differs in item[0]
        assert record.picture.name in item[0]
        assert f"store/{record.key[:2]}/{record.key[2:]}.json" in item[0]
    assert check(atlas.config()) == []


def test_a_layer_page_has_every_unit_in_its_place(built: TinyAtlas) -> None:
    text = page(built, f"{CHECKPOINT}/mixed4a/index.html")
    places = re.findall(r"<li[^>]*><a (?:class=\"gap\" href=\"#missing\"><span>([\d–]+)|href=(\d+)\.html)", text)
    order = [gap or channel for gap, channel in places]
    assert order == ["0", "1", "2", "3", "4–8", "9", "10–11", "12", "13–191", "192–199", "200", "201–399", "400–446",
                     "447", "448", "449–510", "511"]  # fmt: skip
    assert f"atlas render mixed4a:4-8,10-11,13-199,201-446,449-510 --checkpoint {CHECKPOINT}" in text
    assert re.findall(r'<h2 id="(\w+)"', text) == ["1x1", "3x3", "5x5", "pool_reduce"]
    for fact in ("192–399", "sees 139 px", "171 px", "14 × 14"):
        assert fact in text
    assert text.count("<img") == text.count("loading=lazy") == 10


def test_a_layer_page_can_be_sized_without_scripts_and_sorted_with(built: TinyAtlas) -> None:
    text = page(built, f"{CHECKPOINT}/mixed4a/index.html")
    style = page(built, "static/atlas.css")
    for size in ("size-s", "size-l"):
        assert f'id="{size}"' in text
        assert f":has(#{size}:checked)" in style
    assert re.search(r"<fieldset hidden>\s*<legend>Order", text)
    lists = re.findall(r"data-strength=\"([^\"]*)\"", text)
    assert [len(each.split()) for each in lists] == [6, 1, 1, 2], "one number for each rendered unit of a branch"
    assert lists[0].split()[:2] == ["18.5", "19.5"]


def test_the_hierarchy_begins_with_what_is_featured(built: TinyAtlas) -> None:
    column = page(built, "index.html").split('id="wall-mixed4a"')[1].split("</ul>")[0]
    assert re.findall(r'alt="mixed4a:(\d+)"', column)[0] == "12"
    assert len(re.findall("<img", column)) == 6


def test_the_plan_links_every_layer(built: TinyAtlas) -> None:
    plan = page(built, "index.html").split('<svg class="network"')[1].split("</svg>")[0]
    links = re.findall(r'<a href="([^"]+)"', plan)
    assert len(links) == 12
    assert links[5] == f"{CHECKPOINT}/mixed4a/index.html"


def test_a_hostile_title_is_text(atlas: TinyAtlas) -> None:
    atlas.toml(('"Tiny Atlas"', "'<script>alert(1)</script>\"'"))
    build(atlas.config())
    for address in ("index.html", "404.html", f"{CHECKPOINT}/mixed4a/12.html"):
        assert "<script>" not in page(atlas, address)
        assert "&lt;script&gt;alert" in page(atlas, address)
    assert check(atlas.config()) == []


def test_the_index_for_programs(built: TinyAtlas) -> None:
    index = json.loads(page(built, "atlas.json"))
    (checkpoint,) = index["checkpoints"]
    assert (index["format"], index["title"], checkpoint["fingerprint"]) == (1, "Tiny Atlas", FINGERPRINT)
    assert len(checkpoint["units"]) == 27
    for unit in checkpoint["units"]:
        for part in ("page", "record", "picture", "thumbnail", "embed"):
            assert (built.site / unit[part]).is_file()
    assert checkpoint["units"][0]["activation"] == 18.5


def test_the_longest_name_of_a_checkpoint_leaves_the_script_for_chips_light(atlas: TinyAtlas) -> None:
    name = "x" * 64
    atlas.toml(
        (
            f"[checkpoints.{CHECKPOINT}]",
            f'[checkpoints.{name}]\narchitecture = "inception5h"\n\n[checkpoints.{CHECKPOINT}]',
        )
    )
    build(atlas.config())
    assert f'"{name}"' in page(atlas, "static/embed.js")
    assert len(page(atlas, "static/embed.js")) < 4096
    assert [problem for problem in check(atlas.config()) if "embed.js" in problem.where] == []


def test_programs_can_rely_on_the_schemas(atlas: TinyAtlas) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: pip install jsonschema")
    atlas.label(LABELS)
    atlas.answer(Unit("mixed4a", 12), seed=77, force=True)
    atlas.toml(("[recipe]", "[checkpoints.untrained]\n\n[recipe]"))
    build(atlas.config())

    def wrong(kind: str, data: object) -> list[str]:
        schema = json.loads(page(atlas, f"schema/{kind}-1.json"))
        jsonschema.Draft202012Validator.check_schema(schema)
        return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)]

    schema = json.loads(page(atlas, "schema/record-1.json"))
    assert schema["properties"]["question"]["properties"]["view"]["enum"] == list(VIEWS)
    index = json.loads(page(atlas, "atlas.json"))
    assert wrong("atlas", index) == []
    layers = sorted(atlas.site.glob(f"{CHECKPOINT}/*/index.json"))
    assert len(layers) == 4
    for path in layers:
        layer = json.loads(path.read_bytes())
        assert wrong("layer", layer) == []
        listed = [unit for unit in index["checkpoints"][0]["units"] if unit["unit"].startswith(f"{layer['layer']}:")]
        assert [unit["unit"] for unit in layer["units"]] == [unit["unit"] for unit in listed]
    for unit in index["checkpoints"][0]["units"]:
        assert wrong("record", json.loads(page(atlas, unit["record"]))) == []
    del index["checkpoints"][0]["units"][0]["record"]
    assert wrong("atlas", index) == ["'record' is a required property"]


def test_a_published_address_makes_whole_links(atlas: TinyAtlas) -> None:
    atlas.toml(('title = "Tiny Atlas"', 'url = "https://atlas.example/v1"'))
    build(atlas.config())
    unit = f"https://atlas.example/v1/{CHECKPOINT}/mixed4a/12.html"
    text = page(atlas, f"{CHECKPOINT}/mixed4a/12.html")
    assert f'<link rel="canonical" href="{unit}">' in text
    assert f'property="og:image" content="https://atlas.example/v1/{CHECKPOINT}/mixed4a/12.jpg"' in text
    assert f"<loc>{unit}</loc>" in page(atlas, "sitemap.xml")
    for known in (
        r"\includegraphics[width=3cm]",
        "Picture as JPEG",
        f"curl -o {CHECKPOINT}-mixed4a-12.jpg {unit[:-5]}.jpg",
    ):
        assert known in text
    assert json.loads(page(atlas, "atlas.json"))["checkpoints"][0]["units"][0]["card"] == f"{CHECKPOINT}/conv2d0/0.jpg"
    assert "404.html" not in page(atlas, "sitemap.xml")
    assert not (atlas.site / "robots.txt").exists()  # not the root of the host
    assert 'href="https://atlas.example/v1/static/atlas.css"' in page(atlas, "404.html")
    assert check(atlas.config()) == []
    atlas.toml()
    build(atlas.config())
    assert not list(atlas.site.rglob("*.jpg")), "a preview needs a whole address"
    assert ".jpg" not in page(atlas, f"{CHECKPOINT}/mixed4a/12.html")
    without = page(atlas, "sitemap.xml")
    assert f"<loc>{CHECKPOINT}/mixed4a/12.html</loc>" in without
    assert "set url in atlas.toml" in without


def test_several_checkpoints(atlas: TinyAtlas) -> None:
    more = "[recipe]"
    atlas.toml((more, f'[checkpoints.untrained]\nunits = ["mixed4a:0-1"]\nabout = "The control."\n\n{more}'))
    unit = Unit("mixed4a", 1)
    atlas.answer(
        unit, checkpoint="untrained", fingerprint=atlas.config().checkpoint("untrained").fingerprint or "cd" * 32
    )
    build(atlas.config())
    assert (atlas.site / "untrained/mixed4a/1.html").is_file()
    assert 'href="untrained/index.html"' in page(atlas, "index.html")
    assert "The control." in page(atlas, "untrained/index.html")
    assert check(atlas.config()) == []


# templates


def test_own_templates_come_first(atlas: TinyAtlas) -> None:
    own = atlas.folder / "templates"
    own.mkdir()
    (own / "404.html").write_text('{% extends "atlas/404.html" %}{% block main %}<p>Mine.{% endblock %}')
    build(atlas.config())
    assert "<p>Mine." in page(atlas, "404.html")
    assert "<h1>mixed4a:12</h1>" in page(atlas, f"{CHECKPOINT}/mixed4a/12.html")


@pytest.mark.parametrize(
    ("text", "says"), [("{{ nothing }}", "'nothing' is undefined"), ("\n{% if %}", r"404\.html:2")]
)
def test_a_mistake_in_an_own_template_is_named(atlas: TinyAtlas, text: str, says: str) -> None:
    own = atlas.folder / "templates"
    own.mkdir()
    (own / "404.html").write_text(text)
    with pytest.raises(AtlasError, match=says):
        build(atlas.config())


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ activation_curve.__globals__ }}",
        "{{ self.__init__.__globals__['__builtins__'] }}",
        "{{ cycler.__init__.__globals__.os.popen('true') }}",
        "{{ url.unit.__func__.__code__ }}",
        "{{ checkpoint.layers.clear() }}",
        "{{ '{0.__class__}'.format(url) }}",
        "{% for n in range(10000000) %}{% endfor %}",
    ],
)
def test_an_own_template_is_no_program(atlas: TinyAtlas, text: str) -> None:
    own = atlas.folder / "templates"
    own.mkdir()
    (own / "404.html").write_text(text)
    with pytest.raises(
        AtlasError, match=r"the template 404\.html cannot be rendered: .*(unsafe|undefined|Range too big)"
    ):
        build(atlas.config())


@pytest.mark.parametrize(("thing", "method"), [(Path("a"), "unlink"), (np.zeros(3), "tofile")])
def test_an_own_template_cannot_use_a_path_or_an_array(tmp_path: Path, thing: object, method: str) -> None:
    template = environment(tmp_path).from_string(f"{{{{ thing.{method}('a') }}}}")
    with pytest.raises(jinja2.exceptions.SecurityError):
        template.render(thing=thing)


def test_template_and_dataclass_agree(atlas: TinyAtlas) -> None:
    """A template asks for nothing that is not there, and a context has nothing that is not asked for."""
    atlas.label(LABELS)
    atlas.answer(Unit("mixed4a", 0), view="neuron", seed=5)
    for channel in range(32):
        atlas.answer(Unit("conv2d0", channel))
    keep(atlas, "similar", "conv2d0", {"map": np.zeros((64, 2), np.int16)}, photographs=3)  # a layer that has a map
    of_layer, of_photographs = photographs()
    keep(atlas, "photos", "mixed4a", of_layer, photographs=3, grid=14, akin=0.2)
    keep(atlas, "photos", "softmax2", of_photographs)
    site = read_site(atlas.config())
    env = environment(site.config.templates)

    def asked(name: str) -> Iterator[str]:
        assert env.loader
        tree = env.parse(env.loader.get_source(env, name)[0])
        yield from jinja2.meta.find_undeclared_variables(tree)
        for other in jinja2.meta.find_referenced_templates(tree):
            if other:  # which panels a unit has is known only when its page is made
                yield from asked(other)

    assert len(page_kinds()) > 10
    for kind in page_kinds():
        page = next(kind.pages(site))
        context = page.make()
        own, read = set(own_variables(context)), set(asked(context.template)) - set(env.globals)
        assert own <= read <= own | set(frame(site, page)), context.template


# panels

PANEL = """
from dataclasses import dataclass

from generator.core.units import Unit
from generator.publish.panels import Panel


@dataclass(frozen=True)
class Index:
    value: float


def read(catalog):
    assert not read.__dict__.setdefault("done", False), "the store is read once, not for each unit"
    read.done = True
    known = {(checkpoint.fingerprint, Unit("mixed4a", 12)): Index(0.123) for checkpoint in catalog.checkpoints}
    return lambda checkpoint, unit: known.get((checkpoint.fingerprint, unit.unit))


PANEL = Panel(10, "panels/index.html", read)
"""


def test_a_module_and_a_template_are_a_panel(atlas: TinyAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows what it knows; a page of which it knows nothing keeps its bytes."""
    before = page(atlas, f"{CHECKPOINT}/mixed4a/9.html")
    templates = atlas.folder / "templates" / "panels"
    templates.mkdir(parents=True)
    (templates / "index.html").write_text("<p>{{ unit.unit }}: {{ panel.value|number }}\n")
    (tmp_path / "test_index.py").write_text(PANEL)
    monkeypatch.setattr(panels, "__path__", [*panels.__path__, str(tmp_path)])
    build(atlas.config())
    assert "<p>mixed4a:12: 0.123" in page(atlas, f"{CHECKPOINT}/mixed4a/12.html")
    assert page(atlas, f"{CHECKPOINT}/mixed4a/9.html") == before


# charts


@pytest.mark.parametrize("steps", [[], [3.0], [0.0, 0.0], [-5.0, -1.0], [1e-9, 2e-9], [1e6, 5e6, 2e6]])
def test_a_curve_stays_in_its_frame(steps: list[float]) -> None:
    svg = charts.activation_curve("a<b", steps, steps[-1] if steps else 0.0, 16)
    assert "nan" not in svg
    assert "a<b" not in svg
    line = re.search(r'translate\((\d+) (\d+)\) scale\((\S+) (\S+)\)" d="M0 (\S+?)(l.+?)?"', svg)
    assert bool(line) == bool(steps)
    if line:
        left, bottom, across, up, height = map(float, line.groups()[:5])
        rises = [int(by) for by in re.findall(r"l1([-+]\d+)", line[6] or "")]
        heights = [height + sum(rises[:n]) for n in range(len(steps))]
        assert len(rises) == len(steps) - 1
        assert left + len(rises) * across <= 400.1
        assert all(0 <= bottom + up * h <= 200 for h in heights)


def test_steps_with_leaking_relus_do_not_set_the_scale() -> None:
    """At mixed5b they reach up to 4.5 times what comes after: the rest would be a line at the bottom."""
    svg = charts.activation_curve("a", [90.0] * 16 + [10.0, 20.0], 20.0, 16)
    assert 'class="final" d="M40 12H' in svg, "at the top"
    assert 'd="M0 304l1+0' in svg, "cut at the top"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-8.2, "−8.2"), (202.37, "202"), (12345.6, "12346"), (999.7, "1000"), (0.00123, "0.00123")],
)
def test_numbers(value: float, text: str) -> None:
    assert printed(value) == text
