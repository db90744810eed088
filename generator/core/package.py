"""What comes with the package: folders of files, and modules that are found because they lie in a folder.

>>> package_folder("templates").name
'templates'
>>> [module.__name__ for module in modules_of("generator.core.views")][:1]
['generator.core.views.channel']
"""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType


def package_folder(name: str) -> Path:
    """``templates``, ``static`` or ``labels``: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent.parent
    return package / name if (package / name).is_dir() else package.parent / name


def modules_of(package: str) -> list[ModuleType]:
    """The modules of a package, imported, in alphabetical order. The package may be asked while it is imported."""
    path = importlib.import_module(package).__path__
    return [importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(path)]
