r"""Jupyter notebooks: their Markdown cells, and where each character of them stands in the file.

>>> notebook = '{"cells": [{"cell_type": "markdown", "source": ["a\\n", "b"]}], "nbformat": 4}'
>>> (number, source, places), = read_cells(notebook)
>>> source, notebook[slice(*places[2])]
('a\nb', 'b')

Every program writes a notebook's JSON in its own way, so it is not written anew: only the characters of references are
replaced, within the strings of JSON that are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from generator.core.errors import AtlasError

_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"(?P<key>\s*:)?', re.DOTALL)
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


class NotebookError(AtlasError):
    """A file that is no notebook."""


def read_cells(text: str) -> Iterator[tuple[int, str, list[tuple[int, int]]]]:
    """Each Markdown cell: its number from 1, its source, and where each character of that begins and ends in the file.

    Raises NotebookError if it is no notebook.
    """
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
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and [text[a:b] for a, b in _spans(cell.get("cell_type"))] == ['"markdown"']:
            found = [each for a, b in _spans(cell.get("source")) for each in _CHARACTER.finditer(text, a + 1, b - 1)]
            source = "".join(json.loads(f'"{each[0]}"') if len(each[0]) > 1 else each[0] for each in found)
            yield number, source, [each.span() for each in found]


def _spans(placed: object) -> Iterator[tuple[int, int]]:
    """Where a string stands, or each of a list."""
    for each in placed if isinstance(placed, list) else [placed]:
        if isinstance(each, str):
            start, end = each.split()
            yield int(start), int(end)
