"""The blocks of a Markdown document: which lines are code, HTML, definitions of links, or text.

>>> blocks = read_blocks("---\\ntitle: x\\n---\\ntext\\n\\n    code\\n")
>>> blocks.code, blocks.text
([(0, 17), (23, 32)], [(17, 22)])

markdown-it says so, by CommonMark's rule with GitHub's tables; what stands within a block is not its matter here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.html_blocks import block_names

from generator.cite.apart import front_matter
from generator.cite.in_html import TAG, closing
from generator.cite.layout import NEWLINE, Spans, line_starts

Span = tuple[int, int]

_TAG = re.compile(rf"\s*+{TAG.pattern}")
_MARKED = re.compile(r"(?<![\w-])markdown(?![\w-])", re.IGNORECASE)
_KINDS = {"fence": "code", "code_block": "code", "html_block": "html", "inline": "text"}
_HTML_ENDS = (  # the kinds of raw HTML that an empty line does not end
    (re.compile(r"\s*<!--"), re.compile(r"-->")),
    (re.compile(r"\s*<\?"), re.compile(r"\?>")),
    (re.compile(r"\s*<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(r"\s*<![a-zA-Z]"), re.compile(r">")),
    (re.compile(r"\s*<(?:script|pre|style|textarea)", re.I), re.compile(r"</(?:script|pre|style|textarea)>", re.I)),
)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a document as offsets, in order, and the labels that its links may have.

    ``end`` is where more text can follow: the document's end, or where a last block begins that nobody closed.
    """

    code: list[Span]
    html: list[Span]
    text: list[Span]
    definitions: list[Span]
    labels: frozenset[str]
    end: int


def read_blocks(text: str) -> Blocks:
    """The blocks of a document. What is in its front matter is as good as code."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    hidden = front_matter(text, is_markdown=True)
    environment: dict[str, Any] = {}
    tokens = parser.parse("\n" * len(NEWLINE.findall(text[:hidden])) + text[hidden:], environment)

    starts = [*line_starts(text), len(text)]

    def span(lines: list[int]) -> Span:
        return starts[lines[0]], starts[min(lines[1], len(starts) - 1)]

    found: dict[str, set[Span]] = {kind: set() for kind in _KINDS.values()}
    end, content = len(text), len(text.rstrip())
    for token in tokens:
        if token.map and token.type in _KINDS:
            here = span(token.map)
            found[_KINDS[token.type]].add(here)
            if token.level == 0 and here[1] >= content and _is_open(token.type, token.markup, text[slice(*here)]):
                end = here[0]
    references = [{"label": label, **said} for label, said in environment.get("references", {}).items()]
    definitions: list[Span] = []
    for defined in [*references, *environment.get("duplicate_refs", [])]:
        is_footnote = defined["label"].startswith("^")  # of one word: to CommonMark alone it is a link
        (found["text"].add if is_footnote else definitions.append)(span(defined["map"]))
    return Blocks(
        [(0, hidden)] * bool(hidden) + sorted(found["code"]), sorted(found["html"]), sorted(found["text"]),
        sorted(definitions), frozenset(each["label"] for each in references if each["label"][0] != "^"), end,
    )  # fmt: skip


def in_whole_elements(text: str, blocks: Blocks) -> Blocks:
    """The same by Python-Markdown's rule: an element of HTML is one block, whatever empty lines it has in it, unless
    it says ``markdown=``."""
    html: list[Span] = []
    for start, end in blocks.html:
        if html and start < html[-1][1]:
            start, end = html[-1][0], max(end, html.pop()[1])
        elif (
            (tag := _TAG.match(text, start)) and tag["name"].lower() in block_names and not _MARKED.search(tag["rest"])
        ):
            end = max(end, len(text) if tag["end"] else closing(text, tag["name"].lower(), tag, nests=True))
        html.append((start, end))
    within = Spans(html)
    return replace(blocks, html=html, text=[span for span in blocks.text if span[0] not in within])


def _is_open(kind: str, markup: str, block: str) -> bool:
    """Whether a block at the end of a document lacks its own end, so that whatever is written behind it is in it."""
    if kind == "fence":
        _, *lines = block.strip().splitlines()
        closed = lines and lines[-1].strip()
        return not (closed and closed.startswith(markup) and not closed.strip(markup[0]))
    if kind == "html_block":
        return any(begins.match(block) and not ends.search(block) for begins, ends in _HTML_ENDS)
    return False
