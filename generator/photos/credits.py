"""Whose photographs are: a file ``credits.csv`` in a folder of them, and what may be shown by their licences.

Its columns are file, title, author, licence and source. What it says is written by people and machines, and is tidied
before a page shows it:

>>> tidied(Credit("File:Mute_Swan.jpg", "User:Ann (talk)", "CC BY 4.0", "https://host/a"), "a.jpg")
Credit(title='Mute Swan', author='Ann', licence='CC BY 4.0', source='https://host/a')
>>> tidied(Credit(), "birds/n02085936_Maltese_dog.jpg").title
'Maltese dog'
>>> allows_pixels(Credit(author="Ann", licence="CC BY-SA 3.0 de")), allows_pixels(Credit(licence="CC BY-NC 4.0"))
(True, False)
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from generator.core.errors import UsageError
from generator.core.text import is_line, legible, read_text

FILE = "credits.csv"
_COLUMNS = ("file", "title", "author", "licence", "source")
_FREE = re.compile(r"(cc0|cc[ -]?by(-sa)?|public domain|pdm?|mit|attribution)(?!\w)", re.IGNORECASE)
_OWNERLESS = re.compile(r"(cc0|public domain|pdm?)(?!\w)", re.IGNORECASE)
_NOT_FREE = re.compile(r"\b(nc|nd|non-?\s?commercial|no-?\s?deriv\w*|all rights)\b", re.IGNORECASE)
_ENDING = re.compile(r"\.(jpe?g|png|webp|tiff?|gif)$", re.IGNORECASE)
_BEFORE = re.compile(r"^(file:|user:|[a-z]{2,3}:(?=\S)|n\d{8}[ _-]|\d+ — )", re.IGNORECASE)
_AFTER = re.compile(r"\s*\((talk|\d{6,})\)$|\s*\(?\s*https?://\S*\s*\)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose photograph it is, as ``credits.csv`` says it; "" where it says nothing."""

    title: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""


def read_credits(folder: Path) -> dict[str, Credit]:
    """The rows of ``credits.csv`` in a folder by file, or none without it. Raises UsageError naming what is wrong."""
    path = folder / FILE
    try:
        text = read_text(path)
    except FileNotFoundError:
        return {}
    rows = csv.DictReader(io.StringIO(text, newline=""))  # a title may have ends of lines of its own
    try:
        if missing := set(_COLUMNS) - set(rows.fieldnames or ()):
            raise UsageError(f"{path}:1: no column {', '.join(sorted(missing))}; write {','.join(_COLUMNS)}")
        return {r["file"]: Credit(*(" ".join((r[column] or "").split()) for column in _COLUMNS[1:])) for r in rows}
    except csv.Error as error:
        raise UsageError(f"{path}:{rows.line_num + 1}: cannot be read: {error}") from error


def allows_pixels(credit: Credit) -> bool:
    """Whether the licence lets anyone show the photograph: CC0, public domain, CC BY, CC BY-SA, MIT.

    A licence that asks for the author's name is of use only with one. What is not known is not allowed.
    """
    licence = credit.licence
    if not _FREE.match(licence) or _NOT_FREE.search(licence):
        return False
    return bool(credit.author or _OWNERLESS.match(licence))


def tidied(credit: Credit, name: str) -> Credit:
    """A credit as a page shows it: no ends of files, prefixes of wikis or addresses in names; a title in any case.

    ``source`` is kept if it is an address of the web. ``name`` is the photograph's file, with slashes.
    """
    title = _plain(_ENDING.sub("", credit.title or name.rpartition("/")[2]).replace("_", " ").replace("*", ""))
    return Credit(title or "untitled", _plain(credit.author), legible(credit.licence, 80), _web(credit.source))


def _plain(text: str) -> str:
    """Without what a wiki or a camera adds, unless that is all there is."""
    return legible(_AFTER.sub("", _BEFORE.sub("", text.strip())), 80) or legible(text, 80)


def _web(source: str) -> str:
    try:
        parts = urlsplit(source)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        return ""
    good = parts.scheme in ("http", "https") and parts.hostname and is_line(source) and len(source) <= 2000
    return source if good else ""
