"""The lines on which values stand in a text of TOML or JSON, for errors. The text was parsed before: it is valid.

>>> lines = value_lines('[atlas]\\ntitle = "x"\\n\\n[[labels]]\\nunit = "4a:0"\\n[[labels]]\\nunit = "4a:1"\\n')
>>> line_of(("atlas", "title"), lines), line_of(("labels", 1, "unit"), lines), line_of(("labels", 1, "source"), lines)
(2, 7, 6)
>>> line_of(("a", 1, "b"), value_lines('{"a": [\\n{}, \\n{"b": 0}]}', is_json=True))
3

The parsers of the standard library keep no positions, and msgspec keeps none.
"""

import re
from collections.abc import Mapping

from generator.core.schema import Path

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''  # strings
    r"|\#[^\n]*|\n|[\[\]{}=:,]|[^\s\[\]{}=:,#\"']+",
    re.DOTALL,
)
_Tokens = list[tuple[str, int]]  # with their lines; the next one is the last


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of a value. If it is missing, that of the table or list in which it would be."""
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)


def value_lines(text: str, *, is_json: bool = False) -> Mapping[Path, int]:
    """The line, counted from 1, on which each value begins, or its key; by the path of the value."""
    tokens: _Tokens = []
    line = 1
    for token in _TOKEN.findall(text):
        if token[0] != "#":
            tokens.append((token, line))
        line += token.count("\n")
    tokens.reverse()
    lines: dict[Path, int] = {}
    if is_json:
        _value((), tokens, lines)
        return lines
    section: Path = ()
    counts: dict[Path, int] = {}  # of the tables in an array of tables
    while _skip(tokens, "\n"):
        if tokens[-1][0] != "[":
            _pair(section, tokens, lines)
            continue
        tokens.pop()
        if is_array := tokens[-1][0] == "[":
            tokens.pop()
        begins, section = tokens[-1][1], ()
        keys = _key(tokens, "]")
        for n, key in enumerate(keys, 1):
            section = (*section, key)
            if is_array and n == len(keys):
                lines.setdefault(section, begins)
                counts[section] = counts.get(section, -1) + 1
            if section in counts:
                section = (*section, counts[section])
            lines.setdefault(section, begins)
        _skip(tokens, "]")
    return lines


def _skip(tokens: _Tokens, *skipped: str) -> bool:
    """Whether anything is left behind these tokens."""
    while tokens and tokens[-1][0] in skipped:
        tokens.pop()
    return bool(tokens)


def _key(tokens: _Tokens, *ends: str) -> tuple[str, ...]:
    """A key, in TOML one with several parts, up to the character that ends it."""
    parts = [""]
    while (part := tokens.pop()[0]) not in ends:
        if part[0] in "\"'":
            parts[-1] += part[1:-1]
        else:
            first, *others = part.split(".")
            parts[-1] += first
            parts += others
    return tuple(parts)


def _pair(path: Path, tokens: _Tokens, lines: dict[Path, int]) -> None:
    """A key and its value."""
    begins = tokens[-1][1]
    for key in _key(tokens, "=", ":"):
        path = (*path, key)
        lines.setdefault(path, begins)
    _value(path, tokens, lines)


def _value(path: Path, tokens: _Tokens, lines: dict[Path, int]) -> None:
    _skip(tokens, "\n")
    value, begins = tokens.pop()
    lines.setdefault(path, begins)
    if value == "{":
        while _skip(tokens, "\n", ",") and tokens[-1][0] != "}":
            _pair(path, tokens, lines)
    elif value == "[":
        n = 0
        while _skip(tokens, "\n", ",") and tokens[-1][0] != "]":
            _value((*path, n), tokens, lines)
            n += 1
    else:
        while tokens and tokens[-1][0] not in "\n,]}":  # a date has several tokens
            tokens.pop()
        return
    tokens.pop()
