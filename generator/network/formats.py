"""Reads every kind of weights file into one set of names.

For every kind of file and every naming, the result is the same: float32 tensors on the CPU, named after
``generator.core.architecture``, ``mixed4a_3x3.weight`` (OIHW) and ``mixed4a_3x3.bias`` for every convolution, and
``softmax2.weight`` (classes x inputs) and ``softmax2.bias`` for the classifier. Batch normalisation is folded into the
convolution before it. The architecture says which names are read (``TensorNames``).

Names may have a prefix that wrappers and dicts around the weights give them (``module.``, ``_orig_mod.``, a key such as
``state_dict``). A classifier may have any number of classes, or be missing. Anything else in a file (auxiliary heads,
counters, metadata) is ignored. Nothing in a file is ever executed, and its headers are judged before it is read.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from generator.checkpoints import ARCHITECTURES
from generator.core.architecture import CLASSIFIER, Architecture, TensorNames
from generator.core.errors import AtlasError
from generator.network.caffe import read_caffemodel
from generator.network.file_kinds import kind_of, reading
from generator.network.fingerprint import write_shape

_BATCH_NORM = ("weight", "bias", "running_mean", "running_var")
_MORE_THAN_TENSORS = ("GLOBAL", "Can only create", "Can only build", "reduce for", "TorchScript")  # in torch's errors
_CLASSES_LIMIT = 25_000  # the largest ImageNet has 21,841
_NESTED = 3  # dicts within dicts
_ENTRIES_LIMIT = 1_000_000  # that are looked at: a small file can name one dict a billion times


def read_weights(path: Path, architecture: Architecture) -> dict[str, torch.Tensor]:
    """The canonical tensors of a weights file. Raises AtlasError, in one line, if one is missing or not valid.

    The classifier has the classes that the file has: 0 x inputs if there is none.
    """
    stored, names = _stored(path), canonical_names(architecture)
    prefixes = _prefixes(stored, names)
    if len(prefixes) > 1 and "" not in prefixes:
        under = " and ".join(prefix.removesuffix(".") for prefix in prefixes[:3])
        raise AtlasError(f"{path} holds a network {len(prefixes)} times, under {under}; keep one of them")
    spelt: dict[str, str] = {}
    for name, _ in _within(stored, prefixes):
        if (ours := names.get(name)) and (other := spelt.setdefault(ours, name)) != name:
            raise AtlasError(f"{path} holds {ours} twice, as {other} and as {name}; keep one of them")
    found, architecture = _find(stored, architecture)
    if _misfits(found, architecture):
        raise AtlasError(f"{path}{_what_misfits(stored, architecture)}")
    wanted = _wanted(found, architecture)
    sound = {name: _sound(path, name, found[name].reshape(shape)) for name, shape in wanted.items()}
    folded = _fold_batch_norm(sound, architecture)
    return {name: _sound(path, name, folded[name]) for name in shapes(architecture)}


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
    """Every name that a tensor of this architecture may have, and the canonical one: ``LAYER.weight``, ``LAYER.bias``,
    and ``LAYER.batch_norm.weight`` and so on until these are folded."""
    names: dict[str, str] = {}
    for scheme in (TensorNames(str), *architecture.names):
        for layer in (*architecture.convs, CLASSIFIER):
            module, conv = scheme.module(layer), "" if layer == CLASSIFIER else scheme.conv
            names |= {f"{module}{conv}.{part}": f"{layer}.{part}" for part in ("weight", "bias")}
            if scheme.batch_norm and layer != CLASSIFIER:
                names |= {f"{module}{scheme.batch_norm}.{part}": f"{layer}.batch_norm.{part}" for part in _BATCH_NORM}
    return names


def _fold_batch_norm(tensors: Mapping[str, torch.Tensor], architecture: Architecture) -> dict[str, torch.Tensor]:
    """The canonical tensors, with each batch normalisation folded into the convolution before it.

    Computed by numpy in float64 from operations that IEEE 754 defines to the last bit, so that the fingerprint of the
    result is the same on every machine.
    """
    out = dict(tensors)
    epsilon = next((names.epsilon for names in architecture.names if names.batch_norm), 0.0)
    for conv in architecture.convs:
        if f"{conv}.batch_norm.weight" not in out:
            continue
        gamma, beta, mean, var = (out.pop(f"{conv}.batch_norm.{part}").double().numpy() for part in _BATCH_NORM)
        with np.errstate(invalid="ignore"):  # the caller reports values that are not finite
            scale = gamma / np.sqrt(var + epsilon)
        bias = out[f"{conv}.bias"].double().numpy() if f"{conv}.bias" in out else np.zeros_like(beta)
        weight = out[f"{conv}.weight"].double().numpy() * scale[:, None, None, None]
        out[f"{conv}.weight"] = torch.from_numpy(weight)
        out[f"{conv}.bias"] = torch.from_numpy((bias - mean) * scale + beta)
    return out


def _prefixes(stored: Collection[str], names: Mapping[str, str]) -> list[str]:
    """What stands before the names of this network in the file: wherever its first convolution is found."""
    first = [name for name, ours in names.items() if ours == next(iter(names.values()))]
    found = {each.removesuffix(name) for name in first for each in stored if each.endswith(name)}
    return sorted(prefix for prefix in found if not prefix or prefix.endswith("."))


def _within(stored: Mapping[str, torch.Tensor], prefixes: Collection[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors under the first prefix, and their names without it."""
    prefix = next(iter(prefixes), "")
    return ((name.removeprefix(prefix), tensor) for name, tensor in stored.items() if name.startswith(prefix))


def _stored(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, under the file's own names."""
    with reading(path):
        kind = kind_of(path)
        if kind == "safetensors":
            return _read_safetensors(path)
        if kind == "torch":
            return _read_torch(path)
        return {name: torch.from_numpy(array.copy()) for name, array in read_caffemodel(path).items()}


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except SafetensorError as error:
        raise ValueError("not a whole safetensors file") from error


def _read_torch(path: Path) -> dict[str, torch.Tensor]:
    try:
        data: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise any of a dozen errors; for a user all mean the same
        if any(sign in str(error) for sign in _MORE_THAN_TENSORS):
            raise AtlasError(
                f"{path} holds more than tensors and would run code when opened, so it is refused; "
                "save it again with torch.save(model.state_dict(), FILE)"
            ) from error
        raise ValueError(f"not a whole torch file ({type(error).__name__})") from error
    if not isinstance(data, Mapping):
        raise AtlasError(f"{path} holds a {type(data).__name__} and not a dict of tensors; save model.state_dict()")
    entries = islice(_flat(data, _NESTED), _ENTRIES_LIMIT)
    return {name: value for name, value in entries if isinstance(value, torch.Tensor)}


def _flat(data: Mapping[Any, Any], deep: int) -> Iterator[tuple[str, Any]]:
    """The entries of dicts within dicts, by names such as ``state_dict.conv1.weight``."""
    for name, value in data.items():
        yield str(name), value
        if isinstance(value, Mapping) and deep:
            yield from ((f"{name}.{inner}", each) for inner, each in _flat(value, deep - 1))


def _find(
    stored: Mapping[str, torch.Tensor], architecture: Architecture
) -> tuple[dict[str, torch.Tensor], Architecture]:
    """The tensors of an architecture that a file has, by canonical name; and the architecture with its classes."""
    names = canonical_names(architecture)
    within = _within(stored, _prefixes(stored, names))
    found = {names[name]: tensor for name, tensor in within if name in names}
    weight, bias = (found.get(f"{CLASSIFIER}.{part}") for part in ("weight", "bias"))
    if weight is None and bias is None:
        architecture = replace(architecture, classes=0)
        found |= {name: torch.empty(shape) for name, shape in shapes(architecture).items() if 0 in shape}
    elif weight is not None and weight.ndim >= 2 and 0 < weight.shape[-2] <= _CLASSES_LIMIT:
        architecture = replace(architecture, classes=weight.shape[-2])
    return found, architecture


def _wanted(found: Collection[str], architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """The tensors that a file should have, and their shapes: with the batch normalisation of each convolution that has
    one in the file, and there without a bias if the file has none."""
    wanted = shapes(architecture)
    for conv in architecture.convs.values():
        parts = {f"{conv.name}.batch_norm.{part}": (conv.channels,) for part in _BATCH_NORM}
        if any(part in found for part in parts):
            wanted |= parts
            if f"{conv.name}.bias" not in found:
                del wanted[f"{conv.name}.bias"]
    return wanted


def _misfits(found: Mapping[str, torch.Tensor], architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """The tensors that are missing or have another shape, and the shape each should have."""
    return {
        name: shape
        for name, shape in _wanted(found, architecture).items()
        if name not in found or not _fits(tuple(found[name].shape), shape)
    }


def _what_misfits(stored: Mapping[str, torch.Tensor], architecture: Architecture) -> str:
    """The first tensor that does not fit, and the network that the file fits, if there is one."""
    found, architecture = _find(stored, architecture)
    wrong = _misfits(found, architecture)
    fitting = [net.name for net in ARCHITECTURES.values() if not _misfits(*_find(stored, net))]
    hint = f"these are not weights of {architecture.name}"
    if fitting:
        hint = f"these are weights of {fitting[0]}; type --checkpoint {fitting[0]}"
    name, shape = next(iter(wrong.items()))
    if name not in found:
        has = f"it has {', '.join(list(stored)[:2])}, …" if stored else "it has no tensors of this network"
        return f" lacks {name} ({len(wrong)} of {len(shapes(architecture))} do not fit; {has}): {hint}"
    return f": {name} is {write_shape(found[name].shape)} where {architecture.name} has {write_shape(shape)}; {hint}"


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether two shapes are equal apart from leading ones: old caffemodels write a bias of 64 as 1x1x1x64."""
    extra = len(shape) - len(expected)
    return shape == expected or (extra > 0 and shape == (1,) * extra + expected)


def _sound(path: Path, name: str, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as contiguous float32. Raises AtlasError if it is no floating-point tensor or has a value that is not
    finite."""
    if not tensor.is_floating_point() or tensor.layout != torch.strided or tensor.device.type != "cpu":
        raise AtlasError(f"{path}: {name} is {tensor.dtype}, not floating point numbers; save the weights as float32")
    out = tensor.detach().to(torch.float32).contiguous()
    if not bool(torch.isfinite(out).all()):
        bad = int((~torch.isfinite(out)).sum())
        raise AtlasError(f"{path}: {name} holds {bad} values that are not finite in float32; use undamaged weights")
    return out
