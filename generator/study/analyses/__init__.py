"""The analyses that `atlas study` knows: every module of this package with an ``ANALYSIS``."""

from __future__ import annotations

import importlib
import pkgutil

from generator.study.analysis import Analysis


def analyses() -> dict[str, Analysis]:
    """Every analysis by name, in alphabetical order."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.ANALYSIS.name: module.ANALYSIS for module in modules}
