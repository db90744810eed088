"""Addresses that were published stay and mean the same: the tool tells when they do not, and ours do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from shell import Run
from tiny import CHECKPOINT, FINGERPRINT, LABELS, TinyAtlas, tiny_atlas

from generator.config.atlas_toml import load_config
from generator.core.errors import UsageError
from generator.core.units import Unit, read_channels
from generator.links.addresses import unit_address
from generator.publish import manifest
from generator.publish.build import build
from generator.publish.check.published import FILE, broken, promise
from generator.publish.files import site_files
from generator.publish.site import read_site

ROOT = Path(__file__).parent.parent
PUBLISHED = ('title = "Tiny Atlas"', 'title = "Tiny Atlas"\nurl = "https://atlas.example/"')


@pytest.fixture
def atlas(tmp_path: Path) -> TinyAtlas:
    atlas = tiny_atlas(tmp_path)
    atlas.toml(PUBLISHED)
    atlas.label(LABELS)
    build(atlas.config())
    promise(atlas.config())
    return atlas


def wrong(atlas: TinyAtlas) -> dict[str, str]:
    build(atlas.config())
    return dict(broken(atlas.config()))


def test_what_was_published_here_stays_and_means_the_same(tmp_path: Path) -> None:
    """The committed list against the atlas of this repository: all its addresses, and the text of what is read."""
    text = (ROOT / "atlas.toml").read_text().replace("[atlas]", f'[atlas]\noutput = "{tmp_path}/site"').replace(
        'output = "site"', ""
    )  # fmt: skip
    (tmp_path / "atlas.toml").write_text(text)
    for folder in ("labels", "directions"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    promised = (ROOT / FILE).read_text()
    (tmp_path / FILE).write_text(promised)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/store").symlink_to(ROOT / "site/store")
    config = load_config(tmp_path / "atlas.toml")
    files = site_files(read_site(config))
    with_views = {
        unit_address(checkpoint, Unit(layer, channel))
        for checkpoint, layer, channels in re.findall(r"^views (\w+)/(\w+)/\w+ (\S+)", promised, re.MULTILINE)
        for channel in read_channels(channels)
    }
    assert len(with_views) >= 72
    for address, make in files.made.items():
        of_a_unit = re.search(r"/\d+[.-]", address) or address.startswith("embed/")
        if address in with_views or (not of_a_unit and address.endswith((".html", "atlas.json", "embed.js"))):
            (config.output / address).parent.mkdir(parents=True, exist_ok=True)
            (config.output / address).write_bytes(make())
    (config.output / manifest.NAME).write_bytes(manifest.Manifest(tuple(files.addresses)).to_json())
    assert list(broken(config)) == []
    assert f"units {CHECKPOINT}/mixed4a 0-511 5c6c418c5b8c\n" in promised
    assert promised.count("\nanswer ") >= 892
    promise(config)
    assert (tmp_path / FILE).read_text() == promised, "new addresses are kept by: atlas promise"


def test_a_unit_that_is_gone_is_told(atlas: TinyAtlas) -> None:
    assert wrong(atlas) == {}
    record = next(r for r in atlas.store.records() if r.question.unit == Unit("mixed5b", 3))
    atlas.store.record_path(record.key).unlink()
    found = wrong(atlas)
    assert found[f"{CHECKPOINT}/mixed5b/3.html"] == "was published and is gone; render it again"
    assert f"{CHECKPOINT}/mixed5b/index.json" in found
    assert found[f"store/{record.key[:2]}/{record.key[2:16]}….json"] == "was published and is gone"


def test_other_weights_under_a_name_are_told(atlas: TinyAtlas) -> None:
    for n in range(6):
        atlas.answer(Unit("conv2d0", n), fingerprint="cd" * 32)
    atlas.toml(PUBLISHED, (f'fingerprint = "{FINGERPRINT}"', f'fingerprint = "{"cd" * 32}"'))
    found = wrong(atlas)
    assert "was published for weights abababababab and means others now" in found[f"{CHECKPOINT}/conv2d0/0.html"]


def test_a_picture_a_family_a_place_that_are_gone_are_told(atlas: TinyAtlas) -> None:
    record = next(iter(atlas.store.records()))
    atlas.store.path(record.thumbnail).unlink()
    atlas.label(LABELS.replace('family = "Curves"', 'family = "Arcs"').replace("mixed4a:0-1,12,40", "mixed4a:0"))
    found = wrong(atlas)
    assert any(address.startswith(f"store/{record.key[:2]}/") for address in found)
    assert found[f"{CHECKPOINT}/families/curves.html"] == "was published and is gone"


def test_a_family_of_digits_is_promised_too(atlas: TinyAtlas) -> None:
    atlas.label(LABELS.replace('"Curves"', '"3"'))
    build(atlas.config())
    promise(atlas.config())
    atlas.label(LABELS)
    assert f"{CHECKPOINT}/families/3.html" in wrong(atlas)


def test_another_first_checkpoint_changes_what_a_chip_means(atlas: TinyAtlas) -> None:
    atlas.toml(PUBLISHED, (f"[checkpoints.{CHECKPOINT}]", f"[checkpoints.untrained]\n\n[checkpoints.{CHECKPOINT}]"))
    assert "meant bvlc_googlenet where no checkpoint is named" in wrong(atlas)["static/embed.js"]


def test_rendering_again_and_more_breaks_no_promise_and_can_be_promised(atlas: TinyAtlas) -> None:
    before = set((atlas.folder / FILE).read_text().splitlines())
    atlas.answer(Unit("mixed4a", 12), seed=77, force=True)
    atlas.answer(Unit("mixed4a", 4))
    assert wrong(atlas) == {}
    assert promise(atlas.config()) > 0
    after = (atlas.folder / FILE).read_text()
    assert f"units {CHECKPOINT}/mixed4a 0-4,9,12,200,447-448,511 abababababab\n" in after
    lost = {line for line in before - set(after.splitlines()) if not line.startswith(("units", "answer"))}
    assert lost == set(), "lines are only added to"
    assert promise(atlas.config()) == 0


def test_previews_are_promised_where_there_are_any(atlas: TinyAtlas) -> None:
    """A copy without a published address has none; with it, one that is gone is told."""
    card = f"{CHECKPOINT}/mixed4a/12.jpg"
    assert (atlas.site / card).is_file()
    assert f"file {CHECKPOINT}/mixed4a/index.jpg\n" in (atlas.folder / FILE).read_text()
    atlas.toml()
    assert wrong(atlas) == {}
    assert not list(atlas.site.rglob("*.jpg"))
    assert f"{CHECKPOINT}/mixed4a/index.jpg" in {**dict(broken(replace(atlas.config(), url="https://atlas.example/")))}


def test_the_command_checks_and_keeps(atlas: TinyAtlas, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(atlas.folder)
    assert run("check")[0] == 0
    record = next(r for r in atlas.store.records() if r.question.unit == Unit("mixed5b", 3))
    atlas.store.record_path(record.key).unlink()
    run("build")
    code, out, _ = run("check")
    assert code == 1
    assert f"error: {CHECKPOINT}/mixed5b/3.html: was published and is gone; render it again" in out
    atlas.answer(Unit("mixed4c", 1))
    run("build")
    code, out, err = run("promise")
    assert code == 1
    assert f"error: {CHECKPOINT}/mixed5b/3.html: was published and is gone" in out
    assert "take one back by deleting its line" in err
    assert f"units {CHECKPOINT}/mixed4c 1 " in (atlas.folder / FILE).read_text(), "what is new is promised all the same"


def test_a_list_that_an_editor_saved_with_a_mark_is_read_and_one_that_is_away_is_told(atlas: TinyAtlas) -> None:
    path = atlas.folder / FILE
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8", newline="\r\n")
    assert list(broken(atlas.config())) == []
    path.unlink()
    path.symlink_to("moved.txt")
    with pytest.raises(UsageError, match=r"addresses\.txt is a link to nothing"):
        list(broken(atlas.config()))


def test_the_list_stays_the_file_that_it_was(atlas: TinyAtlas) -> None:
    """Its mode, and a link to where it is kept; one that is read-only is refused."""
    listed, kept = atlas.folder / FILE, atlas.folder / "kept.txt"
    promise(atlas.config())
    listed.rename(kept)
    kept.chmod(0o604)
    listed.symlink_to("kept.txt")
    before = kept.read_text()
    assert promise(atlas.config()) == 0
    assert (listed.is_symlink(), kept.read_text(), kept.stat().st_mode & 0o777) == (True, before, 0o604)


def test_a_list_that_was_edited_by_hand_is_refused(atlas: TinyAtlas) -> None:
    with (atlas.folder / FILE).open("a") as file:
        file.write("page ../../etc/passwd\n")
    with pytest.raises(UsageError, match=r"addresses\.txt:\d+: “page \.\./\.\./etc/passwd” is no published address"):
        list(broken(atlas.config()))


def test_addresses_are_what_the_documentation_says(atlas: TinyAtlas) -> None:
    """Each row of docs/addresses.md with a form of its own is built, lower-case, with one dot."""
    text = (ROOT / "docs/addresses.md").read_text()
    forms = [form for row in re.findall(r"^\| (.*?) \|", text, re.MULTILINE) for form in re.findall(r"`([^`]+)`", row)]
    assert len(forms) > 18
    family = {"CHECKPOINT": CHECKPOINT, "LAYER": "mixed4a", "CHANNEL": "12", "NAME": "curves", "PAGE": "index"}
    for form in forms:
        address = form.split("#")[0]
        for word, value in family.items():
            address = address.replace(word, value)
        # only where there is a study, another view, a class, or where oEmbed is asked for
        optional = ("study/", "map.html", "neuron", "output", "embed/CHECKPOINT/LAYER/CHANNEL.json")
        if "…" in address or any(word in form for word in optional):
            continue
        path = atlas.site / address.lstrip("/")
        assert (path / "index.html" if path.is_dir() else path).is_file() or (atlas.site / "schema" / address).is_file()
        assert address == address.lower()
        assert address.count(".") <= 1
