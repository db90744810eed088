"""HTML: what of a page is prose, and where its links lead.

>>> page = '<p>mixed4a:11 <code>mixed4a:12</code> <a href="https://x.org/">mixed4a:13</a></p>'
>>> [(reference.how, reference.word) for reference in read_html(page)]
[('name', 'mixed4a:11'), ('link', 'https://x.org/')]

Lexbor makes the tree that a browser makes. Text is prose in elements that are known to hold some; in any other element
only where a paragraph, a heading or the like is within it. Markdown comes here as the HTML that it is rendered to.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from generator.cite.mentions import MARK, Reference, marked, marks, mentions, unmarked
from generator.cite.templates import MATH, set_aside

UNTOUCHED = frozenset(  # d-… and dt-… are Distill's own; <option> may lack its end, so <select> stands for it
    ("pre", "code", "kbd", "samp", "tt", "var", "listing", "xmp", "d-code", "dt-code", "d-math", "dt-math", "svg",
     "math", "script", "style", "template", "iframe", "title", "textarea", "select", "datalist", "button", "object",
     "noscript", "canvas", "mjx-container", "atlas-svg", "atlas-math")
)  # fmt: skip
_PARAGRAPHS = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "dt", "dd", "td", "th", "caption", "figcaption", "blockquote",
     "summary")
)  # fmt: skip
_PROSE = frozenset(
    ("html", "head", "body", "main", "article", "section", "aside", "nav", "header", "footer", "hgroup", "address",
     "div", "ul", "ol", "menu", "dl", "figure", "table", "thead", "tbody", "tfoot", "tr", "colgroup", "details",
     "dialog", "form", "fieldset", "legend", "label", "output", "search", "em", "strong", "small", "s", "cite", "q",
     "dfn", "abbr", "ruby", "rb", "rt", "rp", "rtc", "data", "time", "sub", "sup", "i", "b", "u", "mark", "bdi",
     "bdo", "span", "ins", "del", "big", "center", "font", "strike", "nobr", "acronym", "picture", "video", "audio",
     "map", "atlas-note")
)  # fmt: skip
_LINKS = ("a", "atlas-unit", "atlas-link")
_NOT_TEXT = re.compile(
    r"(?:^|[\s_-])(?:math|katex|mjx|tex2jax_ignore|(?:tex|latex|equation|formula|arithmatex|notranslate|highlight|hljs"
    r"|listing|verbatim|mermaid|codehilite|(?:source)?code)(?![a-z]))",
    re.IGNORECASE,
)
# spans of code in a block of HTML are none, but some read Markdown there, and everyone means code
_MATH_OR_CODE = re.compile(rf"(?<!`)(`+)(?!`)[^`]*\1(?!`)|{MATH.pattern}")
_FOREIGN = re.compile(r"<(/?)(svg|math)(?=[\s/>])(?:[^<>]*(/>))?", re.IGNORECASE)
_CLOSE = re.compile(r">?\s*\)")


@dataclass(frozen=True, slots=True)
class _Place:
    """What text in an element is: never to be touched; the text of a link; in a footnote; in a construct that no rule
    knows (``left``); or else prose."""

    is_never: bool = False
    is_link: bool = False
    is_note: bool = False
    left: str = ""

    def inside(self, tag: str, values: Mapping[str, str]) -> _Place:
        """What text in an element within this place is."""
        says_so = values.get("role") == "math" or values.get("translate") == "no"
        if tag in UNTOUCHED or says_so or _NOT_TEXT.search(values.get("class", "")):
            return _Place(is_never=True)
        if tag in _LINKS:
            return replace(self, is_link=True)
        if tag in _PARAGRAPHS:
            return replace(self, left="")
        if tag in _PROSE:
            return replace(self, is_note=True) if tag == "atlas-note" else self
        return replace(self, left=self.left or values.get("what", f"<{tag}>"))


@dataclass(frozen=True, slots=True)
class Tree:
    """A page, the text that it was made of, and its mentions, whose marks are on the page. Where the text is Markdown,
    ``raw`` are the mentions in its blocks of HTML."""

    page: str
    text: str
    found: Sequence[Reference]
    raw: Collection[int] | None = None

    def references(self) -> dict[int, Reference]:
        """What each mention is, by its number; without those that are not to be read."""
        references: dict[int, Reference] = {}
        places: dict[int, _Place] = {}
        # a paragraph in a drawing ends the drawing for a browser, but is no prose
        page = _FOREIGN.sub(lambda found: "" if found[3] else f"<{found[1]}atlas-{found[2]}", self.page)
        root = LexborHTMLParser(page).root
        for node in root.traverse(include_text=True) if root else ():
            place = places.get(node.parent.mem_id, _Place()) if node.parent else _Place()
            if place.is_never:
                places[node.mem_id] = place
                if node.tag == "a":  # where tags cross each other, the same link may come again in another place
                    for number in marks(node.attributes.get("href") or ""):
                        references.setdefault(number, replace(self.found[number], word=""))
                continue
            if node.is_element_node:
                values = {name: value or "" for name, value in node.attributes.items()}
                places[node.mem_id] = place.inside(str(node.tag), values)
                read = self._in_tag(node, values, place)
            elif node.is_text_node and not place.is_link and MARK in (node.text_content or ""):
                read = self._in_text(node.text_content or "", place)
            else:
                continue
            for number, reference in read:
                references.setdefault(number, reference)
        return references

    def _in_text(self, said: str, place: _Place) -> Iterator[tuple[int, Reference]]:
        """The mentions in a piece of text."""
        for number in marks(said if self.raw is not None else MATH.sub("", said)):
            mention, is_raw = self.found[number], number in (self.raw or ())
            if is_raw and number not in marks(_MATH_OR_CODE.sub("", said)):
                continue
            if mention.how == "bare" and self.text.startswith("](", mention.start - 2):
                continue
            language = "html" if is_raw else mention.language
            yield number, replace(mention, language=language, is_plain=is_raw or place.is_note, left=place.left)

    def _in_tag(self, node: LexborNode, values: Mapping[str, str], place: _Place) -> Iterator[tuple[int, Reference]]:
        """The address of a link or a picture, and the name of an <atlas-unit>."""
        if node.tag == "atlas-unit":
            for number in marks(values.get("ref", ""))[:1]:
                yield number, replace(self.found[number], word=unmarked(values["ref"]))
        elif node.tag not in _LINKS:
            for number, link in self.links(values.get("src", "")):
                yield number, replace(link, how="shown")
        elif not place.is_link:
            for number, link in self.links(values.get("href", "")):
                is_raw = number in (self.raw or ())
                for start, end in self._whole(link, node):
                    link = replace(link, start=start, end=end, how="bare", is_plain=is_raw or place.is_note)
                if not self.text.startswith("!<", link.start - (link.how == "bare")):
                    yield number, link

    def links(self, value: str) -> Iterator[tuple[int, Reference]]:
        """The link to an address, with the number of its mention, if the address begins with that."""
        for number in marks(value)[:1]:
            mention, word = self.found[number], unmarked(value).strip()
            language = "html" if number in (self.raw or ()) else mention.language
            for written in {word, html.escape(word, quote=False)}:
                if mention.how == "bare" and self.text.startswith(written, mention.start):
                    yield number, Reference(mention.start, mention.start + len(written), word, "link", language)

    def _whole(self, link: Reference, node: LexborNode) -> Iterator[tuple[int, int]]:
        """All of a link, where its text is nothing but its address."""
        text, start, end = self.text, link.start, link.end
        if "://" not in link.word or unmarked(node.text()).strip() != link.word:
            return
        if text.startswith("<", start - 1):
            yield start - 1, end + 1
        elif behind := _CLOSE.match(text, end):
            yield text.rfind("[", 0, start), behind.end()
        else:
            inner = text.find(">", end) + 1
            close = text.find("</", inner)
            if close >= 0 and html.unescape(text[inner:close]).strip() == link.word:
                yield text.rfind("<", 0, start), text.find(">", close) + 1


def read_html(text: str) -> list[Reference]:
    """The references of a page. Takes time in proportion to its length."""
    plain, left = set_aside(text, "html")
    found = list(mentions(plain, "html"))
    return [*left, *Tree(marked(plain, found), plain, found).references().values()]
