"""What of a document may name a unit, and the marks that tell where a parser put it.

>>> found = list(mentions("Curves (mixed4a:11, [[3b 379]]), not mixed4a:0-9 or x/mixed4a:11.html"))
>>> [(mention.word, mention.left) for mention in found]
[('mixed4a:11', ''), ('3b 379', ''), ('mixed4a:0', 'a name of several units')]
>>> text = marked("Like mixed4a:11.", mentions("Like mixed4a:11."))
>>> unmarked(text), marks(text)
('Like mixed4a:11.', [0])

Parsers do not tell where in the source a word stood. So each mention gets a mark with its number before it is parsed;
where the mark comes out says what the parser takes the mention for. A mark consists of rare spaces: they stand within
the word, so what is around it is read as before, and labels of links, in which Markdown counts all spaces as one, stay
equal.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from generator.checkpoints import ARCHITECTURES
from generator.core.architecture import OUTPUT

Language = Literal["markdown", "html", "latex", "notebook"]
How = Literal["name", "bracketed", "bare", "link", "shown", "ref"]

LAYERS = frozenset(layer for net in ARCHITECTURES.values() for layer in net.layers if layer != OUTPUT)
MASK = "\ufffd"
"""Stands for each character that is set aside before a document is parsed."""
NEWLINE = re.compile(r"\r\n|\r|\n")

_SCHEME = r"(?<![a-z0-9])(?<![a-z0-9]_)(?<![^\]]\])(?:https?:|(?<=[\"'(=<\s]))//|(?<![\w./@:-])microscope\.openai\.com/"
_WORDS = r"(?:\\?_[0-9a-z]+)*"
_LAYER = rf"(?P<layer>(?:mixed|conv)[0-9a-z]{{1,3}}{_WORDS})(?:@[0-9a-z]+{_WORDS})?"
# ``_`` may be emphasis on either side, but within a word it is a letter; so are ``-``, ``.`` and ``:``. Emphasis that
# ends while a word goes on, as in ``**mixed4a:9**s``, would be none with a link's bracket in between; ``[r]`` in front
# of a link would be another link; ``((…))`` and ``${…}`` are other programs'; ``==…==`` is text that is marked
_APART = (
    r"(?<![a-z0-9/@#?%$^!])(?<![^=]=)(?<![\w=]==)(?<![a-z0-9][_.:-])(?<![a-z0-9]__)(?<!\\)"
    r"(?<![^\W_][*~])(?<![^\W_](?:\*\*|~~))(?<![^\W_]\*{3})(?<![^\]]\])(?<!\(\()(?<![$#]\{)"
)
_OVER = r"(?![a-z0-9/@]|=(?!=)|==[\w=]|_+[a-z0-9]|[-.:#?][a-z0-9]|,[0-9]|[*~]{1,3}[^\W_])"
_MENTION = re.compile(
    rf"(?:{_SCHEME})(?=(?P<address>(?:\\[_~#%&]|[^\s<>\"`{{}}|\\^\[\]{MASK}]){{1,2000}}+)(?P<torn>[^\s<>\"`|\]])?)"
    rf"|(?P<mark>[!#^\]\\]?)\[\[(?P<inner>[^\[\]\n\r{MASK}]{{1,300}})\]\](?P<behind>\{{)?"
    r"|<atlas-unit\b[^<>]*?\sref\s*=\s*[\"']?(?P<ref>[^<>\"']+)"
    rf"|{_APART}(?P<name>(?:[a-z0-9][a-z0-9_-]{{0,63}}/)?{_LAYER}:[0-9]{{1,6}})"
    rf"(?:{_OVER}|(?P<several>(?=[-,][0-9]|[-/](?:mixed|conv)[0-9a-z]{{1,3}}[:_])))",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(?=[_~#%&])")
_ENTITY = re.compile(r"&(?:lt|gt|quot|nbsp|#)")
_DIGITS = str.maketrans("01234567", "".join(map(chr, range(0x2000, 0x2008))))
_NUMBERS = {new: old for old, new in _DIGITS.items()}
MARK = "\u1680"
"""What each mark begins with."""
_MARK = re.compile(f"{MARK}([\u2000-\u2007]{{7}})")


@dataclass(frozen=True, slots=True)
class Reference:
    """A piece of a document that may name a unit. ``word`` is the name or the address, with its escapes undone.

    ``how`` says what is replaced. All of a ``name``, of a name in [[brackets]] (``bracketed``) and of a ``bare``
    address; only the address of a ``link`` with a text of its own. What is ``shown`` (a picture, a frame) and the
    ``ref`` of an <atlas-unit> or \\atlasunit are only checked. ``language`` is that of the place where it stands; where
    ``is_plain``, nothing but a link can stand: in a footnote. ``left`` names the construct that it is in, if no rule
    knows that; it is then never touched.
    """

    start: int
    end: int
    word: str
    how: How
    language: Language = "markdown"
    is_plain: bool = False
    left: str = ""


def mentions(text: str, language: Language = "markdown") -> Iterator[Reference]:
    """What may name a unit, if a parser should find it in prose or as the address of a link. They may overlap."""
    for found in _MENTION.finditer(text):
        if found["address"]:
            start = found.start()
            address = trimmed(text[start : found.end("address")])
            word = "" if found["torn"] else _ESCAPED.sub("", address).replace("&amp;", "&")
            # what tears an address does not begin something new
            yield Reference(start, start + len(address) + bool(found["torn"]), word, "bare", language)
        elif found["inner"]:
            if not found["mark"] and not found["behind"]:  # else it is an embed, a tag or part of a link
                yield Reference(*found.span(), _ESCAPED.sub("", found["inner"]).strip(), "bracketed", language)
        elif found["ref"]:
            yield Reference(*found.span("ref"), found["ref"], "ref", language)
        elif _ESCAPED.sub("", found["layer"]).lower() in LAYERS:
            left = "" if found["several"] is None else "a name of several units"
            yield Reference(*found.span("name"), _ESCAPED.sub("", found["name"]), "name", language, left=left)


def trimmed(address: str) -> str:
    """A bare address without the punctuation of the sentence around it, as GitHub's Markdown reads it.

    >>> trimmed("https://host/a_(b).),")
    'https://host/a_(b)'
    """
    address = _ENTITY.split(address, maxsplit=1)[0]
    end, closed, opened = len(address), address.count(")"), address.count("(")
    while end and (address[end - 1] in ".,;:!?'*_~" or (address[end - 1] == ")" and closed > opened)):
        end -= 1
        closed -= address[end] == ")"
    return address[:end]


def marked(text: str, found: Iterable[Reference]) -> str:
    """A text with the mark of each mention within it: behind its first colon, or its first character."""
    edits = []
    for number, mention in enumerate(found):
        inner = mention.start + 2 * (mention.how == "bracketed")
        at = text.find(":", inner, mention.end) + 1 or inner + 1
        edits.append((at, at, f"{MARK}{number:07o}".translate(_DIGITS)))
    return replaced(text, edits)


def replaced(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """A text with pieces of it replaced."""
    pieces, done = [], 0
    for start, end, new in sorted(edits):
        pieces += [text[done:start], new]
        done = end
    return "".join([*pieces, text[done:]])


def marks(text: str) -> list[int]:
    """The numbers of the mentions whose marks are in a text, in their order."""
    return [int(found[1].translate(_NUMBERS), 8) for found in _MARK.finditer(text)]


def unmarked(text: str) -> str:
    """A text without marks."""
    return _MARK.sub("", text)
