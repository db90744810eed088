"""What one page holds, as a browser would read it: its ids, its links, what it fetches, and what is wrong in it.

>>> seen = read_page('<html lang="en"><title>A</title><a href="b.html" id="x">b</a><img src="c.webp">')
>>> seen.links, seen.ids, seen.wrong[0]
({'b.html'}, Counter({'x': 1}), 'picture c.webp has no alt text')

Pages are parsed by lexbor, which follows the HTML standard: docs/decisions/0021-check-by-lexbor.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser

_POINTING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
_FETCHED = {"img": ("src", "srcset"), "script": ("src",), "link": ("href",), "iframe": ("src",)}
_LINK_ONLY = ("canonical", "alternate", "prev", "next")  # links that a browser does not fetch

Attributes = Mapping[str, str | None]


@dataclass(slots=True)
class PageSeen:
    """What a page holds. ``pointed`` are ids that something else points at; ``names`` are names of units and links to
    families; ``pictures`` is how many it shows."""

    links: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)
    ids: Counter[str] = field(default_factory=Counter)
    pointed: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    names: int = 0
    pictures: int = 0


def read_page(text: str | bytes) -> PageSeen:
    """Read a page, once from its beginning to its end."""
    seen = PageSeen()
    tree = LexborHTMLParser(text)
    policy = False
    for node in tree.css("*"):
        given = node.attributes
        if not given:
            continue
        tag = str(node.tag)
        _read_attributes(seen, tag, given)
        if tag == "a":
            href = given.get("href") or ""
            seen.links.add(href)
            seen.names += "families/" in href
        elif tag in _FETCHED:
            _read_fetched(seen, tag, given)
        elif tag == "meta":
            policy |= given.get("http-equiv") == "Content-Security-Policy"
            if given.get("property") == "og:image":
                seen.links.add(given.get("content") or "")
    seen.names += len(tree.css(".units i"))
    seen.wrong += _missing(tree, policy)
    seen.wrong += [f"id “{name}” is used {n} times" for name, n in seen.ids.items() if n > 1]
    seen.wrong += [f"“{name}” is pointed at and no id" for name in sorted(seen.pointed - set(seen.ids))]
    return seen


def _read_attributes(seen: PageSeen, tag: str, given: Attributes) -> None:
    for name, value in given.items():
        if name == "id":
            seen.ids[value or ""] += 1
        elif name in _POINTING:
            seen.pointed.update((value or "").split())
        elif name == "style" or name.startswith("on"):
            seen.wrong.append(f"<{tag} {name}> is refused by the security policy; use static/")


def _read_fetched(seen: PageSeen, tag: str, given: Attributes) -> None:
    into = seen.links if given.get("rel") in _LINK_ONLY else seen.fetched
    for name in _FETCHED[tag]:
        value = given.get(name) or ""
        if name == "srcset":
            into.update(part.split()[0] for part in value.split(",") if part.strip())
        elif value or name == "href":
            into.add(value)
    if tag == "img":
        seen.pictures += 1
        picture = given.get("src") or "?"
        if not given.get("alt"):
            seen.wrong.append(f"picture {picture} has no alt text")
        if not given.get("width") or not given.get("height"):
            seen.wrong.append(f"picture {picture} has no width and height")


def _missing(tree: LexborHTMLParser, policy: bool) -> Iterator[str]:
    if not (tree.root and tree.root.attributes.get("lang")):
        yield "<html> has no lang"
    if not (tree.head and tree.head.css_first("title")):
        yield "has no <title>"
    if not policy:
        yield "has no content security policy"
