"""Markdown: what of a document is prose, and where its links lead.

>>> lay_out("mixed4a:11 `mixed4a:12` [mixed4a:13](x.html)").prose.replace(chr(0), ".")
'mixed4a:11 ............ ....................'

Within a block of text, spans of code, tags and links are told by CommonMark's own rule, from left to right. Raw HTML
is then walked over the whole document, since an element may begin in one block and end in another. Jekyll's and Hugo's
``{{ … }}`` and ``{% … %}`` are code.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from markdown_it.common.utils import normalizeReference

from generator.cite.apart import MATH, apart, veiled
from generator.cite.in_html import TAG, walk
from generator.cite.layout import NEWLINE, Layout, Notes, Reference, Spans, Zone, blanked, newline_of
from generator.cite.markdown_blocks import Span, in_whole_elements, read_blocks

_RUN = re.compile(r"`+")
_TOKEN = re.compile(r"\\{1,2}[(\[]|\\[!-/:-@\[-`{-~]|\$|`+|\{[{%]|\{(?=:?[ \t]*(?:[#.][\w-]|[\w-]+=))|<|!?\[|\]")
_ATTRIBUTES = re.compile(r"\{[^{}\n]*\}")
_STUCK = re.compile(r"(?=[\w\[])\S*")
_ASIDE = re.compile(  # abbreviations, and mathematics of several lines, of which one may look like a list
    r"^ {0,3}\*\[[^\]\r\n]+\]:[^\r\n]*|^[ \t>]*\$\$(?:[^$`\r\n]|(?:\r\n|\r|\n)(?![ \t]*[\r\n]))++\$\$", re.MULTILINE
)
_AUTOLINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]{1,31}:[^\s<>]*)>")
_DESTINATION = re.compile(
    r"\(\s*+(?:<(?P<angled>[^<>\n]*)>|(?P<plain>(?:[^\s()<>\\]|\\.|\((?:[^\s()\\]|\\.)*+\))*+))"
    r"(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?\s*+\)",
    re.DOTALL,
)
_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){0,999}+)\]", re.DOTALL)
_DEFINITION = re.compile(r"\[(?:[^\[\]\\]|\\.)++\]:\s*+(?:<(?P<angled>[^<>\n]*)>|(?P<plain>\S+))", re.DOTALL)
_FOOTNOTE = re.compile(r"[ >]*\[\^[^\[\]\s]+\]:")
_NOTED = re.compile(r"^ {0,3}\[\^([^\[\]\s]+)\]:", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def lay_out(text: str, *, whole_elements: bool = False) -> Layout:
    """The layout of a document; with ``whole_elements`` of raw HTML as Python-Markdown reads it."""
    text = apart(text)
    text = veiled(text, (found.span() for found in _ASIDE.finditer(text)))
    blocks = in_whole_elements(text, read_blocks(text)) if whole_elements else read_blocks(text)
    scanned = [_scan(text, *span, blocks.labels) for span in blocks.text]
    links = [link for each in scanned for link in each.links]
    texts = [span for each in scanned for span in each.texts]
    templates = [span for each in scanned for span in each.templates]
    code = [*blocks.code, *blocks.definitions, *templates, *(span for each in scanned for span in each.code)]
    code += [span for block in blocks.html for span in _quoted(text, *block)]
    walked = walk(blanked(text, code))
    untouched, linked = Spans([*walked.untouched, *templates]), Spans([*walked.anchors, *texts])
    links = [x for x in links if x.start not in untouched and not (x.how == "bare" and x.start - 1 in linked)]
    notes = [span for span in blocks.text if _FOOTNOTE.match(text, *span)]
    zones = [Zone(*span, "html") for span in blocks.html] + [Zone(*span, "markdown") for span in notes]
    prose = blanked(text, [*code, *texts, *walked.blanks])
    math = (found.span() for block in blocks.html for found in MATH.finditer(prose, *block))
    return Layout(
        prose=blanked(prose, math),
        references=(*_defined(text, blocks.definitions), *links, *walked.references),
        notes=_notes(text, blocks.end),
        zones=tuple(sorted(zones, key=lambda zone: zone.start)),
    )


@dataclass(slots=True)
class _Scanned:
    """What a block holds that is no prose: code and the addresses of links, what a site's templates replace, the texts
    of links; and the links."""

    code: list[Span] = field(default_factory=list)
    templates: list[Span] = field(default_factory=list)
    texts: list[Span] = field(default_factory=list)
    links: list[Reference] = field(default_factory=list)


def _scan(text: str, start: int, end: int, labels: frozenset[str]) -> _Scanned:
    """One block of text, from left to right."""
    scanned = _Scanned()
    find = _Finder(text, start, end)
    opened: list[tuple[int, bool]] = []  # brackets that are open, and whether each begins a picture
    linked = 0  # as many of them have a link in them, and cannot be one themselves
    at = start
    while token := _TOKEN.search(text, at, end):
        here, at, word = token.start(), token.end(), token[0]
        if word[0] == "`":
            at = find.run(len(word), at) or at
            scanned.code.append((here, at))
        elif word[0] in "\\$":
            if found := MATH.match(text, here, end):
                at = found.end()
                scanned.code.append((here, at))
            elif word[:2] == "\\\\":
                at = here + 2  # an escaped backslash; the bracket is for itself
        elif word == "{":
            if found := _ATTRIBUTES.match(text, here, end):
                scanned.code.append(found.span())
                at = found.end()
        elif word[0] == "{":
            if close := find.after({"{{": "}}", "{%": "%}"}[word], at):
                scanned.templates.append((here, close))  # a span of code may begin in it all the same
        elif word == "<":
            at = _angle(text, here, end, find, scanned)
        elif word[-1] == "[":
            opened.append((here, word[0] == "!"))
        elif word == "]" and opened:
            begin, is_picture = opened.pop()
            may_link = is_picture or len(opened) >= linked
            linked = min(linked, len(opened))
            inner = text[begin + 1 + is_picture : here]
            if may_link and (rest := _rest_of_link(text, at, end, inner, labels)):
                is_shortcut = rest[0] == at
                at, destination = rest
                scanned.texts.append((begin, here))
                scanned.code.append((here, at))
                if is_shortcut and (stuck := _STUCK.match(text, at, end)):
                    scanned.code.append(stuck.span())  # [r][x](y) would be a link [r], and no [r] any more
                if destination:
                    scanned.links.append(_link(destination, inner, begin, is_picture))
                linked = linked if is_picture else len(opened)
    return scanned


def _quoted(text: str, start: int, end: int) -> Iterator[Span]:
    """Spans of code in a block of HTML: they are none, but some read Markdown there, and everyone means code."""
    find = _Finder(text, start, end)
    while run := _RUN.search(text, start, end):
        start = find.run(len(run[0]), run.end()) or run.end()
        yield run.start(), start


def _rest_of_link(
    text: str, at: int, end: int, inner: str, labels: frozenset[str]
) -> tuple[int, re.Match[str] | None] | None:
    """What follows the text of a link: where the link ends, and its address if it is there rather than elsewhere."""
    if destination := _DESTINATION.match(text, at, end):
        return destination.end(), destination
    label = _LABEL.match(text, at, end)
    if label and _normal(label[1] or inner) in labels:
        return label.end(), None
    return (at, None) if not label and _normal(inner) in labels else None


def _angle(text: str, here: int, end: int, find: _Finder, scanned: _Scanned) -> int:
    """What a ``<`` begins: a comment, a bare address, a tag (which is left for later), or nothing."""
    if text.startswith("<!--", here) and (close := find.after("-->", here + 4)):
        scanned.code.append((here, close))
        return close
    if address := _AUTOLINK.match(text, here, end):
        scanned.code.append(address.span())
        if text[here - 1 : here] != "!":  # which would make a picture of the link that takes its place
            scanned.links.append(Reference(*address.span(), html.unescape(address[1]), "bare", "markdown"))
        return address.end()
    if tag := TAG.match(text, here, end):
        return tag.end()
    scanned.code.append((here, here + 1))
    return here + 1


def _link(destination: re.Match[str], inner: str, begin: int, is_picture: bool) -> Reference:
    """A link whose text is nothing but its address stands for that, all of it."""
    link = _reference(destination)
    if is_picture:
        return replace(link, how="shown")
    bare = inner.strip() == link.word and "://" in inner
    return replace(link, how="bare", start=begin, end=destination.end()) if bare else link


def _reference(found: re.Match[str]) -> Reference:
    group = "plain" if found["angled"] is None else "angled"
    word = html.unescape(_ESCAPE.sub(r"\1", found[group]))
    return Reference(*found.span(group), word, "link", "markdown")


def _defined(text: str, definitions: list[Span]) -> Iterator[Reference]:
    for start, end in definitions:
        if found := _DEFINITION.search(text, start, end):
            yield _reference(found)


def _normal(label: str) -> str:
    return normalizeReference(label) if len(label) < 1000 else ""


class _Finder:
    """Finds what closes something in a block, and does not look twice for what is not there."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end
        self.absent: set[str] = set()

    def after(self, close: str, at: int) -> int | None:
        """Where the text goes on behind the next of these; None if there is none."""
        found = -1 if close in self.absent else self.text.find(close, at, self.end)
        if found < 0:
            self.absent.add(close)
            return None
        return found + len(close)

    def run(self, length: int, at: int) -> int | None:
        """Where the next run of just so many backticks ends; None if there is none."""
        starts = self.runs.get(length, [])
        after = bisect_left(starts, at)
        return starts[after] + length if after < len(starts) else None

    @cached_property
    def runs(self) -> dict[int, list[int]]:
        runs: dict[int, list[int]] = {}
        for run in _RUN.finditer(self.text, self.start, self.end):
            runs.setdefault(len(run[0]), []).append(run.start())
        return runs


def _notes(text: str, end: int) -> Notes:
    """Definitions of footnotes go to the end, after an empty line."""
    line, above = newline_of(text), text[:end].rstrip("\r\n")
    newlines = len(NEWLINE.findall(text, len(above), end))
    before = line * max(2 - newlines, 0) if above else ""
    return Notes(tuple(_NOTED.findall(text)), end, before, "" if end == len(text) else line)
