"""Writes a figure whole or not at all, with a description of its pictures in the file.

The file says which weights, units and recipes it shows (PNG and PDF: the description or subject; SVG: the Dublin Core
description). So a picture copied into a paper can be traced.
"""

import io
import json
from pathlib import Path

import matplotlib as mpl

from generator import __version__
from generator.core.atomic import write_atomically
from generator.core.errors import AtlasError, UsageError, why_not_written
from generator.figures.layout import STYLE, Sheet

ENDINGS = (".png", ".svg", ".pdf")
_LONGEST = 200  # bytes of a name; the temporary name of the file is longer


def check_target(path: Path) -> None:
    """Raise UsageError, before anything is rendered, if no figure can be written here."""
    if path.suffix.lower() not in ENDINGS:
        what = f"{path.suffix} is no figure we can write" if path.suffix else "it has no name and ending"
        name = "figure" if path.name.startswith(".") else path.stem
        raise UsageError(f"{path}: {what}; type -o {name}.png, or .svg or .pdf")
    if len(path.name.encode()) > _LONGEST:
        raise UsageError(f"{path.name[:40]}… is too long a name; type -o figure{path.suffix}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; type -o {path / 'figure.png'}")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; type `mkdir -p {path.parent}` first")


def save(figure: Sheet, path: Path | str, dpi: int = 200) -> int:
    """Write a figure in the format of its file's ending; its size in bytes. Raises AtlasError if that fails."""
    path = Path(path)
    check_target(path)
    kind = path.suffix.lower().removeprefix(".")
    said = json.dumps(figure.sources, sort_keys=True)
    maker = f"inception-atlas {__version__}"
    written: dict[str, dict[str, str | None]] = {
        "png": {"Description": said, "Software": maker},
        "svg": {"Description": said, "Creator": maker, "Date": None},
        "pdf": {"Subject": said, "Creator": maker, "CreationDate": None},
    }
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=written[kind])
    try:
        write_atomically(path, buffer.getvalue(), sync=False)
    except OSError as error:
        raise AtlasError(f"cannot write {path}: {why_not_written(error)}") from error
    return len(buffer.getvalue())
