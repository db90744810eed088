"""The table of the network against facts from elsewhere: a description of inception5h, and BVLC's published widths."""

import json

import pytest
from conftest import DATA

from generator.checkpoints import ARCHITECTURES, CHECKPOINTS
from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as BVLC_GOOGLENET
from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
from generator.core.architecture import BRANCHES, CLASSIFIER, Architecture, Conv, Mixed

FACTS = json.loads((DATA / "inception5h-architecture.json").read_text())


def test_the_facts_cover_all_main_layers() -> None:
    assert INCEPTION5H.main_layers == tuple(FACTS)
    assert BVLC_GOOGLENET.main_layers == tuple(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_inception5h(name: str) -> None:
    fact, layer = FACTS[name], INCEPTION5H.layers[name]
    assert layer.channels == fact["channels"]
    assert layer.stride == fact["stride_total"]
    assert layer.receptive_field == fact["rf"]
    assert INCEPTION5H.grid(name, 224) == fact["grid"]
    assert f"{layer.stride}*i+{layer.offset}" == fact["rf_center_formula"]
    assert layer.stride * fact["center_index_at_224"] + layer.offset == fact["center_px_at_224"]
    if layer.kind == "conv":
        assert INCEPTION5H.convs[name].kernel == fact["kernel"]
        return
    assert INCEPTION5H.convs[f"{name}_1x1"].inputs == fact["input"]
    assert [b.name for b in layer.branches] == list(fact["branches"]) == list(BRANCHES)
    for branch in layer.branches:
        said = fact["branches"][branch.name]
        assert (branch.first, branch.last, branch.channels) == (said["first"], said["last"], said["channels"])
        narrow = INCEPTION5H.convs.get(f"{name}_{branch.name}_bottleneck")
        assert (narrow.channels if narrow else None) == said["bottleneck"]
        assert branch.receptive_field == said["rf"]


def test_bvlc_googlenet_as_published() -> None:
    """Channels of the nine modules in models/bvlc_googlenet/train_val.prototxt, and the two widths that differ."""
    channels = [BVLC_GOOGLENET.layers[x].channels for x in BVLC_GOOGLENET.main_layers]
    assert channels == [64, 64, 192, 256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert BVLC_GOOGLENET.convs["mixed4a_3x3"].channels == 208
    assert BVLC_GOOGLENET.convs["mixed5a_5x5_bottleneck"].channels == 32
    assert BVLC_GOOGLENET.convs["mixed5b_5x5_bottleneck"].channels == 48
    assert BVLC_GOOGLENET.classes == 1000
    # 6,998,552 parameters without auxiliary heads
    weights = sum(c.channels * (c.inputs * c.kernel**2 + 1) for c in BVLC_GOOGLENET.convs.values())
    assert weights + 1000 * 1025 == 6_998_552


def test_units_of_inception5h() -> None:
    """5,804 in all; 5,808 is what one gets by BVLC's 4a, where the released network has 508 channels."""
    assert sum(INCEPTION5H.layers[name].channels for name in INCEPTION5H.main_layers) == 5804
    assert INCEPTION5H.classes == 1008


@pytest.mark.parametrize("net", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_the_table_is_consistent(net) -> None:  # type: ignore[no-untyped-def]
    for layer in net.layers.values():
        if layer.kind == "mixed":
            assert [layer.branch_of(c).name for c in (b.first for b in layer.branches)] == list(BRANCHES)
            assert [layer.branch_of(b.last) for b in layer.branches] == list(layer.branches)
            assert layer.branches[-1].last == layer.channels - 1
            assert layer.branch_of(layer.channels) is None
        else:
            assert layer.branch_of(0) is None
            conv = net.convs.get(layer.name)
            assert layer.channels == (conv.channels if conv else net.classes), layer
    assert set(net.convs) == {x.name for x in net.layers.values() if x.kind not in ("mixed", "output")}


def test_bvlc_centre_is_where_caffe_puts_it() -> None:
    """Symmetric padding of 3 puts the first position on pixel 0; pooling without padding moves it by one each time."""
    assert [BVLC_GOOGLENET.layers[x].offset for x in ("conv2d0", "conv2d1", "mixed3a", "mixed4a", "mixed5a")] == [
        0, 2, 6, 14, 30,
    ]  # fmt: skip


def test_known_checkpoints() -> None:
    assert set(CHECKPOINTS) == {"inception5h", "bvlc_googlenet", "torchvision_googlenet", "untrained"}
    assert CHECKPOINTS["untrained"].architecture is INCEPTION5H
    for name, spec in CHECKPOINTS.items():
        assert spec.name == name
        assert spec.title.strip(" .") == spec.title != ""
        assert spec.fingerprint is None or len(bytes.fromhex(spec.fingerprint)) == 32
    assert "Google" not in CHECKPOINTS["untrained"].title


@pytest.mark.parametrize("net", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_each_step_reads_what_the_one_before_gives(net: Architecture) -> None:
    channels = 3
    for step in net.steps:
        if isinstance(step, Conv | Mixed):
            assert step.inputs == channels, step.name
            channels = step.channels


@pytest.mark.parametrize("net", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_no_two_layers_share_a_name_in_a_file(net: Architecture) -> None:
    for names in net.names:
        modules = [names.module(layer) for layer in (*net.convs, CLASSIFIER)]
        assert len(set(modules)) == len(net.convs) + 1
    assert set(net.spellings.values()) <= set(net.layers)
    assert all(spelling == spelling.lower() for spelling in net.spellings)
