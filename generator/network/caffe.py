"""Caffe's ``.caffemodel`` files, read without Caffe.

A caffemodel is one protocol buffer, a ``NetParameter`` (BVLC/caffe, ``src/caffe/proto/caffe.proto``). Of each layer its
name and its blobs are read, and every other field is skipped by its length, so that a file is judged before any number
of it is read. Files of both generations are read: ``layers`` (2014), ``layer`` (since).

Layers keep Caffe's names, and blobs the shape in which they are stored; ``generator.network.formats`` translates both.
"""

import mmap
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from math import prod
from pathlib import Path

import numpy as np

from generator.core.errors import AtlasError

_LAYERS = {2: (4, 6), 100: (1, 7)}  # numbers of fields: a layer in the network; its name and its blobs in the layer
_BLOBS = ("weight", "bias")  # the meaning of the first and the second blob of a layer
_FLOATS, _SHAPE, _DOUBLES = 5, 7, 8  # fields of a blob
_FOUR = (1, 2, 3, 4)  # num, channels, height and width: how blobs were shaped before 2015
_DIM, _DIMS_LIMIT = 1, 8  # the field of a shape; a kernel has 4
_FIELDS_LIMIT = 100_000  # in a whole file; a GoogLeNet has some thousands

_Fields = dict[int, list[memoryview]]


def read_caffemodel(path: Path) -> dict[str, np.ndarray]:
    """Every weight and bias by its name, ``LAYER.weight`` or ``LAYER.bias``: views of the file, perhaps unaligned, so
    that no number is read before it is used.

    Raises ValueError if the file is not a whole caffemodel, AtlasError if it has far more fields than a network has.
    """
    with open(path, "rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    allowed = iter(range(_FIELDS_LIMIT))
    try:
        net = _fields(data, allowed)
        layers = [(_fields(each, allowed), _LAYERS[kind]) for kind in _LAYERS for each in net[kind]]
        blobs = {
            f"{str(layer[name][-1], 'utf-8') if layer[name] else ''}.{part}": _fields(blob, allowed)
            for layer, (name, numbers) in layers
            for part, blob in zip(_BLOBS, layer[numbers], strict=False)
        }
        return {name: _array(name, blob, allowed) for name, blob in blobs.items()}
    except (LookupError, UnicodeError) as error:
        raise ValueError("not a whole caffemodel") from error
    except OverflowError as error:
        raise AtlasError(
            f"{path} has over {_FIELDS_LIMIT:,} fields, far more than an InceptionV1 has, so it is refused; use the "
            "file that its authors published"
        ) from error


def _array(name: str, blob: _Fields, allowed: Iterator[int]) -> np.ndarray:
    pieces = [np.frombuffer(each, "<f8") for each in blob[_DOUBLES]]
    pieces = pieces or [np.frombuffer(each, "<f4") for each in blob[_FLOATS]]
    values = pieces[0] if len(pieces) == 1 else np.concatenate(pieces or [np.empty(0, "<f4")])
    if blob[_SHAPE]:
        dims = _fields(blob[_SHAPE][-1], allowed)[_DIM]
        shape = tuple(islice((size for each in dims for size in _integers(each)), _DIMS_LIMIT))
    else:
        shape = tuple(next(_integers(blob[each][-1])) if blob[each] else 0 for each in _FOUR)
    if prod(shape) != values.size:
        raise ValueError(f"{name} holds {values.size} numbers for a shape of {'x'.join(map(str, shape))}")
    return values.reshape(shape)


def _fields(message: memoryview, allowed: Iterator[int]) -> _Fields:
    """The values of a message by the number of their field, each as it is encoded. Raises LookupError if it is cut
    off or none, OverflowError if it has more fields than are allowed."""
    out: _Fields = defaultdict(list)
    at = 0
    while at < len(message):
        if next(allowed, None) is None:
            raise OverflowError
        tag, at = _integer(message, at)
        if tag & 7 == 2:  # text, a message, or many numbers
            size, at = _integer(message, at)
        else:
            size = {0: _integer(message, at)[1] - at, 1: 8, 5: 4}[tag & 7]
        if at + size > len(message):
            raise LookupError
        out[tag >> 3].append(message[at : at + size])
        at += size
    return out


def _integer(message: memoryview, at: int) -> tuple[int, int]:
    """The integer that begins at a position, 7 bits a byte, and the position after it."""
    value = 0
    for i in range(10):
        value |= (message[at + i] & 127) << 7 * i
        if message[at + i] < 128:
            return value, at + i + 1
    raise LookupError


def _integers(encoded: memoryview) -> Iterator[int]:
    at = 0
    while at < len(encoded):
        value, at = _integer(encoded, at)
        yield value
