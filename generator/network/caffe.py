"""Caffe's ``.caffemodel`` files, read without Caffe.

A caffemodel is one protocol buffer, a ``NetParameter``. Of its schema (BVLC/caffe, ``src/caffe/proto/caffe.proto``)
only names and numbers are needed here. The few fields that hold them are declared below in code; the protobuf library
skips all others. Files of both generations are read: ``layers`` (2014), ``layer`` (since).

>>> read_caffemodel(Path("bvlc_googlenet.caffemodel"))["conv1/7x7_s2.weight"].shape    # doctest: +SKIP
(64, 3, 7, 7)

Layers keep Caffe's names, and blobs the shape in which they are stored; ``generator.network.formats`` translates both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

BLOBS = ("weight", "bias")  # the meaning of the first and the second blob of a layer

_ONE, _MANY = 1, 3  # "optional" and "repeated" in descriptor.proto
_FLOAT, _DOUBLE, _INT64, _INT32, _TEXT, _MESSAGE = 2, 1, 3, 5, 9, 11
_SCHEMA: dict[str, tuple[tuple[str, int, int, int, str], ...]] = {
    # message: (field, number, optional or repeated, type, message it holds); repeated numbers are packed
    "BlobShape": (("dim", 1, _MANY, _INT64, ""),),
    "BlobProto": (
        ("num", 1, _ONE, _INT32, ""),
        ("channels", 2, _ONE, _INT32, ""),
        ("height", 3, _ONE, _INT32, ""),
        ("width", 4, _ONE, _INT32, ""),
        ("data", 5, _MANY, _FLOAT, ""),
        ("shape", 7, _ONE, _MESSAGE, "BlobShape"),
        ("double_data", 8, _MANY, _DOUBLE, ""),
    ),
    "V1LayerParameter": (("name", 4, _ONE, _TEXT, ""), ("blobs", 6, _MANY, _MESSAGE, "BlobProto")),
    "LayerParameter": (("name", 1, _ONE, _TEXT, ""), ("blobs", 7, _MANY, _MESSAGE, "BlobProto")),
    "NetParameter": (
        ("name", 1, _ONE, _TEXT, ""),
        ("layers", 2, _MANY, _MESSAGE, "V1LayerParameter"),
        ("layer", 100, _MANY, _MESSAGE, "LayerParameter"),
    ),
}


@cache
def net_parameter() -> Callable[[], Any]:
    """The class of Caffe's NetParameter message, with the fields that this project reads."""
    file = descriptor_pb2.FileDescriptorProto(name="generator/caffe.proto", package="caffe", syntax="proto2")
    for message, fields in _SCHEMA.items():
        declared: Any = file.message_type.add(name=message)  # the stubs want enums where plain integers do
        for name, number, label, kind, holds in fields:
            field = declared.field.add(name=name, number=number, label=label, type=kind)
            if holds:
                field.type_name = f".caffe.{holds}"
            elif label == _MANY:
                field.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


def read_caffemodel(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Every weight and bias, as (``LAYER.weight`` or ``LAYER.bias``, array).

    Raises ValueError if the file is not a whole caffemodel.
    """
    net = net_parameter()()
    try:
        net.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError("not a whole caffemodel") from error
    for layer in (*net.layers, *net.layer):
        for kind, blob in zip(BLOBS, layer.blobs, strict=False):
            name = f"{layer.name}.{kind}"
            yield name, _array(name, blob)


def _array(name: str, blob: Any) -> np.ndarray:
    values = np.array(blob.double_data, np.float64) if len(blob.double_data) else np.array(blob.data, np.float32)
    four = (blob.num, blob.channels, blob.height, blob.width)  # how blobs were shaped before 2015
    shape = tuple(blob.shape.dim) if blob.HasField("shape") else four
    if min(shape, default=0) < 0 or prod(shape) != values.size:
        raise ValueError(f"{name} holds {values.size} numbers for a shape of {'x'.join(map(str, shape))}")
    return values.reshape(shape)
