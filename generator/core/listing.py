"""Modules that are found because they lie in a package: views, checkpoints, pages, panels, analyses.

>>> [module.__name__ for module in modules_of("generator.core.views")][:1]
['generator.core.views.channel']
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules_of(package: str) -> list[ModuleType]:
    """The modules of a package, imported, in alphabetical order. The package may be asked while it is imported."""
    path = importlib.import_module(package).__path__
    return [importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(path)]
