"""``[directions.NAME]`` and its vectors: a matrix in a file of the user's, a row a direction.

Neither kind of file can execute anything: ``.npy`` is read without pickles, and safetensors has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import replace

from generator.config.data_file import DataFile, Text
from generator.core.architecture import Architecture
from generator.core.directions import SET_NAME, Directions
from generator.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KINDS = (".npy", ".safetensors")
MOST = 131_072  # rows of a set: 436 MB in the widest layer
_IN = ("conv", "mixed", "bottleneck")  # kinds of layers; a branch is part of its layer


class DirectionsSection(Struct, forbid_unknown_fields=True):
    """``[directions.NAME]``. ``file`` is relative to atlas.toml until :func:`read_sections` has read it."""

    layer: Text
    file: Text
    tensor: Text = ""
    checkpoint: Text = ""


_SECTION = Annotated[DirectionsSection, Meta(description="a section; write [directions.NAME]")]


def read_sections(
    file: DataFile, data: Mapping[str, Any], checkpoints: Iterable[str]
) -> Mapping[str, Mapping[str, DirectionsSection]]:
    """The sections of each checkpoint, by name, with whole paths; one that names no checkpoint belongs to the first."""
    known, found = list(checkpoints), dict[str, dict[str, DirectionsSection]]()
    for name, section in data.items():
        at = ("directions", name)
        each = file.decode(section, _SECTION, *at)
        with file.told_at(*at):
            check_name(name)
        of = each.checkpoint or known[0]
        if of not in known:
            file.fail(f"no checkpoint “{of}”: {did_you_mean(of, known)}", *at, "checkpoint")
        found.setdefault(of, {})[name] = replace(each, file=str(file.path_of(each.file, *at, "file")))
    return found


def read_directions(file: DataFile, name: str, given: DirectionsSection, net: Architecture) -> Directions:
    """A set of directions with its vectors."""
    at = ("directions", name)
    with file.told_at(*at, "layer"):
        channels = channels_of(net, given.layer)
    path = Path(given.file)
    with file.told_at(*at, "file"):
        vectors = read_vectors(path, given.tensor, channels)
    said = f"tensor {given.tensor} of {path.name}" if given.tensor else path.name
    return Directions(given.layer, name, len(vectors), vectors, said)


def check_name(name: str) -> None:
    """Raises UsageError if a set of directions cannot have this name."""
    if not SET_NAME.fullmatch(name):
        raise UsageError(f"“{name}” cannot be part of an address; use a-z, 0-9 and _, and begin with a letter")


def read_vectors(path: Path, tensor: str, channels: int) -> NDArray[np.float32]:
    """K vectors over so many channels, in float32. ``tensor`` is its name in a safetensors file, or "" for the only
    one. Raises UsageError in one line if there are none, and names the first row that cannot be a direction."""
    if path.suffix not in _KINDS:
        raise UsageError(f"{path}: directions are read from {' or '.join(_KINDS)}")
    if not path.is_file():  # to open a pipe would wait for ever
        raise UsageError(f"no file {path}")
    found, name = _npy(path) if path.suffix == ".npy" else _safetensors(path, tensor)
    return check_vectors(found, name, channels)


def check_vectors(found: NDArray[Any], name: str, channels: int) -> NDArray[np.float32]:
    """Rows that are directions, in float32. Raises UsageError that calls them ``name``."""
    import numpy as np

    if found.dtype.kind != "f":
        raise UsageError(f"{name} has numbers of type {found.dtype}; save them as float32")
    if found.ndim != 2 or not len(found):
        raise UsageError(f"{name} has the shape {found.shape}; a row a direction is wanted, (K, {channels})")
    if len(found) > MOST:
        raise UsageError(f"{name} has {len(found):,} rows; {MOST:,} directions of a layer are the most there can be")
    if found.shape[1] != channels:
        turned = ", and looks as if its rows were columns" if len(found) == channels else ""
        raise UsageError(f"the rows of {name} have {found.shape[1]} numbers{turned}; the layer has {channels} channels")
    with np.errstate(over="ignore"):  # what float32 cannot hold is reported as not finite
        vectors = np.array(found, np.float32, order="C")  # a copy: what it was read from may change
    for wrong, why in ((~np.isfinite(vectors).all(1), "is not finite"), (~vectors.any(1), "is all zero")):
        if wrong.any():
            raise UsageError(f"row {int(wrong.argmax())} of {name} {why}; leave it out")
    return vectors


def channels_of(net: Architecture, layer: str) -> int:
    """How many channels a layer has in which there can be directions. Raises UsageError for any other."""
    there = net.layers.get(layer)
    if there is None or there.kind not in _IN:
        may = [each.name for each in net.layers.values() if each.kind in _IN]
        raise UsageError(f"no layer “{layer}” with channels of its own: {did_you_mean(layer, may)}")
    return there.channels


def _npy(path: Path) -> tuple[NDArray[Any], str]:
    import numpy as np

    try:  # a map of the file has no more numbers than the file, whatever the header says
        return np.lib.format.open_memmap(path, mode="r"), str(path)
    except Exception:  # whatever numpy raises for a file that was made to harm
        raise UsageError(f"{path} is no .npy file of numbers; write it with numpy.save") from None


def _safetensors(path: Path, tensor: str) -> tuple[NDArray[Any], str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            names = list(file.keys())
            if not tensor and len(names) > 1:
                raise UsageError(f"{path} has {len(names)} tensors; write tensor = “{names[0]}” or another of them")
            if (name := tensor or names[0]) not in names:
                raise UsageError(f"{path} has no tensor “{name}”; it has {', '.join(names[:8])}")
            is_bfloat16 = file.get_slice(name).get_dtype() == "BF16"
            return _bfloat16(path, name) if is_bfloat16 else file.get_tensor(name), f"“{name}” of {path}"
    # numpy lacks float8, and says so in two ways
    except (SafetensorError, TypeError, AttributeError, IndexError, OSError) as error:
        raise UsageError(f"{path} cannot be read as safetensors with numbers in float32: {error}") from None


def _bfloat16(path: Path, name: str) -> NDArray[np.float32]:
    """A tensor of a type that numpy lacks: the upper halves of float32."""
    import numpy as np
    from safetensors import deserialize

    tensor = dict(deserialize(path.read_bytes()))[name]  # type: ignore[no-untyped-call]
    halves = np.frombuffer(tensor["data"], "<u2").astype(np.uint32)
    return (halves << 16).view(np.float32).reshape(tensor["shape"])
