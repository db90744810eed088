"""A filter for Pandoc: a document of any format that it reads names units, and what it writes refers to an atlas.

    ATLAS=https://host/atlas/ pandoc post.md --filter atlas-pandoc -o post.pdf

What is to be done stands in the environment (ATLAS, ATLAS_TO, ATLAS_CHECKPOINT) or in the document itself, which goes
first: ``atlas: {open: https://host/atlas/, to: chip, checkpoint: untrained}``. Code and raw pieces of other languages
are never touched. Pandoc hands over a tree without lines, so what is reported on stderr names none;
and without backslashes, so \\[[4a:11]] is cited, unless it is in code.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from generator.cite.document import Edited, times
from generator.cite.markup import UNTOUCHED
from generator.cite.mentions import How, Reference, mentions
from generator.cite.resolver import LayerReference, Resolver
from generator.cite.writing import Format, cited, format_of
from generator.core.errors import AtlasError, UsageError
from generator.core.text import visible
from generator.links.quoting import CHIP
from generator.reader.atlas import Atlas, PublishedUnit

Node = dict[str, Any]
_WORDS = {"Space": " ", "SoftBreak": "\n"}
_UNTOUCHED = ("Code", "CodeBlock", "Math", "RawBlock")
_RAW = re.compile(rf"<(/?)(?:a|{UNTOUCHED})(?=[\s/>])", re.IGNORECASE)
_NO_WEBP = ("latex", "beamer", "context", "docx", "odt", "pptx", "rtf")  # what these are read by does not show it


@dataclass(frozen=True)
class Filter:
    """Goes through one document, and collects what there is to report in ``said``."""

    resolver: Resolver
    to: Format = "link"
    target: str = "html"
    said: Edited = field(default_factory=Edited)

    def walk(self, node: Any) -> Any:
        """A piece of a document, with its references in it."""
        if isinstance(node, list):
            return list(self._inlines(node))
        if not isinstance(node, dict) or _is_a(node, *_UNTOUCHED):
            return node
        inside = replace(self, to="link") if _is_a(node, "Note") and self.to == "footnote" else self
        return {key: inside.walk(value) for key, value in node.items()}

    def _inlines(self, nodes: Sequence[Any]) -> Iterator[Any]:
        runs = [(is_text, list(run)) for is_text, run in groupby(nodes, lambda node: _is_a(node, "Str", *_WORDS))]
        raw = 0  # how many links or elements whose text is not touched are open, as raw tags
        for (is_text, run), (_, after) in zip(runs, [*runs[1:], (False, [None])], strict=False):  # no runs in []
            if is_text:
                yield from run if raw else self._text(run, after[0])
                continue
            for node in run:
                tag = _RAW.match(node["c"][1]) if _is_a(node, "RawInline") else None
                raw += 0 if tag is None else -1 if tag[1] else 1
                yield from self._link(node) if _is_a(node, "Link", "Image") else [self.walk(node)]

    def _text(self, run: Sequence[Node], after: Any) -> Iterator[Node]:
        """Text with references in it. Pandoc has divided it at its spaces."""
        text, done = "".join(_WORDS.get(node["t"]) or node["c"] for node in run), 0
        note = json.dumps(after) if _is_a(after, "Note") else ""
        for found in mentions(text):
            meant = self.said.judge(found, self.resolver) if found.start >= done and not found.left else None
            if meant and found.end == len(text) and json.dumps(meant.url)[:-1] in note:
                continue  # it has its note
            if meant:
                yield from (*_words(text[done : found.start]), *self._written(meant))
                done = found.end
        yield from _words(text[done:]) if done else run

    def _link(self, node: Node) -> Iterator[Node]:
        """A link with a text of its own keeps it; one that is nothing but its address becomes what a name does. A
        picture is not replaced, but it may be another than it was."""
        attributes, text, (address, title) = node["c"]
        for picture in (each for each in text if _is_a(each, "Image")):
            list(self._link(picture))
        how: How = "shown" if _is_a(node, "Image") else "link"
        meant = self.said.judge(Reference(0, 0, address, how), self.resolver)
        if meant and text == [{"t": "Str", "c": address}]:
            yield from self._written(meant)
        else:
            yield {**node, "c": [attributes, text, [meant.url, title]]} if meant else node

    def _written(self, meant: PublishedUnit | LayerReference) -> Iterator[Node]:
        """A unit in one of the formats, for what Pandoc is about to write."""
        if isinstance(meant, LayerReference):
            yield _to(meant.url, *_words(meant.name))
            return
        quoted, says = meant.quoted, cited(meant)
        picture = quoted.card if self.target in _NO_WEBP else quoted.thumbnail
        if self.to == "link":
            yield _to(quoted.page, *_words(quoted.name))
        elif self.to == "chip":
            chip = (_to(picture, kind="Image"), *_words(f" {quoted.short}"))
            yield _to(quoted.exact, *chip, title=quoted.title, classes=["atlas-chip"])
        elif self.to == "markdown":
            yield _to(quoted.exact, _to(picture, *_words(quoted.full), kind="Image"))
        else:
            note = (_to(quoted.exact, *_words(says.title(quoted))), *_words(f" ({says.made})"))
            yield from _words(quoted.name)
            yield {"t": "Note", "c": [{"t": "Para", "c": note}]}


def main() -> None:
    """What Pandoc calls, with the format that it writes as the only argument."""
    try:
        document = _read()
        through = _filter(document["meta"].get("atlas", {}), *sys.argv[1:2])
        blocks, said = through.walk(document["blocks"]), through.said
    except AtlasError as error:
        print(f"atlas: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    count = f"{times(said.count, 'reference')} right, {times(len(said.problems), 'problem')}"
    for line in (*(what for _, what in said.problems), *(f"note: {what}" for _, what in said.notes), count):
        print(f"atlas: {visible(line)}", file=sys.stderr)
    json.dump({**document, "blocks": blocks}, sys.stdout)


def _filter(asked: Any, target: str = "html") -> Filter:
    """The filter that a document asks for, or the environment."""
    told = {k: _plain(v) for k, v in asked["c"].items()} if _is_a(asked, "MetaMap") else {"open": _plain(asked)}
    where = told.get("open") or os.environ.get("ATLAS")
    if not where:
        raise UsageError("no atlas is named; set ATLAS=https://host/path/, or write atlas: {open: …} into the document")
    to = format_of(told.get("to") or os.environ.get("ATLAS_TO") or "link")
    checkpoint = told.get("checkpoint") or os.environ.get("ATLAS_CHECKPOINT") or None
    return Filter(Resolver(Atlas.open(where), checkpoint), to, target)


def _read() -> Node:
    """The tree on stdin. Raises UsageError if that is not Pandoc's."""
    try:
        document = json.load(sys.stdin.buffer)
        if isinstance(document["meta"], dict) and isinstance(document["blocks"], list):
            return dict(document)
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise UsageError("this is a filter for Pandoc; type `pandoc post.md --filter atlas-pandoc`")


def _is_a(node: Any, *kinds: str) -> bool:
    return isinstance(node, dict) and node.get("t") in kinds


def _words(text: str) -> Iterator[Node]:
    """Text, word by word."""
    for word in re.findall(r"[ \n]|[^ \n]+", text):
        yield {"t": "Space"} if word == " " else {"t": "SoftBreak"} if word == "\n" else {"t": "Str", "c": word}


def _to(url: str, *inside: Node, title: str = "", classes: Sequence[str] = (), kind: str = "Link") -> Node:
    """A link, or a picture."""
    sides = [[side, f"{CHIP}px"] for side in ("width", "height")] if kind == "Image" and not inside else []
    return {"t": kind, "c": [["", classes, sides], inside, [url, title]]}


def _plain(value: Any) -> str:
    """What a piece of metadata says, without its markup."""
    if _is_a(value, "Str", "MetaString"):
        return str(value["c"])
    inside = value.get("c") if isinstance(value, dict) else value
    return "".join(map(_plain, inside)) if isinstance(inside, list) else ""


if __name__ == "__main__":
    main()
