"""The parser of Markdown: markdown-it with the plugins of the dialects, and where in a text its rules found something.

>>> [(found.rule, found.start, found.end) for found in trace("a `b` [c](d)", parser(), {})]
[('backticks', 2, 5), ('link', 6, 12)]

Dialects contradict each other, so a construct of any of them counts. Blocks come with the numbers of their lines.
Inline rules do not tell where they stand; each rule is therefore wrapped and reports where it began and ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from generator.cite.layout import Span
from generator.cite.masking import MATH

Environment = MutableMapping[str, Any]
_Rule = Callable[[StateInline, bool], bool]

_PROSE_RULES = frozenset(("text", "linkify", "newline", "escape", "strikethrough", "emphasis", "entity"))
_BRACES = re.compile(r"\{(?!\w[\w:\s-]*\})(?:[^{}\n]|\{[^{}\n]*\})*+\}")  # {mixed4a:9} is a name in braces
_ADMONITION = (
    "note|tip|hint|info|warning|caution|attention|danger|error|important|seealso|admonition|margin|sidebar|dropdown|card"
    r"|aside|details|success|question|quote|example|columns?|callout[\w-]*"
)
DIRECTIVE = re.compile(rf"[ \t]*\{{(?:{_ADMONITION})\}}", re.IGNORECASE)
_CONTAINER = re.compile(
    rf"(?:{DIRECTIVE.pattern}|[ \t]*(?:{_ADMONITION})\b|[ \t]*\{{[.#]"
    r"(?!.*\b(?:code|math|comment|raw|verbatim|hidden|mermaid|plantuml|dot|graphviz|tex|latex)\b)).*",
    re.DOTALL | re.IGNORECASE,
)
"""What may stand behind the colons of a container with prose: the name of an admonition, or classes."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What an inline rule found. ``address`` is where the address of a link or picture stands, ``href`` what it is."""

    rule: str
    start: int
    end: int
    address: Span | None = None
    href: str = ""


class _State(StateInline):
    """The text of a block, and what is found in it. The text of a picture has a state of its own."""

    def __init__(self, src: str, md: MarkdownIt, env: Environment) -> None:
        super().__init__(src, md, env, [])
        self.found: list[Traced] = []


def trace(text: str, md: MarkdownIt, environment: Environment) -> list[Traced]:
    """Where something stands in the text of a block that is not prose, from left to right. What is found in a link
    comes before the link."""
    state = _State(text, md, environment)
    md.inline.tokenize(state)
    return state.found


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough, and the constructs of the dialects."""
    md = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    md.use(deflist_plugin).use(footnote_plugin).use(admon_plugin).use(myst_block_plugin)
    md.use(dollarmath_plugin).disable("math_inline")  # at the start of a text it looks at what ends the text
    md.use(container_plugin, name="container", validate=lambda params, markup: bool(_CONTAINER.fullmatch(params)))
    md.use(colon_fence_plugin)  # every other container
    md.inline.ruler.before("escape", "tex", _matching(MATH, "$\\"))
    md.inline.ruler.before("escape", "braces", _matching(_BRACES, "{"))
    md.core.ruler.enableOnly(["normalize", "block"])
    for name, rule in zip(md.get_active_rules()["inline"], md.inline.ruler.getRules(""), strict=True):
        md.inline.ruler.at(name, _traced(name, rule))
    return md


def _traced(name: str, rule: _Rule) -> _Rule:
    """A rule that reports where it found something, unless what it finds is prose."""
    if name in _PROSE_RULES:
        return rule

    def traced(state: StateInline, silent: bool) -> bool:
        start = state.pos
        if not rule(state, silent):
            return False
        if isinstance(state, _State) and not silent:
            address, href = _address(state, start, state.pos) if name in ("link", "image") else (None, "")
            state.found.append(Traced(name, start, state.pos, address, href))
        return True

    return traced


def _address(state: _State, start: int, end: int) -> tuple[Span | None, str]:
    """Where the address of a link or picture stands, if that is behind its text, and what it is."""
    text, helpers = state.src, state.md.helpers
    close = helpers.parseLinkLabel(state, start + (text[start] == "!"), text[start] != "!")
    if end <= close + 1 or text[close + 1] != "(":
        return None, ""
    at = close + 2
    while text[at] in " \t\n":
        at += 1
    found = helpers.parseLinkDestination(text, at, end)
    angled = text[at] == "<"
    return (at + angled, found.pos - angled), found.str


def _matching(pattern: re.Pattern[str], first: str) -> _Rule:
    """A rule for what a pattern matches, which begins with one of some characters."""

    def rule(state: StateInline, silent: bool) -> bool:
        found = pattern.match(state.src, state.pos) if state.src[state.pos] in first else None
        if not found or found.end() > state.posMax:
            return False
        if not silent:
            state.push("text", "", 0).content = found[0]
        state.pos = found.end()
        return True

    return rule
