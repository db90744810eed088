"""The arrows of the house: which room may know of which, read off the import statements."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import generator

ROOT = Path(generator.__file__).parent
# A room may know those that are named beside it, and nothing else of ours. Read from the ground up.
ROOMS: dict[str, tuple[str, ...]] = {
    "core": (),
    "checkpoints": ("core",),
    "links": ("core",),
    "config": ("core", "checkpoints", "links"),
    "store": ("core", "config"),
    "photos": ("core",),
    "remote": ("core",),
    "kernels": ("core",),
    "network": ("core", "checkpoints", "remote", "kernels"),
    "cluster": ("core", "network"),
    "render": ("core", "store", "kernels", "network", "cluster"),
    "study": ("core", "store", "photos", "network", "cluster"),
    "figures": ("core",),
    "publish": ("core", "checkpoints", "links", "config", "store", "photos"),
    "reader": ("core", "checkpoints", "remote", "links", "config", "store"),
    "cite": ("core", "checkpoints", "links", "reader"),
    "bench": ("core", "config", "store", "network", "render"),
    "api": ("core", "config", "store", "network", "render", "figures"),
}
ROOMS["cli"] = tuple(room for room in ROOMS if room != "api")
TORCH_ROOMS = tuple(
    f"generator.{room}" for room in ("kernels", "network", "cluster", "render", "study", "bench", "api")
)
HEAVY = ("torch", "torchvision", "lucent", "safetensors")
DRAWING_ROOMS = ("generator.figures", "generator.api")  # matplotlib is imported here and nowhere else
FILES = sorted(path for path in ROOT.rglob("*.py"))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, inside_functions: bool = True, type_checking: bool = False) -> Iterator[str]:
    """Every module a file imports, as ``generator.store.store`` or ``torch``; or without those in functions."""

    def visit(node: ast.AST) -> Iterator[str]:
        only_types = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if only_types and not type_checking:
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


@pytest.mark.parametrize("path", FILES, ids=module)
def test_a_room_knows_only_what_is_named_beside_it(path: Path) -> None:
    _, room, *_ = (*module(path).split("."), "")
    if room in ("", "__main__"):
        return
    for imported in imports(path, type_checking=True):
        other = imported.split(".")[1] if knows(imported, "generator") and "." in imported else ""
        if other in ROOMS and other != room:
            assert other in ROOMS[room], f"{module(path)} imports {imported}"
        elif other and other != room:
            assert other == "__version__", f"{module(path)} imports {imported}; is it a room?"


def test_rooms_stand_on_one_another_without_a_circle() -> None:
    for place, (room, below) in enumerate(ROOMS.items()):
        assert set(below) <= set(list(ROOMS)[:place]), room


def test_no_circle_of_files() -> None:
    """Nor by imports inside functions or for types: they tie files together all the same."""
    names = {module(path) for path in FILES}
    graph = {module(path): names & set(imports(path, type_checking=True)) - {module(path)} for path in FILES}
    del graph["generator"]  # gives out Atlas, when it is asked for
    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()  # raises CycleError, with the circle


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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
