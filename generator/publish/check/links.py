"""Whether what a page links and fetches is there.

>>> from generator.publish.check.page import read_page
>>> seen = read_page('<a href="b.html">b</a><a href="c.html#x">c</a>')
>>> Links.of("a.html", seen, {"a.html", "c.html"}, base="")
Links(wrong=('link to b.html leads nowhere',), places=(('c.html#x', 'c.html', 'x'),), fetched=())
"""

from __future__ import annotations

import posixpath
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from generator.links import addresses
from generator.publish.check.page import PageSeen


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one page.

    ``wrong`` says which lead nowhere. ``places`` are links to a place in a page: as it is written, the page, the id
    that has to be there. ``fetched`` are the addresses in the site of what the page shows.
    """

    wrong: tuple[str, ...]
    places: tuple[tuple[str, str, str], ...]
    fetched: tuple[str, ...]

    @classmethod
    def of(cls, address: str, seen: PageSeen, files: Container[str], base: str) -> Links:
        """Look up the links of the page at ``address``. ``base`` is the published address of the site, or ""."""
        folder = posixpath.dirname(address)
        wrong: list[str] = []
        places: list[tuple[str, str, str]] = []
        fetched: list[str] = []
        for link in sorted(seen.links | seen.fetched):
            target, fragment = _resolve(folder, link, base)
            if target is None:
                if link in seen.fetched:
                    wrong.append(f"fetches {link} from elsewhere")
                continue
            if target and link in seen.fetched:
                fetched.append(target)
            target = target or address
            if not link or target not in files:
                wrong.append(f"link to {link or 'nothing'} leads nowhere")
            elif fragment and target.endswith(".html"):
                places.append((link, target, fragment))
        return cls(tuple(wrong), tuple(places), tuple(fetched))


@lru_cache(maxsize=1 << 16)
def _resolve(folder: str, link: str, base: str) -> tuple[str | None, str]:
    """The address and fragment that a link means on a page in ``folder``.

    The address is "" for the page itself, and None elsewhere; data: counts as the page itself.
    """
    if base and link.startswith(base):
        folder, link = "", link[len(base) :] or addresses.HOME
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ("" if parts.scheme == "data" else None), ""
    target = posixpath.normpath(posixpath.join(folder, unquote(parts.path))) if parts.path else ""
    return (f"{target}/{addresses.HOME}" if parts.path.endswith("/") else target), parts.fragment
