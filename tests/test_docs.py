"""Examples in docstrings run, documents name what exists, and the committed atlas is complete."""

import doctest
import importlib
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import __version__
from generator.cli import main as cli
from generator.config.atlas_toml import load_config
from generator.store.status import status
from generator.store.store import Store

ROOT = Path(__file__).parent.parent
DOCS = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
NAME_OTHER_FILES = ("CHANGELOG.md", "words.md", "log.md", "extending.md")  # what is gone, or what a reader is to add


PACKAGE = ROOT / "generator"
EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if re.search(r">>> (?!.*SKIP)", path.read_text())]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_examples_in_docstrings_hold(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def words_of(pattern: str, *paths: Path) -> set[str]:
    """What the first group that matched holds, of every match in the documents."""
    found = (match for path in paths for match in re.finditer(pattern, path.read_text(), re.MULTILINE))
    return {next(group for group in match.groups() if group) for match in found}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_a_document_names_commands_that_exist(path: Path) -> None:
    targets = words_of(r"^([a-z-]+):", ROOT / "Makefile")
    assert (made := words_of(r"`make ([a-z-]+)|^(?:\$ )?make ([a-z-]+)", path)) <= targets, made - targets
    commands = words_of(r"`atlas ([a-z]+)\b(?!\.)|^(?:\$ )?atlas ([a-z]+)(?= |$)", path)
    assert commands <= {*cli.atlas.modules}, commands - {*cli.atlas.modules}


def test_the_documents_name_the_commands_that_matter() -> None:
    named = words_of(r"`atlas ([a-z]+)|^(?:\$ )?atlas ([a-z]+)", *DOCS)
    assert {*cli.atlas.modules} <= named, {*cli.atlas.modules} - named


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_a_document_links_to_files_that_exist(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        assert link.startswith("https://") or (path.parent / link).exists(), link


@pytest.mark.parametrize("path", [path for path in DOCS if path.name not in NAME_OTHER_FILES], ids=name_of)
def test_a_document_names_files_and_modules_that_exist(path: Path) -> None:
    text = path.read_text()
    for name in re.findall(r"`((?:generator|tests|docs|static|benchmarks)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`(generator(?:\.[A-Za-z_]+)+)`|^from (generator[\w.]*) import", text, re.MULTILINE):
        module, _, attribute = "".join(name).rpartition(".")
        if importlib.util.find_spec("".join(name)) is None:
            assert hasattr(importlib.import_module(module), attribute), name


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    indexed = re.findall(r"\]\((\d{4}[^)]*)\)", (folder / "README.md").read_text())
    assert indexed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_contributing_names_every_room() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")} - {"__init__.py"}
    assert rooms == set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) < 700


def test_the_version_is_the_changelogs() -> None:
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_committed_atlas_is_whole_in_budget_and_not_grey() -> None:
    config = load_config(ROOT / "atlas.toml")
    store = Store(config.store)
    found, control = status(config, store)
    lesson = found.layers[-1]
    assert (found.selected - lesson.selected, found.missing) == (5808 + 32 + 10 + 3 * 72, ()), (
        "render what is missing: atlas render"
    )
    assert (control.name, control.selected, control.missing) == ("untrained", 9, ())
    assert found.bytes / found.rendered <= 18_432
    for n, record in enumerate(store.records()):
        unit, made = record.question.unit, record.provenance
        if record.question.recipe.steps < 64:  # on the way, in the lesson
            continue
        assert made.spread > 20, unit
        assert made.activation > 0, unit
        if n % 20 == 0:  # what the record says is what is seen
            pixels = np.asarray(Image.open(store.path(record.picture)).convert("RGB"))
            assert pixels.std() == pytest.approx(made.spread, abs=5), unit
