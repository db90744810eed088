"""What is written is what is so: examples in docstrings, words in the README, the atlas that is committed."""

from __future__ import annotations

import doctest
import importlib
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
README = (ROOT / "README.md").read_text()


PACKAGE = ROOT / "generator"
EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if re.search(r">>> (?!.*SKIP)", path.read_text())]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_examples_in_docstrings_hold(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_readme_names_commands_that_exist() -> None:
    words = set(re.findall(r"\bmake ([a-z-]+)", README)) - {"are"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert words <= targets, words - targets
    commands = set(re.findall(r"`atlas ([a-z]+)|^\$ atlas ([a-z]+)|^atlas ([a-z]+)", README, re.MULTILINE))
    used = {word for found in commands for word in found if word}
    assert {"render", "build", "check", "status", "verify", "serve", "init"} <= used
    assert used <= {*cli.atlas.modules}, used - {*cli.atlas.modules}


def test_the_readme_links_to_files_that_exist() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("https://") or (ROOT / link).is_file(), link


def test_the_version_is_the_changelogs() -> None:
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_committed_atlas_is_whole_in_budget_and_not_grey() -> None:
    config = load_config(ROOT / "atlas.toml")
    store = Store(config.store)
    found, control = status(config, store)
    lesson = found.layers[-1]
    assert (found.selected - lesson.selected, found.missing) == (864, ()), "render what is missing: atlas render"
    assert (control.name, control.selected, control.missing) == ("untrained", 9, ())
    assert found.bytes / found.rendered <= 16_384
    for record in store.records():
        pixels = np.asarray(Image.open(store.path(record.picture)).convert("RGB"))
        unfinished = record.question.recipe.steps < 64  # on the way, in the lesson
        assert pixels.std() > 20 or unfinished, record.question.unit
        assert record.made.activation > 0 or unfinished, record.question.unit
