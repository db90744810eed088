"""What one page holds, as a browser would read it: its ids, its links, what it fetches, and what is wrong in it.

>>> seen = read_page('<html lang="en"><title>A</title><a href="b.html" id="x">b</a><img src="c.webp">')
>>> seen.links, seen.ids, seen.wrong[0]
({'b.html'}, ['x'], 'picture c.webp has no alt text')

Pages are parsed by lexbor, which follows the HTML standard: docs/decisions/0021-check-by-lexbor.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

_POINTING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
_NOT_FETCHED = ("canonical", "alternate", "prev", "next")  # links in the head that a browser does not follow


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What a page holds. ``names`` are names of units and links to families, ``pictures`` how many it shows."""

    links: set[str]
    fetched: set[str]
    ids: list[str]
    names: int
    pictures: int
    wrong: tuple[str, ...]


def read_page(text: str | bytes) -> PageSeen:
    """Read one page."""
    tree = LexborHTMLParser(text)

    def values(selector: str, name: str) -> list[str]:
        return [node.attributes.get(name) or "" for node in tree.css(selector)]

    links = values("a", "href")
    families = sum("families/" in link for link in links)
    heads = [node.attributes for node in tree.css("link")]
    linked = [given.get("href") or "" for given in heads if given.get("rel") in _NOT_FETCHED]
    fetched = [given.get("href") or "" for given in heads if given.get("rel") not in _NOT_FETCHED]
    sets = (part.split()[0] for given in values("img[srcset]", "srcset") for part in given.split(",") if part.strip())
    return PageSeen(
        links={*links, *linked, *values('meta[property="og:image"]', "content")},
        fetched={*fetched, *values("img[src], script[src], iframe[src]", "src"), *sets},
        ids=values("[id]", "id"),
        names=families + len(tree.css(".units i")),
        pictures=len(tree.css("img")),
        wrong=tuple(_wrong(tree)),
    )


def _wrong(tree: LexborHTMLParser) -> Iterator[str]:
    ids: dict[str, int] = {}
    pointed: set[str] = set()
    for node in tree.css("*"):
        for name, value in node.attributes.items():
            if name == "id":
                ids[value or ""] = ids.get(value or "", 0) + 1
            elif name in _POINTING:
                pointed.update((value or "").split())
            elif name == "style" or name.startswith("on"):
                yield f"<{node.tag} {name}> is refused by the security policy; use static/"
    for given in (node.attributes for node in tree.css("img")):
        if not given.get("alt"):
            yield f"picture {given.get('src') or '?'} has no alt text"
        if not given.get("width") or not given.get("height"):
            yield f"picture {given.get('src') or '?'} has no width and height"
    if not (tree.root and tree.root.attributes.get("lang")):
        yield "<html> has no lang"
    if not (tree.head and tree.head.css_first("title")):
        yield "has no <title>"
    if not tree.css_first('meta[http-equiv="Content-Security-Policy"]'):
        yield "has no content security policy"
    yield from (f"id “{name}” is used {n} times" for name, n in ids.items() if n > 1)
    yield from (f"“{name}” is pointed at and no id" for name in sorted(pointed - set(ids)))
