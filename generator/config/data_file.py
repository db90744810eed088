"""A file of TOML or JSON that a person wrote. Every mistake in it is told with its file and its line."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

from msgspec import Meta

from generator.config.positions import line_of, value_lines
from generator.core import schema
from generator.core.errors import UsageError
from generator.core.text import read_text

Text = Annotated[str, Meta(pattern=schema.VISIBLE, description="text, on one line and without invisible characters")]


class DataFile:
    """The file's ``path``, and its ``data`` as it was parsed.

    Raises UsageError if it cannot be read or parsed; FileNotFoundError if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._is_json = path, path.suffix == ".json"
        self._text = read_text(path)
        try:
            self.data: Any = json.loads(self._text) if self._is_json else tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: not {'JSON' if self._is_json else 'TOML'}: {error}") from error

    def fail(self, message: str, *at: str | int) -> NoReturn:
        """Raise a UsageError about the value to which these keys lead."""
        line = line_of(at, value_lines(self._text, is_json=self._is_json))
        raise UsageError(f"{self.path}:{line}: {message}")

    @contextmanager
    def told_at(self, *at: str | int) -> Iterator[None]:
        """A UsageError in this context is told with the file and the line to which these keys lead."""
        try:
            yield
        except UsageError as error:
            self.fail(str(error), *at)

    def path_of(self, word: str, *at: str | int) -> Path:
        """The path that a word, to which these keys lead, means: relative to the file, or from the user's home."""
        try:
            return self.path.parent / Path(word).expanduser()
        except RuntimeError:
            self.fail(f"“{word}”: there is no such home folder; write the whole path", *at)

    def decode(self, data: Any, kind: type[schema.T], *at: str | int) -> schema.T:
        """The data, to which these keys lead, as ``kind``."""
        try:
            return schema.decode(data, kind, at)
        except schema.SchemaError as error:
            self.fail(error.said, *error.path)
