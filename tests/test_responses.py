"""What the study says of units: held against plain loops over the network, and against answers known beforehand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from photographs import made_up_photographs

from generator.core.directions import Directions
from generator.network import Inception
from generator.network.load import draw_weights
from generator.photos.photographs import Photographs, read_photograph
from generator.study import groups, shards, similarity, tuning
from generator.study import responses as gathering
from generator.study.analyses import analyses
from generator.study.analysis import Subject
from generator.study.examples import examples
from generator.study.expanded import expanded_weights
from generator.study.responses import Responses, describe, gather
from generator.study.stimuli import all_stimuli, draw

COUNT = 5


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    return made_up_photographs(tmp_path_factory.mktemp("photographs"), COUNT)


@pytest.fixture(scope="module")
def subject(net: Inception, photographs: Photographs) -> Subject:
    return Subject("untrained", net.architecture, net.fingerprint, lambda: net, photographs)


@pytest.fixture(scope="module")
def responses(subject: Subject) -> Responses:
    """Two photographs go through the network at once, and three are a shard, so that both are cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "_BATCH", 2)
        patch.setattr(gathering, "SHARD", 3)
        layers = (*subject.architecture.main_layers, "softmax2")
        return gather(subject, layers)


@pytest.mark.parametrize("layer", ["conv2d0", "mixed3a", "mixed5b"])
def test_examples_are_those_of_a_plain_loop(
    net: Inception, photographs: Photographs, responses: Responses, layer: str
) -> None:
    found, kept = responses.layers[layer], examples(responses.layers[layer])
    means = found.means.columns()
    pixels = np.stack([read_photograph(p.path) for p in photographs.photographs])
    values = net(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, layer).numpy()
    grid = values.shape[-1]
    flat = values.reshape(COUNT, values.shape[1], -1)
    for unit in (0, 7, 33):
        strongest = flat[:, unit].max(1)
        best = kept["best_value"][unit]
        assert np.allclose(best, np.sort(strongest)[::-1], rtol=1e-4, atol=1e-3)
        for value, photo, position in zip(best, kept["best_photo"][unit], kept["best_position"][unit], strict=True):
            row, column = divmod(position, grid)
            assert values[photo, unit, row, column] == pytest.approx(value, rel=1e-4, abs=1e-3)
        assert np.allclose(means[:, unit], flat[:, unit].mean(1), rtol=1e-4, atol=1e-4)
        assert found.fires[unit] == pytest.approx((flat[:, unit] > 0).mean(), abs=2e-3)
        assert (found.worst_value[unit] <= best.min() + 1e-3).all()
        assert (np.diff(found.worst_value[unit]) >= 0).all()


def test_the_network_says_what_it_sees(net: Inception, photographs: Photographs, responses: Responses) -> None:
    pixels = np.stack([read_photograph(p.path) for p in photographs.photographs])
    said = net(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, "softmax2")
    assert responses.top_class.tolist() == said.argmax(1).tolist()
    assert np.allclose(responses.probability, said.max(1).values, rtol=1e-4)


def test_the_list_of_photographs_is_found_without_any_layer(subject: Subject) -> None:
    """It comes last, so that a run that was killed may lack it alone."""
    (found,) = analyses()["photos"].compute(subject, ["softmax2"], lambda share: None)
    assert found.arrays["name"].tolist() == [photograph.name for photograph in subject.every_photograph]


def test_positions_are_described_by_the_whole_layer(net: Inception, subject: Subject, responses: Responses) -> None:
    kept = examples(responses.layers["mixed4a"])
    best, unit = {"mixed4a": (kept["best_photo"], kept["best_position"])}, 20
    vectors = describe(subject, responses, best)
    for i in range(COUNT):
        seen = torch.tensor(read_photograph(subject.every_photograph[kept["best_photo"][unit, i]].path))
        values = net(seen.permute(2, 0, 1)[None].float() / 255, "mixed4a")[0].flatten(1)
        expected = values[:, kept["best_position"][unit, i]].numpy()
        assert np.allclose(vectors["mixed4a"][unit, i], expected, rtol=2e-3, atol=2e-2)


@pytest.fixture(scope="module")
def directed(net: Inception, photographs: Photographs) -> Subject:
    """With directions of mixed4a: one is a channel and twice as long, one has parts of many, above and below zero."""
    vectors = np.random.default_rng(0).normal(size=(3, 508)).astype(np.float32)
    vectors[0] = 0
    vectors[0, 20] = 2
    architecture = replace(net.architecture, directions=(Directions("mixed4a", "some", 3, vectors),))
    with_them = Inception(architecture, draw_weights(architecture, seed=0), net.fingerprint)
    return Subject("untrained", architecture, net.fingerprint, lambda: with_them, photographs)


def test_a_direction_that_is_a_channel_is_answered_as_the_channel_is(directed: Subject) -> None:
    found = {
        f.layer: f.arrays
        for f in analyses()["photos"].compute(directed, ["mixed4a@some", "mixed4a"], lambda share: None)
    }
    some, channels = found["mixed4a@some"], found["mixed4a"]
    for name in ("best_photo", "best_position", "quantile_photo", "group", "groups", "several"):
        assert np.array_equal(some[name][0], channels[name][20]), name
    for name in ("best_value", "best_mean", "fires", "mean_curve", "silhouette", "null", "kinship"):
        assert np.allclose(some[name][0], channels[name][20], rtol=1e-3, atol=1e-4), name


def test_a_direction_is_made_of_what_its_channels_are_made_of_and_prefers_what_it_sees(directed: Subject) -> None:
    (some, channels) = analyses()["tuning"].compute(directed, ["mixed4a@some", "mixed4a"], lambda share: None)
    for name in ("best", "strongest", "orientation", "orientation_selectivity", "hue", "hue_selectivity"):
        expected = channels.arrays[name][20]
        assert np.allclose(some.arrays[name][0], expected, rtol=1e-3, atol=1e-3, equal_nan=True), name
    (some, channels) = analyses()["weights"].compute(directed, ["mixed4a@some", "mixed4a"], lambda share: None)
    for name in channels.arrays:
        assert np.allclose(some.arrays[name][0], channels.arrays[name][20], rtol=1e-3, atol=1e-4), name
    vectors, net = directed.architecture.directions[0].vectors, directed.network
    assert vectors is not None
    unit = torch.from_numpy(vectors[1] / np.linalg.norm(vectors[1]))
    for way, kernels in (
        ("input", torch.einsum("c,ciyx->iyx", unit, expanded_weights(net, "mixed4a"))),
        ("output", torch.einsum("i,ciyx->cyx", unit, expanded_weights(net, "mixed4b"))),
    ):
        strongest, norm = int(some.arrays[f"{way}_unit"][1, 0]), float(some.arrays[f"{way}_norm"][1, 0])
        assert float(kernels[strongest].sum()) > 0
        exciting = kernels.flatten(1).norm(dim=1)[kernels.sum((1, 2)) > 0]
        assert norm == pytest.approx(float(exciting.max()), rel=1e-3)


def test_directions_are_answered_without_the_layer_and_as_a_plain_loop_does(directed: Subject) -> None:
    net, photographs = directed.network, directed.every_photograph
    (found,) = analyses()["photos"].compute(directed, ["mixed4a@some"], lambda share: None)
    pixels = np.stack([read_photograph(photograph.path) for photograph in photographs])
    values = net(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, "mixed4a").flatten(2).numpy()
    set_of_them = directed.architecture.direction_set("mixed4a@some")
    assert set_of_them.vectors is not None
    for row, vector in enumerate(set_of_them.vectors):
        projections = np.einsum("ncp,c->np", values, vector / np.linalg.norm(vector))
        order = projections.max(1).argsort()[::-1]
        assert found.arrays["best_photo"][row].tolist() == order.tolist()
        assert found.arrays["best_position"][row].tolist() == projections[order].argmax(1).tolist()
        assert np.allclose(found.arrays["best_value"][row], projections[order].max(1), rtol=1e-3, atol=1e-3)
        assert found.arrays["best_mean"][row] == pytest.approx(projections.mean(1).max(), rel=1e-3, abs=1e-3)
        worst = projections.min(1).argsort()[:3]
        assert found.arrays["worst_photo"][row].tolist() == worst.tolist()
    assert found.arrays["alike_unit"].shape == (3, 2), "a direction is not like itself"


def test_other_vectors_are_another_question(directed: Subject) -> None:
    photos, (found,) = analyses()["photos"], directed.architecture.directions
    assert found.vectors is not None
    architecture = replace(directed.architecture, directions=(replace(found, vectors=found.vectors * 2),))
    other = replace(directed, architecture=architecture)
    assert photos.key(directed, "mixed4a@some") != photos.key(other, "mixed4a@some")
    assert photos.key(directed, "mixed4a") == photos.key(other, "mixed4a")
    assert "mixed4a@some" in photos.layers(directed.architecture)
    unknown = replace(directed.architecture, directions=(replace(found, vectors=None),))
    assert "mixed4a@some" not in photos.layers(unknown), "of an atlas that was published without them"


def test_samples_of_all_layers_are_of_the_same_places(responses: Responses) -> None:
    rows = {len(layer.samples.columns()) for layer in responses.layers.values()}
    assert len(rows) == 1


def test_units_are_like_those_that_respond_alike() -> None:
    random = np.random.default_rng(0)
    base = random.normal(size=(500, 3))
    noisy = base[:, [0, 0, 1, 2]] + 0.1 * random.normal(size=(500, 4))
    r = similarity.correlation(noisy)
    assert r[0, 1] == pytest.approx(np.corrcoef(noisy[:, 0], noisy[:, 1])[0, 1], abs=1e-5)
    like = similarity.most_similar("same", r, same=True)
    assert like["same_unit"][:2, 0].tolist() == [1, 0]
    assert like["same_r"][0, 0] == pytest.approx(r[0, 1], abs=1e-3)
    silent = np.concatenate([np.zeros((500, 1)), noisy], axis=1)
    assert (similarity.correlation(silent)[0] == 0).all(), "a unit that never fires is like none"


def positions(centres: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """60 positions of one unit around some centres, 1 x 60 x 40, and which centre each is around."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.randn(centres, 40, generator=generator) * 2
    label = torch.arange(60) % centres
    return (middle[label] + 0.5 * torch.randn(60, 40, generator=generator))[None], label


def described(vectors: torch.Tensor) -> torch.Tensor:
    """As they are: standardised already, and of a channel of their own that says nothing."""
    vectors = torch.nn.functional.pad(vectors, (0, 1))
    return groups.describe(vectors, torch.zeros(41), torch.ones(41), torch.eye(41)[[40] * len(vectors)])


@pytest.mark.parametrize("centres", [2, 3, 5])
def test_several_things_are_told_apart(centres: int) -> None:
    vectors, truth = positions(centres)
    products = groups.gram(described(vectors))
    found = groups.group(groups.cosines(products))
    assert found.count.tolist() == [centres]
    pairs = {(int(a), int(b)) for a, b in zip(found.label[0], truth, strict=True)}
    assert len(pairs) == centres, "each group is one centre"
    assert found.silhouette[0] > groups.one_cloud(products)[0]


def test_one_cloud_of_any_shape_is_seldom_taken_for_several() -> None:
    shape = torch.linspace(3, 0.1, 40)  # long and flat, so that it can be cut in two
    cloud = torch.randn(60, 60, 40, generator=torch.Generator().manual_seed(5)) * shape
    products = groups.gram(cloud)
    clearer = groups.group(groups.cosines(products)).silhouette > groups.one_cloud(products)
    assert clearer.mean() < 0.15, "1 in 20 by chance"


def test_groups_of_one_thing_are_akin() -> None:
    vectors, _ = positions(2)
    shared = torch.zeros(40)
    shared[:10] = 5
    both = torch.cat([vectors, vectors + shared])
    x = described(both)
    middle = groups.centres(x, groups.group(groups.cosines(groups.gram(x))).label)
    apart, akin = (middle[:, 0] * middle[:, 1]).sum(1).tolist()
    assert apart < 0.3 < 0.5 < akin


def test_the_silhouette_is_rousseeuws() -> None:
    vectors, _ = positions(3, seed=1)
    alike = groups.cosines(groups.gram(described(vectors)))
    labels = torch.arange(60) % 4
    distance = 1 - alike[0]
    expected = []
    for i in range(60):
        own = [j for j in range(60) if labels[j] == labels[i] and j != i]
        within = distance[i, own].mean()
        other = min(distance[i, labels == k].mean() for k in range(4) if k != labels[i])
        expected.append(float((other - within) / max(other, within)))
    assert groups.silhouette(alike, labels[None], 4)[0].item() == pytest.approx(np.mean(expected), abs=1e-5)


@pytest.mark.parametrize("degrees", [0.0, 45.0, 112.5])
def test_a_gabor_unit_prefers_its_own_orientation(degrees: float) -> None:
    """A filter made by hand, looking for bars of this orientation, put through the stimuli like a unit."""
    y, x = torch.meshgrid(torch.arange(10.0, -11, -1), torch.arange(-10.0, 11), indexing="ij")
    angle = torch.deg2rad(torch.tensor(degrees))
    across = y * torch.cos(angle) - x * torch.sin(angle)
    kernel = torch.exp(-(x**2 + y**2) / 40) * torch.cos(2 * torch.pi * across / 8)
    kernel -= kernel.mean()
    stimuli = all_stimuli()
    response = np.zeros((1, len(stimuli)), dtype=np.float32)
    for i, stimulus in enumerate(stimuli):
        if stimulus.family in ("grating", "line"):
            seen = torch.from_numpy(draw(stimulus)).mean(2)[None, None]
            response[0, i] = torch.nn.functional.conv2d(seen, kernel[None, None], stride=4).relu().mean()
    tuned = tuning.sum_up(response, stimuli)
    off = abs(float(tuned["orientation"][0]) - degrees)
    assert min(off, 180 - off) < 2
    assert tuned["orientation_selectivity"][0] > 0.7
    assert stimuli[tuned["best"][0]].orientation == pytest.approx(degrees)


def test_a_unit_for_one_hue_says_which() -> None:
    stimuli = all_stimuli()
    response = np.array([[1.0 if s.family == "disc" and s.hue == 120 else 0.0 for s in stimuli]], dtype=np.float32)
    tuned = tuning.sum_up(response, stimuli)
    assert tuned["hue"][0] == pytest.approx(120)
    assert tuned["hue_selectivity"][0] == pytest.approx(1)
    assert np.isnan(tuned["orientation"][0])


def test_a_silent_unit_prefers_nothing() -> None:
    tuned = tuning.sum_up(np.zeros((1, len(all_stimuli())), dtype=np.float32), all_stimuli())
    assert np.isnan(tuned["orientation"][0])
    assert tuned["orientation_selectivity"][0] == 0
