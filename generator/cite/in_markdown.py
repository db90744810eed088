"""Markdown: what of a document is prose, and where its links lead.

>>> parse("mixed4a:11 `mixed4a:12` [mixed4a:13](x.html)").prose.replace(chr(0), ".")
'mixed4a:11 ............ ....................'

Prose is what the parser reads as text, and nothing else. A text whose lines cannot be found in the source, or which
begins like a construct that no rule knows, is left alone. Raw HTML is read over the whole document, because an element
may begin in one block and end in another.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token

from generator.cite.in_html import read_elements
from generator.cite.layout import (
    MASK,
    NEWLINE,
    How,
    Layout,
    LeftAlone,
    Notes,
    Reference,
    Span,
    Spans,
    Zone,
    keep,
    line_starts,
    mask,
    newline_of,
)
from generator.cite.markdown_rules import DIRECTIVE, Environment, parser, trace
from generator.cite.masking import MATH, mask_constructs

_MAY_NAME = re.compile(r":\d|\[\[|//|<|microscope", re.IGNORECASE)
_ODD = re.compile(  # how a line begins that belongs to a construct, in a text that no rule took for one
    r"^[ \t]*(?:[!?:%+^&/;|#\\@]{2}|={3}|\{[:%#!]|\.\. |#\+|:[\w-]+:|[\w-]+:: |export\s+\w+\s"
    r"|import\s.*\sfrom\s*['\"])",
    re.MULTILINE,
)
_TABS = re.compile(r"^([ \t]*)={3}(?=[!+]?[ \t]+\")", re.MULTILINE)  # they are laid out like admonitions
_ABBREVIATION = re.compile(r"^ {0,3}\*\[[^\]\r\n]+\]:[^\r\n]*", re.MULTILINE)
_DEFINES = re.compile(r"\]:\s*")
_ODD_MASK = "\ufffd"  # what the parser makes of MASK
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^`]*\1(?!`)")
_IS_CODE = re.compile(r"code|math|mermaid|raw|comment")  # of a directive: known to hold no prose
_STUCK = re.compile(r"(?=[\w\[])\S*")
_NOTED = re.compile(r"^ {0,3}\[\^([^\[\]\s]+)\]:", re.MULTILINE)


def parse(text: str) -> Layout:
    """The layout of a document. Takes time in proportion to its length."""
    source, front, left = mask_constructs(text, is_markdown=True)
    source = mask(source, (found.span() for found in _ABBREVIATION.finditer(source)))
    plain = re.sub(r"[^\r\n]", " ", source[:front]) + source[front:].replace(MASK, _ODD_MASK)
    environment: Environment = {}
    tokens = parser().parse(_TABS.sub(r"\1!!!", plain), environment)
    starts = [*line_starts(text), len(text)]
    parsed = _Blocks(plain, starts, environment, left)
    parsed.read(tokens)
    links = [*_defined(plain, starts, environment), *parsed.links]
    return _layout(plain, parsed, links, _notes(text, _end(text, tokens, starts)))


def _layout(plain: str, parsed: _Blocks, links: Sequence[Reference], notes: Notes) -> Layout:
    """Prose and raw HTML together: what is in an element that is not touched is none, whichever block it is in."""
    # spans of code in a block of HTML are none, but some read Markdown there, and everyone means code
    code = (found.span() for block in parsed.html_blocks for found in _CODE.finditer(plain, *block))
    readable = mask(plain.replace(_ODD_MASK, MASK), code)
    prose = keep(readable, [*parsed.prose, *parsed.html])
    stray = (found.span() for found in re.finditer("<", keep(prose, parsed.prose)))  # in prose it begins no tag
    elements = read_elements(mask(prose, stray))
    blocks = Spans([*parsed.blocks, *parsed.html_blocks])
    unknown = [replace(x, end=max(x.start, min(x.end, blocks.end(x.start)))) for x in elements.unknown]
    untouched, anchors = Spans(elements.untouched), Spans(elements.anchors)
    links = [x for x in links if x.start not in untouched and not (x.how == "bare" and x.start in anchors)]
    spans = [*elements.tags, *elements.anchors, *elements.untouched, *((x.start, x.end) for x in unknown)]
    prose = mask(prose, spans)
    math = (found.span() for block in parsed.html_blocks for found in MATH.finditer(prose, *block))
    zones = sorted(parsed.zones, key=lambda zone: zone.start)
    references = (*links, *elements.references)
    return Layout(mask(prose, math), references, notes, tuple(zones), (*parsed.left, *unknown))


class _Blocks:
    """What is found block by block, in offsets of the document."""

    def __init__(self, plain: str, starts: list[int], environment: Environment, left: list[LeftAlone]) -> None:
        self.plain, self.starts, self.environment, self.left = plain, starts, environment, left
        self.prose: list[Span] = []
        self.html: list[Span] = []
        self.blocks: list[Span] = []
        self.html_blocks: list[Span] = []
        self.links: list[Reference] = []
        self.zones: list[Zone] = []
        self.in_note = False

    def read(self, tokens: Sequence[Token]) -> None:
        """All blocks of a document."""
        done = 0  # where the last text ended: cells of a table follow one another in one line
        for before, token in pairwise([Token("", "", 0), *tokens]):
            if token.type.startswith("footnote_reference_"):
                self.in_note = token.nesting == 1
            if not token.map:
                continue
            start, end = (self.starts[min(line, len(self.starts) - 1)] for line in token.map)
            if token.type == "html_block":
                self.html.append((start, end))
                self.html_blocks.append((start, end))
                self.zones.append(Zone(start, end, "html"))
            elif (token.type == "colon_fence" and not _IS_CODE.search(token.info)) or (
                token.type == "fence" and DIRECTIVE.match(token.info)
            ):
                self.left.append(LeftAlone(start, end, f"“{token.info.strip()}”"))
            elif token.type == "inline":
                is_cell = before.type in ("td_open", "th_open")
                lines = _located(token.content, self.plain, self.starts, token.map, done if is_cell else -1)
                if lines:
                    done = lines[-1].source + lines[-1].length
                    self._read_text(token.content, _Text(lines), is_paragraph=before.type == "paragraph_open")
                elif token.content.strip():
                    self.left.append(LeftAlone(start, end, "a block whose lines cannot be told"))

    def _read_text(self, content: str, text: _Text, *, is_paragraph: bool) -> None:
        """The text of one block. Most have nothing that could be a reference, and are not read further."""
        if not _MAY_NAME.search(content):
            return
        self.blocks.append((text.start, text.end))
        if self.in_note:
            self.zones.append(Zone(text.start, text.end, "markdown"))
        if is_paragraph and _ODD.search(content):
            self.left.append(LeftAlone(text.start, text.end, "a paragraph with the mark of a construct"))
            return
        masked: list[Span] = []
        self._read_inline(content, 0, text, masked)
        done = 0
        for start, end in [*sorted(masked), (len(content), len(content))]:
            self.prose += text.spans(done, start)
            done = max(done, end)

    def _read_inline(self, content: str, offset: int, text: _Text, masked: list[Span]) -> None:
        """One text, or the one in an inline footnote, which begins at ``offset`` of its block's text."""
        links: list[Reference] = []
        for found in trace(content, parser(), self.environment):
            start, end = found.start + offset, found.end + offset
            inner = content[found.start + 1 : found.end - 1]
            if found.rule == "footnote_inline":
                masked += [(start, start + 2), (end - 1, end)]
                self._read_inline(inner[1:], start + 2, text, masked)
                if not self.in_note:
                    self.zones += [Zone(*span, "markdown") for span in text.spans(start, end)]
                continue
            masked.append((start, end))
            if found.rule == "html_inline":
                self.html += text.spans(start, end)
            elif found.rule == "autolink" and "://" in inner and content[max(found.start - 1, 0)] != "!":
                links += text.reference(start, end, html.unescape(inner), "bare")
            elif found.rule == "link":
                while links and links[-1].how != "shown" and links[-1].start > text.place(start):
                    links.pop()
                stuck = _STUCK.match(content, found.end)  # [r][x](y) would be a link [r], and no [r] any more
                if stuck and not found.address and normalizeReference(inner) in self.environment.get("references", {}):
                    masked.append((stuck.start() + offset, stuck.end() + offset))
            if found.address:
                said = content[found.start + 1 : content.rfind("](", found.start, found.address[0])].strip()
                if found.rule == "link" and said == found.href and "://" in said:
                    links += text.reference(start, end, found.href, "bare")
                else:
                    first, last = found.address
                    how: How = "shown" if found.rule == "image" else "link"
                    links += text.reference(first + offset, last + offset, found.href, how)
        self.links += links


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a block's text: where it begins there and in the document, and its length."""

    content: int
    source: int
    length: int


class _Text:
    """The text of a block, whose lines stand in the document behind indents and marks of quotes."""

    def __init__(self, lines: Sequence[_Line]) -> None:
        self.lines = lines
        self.start, self.end = lines[0].source, lines[-1].source + lines[-1].length
        self._starts = [line.content for line in lines]

    def place(self, offset: int) -> int:
        """Where an offset of the text stands in the document."""
        line = self.lines[max(bisect_right(self._starts, offset) - 1, 0)]
        return line.source + min(max(offset - line.content, 0), line.length)

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """A piece of the text, line by line."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        for line in self.lines[first : bisect_left(self._starts, end)]:
            yield self.place(max(start, line.content)), line.source + min(end - line.content, line.length)

    def reference(self, start: int, end: int, word: str, how: How) -> Iterator[Reference]:
        """A reference, unless it goes over several lines."""
        first, last = self.place(start), self.place(end)
        if last - first == end - start:
            yield Reference(first, last, word, how, "markdown")


def _located(content: str, plain: str, starts: list[int], lines: Sequence[int], done: int) -> list[_Line]:
    """Each line of a block's text as it stands in the source: at the end of its line or, where something of the
    language follows it, at the first place behind ``done``. Nothing if one of them cannot be found."""
    found: list[_Line] = []
    offset = 0
    for number, line in enumerate(content.split("\n"), lines[0]):
        words = line.strip()
        if words:
            begin, end = starts[number], starts[min(number + 1, len(starts) - 1)]
            at = begin + len(plain[begin:end].rstrip()) - len(words)
            if done >= 0 or not plain.startswith(words, at) or at < begin:
                at = plain.find(words, max(begin, done), end)
            if at < 0 or number >= max(lines[1], lines[0] + 1):  # a term of a definition has no end
                return []
            found.append(_Line(offset + len(line) - len(line.lstrip()), at, len(words)))
        offset += len(line) + 1
    return found


def _defined(plain: str, starts: list[int], environment: Environment) -> Iterator[Reference]:
    """The addresses in definitions of links, ``[label]: address``."""
    for said in [*environment.get("references", {}).values(), *environment.get("duplicate_refs", [])]:
        start, end = (starts[line] for line in said["map"])
        for colon in _DEFINES.finditer(plain, start, end):
            found = parser().helpers.parseLinkDestination(plain, colon.end(), end)
            if found.ok and parser().normalizeLink(found.str) == said["href"]:
                angled = plain[colon.end()] == "<"
                yield Reference(colon.end() + angled, found.pos - angled, found.str, "link", "markdown")
                break


def _end(text: str, tokens: Sequence[Token], starts: list[int]) -> int:
    """Where a footnote can follow: the end of a document, or where a last block begins that nobody closed."""
    last = next((token for token in reversed(tokens) if token.map and token.level == 0), None)
    if last is None or last.type not in ("fence", "html_block"):
        return len(text)
    start = starts[last.map[0]] if last.map else 0
    trial = parser().parse(f"{text[start:]}\n\n[^note]: text", {})
    return len(text) if any(token.type == "footnote_reference_open" for token in trial) else start


def _notes(text: str, end: int) -> Notes:
    """Definitions of footnotes go to the end, after an empty line."""
    line, above = newline_of(text), text[:end].rstrip("\r\n")
    newlines = len(NEWLINE.findall(text, len(above), end))
    before = line * max(2 - newlines, 0) if above else ""
    return Notes(tuple(_NOTED.findall(text)), end, before, "" if end == len(text) else line)
