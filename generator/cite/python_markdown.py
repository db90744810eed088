"""An extension of Python-Markdown: posts name units, and a blog's own build makes references of them.

>>> markdown.markdown("Like mixed4a:11.", extensions=[AtlasExtension(atlas="https://host/atlas/")])   # doctest: +SKIP
'<p>Like <a href="https://host/atlas/bvlc_googlenet/mixed4a/11.html">mixed4a:11</a>.</p>'

In MkDocs, Pelican and others it is the extension ``inception_atlas`` with the options ``atlas`` (an address or a
folder), ``to`` and ``checkpoint``. It works on the tree that Python-Markdown and all other extensions have made, so
what is code or mathematics to them is never touched. Problems are logged as warnings, notes as information.
``to="footnote"`` needs Python-Markdown's own extension ``footnotes`` too.
"""

from __future__ import annotations

import html
import logging
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER_RE, AtomicString

from generator.cite.document import apply_edits, edit, meaning_of
from generator.cite.formatters import Format, format_of, note, write, write_layer
from generator.cite.in_html import UNTOUCHED, depth_of
from generator.cite.prose import mentions
from generator.cite.resolver import Invalid, LayerReference, Meaning, OtherCheckpoint, Resolver
from generator.core.errors import UsageError
from generator.core.text import visible
from generator.reader.atlas import Atlas, PublishedUnit

log = logging.getLogger("inception_atlas.cite")
_BEFORE_ALL = 100  # before any other preprocessor, so that reports name lines as the author counts them
_AFTER_INLINE = 19.5  # the tree has all its elements; footnotes are put in order at 19
_ESCAPED_UNDERSCORE = "\x0295\x03"


class AtlasExtension(Extension):
    """The atlas is opened when the first document comes, and kept for all others, each of which may have its own
    Markdown()."""

    def __init__(self, **options: Any) -> None:
        self.config = {
            "atlas": ["", "A built atlas: its address or folder"],
            "to": ["link", "What a name becomes: link, chip, markdown or footnote"],
            "checkpoint": ["", "Which weights names without one mean; the first of the atlas by default"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        where = self.getConfig("atlas")
        if not where:
            raise UsageError("the extension inception_atlas needs an atlas; set its option atlas to https://host/path/")
        source = Source(md)
        references = References(
            md, source, where, format_of(self.getConfig("to")), self.getConfig("checkpoint") or None
        )
        md.preprocessors.register(source, "inception_atlas_source", _BEFORE_ALL)
        md.treeprocessors.register(references, "inception_atlas", _AFTER_INLINE)


class Source(Preprocessor):
    """Keeps the lines of a document, which its tree does not know."""

    def run(self, lines: list[str]) -> list[str]:
        self.lines = [line.replace("\\_", "_") for line in "\n".join(lines).split("\n")]
        self.seen: dict[str, int] = {}
        return lines

    def line_of(self, words: str) -> int:
        """In which line these words stand; asked again, the next one of those."""
        begin = self.seen.get(words, 0)
        found = next((n for n in range(begin, len(self.lines)) if words in self.lines[n]), max(begin - 1, 0))
        self.seen[words] = found + 1
        return found + 1


class References(Treeprocessor):
    """Writes references into a tree. What is written is kept as raw HTML, which no later processor reads."""

    def __init__(self, md: Markdown, source: Source, where: str, to: Format, checkpoint: str | None) -> None:
        super().__init__(md)
        self.source, self.where, self.to, self.checkpoint = source, where, to, checkpoint
        self.resolvers: dict[str, Resolver] = {}

    def run(self, root: Element) -> None:
        self.resolver = Resolver(_open(self.where), self.checkpoint)
        self.footnotes = _footnotes(self.md) if self.to == "footnote" else None
        self.new_notes: set[str] = set()
        stash = self.md.htmlStash
        stash.rawHtmlBlocks = [self._html(raw) if isinstance(raw, str) else raw for raw in stash.rawHtmlBlocks]
        self._walk(root, self.to)
        if self.footnotes and self.new_notes:
            self._add_notes(root, self.footnotes)
        if self.resolver.doubt:
            log.info("line 1: %s", self.resolver.doubt)

    def _walk(self, parent: Element, to: Format) -> None:
        """The text of an element, and what is within it."""
        if to == "footnote" and parent.get("class") == "footnote":
            to = "link"  # a footnote cannot have one
        depth = 0  # how many raw elements are open whose text is not touched
        first, *rest = [*parent, None]
        parent.text, depth = self._text(parent.text, depth, to, first)
        for child, behind in zip(list(parent), rest, strict=True):
            if child.tag == "a":
                self._link(child, to)
            elif child.tag == "img":
                self._report(self.resolver.of_own(child.get("src", "")), child.get("src", ""))
            elif child.tag not in UNTOUCHED and not depth:
                self._walk(child, to)
            child.tail, depth = self._text(child.tail, depth, to, behind)

    def _text(self, text: str | None, depth: int, to: Format, behind: Element | None) -> tuple[str | None, int]:
        """Text with references in it, and how many raw elements are open at its end."""
        if not text or isinstance(text, AtomicString):
            return text, depth
        pieces, done = [], 0
        for found in HTML_PLACEHOLDER_RE.finditer(text):
            pieces.append(
                self._words(text[done : found.start()], to, None) if not depth else text[done : found.start()]
            )
            raw = self.md.htmlStash.rawHtmlBlocks[int(found[1])]
            depth += depth_of(raw) if isinstance(raw, str) else 0
            pieces.append(found[0])
            done = found.end()
        rest = text[done:]
        return "".join([*pieces, rest if depth else self._words(rest, to, behind)]), depth

    def _words(self, text: str, to: Format, behind: Element | None) -> str:
        words = text.replace(_ESCAPED_UNDERSCORE, "_")
        edits = []
        for mention in mentions(words, "markdown"):
            meaning = meaning_of(mention, self.resolver)
            is_noted = mention.end == len(words) and _is_noted(mention.word, behind)
            if self._report(meaning, mention.word) and not is_noted:
                edits.append((mention.start, mention.end, self._written(meaning, to)))
        return apply_edits(words, edits) if edits else text

    def _link(self, link: Element, to: Format) -> None:
        """A link with a text of its own keeps it; one that is nothing but its address becomes what a name does."""
        address = link.get("href", "")
        for picture in link.iter("img"):
            self._report(self.resolver.of_own(picture.get("src", "")), picture.get("src", ""))
        meaning = self.resolver.of_address(address)
        if not self._report(meaning, address):
            return
        if link.text == address and not len(link) and "://" in address:
            text, tail = self._written(meaning, to), link.tail
            link.clear()
            link.tag, link.text, link.tail = None, text, tail  # type: ignore[assignment]
        elif isinstance(meaning, PublishedUnit | LayerReference):
            link.set("href", meaning.url)

    def _written(self, meaning: Meaning, to: Format) -> str:
        """A unit or a layer as raw HTML."""
        if isinstance(meaning, LayerReference):
            return self.md.htmlStash.store(write_layer(meaning, "html"))
        assert isinstance(meaning, PublishedUnit)
        if to == "footnote" and self.footnotes:
            return f"{meaning.unit}{self.md.htmlStash.store(self._footnote(meaning, self.footnotes))}"
        if to == "markdown":
            picture, alt = map(html.escape, (meaning.quoted.thumbnail, meaning.quoted.full))
            said = f'<a href="{html.escape(meaning.quoted.exact)}"><img alt="{alt}" src="{picture}" /></a>'
            return self.md.htmlStash.store(said)
        return self.md.htmlStash.store(write(meaning, "html", to))

    def _footnote(self, unit: PublishedUnit, footnotes: FootnoteExtension) -> str:
        """The mark of a footnote, as Python-Markdown itself writes it."""
        key = unit.quoted.key
        if key not in footnotes.footnotes:
            footnotes.setFootnote(key, note(unit, "markdown", "footnote").partition(": ")[2])
            self.new_notes.add(footnotes.makeFootnoteId(key))
        footnotes.addFootnoteRef(key)
        numbers = list(footnotes.footnotes) if footnotes.getConfig("USE_DEFINITION_ORDER") else footnotes.footnote_order
        said = footnotes.getConfig("SUPERSCRIPT_TEXT").format(numbers.index(key) + 1)
        mark = f'<a class="footnote-ref" href="#{html.escape(footnotes.makeFootnoteId(key))}">{said}</a>'
        return f'<sup id="{html.escape(footnotes.makeFootnoteRefId(key, found=True))}">{mark}</sup>'

    def _add_notes(self, root: Element, footnotes: FootnoteExtension) -> None:
        """The texts of new footnotes, behind those that the document has."""
        there = next((div for div in root.iter("div") if div.get("class") == "footnote"), None)
        made = footnotes.makeFootnotesDiv(root)
        new = [each for each in made.iter("li") if each.get("id") in self.new_notes] if made is not None else []
        for each in new:
            self.md.treeprocessors["inline"].run(each)
        if there is not None:
            next(there.iter("ol")).extend(new)
        elif made is not None:
            root.append(made)

    def _html(self, raw: str) -> str:
        """Raw HTML, with references in it."""
        edited = edit(raw, "html", self.resolver, "link" if self.to == "footnote" else self.to)
        for offset, what in edited.problems:
            self._say(logging.WARNING, what, raw[raw.rfind("\n", 0, offset) + 1 :].partition("\n")[0])
        for offset, what in edited.notes:
            self._say(logging.INFO, what, raw[raw.rfind("\n", 0, offset) + 1 :].partition("\n")[0])
        return apply_edits(raw, edited.edits)

    def _report(self, meaning: Meaning, words: str) -> bool:
        """Whether what a reference means is to be written into the document."""
        if isinstance(meaning, Invalid):
            self._say(logging.WARNING, meaning.what, words)
        elif isinstance(meaning, OtherCheckpoint):
            self._say(logging.INFO, meaning.why, words)
        return isinstance(meaning, PublishedUnit | LayerReference)

    def _say(self, level: int, what: str, words: str) -> None:
        log.log(level, "line %d: %s", self.source.line_of(words), visible(what))


def _footnotes(md: Markdown) -> FootnoteExtension:
    """Python-Markdown's extension. Raises UsageError if it is not in use."""
    for extension in md.registeredExtensions:
        if isinstance(extension, FootnoteExtension):
            return extension
    raise UsageError("footnotes need an extension of Python-Markdown; add footnotes to its extensions, or set to=link")


def _is_noted(name: str, behind: Element | None) -> bool:
    """Whether a name has a footnote of its own already."""
    return behind is not None and behind.tag == "sup" and behind.get("id", "").endswith(f"-{name.replace(':', '-')}")


@cache
def _open(where: str) -> Atlas:
    return Atlas.open(where)


def makeExtension(**options: Any) -> AtlasExtension:  # noqa: N802
    """What Python-Markdown calls."""
    return AtlasExtension(**options)
