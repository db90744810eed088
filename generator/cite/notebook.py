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
from collections.abc import Iterator
from dataclasses import dataclass

from generator.core.errors import AtlasError

_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"(?P<key>\s*:)?', re.DOTALL)
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


class NotebookError(AtlasError):
    """A file that is no notebook."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A Markdown cell: its number from 1, its source, and where each character of it begins and ends in the file."""

    number: int
    text: str
    places: tuple[int, ...]
    ends: tuple[int, ...]


def read_cells(text: str) -> list[Cell]:
    """The Markdown cells of a notebook. Raises NotebookError if it is none."""
    try:
        json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"it is not a notebook ({error})") from error
    # the same, in which each string but keys says where it stands
    placed = _STRING.sub(lambda found: found[0] if found["key"] else f'"{found.start()} {found.end()}"', text)
    notebook = json.loads(placed.removeprefix("\ufeff"))
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotebookError("it is not a notebook of format 4: it has no cells; open it in Jupyter and save it")
    return [
        _cell(text, number, _spans(cell.get("source")))
        for number, cell in enumerate(cells, 1)
        if isinstance(cell, dict) and [text[a:b] for a, b in _spans(cell.get("cell_type"))] == ['"markdown"']
    ]


def _spans(placed: object) -> Iterator[tuple[int, int]]:
    """Where a string stands, or each of a list."""
    for each in placed if isinstance(placed, list) else [placed]:
        if isinstance(each, str):
            start, end = each.split()
            yield int(start), int(end)


def _cell(text: str, number: int, strings: Iterator[tuple[int, int]]) -> Cell:
    found = [found for start, end in strings for found in _CHARACTER.finditer(text, start + 1, end - 1)]
    source = "".join(json.loads(f'"{each[0]}"') if len(each[0]) > 1 else each[0] for each in found)
    return Cell(number, source, tuple(each.start() for each in found), tuple(each.end() for each in found))
