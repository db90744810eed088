"""Markdown: what of a document is prose, and where its links lead.

>>> text = "mixed4a:11 `mixed4a:12` [mixed4a:13](https://x.org/)"
>>> [(reference.how, reference.word) for reference in read_markdown(text)]
[('name', 'mixed4a:11'), ('link', 'https://x.org/')]

Markdown-it with the plugins of the dialects renders it to HTML, and there it is read. Dialects contradict each other,
so a construct of any of them counts; what begins like one that no rule knows becomes the element <atlas-left>, which
is none that holds prose.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from generator.cite.markup import Page
from generator.cite.mentions import MARK, Language, Reference, marked, marks, mentions, unmarked
from generator.cite.templates import MATH, set_aside

_ODD = re.compile(  # how a line begins that belongs to a construct, in a text that no rule took for one
    r"^[ \t]*(?:[!?:%+^&/;|#\\@]{2}|={3}|\+[-=]{2}|\{[:%#!]|\.\. |#\+|:[\w-]+:|[\w-]+:: |export\s+\w+\s"
    r"|import\s.*\sfrom\s*['\"])",
    re.MULTILINE,
)
_TABS = re.compile(r"^([ \t]*)={3}(?=[!+]?[ \t]+\")", re.MULTILINE)  # they are laid out like admonitions
_COLUMNS = re.compile(r"^[ \t]*(?=--+(?: +--+)+[ \t]*$)", re.MULTILINE)  # Pandoc's tables, laid out by spaces
_NO_PROSE = re.compile(  # mathematics; links to what is named, perhaps in another file; attributes and expressions
    rf"{MATH.pattern}|\[[^\[\]\n]*\]\[(?!\^)[^\[\]\n]+\]"
    r"|\{(?!\w[\w:\s-]*\})(?:[^{}\n]|\{[^{}\n]*\})*+\}"  # {mixed4a:9} is a name
)
_OPTIONS = re.compile(r"\A(?:[ \t]*:[\w-]+:.*(?:\n|\Z))+")  # of a directive
_COMPONENT = re.compile(r"<([A-Z][\w.]*)[^<>]*/>")  # of MDX, where it holds nothing
_IS_CODE = re.compile(r"code|math|mermaid|raw|comment")  # of a directive: known to hold no prose
_CONTAINER = re.compile(  # what may stand behind the colons of a container with prose: an admonition, or classes
    r"[ \t]*(?:(?P<directive>\{)?(?:note|tip|hint|info|warning|caution|attention|danger|error|important|seealso"
    r"|admonition|margin|sidebar|dropdown|card|aside|details|success|question|quote|example|columns?|callout[\w-]*)"
    r"(?(directive)\}|\b)|\{[.#](?!.*\b(?:code|math|comment|raw|verbatim|hidden|mermaid|plantuml|dot|graphviz|tex|latex)\b))",
    re.DOTALL | re.IGNORECASE,
)


def read_markdown(text: str, language: Language = "markdown") -> list[Reference]:
    """The references of a document. Takes time in proportion to its length."""
    plain, left = set_aside(text, language)
    found = list(mentions(plain, language))
    source = _COLUMNS.sub("&& ", _TABS.sub(r"\1!!!", marked(plain, found)))  # what is odd is left alone
    page = Page(plain, found)
    environment: dict[str, Any] = {"found": found}
    references = page.references(_parser().render(source, environment))
    for each in (*environment.get("references", {}).values(), *environment.get("duplicate_refs", ())):
        references.update(page.links(each["href"]))
    return [*left, *references.values()]


@cache
def _parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough, and the constructs of the dialects."""
    md = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for name in ("normalizeLink", "normalizeLinkText"):
        setattr(md, name, lambda url: url)  # addresses as they stand
    md.use(deflist_plugin).use(footnote_plugin, move_to_end=False).use(admon_plugin).use(myst_block_plugin)
    md.use(dollarmath_plugin).disable("math_inline")  # at the start of a text it looks at what ends the text
    md.use(container_plugin, name="container", validate=lambda params, markup: bool(_CONTAINER.match(params)))
    md.use(colon_fence_plugin)  # every other container
    md.inline.ruler.before("escape", "no_prose", _no_prose)
    md.core.ruler.after("block", "left", _leave_alone)
    for token, rule in {
        "html_block": _raw, "html_inline": _raw, "footnote_ref": _footnote_ref,
        "footnote_reference_open": lambda *_: "<atlas-note>", "footnote_reference_close": lambda *_: "</atlas-note>",
        "link_open": lambda _, tokens, at, *__: f'<atlas-link href="{html.escape(tokens[at].attrs["href"])}">',
        "link_close": lambda *_: "</atlas-link>",  # not <a>, which would end the one that it is in
        "container_container_open": _title,
    }.items():  # fmt: skip
        md.add_render_rule(token, rule)
    return md


def _no_prose(state: StateInline, silent: bool) -> bool:
    """A rule of markdown-it, for what is rendered as if it were code."""
    found = _NO_PROSE.match(state.src, state.pos)
    if not found or found.end() > state.posMax:
        return False
    if not silent:
        state.push("code_inline", "code", 0).content = found[0]
    state.pos = found.end()
    return True


def _leave_alone(state: StateCore) -> None:
    """Set apart what no rule knows, and do not read on where there is nothing to find."""
    no = Token("", "", 0)
    for above, before, token in zip([no, no, *state.tokens], [no, *state.tokens], state.tokens, strict=False):
        what = ""
        if token.type == "inline":
            if above.type == "container_container_open" and above.info.lstrip().startswith("{"):
                token.content = _OPTIONS.sub("", token.content)
            if MARK not in token.content and "<" not in token.content:
                token.content = ""
            elif before.type == "paragraph_open" and _ODD.search(token.content):
                what = "a paragraph with the mark of a construct"
        elif (token.type == "colon_fence" and not _IS_CODE.search(token.info)) or (
            token.type == "fence" and (found := _CONTAINER.match(token.info)) and found["directive"]
        ):
            what = f"“{unmarked(token.info.strip())}”"
        if what:
            said, what = html.escape(token.content), html.escape(what)
            token.type, token.content = "html_block", f'<atlas-left what="{what}">{said}</atlas-left>'


def _raw(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """HTML: what is written there is HTML, and has no notes."""
    for number in marks(tokens[at].content):
        env["found"][number] = replace(env["found"][number], language="html", is_plain=True)
    return _COMPONENT.sub(r"\g<0></\1>", tokens[at].content)


def _title(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """What stands behind the colons of a container: for some a title, for others its attributes."""
    return f'<div><atlas-left what="the title of a container">{html.escape(tokens[at].info)}</atlas-left>'


def _footnote_ref(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """The text of an inline footnote, where it stands."""
    inner = env["footnotes"]["list"][tokens[at].meta["id"]].get("tokens", ())
    return f"<atlas-note>{self.renderInline(inner, options, env)}</atlas-note>" if inner else ""
