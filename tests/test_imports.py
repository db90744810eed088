"""The arrows of the house: which room may know of which, read off the import statements."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import generator

ROOT = Path(generator.__file__).parent
# each may know those before it
CORE = (
    "errors", "transfer", "architecture", "elsewhere", "units", "recipe", "record", "addresses", "labels", "quotes",
    "store", "plan", "config", "lesson",
)  # fmt: skip
TORCH_ROOMS = ("generator.network", "generator.render", "generator.analysis", "generator.bench", "generator.api")
HEAVY = ("torch", "torchvision", "lucent", "safetensors", "google")
DRAWING_ROOMS = ("generator.figures", "generator.api")  # matplotlib is imported here and nowhere else
FILES = sorted(path for path in ROOT.rglob("*.py"))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, inside_functions: bool = True) -> Iterator[str]:
    """Every module a file imports, as ``generator.store`` or ``torch``; with or without those inside functions."""

    def visit(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return  # what only the type checker reads is never imported
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import; write it out"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not inside_functions:
            return
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")))


def knows(name: str, *roots: str) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def test_the_checker_sees_imports(tmp_path: Path) -> None:
    """A check that finds nothing proves nothing."""
    (tmp_path / "x.py").write_text(
        "import torch.nn as nn\nfrom generator.publish import urls\ndef f():\n    import lucent\n"
        "class C:\n    def g(self):\n        from os import path\nif TYPE_CHECKING:\n    import jinja2\n"
    )
    everything = {"torch.nn", "generator.publish", "generator.publish.urls", "lucent", "os", "os.path"}
    assert set(imports(tmp_path / "x.py")) == everything
    assert set(imports(tmp_path / "x.py", inside_functions=False)) == everything - {"lucent", "os", "os.path"}
    assert len(FILES) > 12


@pytest.mark.parametrize("name", CORE)
def test_the_core_knows_only_what_is_below(name: str) -> None:
    allowed = {f"generator.{below}" for below in CORE[: CORE.index(name)]}
    for imported in imports(ROOT / f"{name}.py"):
        assert not knows(imported, *HEAVY), f"{name} imports {imported}"
        if knows(imported, "generator") and imported not in ("generator", "generator.__version__"):
            assert knows(imported, *allowed), f"{name} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=module)
def test_arrows_run_one_way(path: Path) -> None:
    name = module(path)
    forbidden = {
        "generator.render": ("generator.publish", "generator.bench", "generator.cli", "generator.figures"),
        "generator.figures": tuple(f"generator.{r}" for r in ("render", "network", "bench", "publish", "cli", "store")),
        "generator.api": ("generator.publish", "generator.bench", "generator.cli", "generator.store"),
        "generator.bench": ("generator.publish", "generator.cli"),
        "generator.publish": tuple(
            f"generator.{r}"
            for r in ("render", "network", "analysis", "bench", "cli", "figures", "api", "reader", "cite")
        ),
        "generator.reader": tuple(
            f"generator.{r}" for r in ("render", "network", "publish", "cli", "bench", "figures", "api", "cite")
        ),
        "generator.cite": tuple(
            f"generator.{r}" for r in ("render", "network", "publish", "cli", "bench", "figures", "api", "store")
        ),
        "generator.network": tuple(f"generator.{r}" for r in ("render", "publish", "analysis", "bench", "cli")),
        "generator.analysis": ("generator.render", "generator.publish", "generator.bench", "generator.cli"),
    }
    for room, others in forbidden.items():
        if knows(name, room):
            for imported in imports(path):
                assert not knows(imported, *others), f"{name} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=module)
def test_torch_stays_in_its_rooms(path: Path) -> None:
    """The site is built where torch is not installed; only these rooms may import it when they are imported."""
    name = module(path)
    at_import = list(imports(path, inside_functions=False))
    assert not any(knows(imported, "lucent") for imported in at_import), "lucent is imported inside functions only"
    if not knows(name, *TORCH_ROOMS):
        for imported in at_import:
            assert not knows(imported, *HEAVY, *TORCH_ROOMS), f"{name} imports {imported}"
    if knows(name, "generator.publish"):
        assert not any(knows(imported, *HEAVY) for imported in imports(path))
    if not knows(name, *DRAWING_ROOMS):
        assert not any(knows(imported, "matplotlib", *DRAWING_ROOMS) for imported in at_import), name


@pytest.mark.parametrize("path", FILES, ids=module)
def test_names(path: Path) -> None:
    for part in path.relative_to(ROOT).with_suffix("").parts:
        assert part not in ("utils", "helpers", "common", "misc"), f"{path} says nothing of what is in it"
    if path.parent == ROOT:
        assert path.stem not in sys.stdlib_module_names, f"{path} has the name of a module of the standard library"


def test_everything_but_rendering_runs_without_torch() -> None:
    """Not by reading but by doing: import it all where torch cannot be imported."""
    light = [module(path) for path in FILES if not knows(module(path), *TORCH_ROOMS, *DRAWING_ROOMS)]
    code = (
        "import sys, importlib\n"
        f"for name in {(*HEAVY, 'matplotlib')!r}: sys.modules[name] = None\n"
        f"for name in {light!r}:\n"
        "    importlib.import_module(name) if not name.endswith('__main__') else None\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
