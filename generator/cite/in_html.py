"""HTML: what of a page is prose, and where its links lead.

>>> page = '<p>mixed4a:11 <code>mixed4a:12</code> <a href="x.html">mixed4a:13</a></p>'
>>> lay_out(page).prose.replace(chr(0), ".")
'...mixed4a:11 ....................... ...................................'

Tags are found where they stand, because a parser that reads a page into elements does not tell where an attribute's
value begins. What is no tag stays prose, so pages need not be well-formed; what is opened and never closed lasts to
the end, as it does in a browser. Markdown's raw HTML is walked here too.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

from generator.cite.apart import MATH, TEMPLATE, apart, front_matter, veiled
from generator.cite.layout import Layout, Notes, Reference, blanked, newline_of

LIST = '<ol class="atlas-notes">'
UNTOUCHED = frozenset(  # d-… and dt-… are Distill's own; <option> may lack its end, so <select> stands for it
    ("pre", "code", "kbd", "samp", "tt", "listing", "xmp", "d-code", "dt-code", "d-math", "dt-math", "svg", "math",
     "script", "style", "template", "iframe", "title", "textarea", "select", "datalist", "button")
)  # fmt: skip
_NESTING = frozenset(("svg", "math"))  # the others end at their first end tag
# Quotes are paired left to right and never given back, so that however many tags are torn each is read about once.
TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][^\s/<>\x00]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>")
_MARKUP = re.compile(r"<!--|<[!?]|<(?=/?[a-zA-Z])")
_ATTRIBUTE = re.compile(r"([^\s=/\"'<>]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
_NOTED = re.compile(r'<li id="fn-([a-z0-9_-]+)">')
_BODY = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(slots=True)
class Walked:
    """What is no prose: tags, links with their texts, and what is never touched; and where the links lead."""

    tags: list[tuple[int, int]] = field(default_factory=list)
    anchors: list[tuple[int, int]] = field(default_factory=list)
    untouched: list[tuple[int, int]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    @property
    def blanks(self) -> list[tuple[int, int]]:
        return [*self.tags, *self.anchors, *self.untouched]


def lay_out(text: str) -> Layout:
    plain = apart(text)
    front = front_matter(plain, is_markdown=False)
    plain = veiled(plain, chain([(0, front)], (found.span() for found in TEMPLATE.finditer(plain, front))))
    walked = walk(plain)
    prose = blanked(plain, walked.blanks)
    math = (found.span() for found in MATH.finditer(prose))
    return Layout(blanked(prose, math), tuple(walked.references), _notes(plain, walked))


def walk(text: str) -> Walked:
    """All the markup of a text, from its beginning to its end."""
    walked = Walked()
    anchor: re.Match[str] | None = None  # the <a> that is open
    at = 0
    while markup := _MARKUP.search(text, at):
        start = markup.start()
        tag = TAG.match(text, start)
        if tag is None:
            at = _after(text, {"<!--": "-->", "<": "<"}.get(markup[0], ">"), markup.end())
            walked.untouched.append((start, at))
        elif not tag["end"] and tag["name"].lower() in UNTOUCHED:
            at = closing(text, tag["name"].lower(), tag)
            walked.untouched.append((start, at))
        else:
            at = tag.end()
            walked.tags.append((start, at))
            if tag["name"].lower() in ("a", "body"):
                closes = tag["end"] and tag["name"] in "aA"
                if anchor:
                    walked.references += _link(text, anchor, start, at if closes else start)
                    walked.anchors.append((anchor.start(), start))
                anchor = tag if tag["name"] in "aA" and not closes else None
            elif not tag["end"]:
                walked.references += _shown(tag)
                if tag["name"].lower() == "atlas-unit":  # says itself which unit it is, and shows that for its text
                    walked.anchors.append((start, closing(text, "atlas-unit", tag)))
    if anchor:
        walked.references += _link(text, anchor, len(text), len(text))
        walked.anchors.append((anchor.start(), len(text)))
    return walked


def _link(text: str, tag: re.Match[str], inner_end: int, end: int) -> Iterator[Reference]:
    """The address of a link; all of the link, where its text is nothing but the address."""
    for start, stop, address in _attribute(tag, "href"):
        bare = html.unescape(text[tag.end() : inner_end]).strip() == address
        yield Reference(*((tag.start(), end) if bare else (start, stop)), address, "bare" if bare else "link", "html")


def _shown(tag: re.Match[str]) -> Iterator[Reference]:
    if tag["name"].lower() == "atlas-unit":
        for start, stop, name in _attribute(tag, "ref"):
            yield Reference(start, stop, name, "ref", "html")
    for start, stop, address in _attribute(tag, "src"):
        yield Reference(start, stop, address, "shown", "html")


def _attribute(tag: re.Match[str], wanted: str) -> Iterator[tuple[int, int, str]]:
    """Where the value of an attribute stands, without its quotes, and what it says; nothing if the tag lacks it."""
    for found in _ATTRIBUTE.finditer(tag["rest"]):
        if found[1].lower() == wanted:
            quoted = found[2][0] in "\"'"
            start = tag.start("rest") + found.start(2) + quoted
            value = found[2][1:-1] if quoted else found[2]
            yield start, start + len(value), html.unescape(value).strip()
            return


def closing(text: str, name: str, tag: re.Match[str], *, nests: bool = False) -> int:
    """Where an element ends."""
    nests = nests or name in _NESTING
    if name in _NESTING and tag["rest"].endswith("/"):
        return tag.end()
    depth, at = 1, tag.end()
    for found in _edges(name).finditer(text, at):
        if found[1] or nests:
            depth += -1 if found[1] else 1
        if not depth:
            return _after(text, ">", found.end())
    return len(text)


@cache
def _edges(name: str) -> re.Pattern[str]:
    return re.compile(rf"<(/?){name}(?=[\s/>])", re.IGNORECASE)


def _after(text: str, what: str, at: int) -> int:
    """Where a text goes on behind the next of these; its end, if there is none. A ``<`` is not passed."""
    found = text.find(what, at)
    return len(text) if found < 0 else found + (len(what) if what != "<" else 0)


def _notes(text: str, walked: Walked) -> Notes:
    """The notes stand in a list of their own, at the end of the page's body."""
    plain = blanked(text, [*walked.untouched, *walked.anchors])
    line, there = newline_of(text), tuple(_NOTED.findall(plain))
    listed = plain.rfind(LIST)
    if listed >= 0 and (end := plain.find("</ol>", listed)) >= 0:
        return Notes(there, end)
    at = max((body.start() for body in _BODY.finditer(plain)), default=len(text))
    before = "" if not at or text[at - 1] in "\r\n" else line
    return Notes(there, at, f"{before}{LIST}{line}", f"</ol>{line}")
