r"""LaTeX: what of a document is prose, and where its links lead.

>>> lay_out(r"mixed4a:11 % mixed4a:12").prose.replace(chr(0), ".")
'mixed4a:11 ............'

Never prose are comments, what is set verbatim, \texttt, pictures that are drawn, the arguments of commands that are
no text, and all before \begin{document}. The addresses of \url and \href are links. Other commands are taken to set
their arguments as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from generator.cite.layout import Layout, Notes, Reference, Zone, blanked, newline_of

_VERBATIM = (
    "verbatim|spverbatim|Verbatim|BVerbatim|LVerbatim|SaveVerbatim|Sbox|lstlisting|minted|alltt|comment|filecontents"
    "|tikzpicture|py(?:code|block|console|sub|verbatim)|sage(?:block|silent|verbatim)|luacode|asy"
)
_BOXED = re.compile(r"\\(?:begin|end)\s*\{(?:tabular[xy]?|tabu|array)\*?\}")  # a footnote's text is lost in them
_FALSE_ENDS = re.compile(r"\\(?:fi|else)(?![a-zA-Z@])")
_CODE = re.compile(
    rf"\\begin\s*\{{(?P<environment>(?:{_VERBATIM})\*?)\}}"
    r"|\\(?:verb|lstinline|mintinline\{[^{}\n]*\})\*?(?:\[[^\]\n]{0,300}\])?(?P<mark>[^\sA-Za-z0-9*{\[])"
    r"[^\n]{0,999}?(?P=mark)|\\(?:path|url)(?P<bar>[|!+/\"=])[^\n]{0,999}?(?P=bar)"
    r"|(?P<false>\\iffalse)(?![a-zA-Z@])|\\.|(?P<comment>%[^\r\n]*)",
    re.DOTALL,
)
_COMMAND = re.compile(r"\\(?:([a-zA-Z@]+)\*?|.)", re.DOTALL)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_OPTION = re.compile(r"\[[^\[\]]*\]")
_SILENT = re.compile(  # commands whose arguments are no text
    "label|ref|eqref|pageref|autoref|nameref|[cCv]ref|hyperref|hypertarget|hyperlink|nolinkurl|path|index|gls|Gls|tag"
    "|[a-zA-Z]*[cC]ite[a-zA-Z]*|bibliography|bibliographystyle|addbibresource|bibitem"
    "|input|include|includeonly|includegraphics|graphicspath|lstinputlisting|inputminted|import|subimport"
    "|usepackage|documentclass|(?:new|renew|provide)command|(?:new|renew)environment|begin|end|pagestyle|thispagestyle"
    "|texttt|lstinline|mintinline|Verb"
)
_WITHOUT_NOTES = re.compile(  # a footnote in a footnote is lost, and in what moves to a list it does not compile
    "footnote|footnotetext|thanks|(?:sub)?caption|captionof|subcaptionbox|[fm]box|(?:frame|make)box|part|chapter|(?:sub){0,2}section|(?:sub)?paragraph|title|marginpar"
)
_ESCAPE = re.compile(r"\\([#%&_~{}$])")
_NOTED = re.compile(r"^% curl -o ([\w-]+)\.jpg ", re.MULTILINE)
_BODY = re.compile(r"\\begin\s*\{document\}")


def lay_out(text: str) -> Layout:
    plain = blanked(text, _code(text))
    groups = _groups(plain)
    body = _BODY.search(plain)
    silent = [(0, body.end())] if body else []
    names: list[tuple[int, int]] = []
    links: list[Reference] = []
    zones: list[Zone] = []
    boxes: list[int] = []  # where environments begin that are open and have no footnotes
    for command in _COMMAND.finditer(plain):
        start, name = command.start(), command[1] or ""
        if silent and start < silent[-1][1]:
            continue  # within what is no text
        if command[0] != r"\_":
            names.append(command.span())
        if name in ("href", "url"):
            if found := _link(plain, groups, command):
                links.append(found[0])
                silent.append((start, found[1]))
        elif _SILENT.fullmatch(name):
            if name == "begin" and _BOXED.match(plain, start) and not (zones and start < zones[-1].end):
                boxes.append(start)
            elif boxes and name == "end" and _BOXED.match(plain, start):
                begin = boxes.pop()
                zones += [] if boxes else [Zone(begin, start, "latex")]
            *_, end = (command.end(), *_arguments(plain, groups, command.end()))
            silent.append((start, end))
        elif boxes or (zones and start < zones[-1].end):
            continue
        elif name == "item" and (option := _OPTION.match(plain, command.end())):
            zones.append(Zone(start, option.end(), "latex"))
        elif _WITHOUT_NOTES.fullmatch(name):
            *_, end = (command.end(), *_arguments(plain, groups, command.end()))
            zones.append(Zone(start, end, "latex"))
    zones += [Zone(begin, len(plain), "latex") for begin in boxes[:1]]
    return Layout(blanked(plain, [*names, *silent]), tuple(links), _notes(text), tuple(zones))


def _code(text: str) -> Iterator[tuple[int, int]]:
    """Comments, and what is set as it stands. What nobody closes lasts to the end."""
    at = 0
    while found := _CODE.search(text, at):
        at = found.end()
        if found["environment"]:
            end = text.find(f"\\end{{{found['environment']}}}", at)
            at = end if end >= 0 else len(text)
        elif found["false"]:
            close = _FALSE_ENDS.search(text, at)
            at = close.end() if close else len(text)
        if found.lastgroup:
            yield found.start(), at


def _groups(plain: str) -> Mapping[int, int]:
    """Where each {group} that begins somewhere ends, for those that do."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(plain):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            ends[opened.pop()] = brace.end()
    return ends


def _arguments(plain: str, groups: Mapping[int, int], at: int) -> Iterator[int]:
    """Where each argument of a command ends."""
    while True:
        option = _OPTION.match(plain, at)
        end = option.end() if option else groups.get(at)
        if end is None:
            return
        at = end
        yield at


def _link(plain: str, groups: Mapping[int, int], command: re.Match[str]) -> tuple[Reference, int] | None:
    r"""The address of \url{…} or \href{…}{…}, and where the command ends. All of it stands for the unit if it has no
    text but the address."""
    option = _OPTION.match(plain, command.end())
    at = option.end() if option else command.end()
    end = groups.get(at)
    if end is None:
        return None
    word = _ESCAPE.sub(r"\1", plain[at + 1 : end - 1]).strip()
    if command[1] == "url":
        return Reference(command.start(), end, word, "bare", "latex"), end
    close = groups.get(end)
    if close is None:
        return None
    if _ESCAPE.sub(r"\1", plain[end + 1 : close - 1]).strip() == word:
        return Reference(command.start(), close, word, "bare", "latex"), close
    return Reference(at + 1, end - 1, word, "link", "latex"), close


def _notes(text: str) -> Notes:
    """Where the pictures come from that are shown is said in comments behind everything."""
    line = "" if not text or text.endswith(("\r", "\n")) else newline_of(text)
    return Notes(tuple(_NOTED.findall(text)), len(text), line)
