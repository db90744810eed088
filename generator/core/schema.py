"""What data from outside may be: types that msgspec checks, and errors that say which value is wrong.

>>> from dataclasses import dataclass
>>> @dataclass
... class File:
...     sha256: Sha256
...     bytes: Size
>>> decode({"sha256": "ab" * 32, "bytes": 3}, File).bytes
3
>>> decode([{"sha256": "ab" * 32, "bytes": 0}], list[File])
Traceback (most recent call last):
generator.core.schema.SchemaError: [0]: bytes = 0: must be a size, 1 or more

A record, the index of an atlas, and the files that people write are read with these types.
"""

import re
import reprlib
import sys
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from generator.core.errors import did_you_mean
from generator.core.text import INVISIBLE, SHA256

T = TypeVar("T")
Path = tuple[str | int, ...]
"""The keys and indices that lead to a value: ``("checkpoints", "mine", "units", 3)``."""

VISIBLE = rf"\A[^{INVISIBLE}]*\Z"
_DAY, _TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"

Sha256 = Annotated[str, Meta(pattern=rf"\A{SHA256.pattern}\Z", description="64 hexadecimal digits")]
Line = Annotated[str, Meta(pattern=VISIBLE, max_length=200, description="one line of at most 200 characters")]
Size = Annotated[int, Meta(gt=0, lt=2**31, description="a size, 1 or more")]
Number = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max, description="a finite number")]
Date = Annotated[
    str,
    Meta(
        pattern=rf"\A{_DAY}(T{_TIME}(Z|[+-][0-9]{{2}}:[0-9]{{2}}))?\Z",
        description="a date: a day, or a moment with its zone, as ISO 8601 writes it",
    ),
]
Link = Annotated[
    str, Meta(pattern=rf"\A(https?://[^\s\"'<>{INVISIBLE}]+)?\Z", description="an address, https://…, or empty")
]


class SchemaError(ValueError):
    """A value is not what it must be. ``path`` leads to it, or to the table in which a key is missing or unknown."""

    def __init__(self, path: Path, said: str) -> None:
        super().__init__(path, said)
        self.path, self.said = path, said

    def __str__(self) -> str:
        where = _name(self.path[:-1])
        return f"{where}: {self.said}" if where else self.said


def decode(data: Any, kind: type[T], at: Path = ()) -> T:
    """The data, as it was parsed from JSON or TOML, as a dataclass or Struct with annotated fields.

    ``at`` is where the data stands in a larger whole. Raises SchemaError.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _explained(error, data, kind, at) from error
    except UnicodeError as error:
        raise SchemaError(at, "a text in it has half a character (a lone surrogate)") from error


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 1
_AT = re.compile(r"(.*?)(?: - at (?:`\w+` in )?`\$?([^`]*)`)?", re.DOTALL)
_KEY = re.compile(r"Object (?:contains (unknown)|missing required) field `(.*)`", re.DOTALL)


def _explained(error: msgspec.ValidationError, data: Any, kind: Any, at: Path) -> SchemaError:
    """The error in our words: msgspec says where it is, and the types on the way there say what is wanted."""
    said, where = _AT.fullmatch(str(error)).groups()  # type: ignore[union-attr]  # it matches every text
    path = tuple(int(step) if step.isdigit() else step for step in re.findall(r"\w+|\.\.\.", where or ""))
    types = list(_types_on(path, kind))
    if key := _KEY.fullmatch(said):
        section = ".".join(step for step in (*at, *path) if isinstance(step, str))
        names = [field.name for field in types[-1][0].fields]
        hint = did_you_mean(key[2], names) if key[1] else f"write {[*_types_on((*path, key[2]), kind)][-1][1] or 'it'}"
        return SchemaError((*at, *path, key[2]), f"no key “{key[2]}”{section and f' in [{section}]'}: {hint}")
    if error.__cause__:  # raised by the class that is made of the data
        return SchemaError((*at, *path), str(error.__cause__))
    depth = max((depth for depth, (_, described) in enumerate(types) if described), default=len(path))
    path, described = path[:depth], types[depth][1]
    try:
        value = _SHORT.repr(reduce(getitem, path, data))
    except (LookupError, TypeError, ValueError):  # "...", one of several values, or a number of too many digits
        value = "…"
    whole = (*at, *path)
    first = max((n for n, step in enumerate(whole) if isinstance(step, str)), default=0)
    name = _name(whole[first:])
    said = f"must be {described}" if described else said
    return SchemaError(whole, f"{name} = {value}: {said}" if name else f"{value}: {said}")


def _name(path: Path) -> str:
    """A path as people write it: ``checkpoints[0].units``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _types_on(path: Path, kind: Any) -> Iterator[tuple[Any, str]]:
    """The type of each value on a path, as ``msgspec.inspect`` has it, and its description, or ""."""
    from msgspec import inspect  # only for errors

    info = inspect.type_info(kind)
    for step in (*path, None):
        described = ""
        while isinstance(info, inspect.Metadata | inspect.UnionType):  # the only unions are with None
            if isinstance(info, inspect.UnionType):
                info = info.types[0]
            else:
                described, info = (info.extra_json_schema or {}).get("description", described), info.type
        yield info, described
        if isinstance(info, inspect.StructType | inspect.DataclassType):
            info = next((field.type for field in info.fields if field.name == step), info)
        elif isinstance(info, inspect.DictType):
            info = info.value_type
        elif isinstance(info, inspect.CollectionType):
            info = info.item_type
