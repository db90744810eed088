"""Names of units and bare addresses in running text.

>>> [r.word for r in mentions("Curves (mixed4a:11, [[3b 379]]), not mixed4a:0-9 or x/mixed4a:11.html", "markdown")]
['mixed4a:11', '3b 379']

A name is found where it stands alone, not within a longer word, a path or a range. [[Brackets]] may hold every spelling
that the command line reads; anything else in them is a wiki link. A ``_`` may be escaped, as Markdown and LaTeX do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.checkpoints import ARCHITECTURES
from generator.cite.layout import MASK, How, Language, Reference
from generator.core.architecture import OUTPUT

LAYERS = frozenset(layer for net in ARCHITECTURES.values() for layer in net.layers if layer != OUTPUT)
_SCHEME = r"(?<![a-z0-9])(?<![a-z0-9]_)(?<!\]\()https?://|(?<![\w./@:-])microscope\.openai\.com/"
_NAME = r"(?:(?P<of>[a-z0-9][a-z0-9_-]{0,63})/)?(?P<layer>(?:mixed|conv)[0-9a-z]{1,3}(?:\\?_[0-9a-z]+)*):[0-9]{1,6}"
# ``_`` may be emphasis on either side, but within a word it is a letter; so are ``-``, ``.`` and ``:``
_APART = r"(?<![a-z0-9/@#=?%$^!])(?<![a-z0-9][_.:-])(?<![a-z0-9]__)(?<!\\)"
_OVER = r"(?![a-z0-9/@=]|_+[a-z0-9]|[-.:#?][a-z0-9]|,[0-9])"
_MENTION = re.compile(
    rf"(?P<address>(?:{_SCHEME})(?:\\[_~#%&]|[^\s<>\"`{{}}|\\^\[\]{MASK}])+)(?P<torn>[{{}}\\^\[])?"
    rf"|(?P<mark>[!#^\]\\]?)\[\[(?P<inner>[^\[\]\n\r{MASK}]{{1,300}})\]\](?P<behind>\(https?:|\{{)?"
    rf"|{_APART}(?P<name>{_NAME}){_OVER}",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(?=[_~#%&])")
_UNITS_LAYER = r"mixed\d\w*|conv\w*|inception_?\d\w*|[345][a-e](?:_\w+)?"
_BEGINS_IN_WORD = re.compile(r"\w[*~]{1,3}\Z")
_ENDS_IN_WORD = re.compile(r"[*~]{1,3}\w")
_RANGE = re.compile(r"(?:(?P<of>[\w-]+)/)?(?P<layer>\w+):[0-9]+[-,][0-9,-]*", re.ASCII)
_LOOKS = re.compile(
    rf"(?:[\w-]+/)?(?:(?:{_UNITS_LAYER})[:/_ ]+(?:(?:[135]x[135]|7x7_s2|3x3_reduce|pool|reduce|proj|bottleneck|output)"
    r"[:/_ ]+)*\d+|\d[a-z]:\d+)",
    re.IGNORECASE | re.ASCII,
)


def mentions(prose: str, language: Language) -> Iterator[Reference]:
    """What may name a unit, in text with everything but its prose masked."""
    is_markdown = language in ("markdown", "notebook")
    for found in _MENTION.finditer(prose):
        if found["address"]:
            address = _trimmed(found["address"])
            if not found["torn"]:
                word = _ESCAPED.sub("", address)
                word = word.replace("&amp;", "&") if language == "html" else word
                defined = prose.startswith("]: ", found.start() - 3)  # by whoever is less strict than CommonMark
                how: How = "link" if defined and language != "html" else "bare"
                yield Reference(found.start(), found.start() + len(address), word, how, language)
        elif found["inner"]:
            if not found["mark"] and not found["behind"]:  # else it is an embed, a tag or part of a link
                yield Reference(*found.span(), _ESCAPED.sub("", found["inner"]).strip(), "bracketed", language)
        elif _ESCAPED.sub("", found["layer"]).lower() in LAYERS and not (is_markdown and _is_bound(prose, found)):
            yield Reference(*found.span(), _ESCAPED.sub("", found["name"]), "name", language)


def looks_like_a_unit(word: str) -> bool:
    """Whether somebody who wrote [[word]] must have meant a unit, even if there is none.

    >>> [looks_like_a_unit(w) for w in ("4a:9999", "9z:1", "inception_4a/output 197", "Some page", "3d models", "2024")]
    [True, True, True, False, False, False]
    """
    return bool(_LOOKS.fullmatch(word))


def left_out(word: str) -> str:
    """Why [[word]] stays, which names units but no single one; "" if it names none.

    >>> left_out("4a:82|a curve")
    '[[4a:82|a curve]] has a text of its own; write [a curve](address) for a link'
    >>> left_out("mixed4a:0-9")
    '[[mixed4a:0-9]] names several units; name each for itself'
    >>> left_out("mixed4a"), left_out("Some page|there")
    ('[[mixed4a]] names a layer; name a unit of it, as mixed4a:0', '')
    """
    name, bar, text = (part.strip() for part in word.partition("|"))
    if bar and looks_like_a_unit(name):
        return f"[[{word}]] has a text of its own; write [{text}](address) for a link"
    if (several := _RANGE.fullmatch(name)) and looks_like_a_unit(f"{several['layer']}:0"):
        return f"[[{word}]] names several units; name each for itself"
    return f"[[{word}]] names a layer; name a unit of it, as {name}:0" if name.lower() in LAYERS else ""


def _is_bound(prose: str, found: re.Match[str]) -> bool:
    """Whether a name must stay because of what is around it. Emphasis that ends behind it while a word goes on, as in
    ``**mixed4a:9**s``, would be none with the bracket of a link in between; ``((mixed4a:9))`` is another program's."""
    start, end = found.span()
    return bool(
        _BEGINS_IN_WORD.search(prose, max(start - 4, 0), start)
        or _ENDS_IN_WORD.match(prose, end)
        or (prose.startswith("((", start - 2) and prose.startswith("))", end) and start > 1)
    )


def _trimmed(address: str) -> str:
    """A bare address without the punctuation of the sentence around it, as GitHub's Markdown reads it.

    >>> _trimmed("https://host/a_(b).),")
    'https://host/a_(b)'
    """
    address = re.split(r"&(?:lt|gt|quot|nbsp|#)", address, maxsplit=1)[0]
    end, closed, opened = len(address), address.count(")"), address.count("(")
    while end and (address[end - 1] in ".,;:!?'*_~" or (address[end - 1] == ")" and closed > opened)):
        end -= 1
        closed -= address[end] == ")"
    return address[:end]
