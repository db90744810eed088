r"""Jupyter notebooks: their Markdown cells, and the file with other cells in it, otherwise the same to the byte.

>>> notebook = '{"cells": [{"cell_type": "markdown", "source": ["a\\n", "b"]}], "nbformat": 4}'
>>> cell, = read_cells(notebook)
>>> cell.text
'a\nb'
>>> rewritten(notebook, [(cell, "a\nc")])
'{"cells": [{"cell_type": "markdown", "source": ["a\\n", "c"]}], "nbformat": 4}'

Every program writes a notebook's JSON in its own way, so it is not written anew: lines of a cell that changed are put
in the place of those that were there, spaced and escaped as they were.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.core.errors import AtlasError

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ESCAPED = re.compile(r"\\u(?!00[0-7])[0-9a-f]{4}", re.IGNORECASE)
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.", re.DOTALL)
_BEYOND = re.compile(r"[^\x00-\x7f]")
_RAW_LINE = re.compile(r"(?:[^\\]|\\[^n])*+\\n|(?:[^\\]|\\.)++", re.DOTALL)


class NotebookError(AtlasError):
    """A file that is no notebook."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A Markdown cell: its number from 1, its source, and where that stands in the file, from ``start`` to ``end``:
    a list of JSON strings, or the one string that there is."""

    number: int
    text: str
    start: int
    end: int
    strings: tuple[tuple[int, int], ...]


def read_cells(text: str) -> tuple[Cell, ...]:
    """The Markdown cells of a notebook. Raises NotebookError if it is none."""
    try:
        notebook = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"it is not a notebook ({error})") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotebookError("it is not a notebook of format 4: it has no cells; open it in Jupyter and save it")
    found: list[Cell] = []
    for index, start, end, strings in _sources(text):
        cell = cells[index]
        source = "".join(json.loads(text[slice(*string)]) for string in strings)
        if cell.get("cell_type") == "markdown" and strings:
            found.append(Cell(index + 1, source, start, end, strings))
    return tuple(found)


def lines_of(cell: Cell, text: str, starts: list[int]) -> list[int]:
    """In which line of the file, whose lines start there, each line of a cell stands."""
    lines = list[int]()
    begins = True
    for string in cell.strings:
        line, words = bisect_right(starts, string[0]), json.loads(text[slice(*string)])
        ends = words.endswith("\n")
        lines += [line] * (begins + words.count("\n") - ends)
        begins = ends
    return lines + lines[-1:]


def rewritten(text: str, cells: Iterable[tuple[Cell, str]]) -> str:
    """A notebook with other texts in some of its cells, which are given in their order."""
    ascii_only = text.isascii() and bool(_ESCAPED.search(text))
    pieces, done = [], 0
    for cell, new in cells:
        if new != cell.text:
            pieces += [text[done : cell.start], _source(text, cell, new, ascii_only)]
            done = cell.end
    return "".join([*pieces, text[done:]])


def _source(text: str, cell: Cell, new: str, ascii_only: bool) -> str:
    strings = [text[slice(*string)] for string in cell.strings]
    is_one = text[cell.start] == '"'
    raw = [f'"{line}"' for line in _RAW_LINE.findall(strings[0][1:-1])] if is_one else strings
    as_was = {json.loads(string): string for string in raw}
    escapes = {json.loads(f'"{escape}"'): escape for string in raw for escape in _ESCAPE.findall(string)}
    bare = _ESCAPE.sub("", "".join(raw))
    escapes = {character: escape for character, escape in escapes.items() if character not in bare}
    lines = [as_was.get(line) or _string(line, ascii_only, escapes) for line in _LINE.findall(new)]
    if is_one:
        return f'"{"".join(line[1:-1] for line in lines)}"'
    between = text[cell.strings[0][1] : cell.strings[1][0]] if len(strings) > 1 else ", "
    return text[cell.start : cell.strings[0][0]] + between.join(lines) + text[cell.strings[-1][1] : cell.end]


def _string(line: str, ascii_only: bool, escapes: Mapping[str, str]) -> str:
    """A string of JSON in which what the cell escapes is escaped, whether it has to be or not."""
    string = json.dumps(line, ensure_ascii=False)
    for character, escape in escapes.items():
        if character not in '"\\' and not (character.isascii() and (character.isalnum() or character < " ")):
            string = string.replace(character, escape)
    return _BEYOND.sub(lambda found: json.dumps(found[0])[1:-1], string) if ascii_only else string


def _sources(text: str) -> Iterator[tuple[int, int, int, tuple[tuple[int, int], ...]]]:
    """The source of each cell: its number from 0, where it begins and ends, and its strings. The text is sound JSON."""
    path: list[Any] = []  # in every container that is open, the key or the number of what is read
    strings: list[tuple[int, int]] = []
    start = 0
    for token in _TOKEN.finditer(text):
        word, depth = token[0], len(path)
        is_source = depth >= 3 and path[0] == "cells" and path[2] == "source" and type(path[1]) is int
        if word[0] == '"':
            if path and path[-1] is None:
                path[-1] = json.loads(word) if depth <= 3 else ""
            elif is_source and depth == 3:
                yield path[1], *token.span(), (token.span(),)
            elif is_source and depth == 4:
                strings.append(token.span())
        elif word in "{[":
            if is_source and depth == 3:
                start, strings = token.start(), []
            path.append(None if word == "{" else 0)
        elif word in "}]":
            path.pop()
            if is_source and depth == 4:
                yield path[1], start, token.end(), tuple(strings)
        elif path:
            path[-1] = path[-1] + 1 if type(path[-1]) is int else None
