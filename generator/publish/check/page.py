"""What one page holds, as a browser would read it: ids, links, what it fetches, and what is wrong in it.

>>> page = check_page("a.html", '<html lang="en"><title>A</title><a href="b.html#x" id="y">b</a>', {"b.html"}, base="")
>>> page.wrong, page.ids, page.places
(('has no content security policy',), frozenset({'y'}), (('b.html#x', 'b.html', 'x'),))

Pages are parsed by lexbor, which follows the HTML standard: docs/decisions/0021-check-by-lexbor.md.
"""

import posixpath
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from generator.links import addresses
from generator.publish.check.budgets import PageContents

_POINTING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
_SIZED = ".units img, .strip img, .ties img"  # by the style sheet
_NOT_FETCHED = ("canonical", "alternate", "prev", "next")  # links in the head that a browser does not follow


Attributes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PageChecked:
    """What is wrong with a page by itself, and what has to be known of it to check the others.

    ``places`` are links to a place in a page: as it is written, the page, and the id that has to be there.
    """

    wrong: tuple[str, ...]
    ids: frozenset[str]
    places: tuple[tuple[str, str, str], ...]
    contents: PageContents


def check_page(address: str, text: str | bytes, files: Container[str], base: str) -> PageChecked:
    """Check the page at ``address``. ``base`` is the published address of the site, or ""."""
    tree = LexborHTMLParser(text)
    elements: dict[str, list[Attributes]] = {}
    for node in tree.css("*"):  # one pass: making the attributes takes longer than finding the elements
        elements.setdefault(node.tag or "", []).append(node.attributes)

    def values(tag: str, name: str) -> list[str]:
        return [given.get(name) or "" for given in elements.get(tag, ())]

    heads = elements.get("link", ())
    sets = (part.split()[0] for given in values("img", "srcset") for part in given.split(",") if part.strip())
    shown = {given.get("href") or "" for given in heads if given.get("rel") not in _NOT_FETCHED}
    shown.update(
        *(filter(None, values(tag, "src")) for tag in ("img", "script", "iframe")), values("image", "href"), sets
    )
    links = {given.get("href") or "" for given in heads if given.get("rel") in _NOT_FETCHED}
    links.update(
        given.get("content") or "" for given in elements.get("meta", ()) if given.get("property") == "og:image"
    )
    links.update(anchors := values("a", "href"))

    wrong = list(_wrong(tree, elements))
    places: list[tuple[str, str, str]] = []
    fetched: list[str] = []
    folder = posixpath.dirname(address)
    for link in sorted(links | shown):
        target, place = _resolve(folder, link, base)
        if target is None:
            wrong += [f"fetches {link} from elsewhere"] if link in shown else []
            continue
        if target and link in shown:
            fetched.append(target)
        target = target or address
        if not link or target not in files:
            wrong.append(f"link to {link or 'nothing'} leads nowhere")
        elif place:
            places.append((link, target, place))
    ids = frozenset(given["id"] or "" for some in elements.values() for given in some if "id" in given)
    contents = PageContents(
        names=sum("families/" in link for link in anchors) + len(tree.css(".units i")),
        pictures=len(elements.get("img", ())),
        others=max(0, sum(name.startswith("p-") for name in ids) - 1),  # the unit's own is none
        credited=len(tree.css(".credited a")),
        photographs=len(tree.css("summary img")),
        fetched=tuple(fetched),
        base=len(base),
    )
    return PageChecked(tuple(wrong), ids, tuple(places), contents)


def _wrong(tree: LexborHTMLParser, elements: Mapping[str, Sequence[Attributes]]) -> Iterator[str]:
    """What is wrong in a page, whatever else there is."""
    ids: dict[str, int] = {}
    pointed: set[str] = set()
    for tag, some in elements.items():
        for name, value in (item for given in some for item in given.items()):
            if name == "id":
                ids[value or ""] = ids.get(value or "", 0) + 1
            elif name in _POINTING:
                pointed.update((value or "").split())
            elif name == "style" or name.startswith("on"):
                yield f"<{tag} {name}> is refused by the security policy; use static/"
    sized = {node.mem_id for node in tree.css(_SIZED)}
    for node, given in zip(tree.css("img"), elements.get("img", ()), strict=True):
        has_words = "alt" in given and node.parent and node.parent.tag == "a" and node.parent.text(strip=True)
        if not given.get("alt") and not has_words:  # a picture in a link may leave it to the link's words
            yield f"picture {given.get('src') or '?'} has no alt text"
        if not (given.get("width") and given.get("height")) and node.mem_id not in sized:
            yield f"picture {given.get('src') or '?'} has no width and height"
    if not (tree.root and tree.root.attributes.get("lang")):
        yield "<html> has no lang"
    if not (tree.head and tree.head.css_first("title")):
        yield "has no <title>"
    if not tree.css_first('meta[http-equiv="Content-Security-Policy"]'):
        yield "has no content security policy"
    yield from (f"id “{name}” is used {n} times" for name, n in ids.items() if n > 1)
    yield from (f"“{name}” is pointed at and no id" for name in sorted(pointed - set(ids)))


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
