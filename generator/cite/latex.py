r"""LaTeX: where its links lead, and which units its commands name. Text is never touched.

>>> [(r.how, r.word) for r in read_latex(r"\url{https://host/a\_b} \atlasunit{mixed4a:11} % \url{x}")]
[('link', 'https://host/a_b'), ('ref', 'mixed4a:11')]

Only TeX itself can say what is text in a document: packages and preambles define commands, environments and short
verbs as they like. So names stay as they are; authors write \atlasunit{mixed4a:11} and \atlaspicture{mixed4a:11} with
the package atlas.sty, which `atlas build` writes. Those are checked, and of \href and \url the addresses are rewritten,
but not in comments, verbatim text, the preamble and environments that are not known to hold text.
"""

import re
from dataclasses import replace

from generator.cite.mentions import How, Language, Reference

_TEXT = re.compile(
    "document|abstract|figure|table|wrapfigure|subfigure|center|flushleft|flushright|quote|quotation|verse|itemize"
    "|enumerate|description|tabularx?|longtable|minipage|multicols|frame|block|columns?|theorem|lemma|proof|definition"
    "|example|remark|thebibliography|titlepage|letter|threeparttable|tablenotes|appendices|acks"
)
_SHORT_VERB = r"\\[a-zA-Z]*(?:MakeShort|DefineShort)[a-zA-Z]*\*?(?:\[[^\]]*\])?\s*\{?\\?([^\sa-zA-Z\\{}\[\]])"
_GROUP = r"\{(?:[^{}\r\n]|\{[^{}\r\n]*\})*+\}"
_MARK = r"[^\sa-zA-Z0-9*{}\[\\]"
_VERB = (  # \verb and its like, whatever packages call them: a mark on both sides, or braces
    r"\\[a-zA-Z]*(?:[vV]erb|inline|[cC]ode)\*?(?:\[[^\]\r\n]{0,300}\])?"
    rf"(?:\{{[^{{}}\r\n]{{0,60}}\}}(?={_MARK}|\{{))?(?:(?P<mark>{_MARK})[^\r\n]{{0,999}}?(?P=mark)|{_GROUP})"
    rf"|\\(?:path|url)(?P<bar>{_MARK})[^\r\n]{{0,999}}?(?P=bar)"
)
_SPECIAL = (
    rf"{_SHORT_VERB}|{_VERB}"
    r"|\\begin[ \t]*\{(?P<environment>[^{}\r\n]*)\}"
    r"|\\(?P<false>iffalse)(?![a-zA-Z@])"
    r"|\\(?P<command>url|href|atlasunit|atlaspicture)(?![a-zA-Z@])"
    r"|\\.|%[^\r\n]*"
)
_ARGUMENT = re.compile(r"(?:\s*\[[^\[\]]*\])?\s*\{((?:[^{}\\]|\\.)*+)\}", re.DOTALL)
_ESCAPE = re.compile(r"\\([#%&_~{}$])")
_FALSE_END = re.compile(r"\\(?:fi|else)(?![a-zA-Z@])")
_BODY = re.compile(r"^[^%\r\n]*?\\begin\s*\{document\}", re.MULTILINE)


def read_latex(text: str, language: Language = "latex") -> list[Reference]:
    """The references of a document, in which nothing is prose. Takes time in proportion to its length."""
    references: list[Reference] = []
    short = {re.escape(mark) for mark in re.findall(_SHORT_VERB, text)}
    pairs = [rf"{mark}[^\r\n]{{0,999}}?{mark}" for mark in sorted(short)]
    special = re.compile("|".join([_SPECIAL, *pairs]), re.DOTALL)
    body = _BODY.search(text)
    at = body.end() if body else 0
    while found := special.search(text, at):
        at = found.end()
        environment = found["environment"]
        if environment is not None and not _TEXT.fullmatch(environment.rstrip("*")):
            end = text.find(f"\\end{{{environment}}}", at)
            begin, at = at, end if end >= 0 else len(text)
            for each in read_latex(text[begin:at]):
                left = each.left or f"the environment {environment}"
                references.append(replace(each, start=each.start + begin, end=each.end + begin, left=left))
        elif found["false"]:
            close = _FALSE_END.search(text, at)
            at = close.end() if close else len(text)
        elif found["command"] and (first := _ARGUMENT.match(text, at)):
            how: How = "ref" if found["command"].startswith("atlas") else "link"
            second = _ARGUMENT.match(text, first.end()) if found["command"] == "href" else None
            for argument in filter(None, (first, second)):
                word = _ESCAPE.sub(r"\1", argument[1]).strip()
                if argument is first or word == references[-1].word:  # a text that is nothing but the address
                    references.append(Reference(*argument.span(1), word, how, language))
                    at = argument.end(1)
    return references
