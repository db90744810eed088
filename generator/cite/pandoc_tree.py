"""Units in Pandoc's own terms, which it writes in any format.

>>> list(words("Like it"))
[{'t': 'Str', 'c': 'Like'}, {'t': 'Space'}, {'t': 'Str', 'c': 'it'}]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from generator.cite.formatters import Format, cited
from generator.cite.resolver import LayerReference
from generator.links.quoting import CHIP
from generator.reader.atlas import PublishedUnit

Node = dict[str, Any]

_NO_WEBP = ("latex", "beamer", "context", "docx", "odt", "pptx", "rtf")  # what these are read by does not show it


def is_a(node: Any, *kinds: str) -> bool:
    return isinstance(node, dict) and node.get("t") in kinds


def words(text: str) -> Iterator[Node]:
    """Text, word by word."""
    for word in re.findall(r"[ \n]|[^ \n]+", text):
        yield {"t": "Space"} if word == " " else {"t": "SoftBreak"} if word == "\n" else {"t": "Str", "c": word}


def prose(run: Iterable[Node]) -> str:
    """The text that words were."""
    return "".join({"Space": " ", "SoftBreak": "\n"}.get(node["t"]) or node["c"] for node in run)


def plain(value: Any) -> str:
    """What a piece of metadata says, without its markup."""
    if isinstance(value, list):
        return "".join(map(plain, value))
    if is_a(value, "Str", "MetaString"):
        return str(value["c"])
    return plain(value.get("c", [])) if isinstance(value, dict) else ""


def pictures(node: Any) -> Iterator[Node]:
    """All pictures in a piece of a document."""
    if is_a(node, "Image"):
        yield node
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in inner:
        yield from pictures(each)


def written(meant: PublishedUnit | LayerReference, to: Format, target: str) -> Iterator[Node]:
    """A unit in one of the forms, for the format that Pandoc is about to write."""
    if isinstance(meant, LayerReference):
        yield _link(meant.url, words(meant.name))
        return
    quoted = meant.quoted
    address = quoted.card if target in _NO_WEBP else quoted.thumbnail
    if to == "link":
        yield _link(quoted.page, words(str(quoted.unit)))
    elif to == "chip":
        side = [["width", f"{CHIP}px"], ["height", f"{CHIP}px"]]
        picture = {"t": "Image", "c": [["", [], side], [], [address, ""]]}
        yield _link(quoted.exact, [picture, *words(f" {quoted.short}")], quoted.title, "atlas-chip")
    elif to == "markdown":
        picture = {"t": "Image", "c": [["", [], []], list(words(quoted.full)), [address, ""]]}
        yield _link(quoted.exact, [picture])
    else:
        says = cited(meant)
        note = [_link(quoted.exact, words(says.title(quoted))), *words(f" ({says.made})")]
        yield from words(str(quoted.unit))
        yield {"t": "Note", "c": [{"t": "Para", "c": note}]}


def _link(url: str, text: Iterable[Node], title: str = "", *classes: str) -> Node:
    return {"t": "Link", "c": [["", list(classes), []], list(text), [url, title]]}
