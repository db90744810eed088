"""The analyses that `atlas study` knows: every module of this package with an ``ANALYSIS``."""

from generator.core.package import modules_of
from generator.study.analysis import Analysis


def analyses() -> dict[str, Analysis]:
    """Every analysis by name, in alphabetical order."""
    return {module.ANALYSIS.name: module.ANALYSIS for module in modules_of(__name__)}
