"""The network computes what its two references compute, and no more than it must."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import DATA
from torch import Tensor

from generator.checkpoints import ARCHITECTURES
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.architecture import CLASSIFIER, OUTPUT, Architecture, Norm
from generator.core.errors import UsageError
from generator.kernels.plain import local_response_norm
from generator.network import Inception, load_checkpoint
from generator.network.hooked import InceptionV1


def random_tensors(net: Architecture, seed: int = 0) -> dict[str, Tensor]:
    """Weights that keep activations of about one size, and biases that matter."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {c.name: (c.channels, c.inputs, c.kernel, c.kernel) for c in net.convs.values()}
    tensors = {}
    for name, shape in {**shapes, CLASSIFIER: (net.classes, 1024)}.items():
        fan_in = int(np.prod(shape[1:]))
        tensors[f"{name}.weight"] = torch.randn(shape, generator=draw) * (2 / fan_in) ** 0.5
        tensors[f"{name}.bias"] = torch.randn(shape[0], generator=draw) * 0.1
    return tensors


@pytest.fixture(scope="module")
def net() -> Inception:
    return Inception(BVLC_GOOGLENET, random_tensors(BVLC_GOOGLENET))


def relative_error(ours: Tensor | np.ndarray, theirs: Tensor | np.ndarray) -> float:
    return float(abs(ours - theirs).max() / abs(theirs).max())


@pytest.mark.parametrize("size", [224, 129, 150])  # 129 is odd on every grid
def test_inception5h_is_lucents_network_in_every_layer(size: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lucent.modelzoo import inceptionv1
    tensors = random_tensors(INCEPTION5H)
    theirs = inceptionv1(pretrained=False).eval()
    theirs.load_state_dict(
        {
            name.replace(".", "_pre_activation_matmul." if name.startswith(CLASSIFIER) else "_pre_relu_conv."): value
            for name, value in tensors.items()
        }
    )
    seen: dict[str, Tensor] = {}
    for name, module in theirs.named_modules():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: seen.update({name: output}))
    rgb = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    ours = Inception(INCEPTION5H, tensors)
    with torch.no_grad():
        if size >= 224:
            theirs(rgb * 255 - 117)
        else:
            with pytest.raises(RuntimeError, match=r"[Oo]utput size"):  # too small for the classifier alone
                theirs(rgb * 255 - 117)
        for layer in [*INCEPTION5H.convs, *INCEPTION5H.main_layers, *([OUTPUT, CLASSIFIER] if size == 224 else [])]:
            assert relative_error(ours(rgb, layer), _there(seen, layer)) < 1e-4, layer


def _there(seen: dict[str, Tensor], layer: str) -> Tensor:
    """A layer of a network that has the logits as N x classes, under another name."""
    return seen["softmax2_pre_activation_matmul"][..., None, None] if layer == OUTPUT else seen[layer]


def test_the_hooked_network_is_lucents_module_by_module() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lucent.modelzoo import inceptionv1
    theirs = inceptionv1(pretrained=False).eval()
    ours = InceptionV1(INCEPTION5H, random_tensors(INCEPTION5H)).eval()
    theirs.load_state_dict({name: value for name, value in ours.state_dict().items() if name in theirs.state_dict()})
    layers = {name: module for name, module in theirs.named_modules() if "pre_" not in name and "maxpool" not in name}
    assert set(layers) <= set(dict(ours.named_modules()))
    seen: dict[str, list[Tensor]] = {}
    for net in (theirs, ours):
        for name, module in net.named_modules():
            module.register_forward_hook(
                lambda _module, _inputs, output, name=name: seen.setdefault(name, []).append(output)
            )
    rgb = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 255 - 117
    with torch.no_grad():
        theirs(rgb)
        ours(rgb)
    for name in layers:
        assert torch.equal(*seen[name]), name


def test_the_hooked_network_is_the_other_in_every_layer() -> None:
    tensors = random_tensors(BVLC_GOOGLENET)
    hooked = InceptionV1(BVLC_GOOGLENET, tensors).eval()
    seen: dict[str, Tensor] = {}
    for name, module in hooked.named_modules():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: seen.update({name: output}))
    rgb = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    plain = Inception(BVLC_GOOGLENET, tensors)
    with torch.no_grad():
        hooked(rgb * 255 - 117)  # as Lucent's preprocessing gives it
        for layer in [*BVLC_GOOGLENET.layers, CLASSIFIER]:
            assert relative_error(plain(rgb, layer), _there(seen, layer)) < 1e-4, layer


@pytest.mark.parametrize("size", [64, 150, 300])
def test_both_networks_classify_pictures_of_any_size(size: int) -> None:
    tensors = random_tensors(BVLC_GOOGLENET)
    rgb = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        hooked = InceptionV1(BVLC_GOOGLENET, tensors).eval()(rgb * 255 - 117)
        assert hooked.shape == (2, 1000)
        assert (
            relative_error(Inception(BVLC_GOOGLENET, tensors)(rgb, CLASSIFIER), hooked) < 1e-3
        )  # the exponential of large sums


def test_bvlc_googlenet_is_the_reference_in_every_layer(real_weights: Path) -> None:
    net = load_checkpoint("bvlc_googlenet", real_weights)
    reference = np.load(DATA / "bvlc_googlenet_activations.npz")
    i, j = torch.arange(224)[:, None], torch.arange(224)[None, :]
    rgb = torch.stack([127.5 + 127.5 * torch.sin((c + 1) * (i + 2 * j) / 17) for c in range(3)])[None] / 255
    with torch.no_grad():
        for layer in BVLC_GOOGLENET.main_layers:
            maps = net(rgb, layer)[0].numpy()
            assert relative_error(maps.mean((1, 2)), reference[f"{layer}.mean"]) < 1e-4, layer
            assert relative_error(maps.max((1, 2)), reference[f"{layer}.max"]) < 1e-4, layer
        assert relative_error(net(rgb, CLASSIFIER)[0].numpy(), reference["prob"]) < 1e-4


def test_a_branch_is_its_part_of_the_layer(net: Inception) -> None:
    rgb = torch.rand(2, 3, 96, 96)
    whole = net(rgb, "mixed4a")
    for branch in BVLC_GOOGLENET.layers["mixed4a"].branches:
        part = net(rgb, f"mixed4a_{branch.name}")
        torch.testing.assert_close(part, whole[:, branch.first : branch.last + 1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "needless"),
    [
        ("conv2d1", "conv2d2"),
        ("mixed4a", "mixed4b_1x1"),
        ("mixed4a_1x1", "mixed4a_3x3"),
        ("mixed4a_3x3", "mixed4a_5x5_bottleneck"),
        ("mixed4a_3x3_bottleneck", "mixed4a_3x3"),
        ("mixed4a_pool_reduce", "mixed4a_1x1"),
    ],
)
def test_it_runs_no_further_than_it_must(layer: str, needless: str) -> None:
    tensors = random_tensors(BVLC_GOOGLENET)
    tensors[f"{needless}.weight"].fill_(torch.nan)  # whatever is computed with these is seen
    assert torch.isfinite(Inception(BVLC_GOOGLENET, tensors)(torch.rand(1, 3, 64, 64), layer)).all()


@pytest.mark.parametrize(
    "norm", [*{s for a in ARCHITECTURES.values() for s in a.steps if isinstance(s, Norm)}, Norm(5, 2.0, 0.6, 1.5)]
)
def test_normalisation_is_torchs_own_forward_and_backward(norm: Norm) -> None:
    x = (torch.randn(2, 12, 3, 3, dtype=torch.float64) * 20).requires_grad_()
    expected = F.local_response_norm(x, norm.size, norm.alpha, norm.beta, norm.k)
    torch.testing.assert_close(local_response_norm(x, norm), expected)
    assert torch.autograd.gradcheck(lambda x: local_response_norm(x, norm), x)


def test_a_network_that_a_study_ran_can_render() -> None:
    norm, x = Norm(5, 2.0, 0.6, 1.5), torch.rand(1, 13, 2, 2)  # 13 channels: nobody asked for this kernel before
    with torch.inference_mode():
        local_response_norm(x, norm)
    local_response_norm(x.requires_grad_(), norm).sum().backward()
    assert x.grad is not None


def test_the_picture_is_differentiated_and_the_weights_are_frozen(net: Inception) -> None:
    rgb = torch.rand(1, 3, 64, 64, requires_grad=True)
    net(rgb, "mixed3a").sum().backward()
    assert rgb.grad is not None
    assert rgb.grad.abs().max() > 0
    assert not any(tensor.requires_grad for tensor in (*net.parameters(), *net.buffers()))


def test_a_leak_lets_what_is_below_zero_through(net: Inception) -> None:
    rgb = torch.rand(1, 3, 64, 64)
    bare = net(rgb, "conv2d0", activate=False)
    torch.testing.assert_close(net(rgb, "conv2d0"), bare.clamp(min=0))
    torch.testing.assert_close(net(rgb, "conv2d0", leak=0.1), torch.where(bare > 0, bare, 0.1 * bare))


def test_an_unknown_layer_is_named(net: Inception) -> None:
    with pytest.raises(UsageError, match="mixed9z"):
        net(torch.rand(1, 3, 64, 64), "mixed9z")


def test_precision_and_weights_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    torch.save(random_tensors(BVLC_GOOGLENET), file)
    net = load_checkpoint("mine", file, dtype=torch.bfloat16, architecture=BVLC_GOOGLENET)
    assert net(torch.rand(1, 3, 64, 64), "mixed3a").dtype == torch.bfloat16
    assert len(net.fingerprint) == 64
