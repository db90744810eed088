"""HTML: what of a page is prose, and where its links lead.

>>> page = '<p>mixed4a:11 <code>mixed4a:12</code> <a href="https://x.org/">mixed4a:13</a></p>'
>>> [(reference.how, reference.word) for reference in read_html(page)]
[('name', 'mixed4a:11'), ('link', 'https://x.org/')]

Lexbor makes the tree that a browser makes. Text is prose in elements that are known to hold some; in any other element
only where a paragraph, a heading or the like is within it. Markdown comes here as the HTML that it is rendered to.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

from selectolax.lexbor import LexborHTMLParser, LexborNode

from generator.cite.mentions import MARK, Language, Reference, marked, marks, mentions, unmarked
from generator.cite.templates import MATH, set_aside

UNTOUCHED = (  # elements; d-… and dt-… are Distill's own; <option> may lack its end, so <select> stands for it
    "(?:d-|dt-)?(?:code|math)|pre|kbd|samp|tt|var|listing|xmp|svg|script|style|template|iframe|title|textarea|select"
    "|datalist|button|object|noscript|canvas|mjx-container|atlas-svg|atlas-math"
)
_ELEMENT = re.compile(
    rf"(?P<never>{UNTOUCHED})|(?P<link>a|atlas-unit|atlas-link)"
    "|(?P<paragraph>p|h[1-6]|li|dt|dd|td|th|caption|figcaption|blockquote|summary)"
    "|(?P<prose>html|head|body|main|article|section|aside|nav|header|footer|hgroup|address|div|ul|ol|menu|dl|figure"
    "|table|thead|tbody|tfoot|tr|colgroup|details|dialog|form|fieldset|legend|label|output|search|em|strong|small|s"
    "|cite|q|dfn|abbr|ruby|rb|rt|rp|rtc|data|time|sub|sup|i|b|u|mark|bdi|bdo|span|ins|del|big|center|font|strike|nobr"
    "|acronym|picture|video|audio|map)|(?P<note>atlas-note)"
)
_NOT_TEXT = re.compile(
    r"(?:^|[\s_-])(?:math|katex|mjx|tex2jax_ignore|(?:tex|latex|equation|formula|arithmatex|notranslate|highlight|hljs"
    r"|listing|verbatim|mermaid|codehilite|(?:source)?code)(?![a-z]))",
    re.IGNORECASE,
)
# spans of code and links in a block of HTML are none, but some read Markdown there, and everyone means code
_MATH_OR_CODE = re.compile(rf"(?<!`)(`+)(?!`)[^`]*\1(?!`)|\[[^\[\]]*\]\([^()]*\)|{MATH.pattern}")
_FOREIGN = re.compile(r"<(/?)(svg|math)(?=[\s/>])(?:[^<>]*(/>))?", re.IGNORECASE)
_WHOLE = re.compile(r"<\S+>|\[\S+\]\(\s*<?\S+>?\s*\)|<a\b[^<>]*>\s*\S+\s*</a\s*>", re.IGNORECASE)  # a link


@cache
def _kind_of(tag: str | None) -> str:
    """What an element does to the text in it, or "" if no rule knows it."""
    found = _ELEMENT.fullmatch(tag or "")
    return str(found.lastgroup) if found else ""


@dataclass(frozen=True, slots=True)
class _Place:
    """What text in an element is: ``within`` says never to be touched, the text of a link, in a footnote. ``left``
    names a construct that no rule knows. Else it is prose."""

    within: frozenset[str] = frozenset()
    left: str = ""

    def inside(self, tag: str, values: Mapping[str, str]) -> Self:
        """What text in an element within this place is."""
        says_so = values.get("role") == "math" or values.get("translate") == "no"
        kind = "never" if says_so or _NOT_TEXT.search(values.get("class", "")) else _kind_of(tag)
        left = "" if kind == "paragraph" else self.left
        if not kind:
            left = left or values.get("what", f"<{tag}>")
        return self if "never" in self.within else type(self)(self.within | {kind}, left)


@dataclass(frozen=True, slots=True)
class Page:
    """A text and its mentions, to be found where their marks come out on a page that is made of the text."""

    text: str
    found: Sequence[Reference]

    def references(self, page: str) -> dict[int, Reference]:
        """What each mention is, by its number; without those that are not to be read."""
        references: dict[int, Reference] = {}
        places: dict[int, _Place] = {}
        # a paragraph in a drawing ends the drawing for a browser, but is no prose
        page = _FOREIGN.sub(lambda found: "" if found[3] else f"<{found[1]}atlas-{found[2]}", page)
        root = LexborHTMLParser(page).root
        for node in root.traverse(include_text=True) if root else ():
            place = places.get(node.parent.mem_id, _Place()) if node.parent else _Place()
            if node.is_element_node:
                values = {name: value or "" for name, value in node.attributes.items()}
                places[node.mem_id] = place.inside(str(node.tag), values)
                read = self._in_tag(node, values, place)
            elif node.is_text_node and not place.within & {"never", "link"} and MARK in (node.text_content or ""):
                read = self._in_text(node.text_content or "", place)
            else:
                continue
            for number, reference in read:
                references.setdefault(number, reference)
        return references

    def _in_text(self, said: str, place: _Place) -> Iterator[tuple[int, Reference]]:
        """The mentions in a piece of text."""
        first = self.found[marks(said)[0]]
        if first.language == "html":
            said = (_MATH_OR_CODE if first.is_plain else MATH).sub("", said)
        for number in marks(said):
            mention = self.found[number]
            if mention.how != "bare" or not self.text.startswith("](", mention.start - 2):
                is_plain, left = mention.is_plain or "note" in place.within, place.left or mention.left
                yield number, replace(mention, is_plain=is_plain, left=left)

    def _in_tag(self, node: LexborNode, values: Mapping[str, str], place: _Place) -> Iterator[tuple[int, Reference]]:
        """The address of a link or a picture, and the name of an <atlas-unit>."""
        href = values.get("href", "")
        if "never" in place.within:  # where tags cross each other, the same link may come again in another place
            yield from ((number, replace(self.found[number], word="")) for number in marks(href) if node.tag == "a")
        elif node.tag == "atlas-unit":
            for number in marks(values.get("ref", ""))[:1]:
                yield number, replace(self.found[number], word=unmarked(values["ref"]))
        elif _kind_of(node.tag) != "link":
            yield from ((number, replace(link, how="shown")) for number, link in self.links(values.get("src", "")))
        elif "link" not in place.within:
            for number, link in self.links(href):
                whole = self._whole(link, node)
                if not self.text.startswith("!<", whole.start - 1):
                    yield number, replace(whole, is_plain=link.is_plain or "note" in place.within)

    def links(self, value: str) -> Iterator[tuple[int, Reference]]:
        """The link to an address, with the number of its mention, if the address begins with that."""
        for number in marks(value)[:1]:
            mention, word = self.found[number], unmarked(value).strip()
            for written in {word, html.escape(word, quote=False)}:
                if mention.how == "bare" and self.text.startswith(written, mention.start):
                    yield number, replace(mention, end=mention.start + len(written), word=word, how="link")

    def _whole(self, link: Reference, node: LexborNode) -> Reference:
        """All of a link, where its text is nothing but its address."""
        numbers = marks(node.text())
        if numbers and "://" in link.word and unmarked(node.text()).strip() == link.word:
            said = self.found[numbers[0]]
            first, last = "<>" if node.tag == "a" or said.start == link.start else "[)"
            start = self.text.rfind(first, 0, min(said.start, link.start))
            end = max(said.end, link.end)
            end = self.text.find(last, end, end + 99) + 1
            if _WHOLE.fullmatch(self.text, start, end):
                return replace(link, start=start, end=end, how="bare")
        return link


def read_html(text: str, language: Language = "html") -> list[Reference]:
    """The references of a page. Takes time in proportion to its length."""
    plain, left = set_aside(text, language)
    found = list(mentions(plain, language))
    return [*left, *Page(plain, found).references(marked(plain, found)).values()]
