"""Folders that come with the package: templates, static files, labels.

>>> package_folder("templates").name
'templates'
"""

from __future__ import annotations

from pathlib import Path


def package_folder(name: str) -> Path:
    """``templates``, ``static`` or ``labels``: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent.parent
    return package / name if (package / name).is_dir() else package.parent / name
