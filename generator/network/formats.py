"""Weight files of every kind in use, read into one set of names.

Whatever the file is and whatever it calls its tensors, what comes out is the same: float32 tensors on the CPU named
after ``generator.core.architecture``, ``mixed4a_3x3.weight`` (OIHW) and ``mixed4a_3x3.bias`` for every convolution, and
``softmax2.weight`` (classes x inputs) and ``softmax2.bias`` for the classifier.

>>> tensors = read_weights(Path("inception5h.pth"), INCEPTION5H)     # doctest: +SKIP
>>> tensors["mixed4a_3x3.weight"].shape                               # doctest: +SKIP
torch.Size([204, 96, 3, 3])

| names | example | where they are found |
|---|---|---|
| ours | ``mixed4a_3x3.weight`` | |
| Lucent's | ``mixed4a_3x3_pre_relu_conv.weight`` | inception5h.pth |
| Caffe's | ``inception_4a/3x3.weight`` | bvlc_googlenet.caffemodel |
| Caffe's, as Python attributes | ``inception_4a_3x3.weight`` | bvlc_googlenet.pth |

Anything else in a file (auxiliary heads, counters, metadata) is ignored. Nothing in a file is ever executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from generator.core.architecture import ARCHITECTURES, CLASSIFIER, Architecture
from generator.core.errors import AtlasError, UsageError
from generator.network.caffe import read_caffemodel
from generator.network.fingerprint import write_shape

Kind = Literal["safetensors", "torch", "caffemodel"]
SUFFIXES: Mapping[str, Kind] = {
    ".safetensors": "safetensors",
    ".pth": "torch",
    ".pt": "torch",
    ".caffemodel": "caffemodel",
}
_CAFFE_STEM = {"conv2d0": "conv1/7x7_s2", "conv2d1": "conv2/3x3_reduce", "conv2d2": "conv2/3x3"}
_CAFFE_PART = {"3x3_bottleneck": "3x3_reduce", "5x5_bottleneck": "5x5_reduce", "pool_reduce": "pool_proj"}
_CAFFE_CLASSIFIER = "loss3/classifier"
_MORE_THAN_TENSORS = ("GLOBAL", "Can only create", "Can only build", "reduce for", "TorchScript")  # in torch's errors
_HEADER_LIMIT = 100_000_000  # safetensors' own limit for the header of a file


def read_weights(path: Path, architecture: Architecture) -> dict[str, torch.Tensor]:
    """The canonical tensors of a weights file. Raises AtlasError, in one line, if they are not all there and sound."""
    names = canonical_names(architecture)
    found: dict[str, torch.Tensor] = {}
    spelt: dict[str, str] = {}
    seen: list[str] = []
    for name, tensor in _stored(path, set(names)):
        seen.append(name)
        if (canonical := names.get(name)) is None:
            continue
        if canonical in found:
            raise AtlasError(f"{path} holds {canonical} twice, as {spelt[canonical]} and as {name}; keep one of them")
        found[canonical], spelt[canonical] = tensor, name
    _check_shapes(path, found, architecture, seen)
    return {name: _sound(path, name, found[name].reshape(shape)) for name, shape in shapes(architecture).items()}


def shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """The canonical tensors of an architecture and their shapes, in the order of the forward pass."""
    out: dict[str, tuple[int, ...]] = {}
    for conv in architecture.convs.values():
        out[f"{conv.name}.weight"] = (conv.channels, conv.inputs, conv.kernel, conv.kernel)
        out[f"{conv.name}.bias"] = (conv.channels,)
    last = architecture.layers[architecture.main_layers[-1]]
    out[f"{CLASSIFIER}.weight"] = (architecture.classes, last.channels)
    out[f"{CLASSIFIER}.bias"] = (architecture.classes,)
    return out


def canonical_names(architecture: Architecture) -> dict[str, str]:
    """Every name a tensor of this architecture goes by, and the canonical one."""
    names: dict[str, str] = {}
    for layer in (*architecture.convs, CLASSIFIER):
        lucent = f"{layer}_pre_activation_matmul" if layer == CLASSIFIER else f"{layer}_pre_relu_conv"
        caffe = _caffe_name(layer)
        for alias in (layer, lucent, caffe, caffe.replace("/", "_")):
            for kind in ("weight", "bias"):
                names[f"{alias}.{kind}"] = f"{layer}.{kind}"
    return names


def _caffe_name(layer: str) -> str:
    if layer == CLASSIFIER:
        return _CAFFE_CLASSIFIER
    if layer in _CAFFE_STEM:
        return _CAFFE_STEM[layer]
    module, _, part = layer.partition("_")
    return f"inception_{module.removeprefix('mixed')}/{_CAFFE_PART.get(part, part)}"


def _stored(path: Path, wanted: set[str]) -> Iterable[tuple[str, torch.Tensor]]:
    """The tensors of a file under the names they have in it; all of ``wanted`` that it holds, and perhaps others."""
    try:
        kind = _kind(path)
        if kind == "safetensors":
            return _read_safetensors(path)
        if kind == "torch":
            return _read_torch(path)
        return [(name, torch.from_numpy(array)) for name, array in read_caffemodel(path, wanted.__contains__)]
    except OSError as error:
        raise AtlasError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise AtlasError(f"{path}: {error}; copy or download the file again") from error


def _kind(path: Path) -> Kind:
    """What a file is, by its first bytes, and by its name where they do not tell."""
    if path.is_dir():
        raise AtlasError(f"{path} is a folder; name the weights file in it")
    with open(path, "rb") as file:
        head = file.read(16)
    if not head:
        raise ValueError("the file is empty")
    if head.startswith(b"version https://"):
        raise ValueError("this is a Git LFS pointer and not the weights themselves")
    if head.lstrip().startswith(b"<"):
        raise ValueError("this is a web page and not weights")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _HEADER_LIMIT:
        return "safetensors"
    if head.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x04")):  # a zip, or the pickles torch wrote before 1.6
        return "torch"
    if (kind := SUFFIXES.get(path.suffix.lower())) is None:
        raise UsageError(f"{path} is no weights file known here; these are: {', '.join(SUFFIXES)}")
    return kind


def _read_safetensors(path: Path) -> list[tuple[str, torch.Tensor]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return list(load_file(path, device="cpu").items())
    except SafetensorError as error:
        raise ValueError("not a whole safetensors file") from error


def _read_torch(path: Path) -> list[tuple[str, torch.Tensor]]:
    try:
        data: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can end in any of a dozen; every one means the same to a user
        if any(sign in str(error) for sign in _MORE_THAN_TENSORS):
            raise AtlasError(
                f"{path} holds more than tensors and would run code when opened, so it is refused; "
                "save it again with torch.save(model.state_dict(), FILE)"
            ) from error
        raise ValueError(f"not a whole torch file ({type(error).__name__})") from error
    if isinstance(data, Mapping) and isinstance(data.get("state_dict"), Mapping):
        data = data["state_dict"]
    if not isinstance(data, Mapping):
        raise AtlasError(f"{path} holds a {type(data).__name__} and not a dict of tensors; save model.state_dict()")
    return [(str(name), tensor) for name, tensor in data.items() if isinstance(tensor, torch.Tensor)]


def _check_shapes(path: Path, found: Mapping[str, torch.Tensor], architecture: Architecture, seen: list[str]) -> None:
    wrong = _misfits(found, architecture)
    if not wrong:
        return
    name, shape = wrong[0]
    for other in ARCHITECTURES.values():
        if other.name != architecture.name and not _misfits(found, other):
            hint = f"these are weights of {other.name}; type --checkpoint {other.name}"
            break
    else:
        hint = f"these are not weights of {architecture.name}"
    if name not in found:
        has = f"it has {', '.join(seen[:2])}, …" if seen else "it has no tensors of this network"
        raise AtlasError(f"{path} lacks {name} ({len(wrong)} of {len(shapes(architecture))} do not fit; {has}): {hint}")
    raise AtlasError(
        f"{path}: {name} is {write_shape(found[name].shape)} where {architecture.name} has {write_shape(shape)}; {hint}"
    )


def _misfits(found: Mapping[str, torch.Tensor], architecture: Architecture) -> list[tuple[str, tuple[int, ...]]]:
    """The tensors that are missing or have another shape, and the shape each should have."""
    return [
        (name, shape)
        for name, shape in shapes(architecture).items()
        if name not in found or not _fits(tuple(found[name].shape), shape)
    ]


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether two shapes are the same but for leading ones: old caffemodels write a bias of 64 as 1x1x1x64."""
    extra = len(shape) - len(expected)
    return shape == expected or (extra > 0 and shape == (1,) * extra + expected)


def _sound(path: Path, name: str, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as contiguous float32. Raises AtlasError if it is of another kind or holds what is not a number."""
    if not tensor.is_floating_point() or tensor.layout != torch.strided or tensor.device.type != "cpu":
        raise AtlasError(f"{path}: {name} is {tensor.dtype}, not floating point numbers; save the weights as float32")
    out = tensor.detach().to(torch.float32).contiguous()
    if not bool(torch.isfinite(out).all()):
        bad = int((~torch.isfinite(out)).sum())
        raise AtlasError(f"{path}: {name} holds {bad} values that are not finite in float32; use undamaged weights")
    return out
