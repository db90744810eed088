"""A filter for Pandoc: a document of any format that it reads names units, and what it writes refers to an atlas.

    ATLAS=https://host/atlas/ pandoc post.md --filter atlas-pandoc -o post.pdf

What is to be done stands in the environment (ATLAS, ATLAS_TO, ATLAS_CHECKPOINT) or in the document itself, which goes
first: ``atlas: {open: https://host/atlas/, to: chip, checkpoint: untrained}``. Code and raw pieces of other languages
are never touched. Pandoc hands over a tree without lines, so what is reported on stderr names none;
and without backslashes, so \\[[4a:11]] is cited, unless it is in code.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, TypeGuard

from generator.cite.document import times
from generator.cite.formatters import Format, format_of
from generator.cite.in_html import depth_of
from generator.cite.pandoc_tree import Node, is_a, pictures, plain, prose, words, written
from generator.cite.prose import mentions
from generator.cite.resolver import Invalid, LayerReference, Meaning, OtherCheckpoint, Resolver, Valid
from generator.core.errors import AtlasError, UsageError
from generator.core.text import visible
from generator.reader.atlas import Atlas, PublishedUnit

_TEXT = ("Str", "Space", "SoftBreak")
_INLINE = (*_TEXT, "Link", "Image", "RawInline")
_UNTOUCHED = ("Code", "CodeBlock", "Math", "RawBlock", "RawInline")


@dataclass(frozen=True)
class Filter:
    """Goes through one document, and collects the references that are right, and the problems and notes to report."""

    resolver: Resolver
    to: Format = "link"
    target: str = "html"
    right: list[Meaning] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def walk(self, node: Any) -> Any:
        """A piece of a document, with its references in it."""
        if isinstance(node, list):
            return list(self._inlines(node)) if any(is_a(x, *_INLINE) for x in node) else [self.walk(x) for x in node]
        if not isinstance(node, dict) or is_a(node, *_UNTOUCHED):
            return node
        inside = replace(self, to="link") if is_a(node, "Note") and self.to == "footnote" else self
        return {key: inside.walk(value) for key, value in node.items()}

    def _inlines(self, nodes: Sequence[Node]) -> Iterator[Node]:
        runs = [(is_text, list(run)) for is_text, run in groupby(nodes, lambda node: is_a(node, *_TEXT))]
        raw = 0  # how many raw elements are open whose text is not touched
        for (is_text, run), (_, after) in zip(runs, [*runs[1:], (False, [])], strict=True):
            if is_text:
                yield from run if raw else self._text(run, after)
                continue
            for node in run:
                if is_a(node, "RawInline"):
                    raw += depth_of(node["c"][1])
                if is_a(node, "Link"):
                    yield from self._link(node)
                elif is_a(node, "Image"):
                    self._look(node)
                    yield node
                else:
                    yield self.walk(node)

    def _text(self, run: Sequence[Node], after: Sequence[Node]) -> Iterator[Node]:
        """Text with references in it. Pandoc has divided it at its spaces."""
        text, done = prose(run), 0
        for found in mentions(text, "markdown"):
            meaning = (self.resolver.of_address if found.how == "bare" else self.resolver.of_word)(found.word)
            noted = found.end == len(text) and any(is_a(x, "Note") and _is_about(x, meaning) for x in after[:1])
            if self._is_written(meaning) and not noted:
                yield from words(text[done : found.start])
                yield from written(meaning, self.to, self.target)
                done = found.end
        yield from words(text[done:]) if done else run

    def _link(self, node: Node) -> Iterator[Node]:
        """A link with a text of its own keeps it; one that is nothing but its address becomes what a name does."""
        attributes, text, (address, title) = node["c"]
        for picture in pictures(text):
            self._look(picture)
        meaning = self.resolver.of_address(address)
        if not self._is_written(meaning):
            yield node
        elif text == [{"t": "Str", "c": address}]:
            yield from written(meaning, self.to, self.target)
        else:
            yield {**node, "c": [attributes, text, [meaning.url, title]]}

    def _look(self, picture: Node) -> None:
        """A picture is not replaced, but it may be another than it was."""
        if isinstance(meaning := self.resolver.of_own(picture["c"][2][0]), Invalid):
            self.problems.append(meaning.what)

    def _is_written(self, meaning: Meaning) -> TypeGuard[PublishedUnit | LayerReference]:
        """Whether what a reference means is to be written into the document; it is remembered what came of it."""
        match meaning:
            case Invalid(what):
                self.problems.append(what)
            case OtherCheckpoint(why):
                self.notes.append(why)
            case Valid() | PublishedUnit() | LayerReference():
                self.right.append(meaning)
        return isinstance(meaning, PublishedUnit | LayerReference)


def filtered(document: Node, target: str) -> tuple[Node, list[str]]:
    """A document with its references in it, and what there is to report."""
    asked = document["meta"].get("atlas", {})
    told = {k: plain(v) for k, v in asked["c"].items()} if is_a(asked, "MetaMap") else {"open": plain(asked)}
    where = told.get("open") or os.environ.get("ATLAS")
    if not where:
        raise UsageError("no atlas is named; set ATLAS=https://host/path/, or write atlas: {open: …} into the document")
    to = format_of(told.get("to") or os.environ.get("ATLAS_TO") or "link")
    checkpoint = told.get("checkpoint") or os.environ.get("ATLAS_CHECKPOINT") or None
    through = Filter(Resolver(Atlas.open(where), checkpoint), to, target)
    blocks = through.walk(document["blocks"])
    count = f"{times(len(through.right), 'reference')} right, {times(len(through.problems), 'problem')}"
    notes = [f"note: {note}" for note in (*through.notes, through.resolver.doubt) if note]
    return {**document, "blocks": blocks}, [*map(visible, (*through.problems, *notes)), count]


def main() -> None:
    """What Pandoc calls, with the format that it writes as the only argument."""
    try:
        document = _read()
        document, report = filtered(document, sys.argv[1] if len(sys.argv) > 1 else "html")
    except AtlasError as error:
        print(f"atlas: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    for line in report:
        print(f"atlas: {line}", file=sys.stderr)
    json.dump(document, sys.stdout)


def _read() -> Node:
    """The tree on stdin. Raises UsageError if that is not Pandoc's."""
    try:
        document = json.load(sys.stdin.buffer)
        if isinstance(document["meta"], dict) and isinstance(document["blocks"], list):
            return dict(document)
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise UsageError("this is a filter for Pandoc; type `pandoc post.md --filter atlas-pandoc`")


def _is_about(note: Node, meaning: Meaning) -> bool:
    """Whether a footnote links a unit already."""
    return isinstance(meaning, PublishedUnit) and json.dumps(meaning.quoted.page)[:-1] in json.dumps(note)


if __name__ == "__main__":
    main()
