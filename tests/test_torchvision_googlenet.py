"""torchvision's GoogLeNet as one of our checkpoints: read from its own names, and equal to it in every layer."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.torchvision_googlenet import ARCHITECTURE
from generator.core.architecture import CLASSIFIER, OUTPUT
from generator.core.errors import AtlasError
from generator.core.units import parse_unit
from generator.network import Inception, load_checkpoint
from generator.network.formats import read_weights, shapes
from generator.network.hooked import InceptionV1

MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
BRANCHES = {"1x1": "branch1", "3x3": "branch2", "5x5": "branch3", "pool_reduce": "branch4"}
State = dict[str, Tensor]


def random_state() -> State:
    """A state dict in torchvision's names, with statistics that keep activations of about one size."""
    draw = torch.Generator().manual_seed(4)
    state: State = {}

    def conv(name: str, inputs: int, channels: int, kernel: int) -> None:
        std = (2 / (inputs * kernel**2)) ** 0.5
        state[f"{name}.conv.weight"] = torch.randn(channels, inputs, kernel, kernel, generator=draw) * std
        for part, low in {"weight": 0.7, "bias": -0.2, "running_mean": -0.3, "running_var": 0.5}.items():
            state[f"{name}.bn.{part}"] = low + 0.6 * torch.rand(channels, generator=draw)
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(7)

    conv("conv1", 3, 64, 7)
    conv("conv2", 64, 64, 1)
    conv("conv3", 64, 192, 3)
    for m in MODULES:
        for ours, name, kernel in (
            ("1x1", "branch1", 1), ("3x3_bottleneck", "branch2.0", 1), ("3x3", "branch2.1", 3),
            ("5x5_bottleneck", "branch3.0", 1), ("5x5", "branch3.1", 3), ("pool_reduce", "branch4.1", 1),
        ):  # fmt: skip
            wide = BVLC_GOOGLENET.convs[f"mixed{m}_{ours}"]
            conv(f"inception{m}.{name}", wide.inputs, wide.channels, kernel)
    state["fc.weight"] = torch.randn(1000, 1024, generator=draw) / 32
    state["fc.bias"] = torch.randn(1000, generator=draw) / 10
    return state


def reference(state: State, rgb: Tensor) -> dict[str, Tensor]:
    """torchvision/models/googlenet.py in eval mode, written down plainly; every layer under our name."""
    seen: dict[str, Tensor] = {}

    def conv(module: str, x: Tensor, layer: str, stride: int = 1) -> Tensor:
        weight = state[f"{module}.conv.weight"]
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2)
        mean, var, gamma, beta = (state[f"{module}.bn.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        seen[layer] = F.relu(F.batch_norm(x, mean, var, gamma, beta, eps=0.001))
        return seen[layer]

    x = (rgb - 0.5) / 0.5
    x = F.max_pool2d(conv("conv1", x, "conv2d0", stride=2), 3, 2, ceil_mode=True)
    x = conv("conv3", conv("conv2", x, "conv2d1"), "conv2d2")
    for m in MODULES:
        if m in ("3a", "4a"):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        if m == "5a":
            x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        theirs, ours = f"inception{m}", f"mixed{m}"
        outputs = [conv(f"{theirs}.branch1", x, f"{ours}_1x1")]
        for branch, name in (("branch2", "3x3"), ("branch3", "5x5")):
            narrow = conv(f"{theirs}.{branch}.0", x, f"{ours}_{name}_bottleneck")
            outputs.append(conv(f"{theirs}.{branch}.1", narrow, f"{ours}_{name}"))
        pooled = F.max_pool2d(x, 3, 1, 1, ceil_mode=True)
        outputs.append(conv(f"{theirs}.branch4.1", pooled, f"{ours}_pool_reduce"))
        x = seen[ours] = torch.cat(outputs, 1)
    logits = F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])
    seen |= {OUTPUT: logits[..., None, None], CLASSIFIER: logits.softmax(1)}
    return seen


@pytest.fixture(scope="module")
def state() -> State:
    return random_state()


@pytest.fixture(scope="module")
def net(state: State, tmp_path_factory: pytest.TempPathFactory) -> Inception:
    path = tmp_path_factory.mktemp("torchvision") / "googlenet.pth"
    heads = {"aux1.conv.conv.weight": torch.ones(2), "aux2.fc2.bias": torch.ones(3)}
    torch.save(state | heads, path)
    return load_checkpoint("torchvision_googlenet", path)


def close(ours: Tensor, theirs: Tensor) -> bool:
    return float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-5


@pytest.mark.parametrize("size", [96, 112, 145])
def test_it_is_the_reference_in_every_layer(net: Inception, state: State, size: int) -> None:
    """At 112 px the grid before the 2x2 pooling is odd, and its last window stands over the edge."""
    rgb = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    seen = reference(state, rgb)
    assert set(seen) == {*ARCHITECTURE.layers, CLASSIFIER}
    with torch.no_grad():
        for layer, theirs in seen.items():
            assert close(net(rgb, layer), theirs), layer
            if layer != CLASSIFIER:
                assert theirs.shape[1:] == (ARCHITECTURE.layers[layer].channels, *[ARCHITECTURE.grid(layer, size)] * 2)


def test_the_hooked_network_is_the_reference_too(net: Inception, state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "w.pth")
    hooked = InceptionV1(ARCHITECTURE, read_weights(tmp_path / "w.pth", ARCHITECTURE)).eval()
    rgb = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert close(hooked(rgb * 255 - 117), reference(state, rgb)[CLASSIFIER])


def test_it_is_torchvisions_own_network(net: Inception, state: State) -> None:
    models = pytest.importorskip("torchvision.models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = models.googlenet(weights=None, aux_logits=False, init_weights=False, transform_input=True).eval()
    theirs.load_state_dict(state)
    seen: dict[str, Tensor] = {}
    for name, module in theirs.named_modules():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: seen.update({name: output}))
    rgb = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        normalised = (rgb - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
            :, None, None
        ]
        logits = theirs(normalised)
        assert close(net(rgb, CLASSIFIER), logits.softmax(1))
        for module, layer in {**ARCHITECTURE.spellings, **{f"inception{m}": f"mixed{m}" for m in MODULES}}.items():
            assert close(net(rgb, layer), seen[module]), layer


def test_what_a_unit_sees() -> None:
    """By hand, for a kernel of 3 in the branch 5x5 and a 2x2 pooling: it has an even size, so it moves by half."""
    layers = ARCHITECTURE.layers
    assert layers["mixed3a"].receptive_field == layers["mixed3a_3x3"].receptive_field == 27 + 2 * 8
    assert [layers[x].offset for x in ("conv2d0", "mixed3a", "mixed4a", "mixed5a")] == [0, 6, 14, 22]
    assert [layers[x].receptive_field for x in ("mixed4e", "mixed5a")] == [235, 235 + 16 + 64]
    assert layers["mixed5b"].channels == 1024


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("inception4a:11", "mixed4a:11"),
        ("inception4a.branch2.1:5", "mixed4a:197"),
        ("inception4a.branch2.0:5", "mixed4a_3x3_bottleneck:5"),
        ("Conv3:7", "conv2d2:7"),
    ],
)
def test_units_as_torchvision_calls_them(text: str, unit: str) -> None:
    assert str(parse_unit(text, ARCHITECTURE)) == unit


# --- its files -------------------------------------------------------------------------------------------------------


def refused(state: State, path: Path, architecture: object = ARCHITECTURE) -> str:
    torch.save(state, path)
    with pytest.raises(AtlasError) as caught:
        read_weights(path, architecture)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_folding_is_exact_and_needs_no_bias(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth", ARCHITECTURE)
    assert {name: tuple(tensor.shape) for name, tensor in read.items()} == shapes(ARCHITECTURE)
    mean, var, gamma, beta = (
        state[f"inception4a.branch1.bn.{p}"].double().numpy() for p in ("running_mean", "running_var", "weight", "bias")
    )
    by_hand = beta - mean * (gamma / np.sqrt(var + 1e-3))
    assert np.array_equal(read["mixed4a_1x1.bias"].numpy(), by_hand.astype(np.float32))
    torch.save(read, tmp_path / "folded.pth")
    again = read_weights(tmp_path / "folded.pth", ARCHITECTURE)
    assert all(torch.equal(read[name], again[name]) for name in read)


def test_what_is_missing_or_cannot_be_is_named(state: State, tmp_path: Path) -> None:
    gone = {name: tensor for name, tensor in state.items() if name != "inception4c.branch3.0.bn.running_var"}
    assert "lacks mixed4c_5x5_bottleneck.batch_norm.running_var" in refused(gone, tmp_path / "w.pth")
    negative = state | {"conv2.bn.running_var": torch.full((64,), -1.0)}
    assert "conv2d1.weight holds 4096 values that are not finite" in refused(negative, tmp_path / "w.pth")
    wide = state | {"conv2.bn.bias": torch.ones(65)}
    assert "conv2d1.batch_norm.bias is 65 where torchvision_googlenet has 64" in refused(wide, tmp_path / "w.pth")


def test_its_file_given_for_another_network_is_recognised(state: State, tmp_path: Path) -> None:
    assert "type --checkpoint torchvision_googlenet" in refused(state, tmp_path / "w.pth", BVLC_GOOGLENET)
