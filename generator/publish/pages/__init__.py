"""The pages of the site, a module for each kind. A module is found because it lies here and has a ``PAGES``.

>>> [page.address for page in all_pages(site)][:3]                # doctest: +SKIP
['index.html', 'about.html', 'how.html']

Another page is another module here and a template of its own: docs/extending.md.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from generator.publish.page import Page, PageKind
from generator.publish.site import Site


def page_kinds() -> tuple[PageKind, ...]:
    """Every kind of page, in order."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.PAGES for module in modules), key=lambda kind: kind.order))


def all_pages(site: Site) -> Iterator[Page]:
    """Every page of the site."""
    for kind in page_kinds():
        yield from kind.pages(site)
