"""The pages of the site, a module for each kind. A module is found because it lies here and has a ``PAGES``.

Another page is another module here and a template of its own: docs/extending.md.
"""

from collections.abc import Iterator

from generator.core.package import modules_of
from generator.publish.page import Page, PageKind
from generator.publish.site import Site


def page_kinds() -> tuple[PageKind, ...]:
    """Every kind of page, in order."""
    return tuple(sorted((module.PAGES for module in modules_of(__name__)), key=lambda kind: kind.order))


def all_pages(site: Site) -> Iterator[Page]:
    """Every page of the site."""
    for kind in page_kinds():
        yield from kind.pages(site)
