"""Weight files: every format and naming gives the same tensors, and no file that is wrong gets past."""

import gzip
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from generator.checkpoints import CHECKPOINTS
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.errors import AtlasError
from generator.network import load_checkpoint
from generator.network.caffe import read_caffemodel
from generator.network.fingerprint import fingerprint
from generator.network.formats import read_weights, shapes
from generator.network.load import load_tensors

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    """Random weights of BVLC's shapes, under our names."""
    draw = torch.Generator().manual_seed(3)
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes(BVLC_GOOGLENET).items()}


@pytest.fixture(scope="module")
def expected(tensors: Tensors) -> str:
    return fingerprint(tensors)


# The names are spelt out here once more, by other means than the code's, so that a mistake in its table shows.
_STEM = {"conv2d0": "conv1/7x7_s2", "conv2d1": "conv2/3x3_reduce", "conv2d2": "conv2/3x3"}
_STEM["softmax2"] = "loss3/classifier"


def caffe_name(name: str) -> str:
    layer, kind = name.rsplit(".", 1)
    if layer in _STEM:
        return f"{_STEM[layer]}.{kind}"
    part = layer[8:].replace("_bottleneck", "_reduce").replace("pool_reduce", "pool_proj")
    return f"inception_{layer[5:7]}/{part}.{kind}"


def lucent_name(name: str) -> str:
    layer, kind = name.rsplit(".", 1)
    return f"{layer}_{'pre_activation_matmul' if layer == 'softmax2' else 'pre_relu_conv'}.{kind}"


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number: int, data: bytes) -> bytes:
    """A length-delimited field of a protocol buffer: wire type 2."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def number(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def write_caffemodel(path: Path, tensors: Mapping[str, torch.Tensor], *, old: bool, double: bool = False) -> None:
    """By the numbers of fields in caffe.proto, with an auxiliary head and a layer without weights as the real file."""

    def blob(tensor: torch.Tensor) -> bytes:
        four = (1,) * (4 - tensor.ndim) + tuple(tensor.shape)
        old_shape = b"".join(number(i, size) for i, size in enumerate(four, 1))
        shape = old_shape if old else field(7, field(1, b"".join(map(varint, tensor.shape))))
        return shape + field(8 if double else 5, tensor.numpy().astype("<f8" if double else "<f4").tobytes())

    both = {"loss1/classifier.weight": torch.ones(10, 4), "loss1/classifier.bias": torch.ones(10)}
    both |= {caffe_name(name): tensor for name, tensor in tensors.items()}
    layers, title, blobs = (2, 4, 6) if old else (100, 1, 7)
    out = field(1, b"GoogleNet") + field(layers, field(title, b"data"))
    for name in [name.removesuffix(".weight") for name in both if name.endswith(".weight")]:
        pair = (both[f"{name}.{kind}"] for kind in ("weight", "bias"))
        out += field(layers, field(title, name.encode()) + b"".join(field(blobs, blob(each)) for each in pair))
    path.write_bytes(out)


def test_every_format_and_naming_has_one_fingerprint(tensors: Tensors, expected: str, tmp_path: Path) -> None:
    """The renderer's keys rest on this: the same weights, fetched from either host, must be the same question."""
    save_file(tensors, tmp_path / "ours.safetensors")
    save_file({caffe_name(k): v for k, v in tensors.items()}, tmp_path / "caffe.safetensors")
    torch.save({lucent_name(k): v for k, v in tensors.items()}, tmp_path / "lucent.pth")
    heads = {"head0_bottleneck_pre_relu_conv.weight": torch.ones(3), "loss1_conv.bias": torch.ones(2), "epoch": 7}
    underscored = {caffe_name(k).replace("/", "_"): v for k, v in tensors.items()} | heads
    torch.save({"state_dict": underscored, "epoch": 90}, tmp_path / "underscored.pt")
    torch.save(underscored, tmp_path / "before_torch_1_6.pth", _use_new_zipfile_serialization=False)
    write_caffemodel(tmp_path / "new.caffemodel", tensors, old=False)
    write_caffemodel(tmp_path / "old.caffemodel", tensors, old=True)
    found = {path.name: fingerprint(read_weights(path, BVLC_GOOGLENET)) for path in tmp_path.iterdir()}
    assert len(found) == 7
    assert set(found.values()) == {expected}, found


def test_a_format_is_known_by_its_bytes_whatever_the_name(tensors: Tensors, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    save_file(tensors, path)
    assert fingerprint(read_weights(path, BVLC_GOOGLENET)) == expected
    torch.save(tensors, path)
    assert fingerprint(read_weights(path, BVLC_GOOGLENET)) == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(tensors: Tensors, dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in tensors.items()}, path)
    read = read_weights(path, BVLC_GOOGLENET)
    assert {tensor.dtype for tensor in read.values()} == {torch.float32}
    assert torch.equal(read["mixed4a_3x3.weight"], tensors["mixed4a_3x3.weight"].to(dtype).float())


def test_tensors_in_other_memory_layouts_are_the_same_weights(tensors: Tensors, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    last = {n: t.to(memory_format=torch.channels_last) if t.ndim == 4 else t for n, t in tensors.items()}
    torch.save({n: torch.nn.Parameter(t) for n, t in last.items()}, path)
    read = read_weights(path, BVLC_GOOGLENET)
    assert fingerprint(read) == expected
    assert all(t.is_contiguous() and not t.requires_grad for t in read.values())


def test_the_fingerprint_is_what_its_description_says() -> None:
    """By hand, from the layout in the docstring: anyone must be able to recompute it."""
    import hashlib

    small = {"softmax2.bias": torch.tensor([2.5]), "conv2d0.weight": torch.tensor([[1.0, -0.0, 3.0]]).T}
    by_hand = b"conv2d0.weight 3x1\n" + struct.pack("<3f", 1, -0.0, 3) + b"softmax2.bias 1\n" + struct.pack("<f", 2.5)
    assert fingerprint(small) == hashlib.sha256(by_hand).hexdigest()


def test_the_fingerprint_sees_one_bit_and_one_name(tensors: Tensors, expected: str) -> None:
    nudged = dict(tensors)
    nudged["mixed5b_5x5.bias"] = tensors["mixed5b_5x5.bias"].clone()
    nudged["mixed5b_5x5.bias"][7] = torch.nextafter(nudged["mixed5b_5x5.bias"][7], torch.tensor(9.0))
    assert fingerprint(nudged) != expected
    swapped = {**tensors, "conv2d0.bias": tensors["conv2d1.bias"], "conv2d1.bias": tensors["conv2d0.bias"]}
    assert fingerprint(swapped) != expected


def test_known_fingerprint_of_bvlc_googlenet(real_weights: Path) -> None:
    assert fingerprint(read_weights(real_weights, BVLC_GOOGLENET)) == CHECKPOINTS["bvlc_googlenet"].fingerprint


def test_caffemodel_bytes_written_by_hand(tmp_path: Path) -> None:
    """What other writers may do: fields that are not read, numbers one by one, a name after the blobs."""
    old_weight = (
        number(1, 1) + number(2, 1) + number(3, 2) + number(4, 3) + field(5, struct.pack("<6f", *range(6)))
        + field(6, struct.pack("<6f", *[9.0] * 6))
    )  # num, channels, height, width, data, diff  # fmt: skip
    old_bias = number(4, 2) + number(1, 1) + number(2, 1) + number(3, 1) + field(5, struct.pack("<2f", 0.5, -4))
    v1 = (
        field(2, b"data") + field(3, b"conv1") + field(4, b"conv1/7x7_s2") + number(5, 4)
        + field(6, old_weight) + field(6, old_bias) + varint(7 << 3 | 5) + struct.pack("<f", 1.0)
    )  # bottom, top, name, type, blobs, blobs_lr  # fmt: skip
    shape = field(1, varint(2) + varint(300))
    new_weight = field(7, shape) + field(8, struct.pack("<600d", *range(600)))
    unpacked = b"".join(varint(5 << 3 | 5) + struct.pack("<f", x) for x in (7.0, 8.0))
    new = field(1, b"loss3/classifier") + field(2, b"InnerProduct") + field(7, new_weight)
    new += field(7, field(7, field(1, varint(2))) + unpacked)
    path = tmp_path / "hand.caffemodel"
    path.write_bytes(field(1, b"GoogleNet") + field(2, v1) + field(100, new))

    read = read_caffemodel(path)
    assert read["conv1/7x7_s2.weight"].tolist() == [[[[0, 1, 2], [3, 4, 5]]]]
    assert read["conv1/7x7_s2.bias"].ravel().tolist() == [0.5, -4]
    assert read["loss3/classifier.weight"].shape == (2, 300)
    assert read["loss3/classifier.weight"][1, 299] == 599
    assert read["loss3/classifier.bias"].tolist() == [7, 8]
    assert set(read) == {f"{n}.{k}" for n in ("conv1/7x7_s2", "loss3/classifier") for k in ("weight", "bias")}


def test_double_precision_caffemodel(tensors: Tensors, tmp_path: Path) -> None:
    few = {name: tensors[name] for name in ("conv2d0.weight", "conv2d0.bias")}
    write_caffemodel(tmp_path / "d.caffemodel", few, old=False, double=True)
    read = read_caffemodel(tmp_path / "d.caffemodel")["conv1/7x7_s2.weight"]
    assert np.array_equal(read.astype(np.float32), few["conv2d0.weight"].numpy())


# --- files that are wrong ------------------------------------------------------------------------------------------


def refused(path: Path, architecture: Any = BVLC_GOOGLENET) -> str:
    """The one line that says what is wrong with a file."""
    with pytest.raises(AtlasError) as caught:
        read_weights(path, architecture)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert len(text) < 400 + len(str(path))
    return text


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_does_not(tensors: Tensors, tmp_path: Path, zipped: bool) -> None:
    marker, path = tmp_path / "was-run", tmp_path / "evil.pth"
    few = {"conv2d0.bias": tensors["conv2d0.bias"], "extra": Malicious(marker)}
    torch.save(few, path, _use_new_zipfile_serialization=zipped)
    assert "run code" in refused(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)  # the trap itself works
    assert marker.exists()


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Conv2d(1, 1, 1), tmp_path / "model.pth")
    assert "state_dict" in refused(tmp_path / "model.pth")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*TorchScript")
def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2)), tmp_path / "script.pt")
    assert "state_dict" in refused(tmp_path / "script.pt")


def test_the_other_network_is_named(tensors: Tensors, tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "w.safetensors")
    text = refused(tmp_path / "w.safetensors", INCEPTION5H)
    assert "mixed4a_3x3.weight is 208x96x3x3 where inception5h has 204x96x3x3" in text
    assert "--checkpoint bvlc_googlenet" in text


def test_a_missing_tensor_is_named(tensors: Tensors, tmp_path: Path) -> None:
    torch.save({n: t for n, t in tensors.items() if n != "mixed4c_5x5.bias"}, tmp_path / "w.pth")
    text = refused(tmp_path / "w.pth")
    assert "lacks mixed4c_5x5.bias" in text
    assert "not weights of bvlc_googlenet" in text


def test_weights_of_something_else_altogether(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.ones(2)}, tmp_path / "vgg.pth")
    assert "features.0.weight" in refused(tmp_path / "vgg.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    assert "list" in refused(tmp_path / "list.pth")
    torch.save({}, tmp_path / "none.pth")
    assert "lacks conv2d0.weight" in refused(tmp_path / "none.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite(tensors: Tensors, tmp_path: Path, value: float) -> None:
    bad = {**tensors, "mixed3b_1x1.weight": tensors["mixed3b_1x1.weight"].clone()}
    bad["mixed3b_1x1.weight"][5, 6] = value
    save_file(bad, tmp_path / "w.safetensors")
    assert "mixed3b_1x1.weight holds 1 value" in refused(tmp_path / "w.safetensors")


def test_values_too_large_for_float32(tensors: Tensors, tmp_path: Path) -> None:
    save_file({**tensors, "conv2d0.bias": torch.full((64,), 1e300, dtype=torch.float64)}, tmp_path / "w.safetensors")
    assert "conv2d0.bias holds 64 values" in refused(tmp_path / "w.safetensors")


def test_integers_are_not_weights(tensors: Tensors, tmp_path: Path) -> None:
    save_file({**tensors, "conv2d0.bias": torch.ones(64, dtype=torch.int8)}, tmp_path / "w.safetensors")
    assert "torch.int8" in refused(tmp_path / "w.safetensors")


def test_one_tensor_under_two_names(tensors: Tensors, tmp_path: Path) -> None:
    torch.save({**tensors, "conv1/7x7_s2.bias": torch.ones(64)}, tmp_path / "w.pth")
    assert "conv2d0.bias twice" in refused(tmp_path / "w.pth")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("kind", ["safetensors", "pth", "legacy.pth", "caffemodel"])
def test_truncated_files(tensors: Tensors, tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"w.{kind}"
    if kind == "safetensors":
        save_file(tensors, path)
    elif kind == "caffemodel":
        write_caffemodel(path, {n: tensors[n] for n in ("conv2d2.weight", "conv2d2.bias")}, old=True)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=kind == "pth")
    with open(path, "r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    text = refused(path)
    assert ("empty" if share == 0 else "not a whole") in text
    assert "again" in text


def test_a_blob_whose_shape_is_not_its_size(tmp_path: Path) -> None:
    shape = field(7, field(1, b"".join(map(varint, (64, 3, 7, 7)))))
    blob = shape + field(5, struct.pack("<2f", 1, 2))
    layer = field(1, b"conv1/7x7_s2") + field(7, blob)
    (tmp_path / "w.caffemodel").write_bytes(field(100, layer))
    assert "holds 2 numbers for a shape of 64x3x7x7" in refused(tmp_path / "w.caffemodel")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("w.pth", b"\n\n<!DOCTYPE html><html>404</html>", "web page"),
        ("w.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS"),
        ("w.npz", b"\x93NUMPY whatever this may be", ".safetensors, .pth, .pt, .caffemodel"),
        ("w.pth", b"garbage from end to end " * 100, "not a whole torch file"),
        ("w.safetensors", b"garbage from end to end " * 100, "not a whole safetensors file"),
        ("w.caffemodel", b"garbage from end to end " * 100, "not a whole caffemodel"),
        ("w.safetensors", struct.pack("<Q", 1 << 62) + b"{}", "not a whole safetensors file"),
    ],
)
def test_files_that_are_no_weights(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert says in refused(tmp_path / name)


def test_folders_and_unreadable_files(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path)
    assert "No such file" in refused(tmp_path / "none.pth")


# --- files as people have them -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()},
        lambda weights: {f"model.{name}": tensor for name, tensor in weights.items()},
        lambda weights: {f"module._orig_mod.{name}": tensor for name, tensor in weights.items()},
        lambda weights: {"model_state_dict": weights, "optimizer": {"state": {0: torch.ones(3)}}, "epoch": 3},
        lambda weights: {"model": weights},
        lambda weights: {"net": weights, "best": 0.7},  # a key that nobody foresaw
        lambda weights: {
            "state_dict": {f"model.{n}": t for n, t in weights.items()} | {"criterion.weight": torch.ones(3)}
        },
    ],
)
def test_wrappers_and_prefixes_are_seen_through(
    tensors: Tensors, expected: str, tmp_path: Path, wrapped: Callable[[Tensors], Any]
) -> None:
    torch.save(wrapped({caffe_name(k).replace("/", "_"): v for k, v in tensors.items()}), tmp_path / "w.pth")
    assert fingerprint(read_weights(tmp_path / "w.pth", BVLC_GOOGLENET)) == expected


def test_two_networks_in_one_file_are_both_named(tensors: Tensors, tmp_path: Path) -> None:
    torch.save({"model": tensors, "model_ema": tensors}, tmp_path / "w.pth")
    assert "2 times, under model and model_ema; keep one" in refused(tmp_path / "w.pth")
    save_file({**tensors, **{f"ema.{n}": t + 1 for n, t in tensors.items()}}, tmp_path / "w.safetensors")
    assert fingerprint(read_weights(tmp_path / "w.safetensors", BVLC_GOOGLENET)) == fingerprint(tensors)


@pytest.mark.parametrize("classes", [0, 10, 1001])
def test_any_number_of_classes(tensors: Tensors, tmp_path: Path, classes: int) -> None:
    head = {"softmax2.weight": torch.ones(classes, 1024), "softmax2.bias": torch.ones(classes)} if classes else {}
    torch.save({**{n: t for n, t in tensors.items() if "softmax2" not in n}, **head}, tmp_path / "w.pth")
    loaded = load_tensors("mine", tmp_path / "w.pth", architecture=BVLC_GOOGLENET)
    assert loaded.architecture.classes == loaded.architecture.layers["output"].channels == classes
    net = load_checkpoint("mine", tmp_path / "w.pth", architecture=BVLC_GOOGLENET)
    assert net(torch.rand(1, 3, 32, 32), "mixed3a").shape[1] == 256
    assert net(torch.rand(1, 3, 64, 64), "output").shape[1] == classes


def test_a_classifier_that_does_not_fit_is_named(tensors: Tensors, tmp_path: Path) -> None:
    torch.save({**tensors, "softmax2.weight": torch.ones(10, 512)}, tmp_path / "w.pth")
    assert "softmax2.weight is 10x512" in refused(tmp_path / "w.pth")
    torch.save({n: t for n, t in tensors.items() if n != "softmax2.weight"}, tmp_path / "w.pth")
    assert "lacks softmax2.weight" in refused(tmp_path / "w.pth")
    endless = torch.ones(1, 1).expand(10**9, 1024)  # a few bytes in the file
    torch.save({**tensors, "softmax2.weight": endless}, tmp_path / "w.pth")
    assert "softmax2.weight is 1000000000x1024" in refused(tmp_path / "w.pth")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.pth", "w") as archive:
        archive.add(__file__, "readme.txt")
    np.savez(tmp_path / "n.npz", a=np.ones(3))
    (tmp_path / "g.pth").write_bytes(gzip.compress(b"weights"))
    (tmp_path / "j.pth").write_text('{"error": "not found"}')
    (tmp_path / "h.pt").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    with zipfile.ZipFile(tmp_path / "z.pth", "w") as archive:
        archive.writestr("notes.txt", "nothing")
    named = {"t.pth": "tar", "n.npz": "npz", "g.pth": "gzip", "j.pth": "JSON", "h.pt": "HDF5", "z.pth": "notes.txt"}
    for name, kind in named.items():
        text = refused(tmp_path / name)
        assert kind in text
        assert "again" not in text, "downloading it again does not help"


def test_what_would_be_large_in_memory_is_refused_before_it_is_read(
    tensors: Tensors, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, small, large, many = (tmp_path / f"{name}.pth" for name in ("stored", "small", "large", "many"))
    torch.save(tensors, stored)
    with zipfile.ZipFile(stored) as archive, zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in archive.infolist():
            packed.writestr(each.filename, archive.read(each))
    assert fingerprint(read_weights(small, BVLC_GOOGLENET)) == expected, "a smaller file is no reason"

    def opened(*args: Any, **more: Any) -> None:
        pytest.fail("opened")

    monkeypatch.setattr(torch, "load", opened)
    monkeypatch.setattr("safetensors.torch.load_file", opened)
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("w/data.pkl", b"")
        for i in range(10):
            packed.writestr(f"w/data/{i}", bytes(10_000_000))
    assert "would take 100 MB" in refused(large)
    with zipfile.ZipFile(many, "w") as packed:
        packed.writestr("w/data.pkl", b"")
        for i in range(12_000):
            packed.writestr(f"w/data/{i}" + "0" * 50, b"")
    assert "far more tensors" in refused(many)
    with zipfile.ZipFile(many, "w") as packed:
        packed.writestr("w/data.pkl", bytes(5_000_000))
    assert "far more tensors" in refused(many)
    old = tmp_path / "old.pth"
    torch.save({"a": torch.ones(5)}, old, _use_new_zipfile_serialization=False)
    data, count = re.subn(rb"(cpuq.)K\x05", rb"\1J" + struct.pack("<i", 10**9), old.read_bytes())  # of its storage
    assert count == 1
    old.write_bytes(data)
    assert "would take 1,000 MB" in refused(old)
    torch.save({f"t{i}": torch.ones(0) for i in range(12_000)}, old, _use_new_zipfile_serialization=False)
    assert "far more tensors" in refused(old)
    old.write_bytes(pickle.dumps({"a": 1}))
    assert "a pickle that torch did not write" in refused(old)
    (tmp_path / "w.caffemodel").write_bytes(field(100, b"") * 150_000)
    assert "100,000 fields" in refused(tmp_path / "w.caffemodel")
    header = json.dumps({f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)})
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode())
    assert "far more tensors" in refused(tmp_path / "w.safetensors")


def test_dicts_that_a_small_file_names_a_billion_times_are_not_all_read(tensors: Tensors, tmp_path: Path) -> None:
    weights: dict[str, Any] = {"model": tensors}
    for _ in range(3):
        weights = {str(n): weights for n in range(3000)}
    torch.save(weights, tmp_path / "w.pth")
    assert "lacks conv2d0.weight" in refused(tmp_path / "w.pth"), "it is nested too deeply to be read"


def test_a_pipe_is_no_file_of_weights(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.pth")
    assert "is a pipe" in refused(tmp_path / "w.pth")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, to read the peak of a process")
def test_what_is_refused_takes_little_memory(tmp_path: Path) -> None:
    """Not even that of importing torch, some 500 MB."""
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("w/data.pkl", b"")
        for i in range(30):
            packed.writestr(f"w/data/{i}", bytes(10_000_000))
    (tmp_path / "w.caffemodel").write_bytes(field(100, b"") * 3_000_000)
    torch.save(
        {f"t{i}": torch.ones(0) for i in range(12_000)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False
    )
    (tmp_path / "atlas.toml").write_text("[checkpoints.bvlc_googlenet]\n")
    program = (
        "import contextlib, pathlib, re, sys\nfrom generator.cli.main import main\n"
        "for words in ('render mixed4a:1 --weights w.pth', 'study tuning --weights w.caffemodel',\n"
        "              'render mixed4a:1 --weights old.pth'):\n"
        "    sys.argv = ['atlas', *words.split()]\n"
        "    with contextlib.suppress(SystemExit):\n        main()\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('/proc/self/status').read_text())[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.count("so it is refused") == 3, done.stderr
    assert int(done.stdout.split()[-1]) < 300_000
