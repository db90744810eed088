r"""Jupyter notebooks: their Markdown cells, and where each character of them stands in the file.

>>> notebook = '{"cells": [{"cell_type": "markdown", "source": ["a\\n", "b"]}], "nbformat": 4}'
>>> cell, = read_cells(notebook)
>>> cell.text, notebook[cell.places[2]]
('a\nb', 'b')

Every program writes a notebook's JSON in its own way, so it is not written anew: only the characters of references are
replaced, within the strings of JSON that are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.core.errors import AtlasError

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_ESCAPED = re.compile(r"\\u(?!00[0-7])[0-9a-f]{4}", re.IGNORECASE)


class NotebookError(AtlasError):
    """A file that is no notebook."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A Markdown cell: its number from 1, its source, and where each character of it begins in the file. ``escapes``
    says how the cell writes a character that it never writes as it is."""

    number: int
    text: str
    places: list[int]
    ends: list[int]
    escapes: Mapping[str, str]
    ascii_only: bool

    def json(self, new: str) -> str:
        """Text as it is written in the strings of this cell."""
        written = json.dumps(new, ensure_ascii=False)[1:-1]
        for character, escape in self.escapes.items():
            written = written.replace(character, escape)
        return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], written) if self.ascii_only else written


def read_cells(text: str) -> tuple[Cell, ...]:
    """The Markdown cells of a notebook. Raises NotebookError if it is none."""
    try:
        notebook = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"it is not a notebook ({error})") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotebookError("it is not a notebook of format 4: it has no cells; open it in Jupyter and save it")
    ascii_only = text.isascii() and bool(_ESCAPED.search(text))
    strings: dict[int, list[tuple[int, int]]] = {}
    for index, start, end in _strings(text):
        strings.setdefault(index, []).append((start, end))
    return tuple(
        _cell(text, index + 1, each, ascii_only)
        for index, each in strings.items()
        if cells[index].get("cell_type") == "markdown"
    )


def _cell(text: str, number: int, strings: list[tuple[int, int]], ascii_only: bool) -> Cell:
    characters: list[str] = []
    places: list[int] = []
    ends: list[int] = []
    escapes: dict[str, str] = {}
    for start, end in strings:
        for found in _CHARACTER.finditer(text, start + 1, end - 1):
            written = found[0]
            character = json.loads(f'"{written}"') if len(written) > 1 else written
            characters.append(character)
            places.append(found.start())
            ends.append(found.end())
            if len(written) > 1 and not character.isalnum() and character not in '"\\' and character >= " ":
                escapes.setdefault(character, written)
    as_it_is = {text[place] for place in places}
    escapes = {character: escape for character, escape in escapes.items() if character not in as_it_is}
    return Cell(number, "".join(characters), places, ends, escapes, ascii_only)


def _strings(text: str) -> Iterator[tuple[int, int, int]]:
    """The strings of each cell's source: the cell's number from 0, where the string begins and ends. The text is sound
    JSON."""
    path: list[Any] = []  # in every container that is open, the key or the number of what is read
    for token in _TOKEN.finditer(text):
        word, depth = token[0], len(path)
        if word[0] == '"':
            if path and path[-1] is None:
                path[-1] = json.loads(word) if depth <= 3 else ""
            elif depth in (3, 4) and path[0] == "cells" and path[2] == "source" and type(path[1]) is int:
                yield path[1], *token.span()
        elif word in "{[":
            path.append(None if word == "{" else 0)
        elif word in "}]":
            path.pop()
        elif path:
            path[-1] = path[-1] + 1 if type(path[-1]) is int else None
