"""HTML: what of a page is prose, and where its links lead.

>>> page = '<p>mixed4a:11 <code>mixed4a:12</code> <a href="x.html">mixed4a:13</a></p>'
>>> parse(page).prose.replace(chr(0), ".")
'...mixed4a:11 ....................... ...................................'

The tags are found by Python's own ``html.parser``, which tells where each stands. Text is prose in elements that are
known to hold some; in any other element only where a paragraph, a heading or the like is within it. What is opened and
never closed lasts to the end. The raw HTML of a Markdown document is read here too.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import cast

from generator.cite.layout import How, Layout, LeftAlone, Notes, Reference, Span, mask, newline_of
from generator.cite.masking import MATH, mask_constructs

LIST = '<ol class="atlas-notes">'
UNTOUCHED = frozenset(  # d-… and dt-… are Distill's own; <option> may lack its end, so <select> stands for it
    ("pre", "code", "kbd", "samp", "tt", "var", "listing", "xmp", "d-code", "dt-code", "d-math", "dt-math", "svg",
     "math", "script", "style", "template", "iframe", "title", "textarea", "select", "datalist", "button", "object",
     "noscript", "canvas", "mjx-container")
)  # fmt: skip
"""Elements whose text is never prose, whatever is in them."""
_PARAGRAPHS = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "dt", "dd", "td", "th", "caption", "figcaption", "blockquote",
     "summary")
)  # fmt: skip
_PROSE = _PARAGRAPHS | frozenset(
    ("html", "head", "body", "main", "article", "section", "aside", "nav", "header", "footer", "hgroup", "address",
     "div", "ul", "ol", "menu", "dl", "figure", "table", "thead", "tbody", "tfoot", "tr", "colgroup", "details",
     "dialog", "form", "fieldset", "legend", "label", "output", "search", "a", "em", "strong", "small", "s", "cite",
     "q", "dfn", "abbr", "ruby", "rb", "rt", "rp", "rtc", "data", "time", "sub", "sup", "i", "b", "u", "mark", "bdi",
     "bdo", "span", "ins", "del", "big", "center", "font", "strike", "nobr", "acronym", "picture", "video", "audio",
     "map", "atlas-unit")
)  # fmt: skip
_RAW = re.compile(rf"<(/?)(?:a|{'|'.join(sorted(UNTOUCHED))})(?=[\s/>])", re.IGNORECASE)
_EMPTY = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_NOT_TEXT = re.compile(
    r"(?:^|[\s_-])(?:math|katex|mjx|tex2jax_ignore|(?:tex|latex|equation|formula|arithmatex|notranslate|highlight|hljs"
    r"|listing|verbatim|(?:source)?code)(?![a-z]))",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'<>]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
_MARKUP = re.compile(r"<[a-zA-Z/!?]")
_NOTED = re.compile(r'<li id="fn-([a-z0-9_-]+)">')
_BODY = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(slots=True)
class Elements:
    """What is no prose, in the order in which it begins: tags and comments; links with their texts; what is never
    touched; what no rule knows. And where the links lead."""

    tags: list[Span] = field(default_factory=list)
    anchors: list[Span] = field(default_factory=list)
    untouched: list[Span] = field(default_factory=list)
    unknown: list[LeftAlone] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)


def parse(text: str) -> Layout:
    """The layout of a page. Takes time in proportion to its length."""
    plain, _, left = mask_constructs(text, is_markdown=False)
    elements = read_elements(plain)
    unknown = [(each.start, each.end) for each in elements.unknown]
    prose = mask(plain, [*elements.tags, *elements.anchors, *elements.untouched, *unknown])
    prose = mask(prose, (found.span() for found in MATH.finditer(prose)))
    left += elements.unknown
    return Layout(prose, tuple(elements.references), _notes(plain, elements), left_alone=tuple(left))


def read_elements(text: str) -> Elements:
    """All the markup of a text, from its beginning to its end."""
    reader = _Reader(text)
    try:
        reader.feed(text)
    except AssertionError:  # an older html.parser meets a marked section that it does not know
        reader.give_up()
    return reader.finish()


def depth_of(tag: str) -> int:
    """By how much a single tag changes the number of open elements whose text is not touched: 1, 0 or -1.

    >>> depth_of("<code>"), depth_of("</a>"), depth_of("<b>")
    (1, -1, 0)
    """
    found = _RAW.match(tag)
    return 0 if found is None else -1 if found[1] else 1


class _Reader(HTMLParser):
    """Notes where each tag begins and ends, in one pass.

    ``feed`` is called once and ``close`` never: what it leaves unread is markup that nobody closed, or the last words.
    """

    CDATA_CONTENT_ELEMENTS = ("script", "style", "textarea", "title", "xmp", "iframe")  # type: ignore[misc]

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.found = text, Elements()
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._markup: tuple[int, list[Span]] | None = None  # a tag or comment, which ends where the next thing begins
        self._anchor: _Anchor | None = None
        self._unit = -1  # where an <atlas-unit> began: it says itself which unit it is, and shows that for its text
        self._untouched, self._depth, self._begin = "", 0, 0  # the untouched element that is open
        self._open: list[tuple[str, bool]] = []  # elements that are open, and whether text in them is prose
        self._names: Counter[str] = Counter()
        self._since = 0  # where the last piece of text began that is in an element nobody knows

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start, end = self._begins()
        values = {name: value or "" for name, value in reversed(attrs)}
        if self._untouched:
            self._depth += tag == self._untouched
        elif tag not in _EMPTY and (tag in UNTOUCHED or _is_no_text(values)):
            self._untouched, self._depth, self._begin = tag, 1, start
        else:
            self._enter(tag, start, end)
            if tag in ("a", "body"):
                self._close_anchor(start, start)
            if tag == "a":
                self._anchor = _Anchor(start, end, self._attribute("href", values))
            for name, how in (("ref", "ref"), ("src", "shown")):
                if name == "src" or tag == "atlas-unit":
                    for place, value in self._attribute(name, values):
                        self.found.references.append(Reference(*place, value, cast(How, how), "html"))
            if tag == "atlas-unit" and self._unit < 0:
                self._unit = start

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in ("svg", "math"):  # for other elements the slash means nothing
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        start, _ = self._begins()
        end = self.text.find(">", start) + 1 or len(self.text)
        if self._untouched:
            self._depth -= tag == self._untouched
            if not self._depth:
                self.found.untouched.append((self._begin, end))
                self._untouched = ""
            return
        if tag in ("a", "body"):
            self._close_anchor(start, end if tag == "a" else start)
        if tag == "atlas-unit" and self._unit >= 0:
            self.found.anchors.append((self._unit, start))
            self._unit = -1
        while self._names[tag] and self._leave(start) != tag:
            pass

    def handle_data(self, data: str) -> None:
        start = self._at()
        self._end_markup(start)
        if _MARKUP.match(self.text, start):  # a torn tag
            self._markup = start, self.found.untouched

    def handle_comment(self, data: str) -> None:
        start, _ = self._begins()
        self._markup = start, self.found.untouched

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    handle_pi = unknown_decl = handle_comment

    def give_up(self) -> None:
        """What follows is not read and not touched."""
        self.found.untouched.append((self._at(), len(self.text)))
        self.rawdata = ""

    def finish(self) -> Elements:
        """All that was found; what is open lasts to the end."""
        end = len(self.text)
        rest = end - len(self.rawdata)
        self._end_markup(rest)
        if self._untouched:
            self.found.untouched.append((self._begin, end))
        elif self.rawdata.startswith("<"):
            self.found.untouched.append((rest, end))
        self._close_anchor(end, end)
        if self._unit >= 0:
            self.found.anchors.append((self._unit, end))
        if self._open and not self._open[-1][1]:
            self._left_alone(end)
        return self.found

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _begins(self) -> Span:
        """Where the tag or comment stands that was just read, as far as the parser tells."""
        start = self._at()
        self._end_markup(start)
        self._markup = start, self.found.tags
        return start, start + len(self.get_starttag_text() or "")

    def _end_markup(self, end: int) -> None:
        if self._markup:
            start, spans = self._markup
            spans.append((start, end))
            self._markup = None

    def _enter(self, tag: str, start: int, end: int) -> None:
        """An element that may hold prose begins."""
        if tag in _EMPTY:
            return
        if tag in _PARAGRAPHS and self._open and self._open[-1][0] == tag:
            self._leave(start)
        was_prose = not self._open or self._open[-1][1]
        is_prose = tag in _PARAGRAPHS or (tag in _PROSE and was_prose)
        self._switch(was_prose, is_prose, start, end)
        self._open.append((tag, is_prose))
        self._names[tag] += 1

    def _leave(self, at: int) -> str:
        """The innermost element ends. Returns its name."""
        tag, was_prose = self._open.pop()
        self._names[tag] -= 1
        self._switch(was_prose, not self._open or self._open[-1][1], at, at, tag)
        return tag

    def _switch(self, was_prose: bool, is_prose: bool, end: int, start: int, tag: str = "") -> None:
        if is_prose and not was_prose:
            self._left_alone(end, tag)
        elif was_prose and not is_prose:
            self._since = start

    def _left_alone(self, end: int, tag: str = "") -> None:
        self.found.unknown.append(LeftAlone(self._since, end, f"<{tag or self._open[-1][0]}>"))

    def _close_anchor(self, inner_end: int, end: int) -> None:
        """The link that is open ends. All of it is one reference, where its text is nothing but its address."""
        if self._anchor:
            for place, address in self._anchor.address:
                bare = html.unescape(self.text[self._anchor.inner : inner_end]).strip() == address
                where = (self._anchor.start, end) if bare else place
                self.found.references.append(Reference(*where, address, "bare" if bare else "link", "html"))
            self.found.anchors.append((self._anchor.start, inner_end))
            self._anchor = None

    def _attribute(self, wanted: str, values: Mapping[str, str]) -> list[tuple[Span, str]]:
        """Where the value of an attribute stands, without its quotes, and what it says. Nothing if the tag lacks it, or
        has it in a way that the parser reads differently."""
        for found in _ATTRIBUTE.finditer(self.get_starttag_text() or "") if wanted in values else ():
            if found[1].lower() == wanted:
                is_quoted = found[2][0] in "\"'"
                value = found[2][1:-1] if is_quoted else found[2]
                start = self._at() + found.start(2) + is_quoted
                same = html.unescape(value) == values[wanted]
                return [((start, start + len(value)), html.unescape(value).strip())] if same else []
        return []


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A link that is open: where it and its text begin; where its address stands, and what it is."""

    start: int
    inner: int
    address: list[tuple[Span, str]]


def _is_no_text(attributes: Mapping[str, str]) -> bool:
    """Whether an element says itself that its text is mathematics, code or not to be changed."""
    return (
        bool(_NOT_TEXT.search(attributes.get("class", "")))
        or attributes.get("role") == "math"
        or attributes.get("translate") == "no"
    )


def _notes(text: str, elements: Elements) -> Notes:
    """The notes stand in a list of their own, at the end of the page's body."""
    plain = mask(text, [*elements.untouched, *elements.anchors])
    line, there = newline_of(text), tuple(_NOTED.findall(plain))
    listed = plain.rfind(LIST)
    if listed >= 0 and (end := plain.find("</ol>", listed)) >= 0:
        return Notes(there, end)
    at = max((body.start() for body in _BODY.finditer(plain)), default=len(text))
    before = "" if not at or text[at - 1] in "\r\n" else line
    return Notes(there, at, f"{before}{LIST}{line}", f"</ol>{line}")
