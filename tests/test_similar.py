"""Which units are like which: correlations held against numpy's, and maps on which what responds alike is near."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from photographs import made_up_photographs

from generator.network import Inception, load_checkpoint
from generator.photos.photographs import Photographs, read_photograph
from generator.store.store import Store
from generator.study.analyses import analyses
from generator.study.analysis import Subject
from generator.study.run import missing, run
from generator.study.shared_grid import GRID, correlate
from generator.study.similarity import grid_layout


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    return made_up_photographs(tmp_path_factory.mktemp("photographs"), 4)


def subject(net: Inception, photographs: Photographs | None, *others: Subject) -> Subject:
    return Subject("untrained", net.architecture, net.fingerprint, lambda: net, photographs, others)


def twin(net: Inception) -> Subject:
    return Subject("twin", net.architecture, net.fingerprint, lambda: net)


def pooled(net: Inception, photographs: Photographs, layer: str) -> np.ndarray:
    pixels = np.stack([read_photograph(p.path) for p in photographs.photographs])
    values = net(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, layer)
    side = values.shape[-1] // GRID
    cells = F.avg_pool2d(values, side).double().numpy()
    return np.asarray(cells.transpose(1, 0, 2, 3).reshape(values.shape[1], -1))


def test_r_is_that_of_numpy_over_all_photographs_and_places(net: Inception, photographs: Photographs) -> None:
    places = (("untrained", "mixed3b"), ("untrained", "mixed4a"))
    pairs = [(places[0], places[0]), places, (places[1], ("twin", "mixed4a")), places[::-1]]
    r, seen, _ = correlate(subject(net, photographs, twin(net)), photographs.photographs, pairs)
    assert seen == 4
    shallow, deep = (pooled(net, photographs, layer) for _, layer in places)
    with np.errstate(invalid="ignore"):
        both = np.nan_to_num(np.corrcoef(shallow[:40], deep[:40]))  # a dead unit is like nothing
    assert np.allclose(r[pairs[0]][:40, :40], both[:40, :40], atol=1e-3)
    assert np.allclose(r[places][:40, :40], both[:40, 40:], atol=1e-3)
    alive = deep.std(1) > 0
    assert np.array_equal(r[pairs[3]], r[places].T)
    assert np.allclose(r[pairs[2]].diagonal(), alive, atol=1e-3), "the same network under another name"


def test_a_unit_that_never_changes_is_like_nothing(net: Inception, photographs: Photographs) -> None:
    dead = load_checkpoint("untrained")
    with torch.no_grad():
        dead.get_buffer("conv2d0_weight")[3] = 0
    place = ("untrained", "conv2d0")
    r = correlate(subject(dead, photographs), photographs.photographs, [(place, place)])[0][place, place]
    assert np.isfinite(r).all()
    assert not r[3].any()


def test_on_a_map_units_that_respond_alike_are_neighbours() -> None:
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(5), 11)
    responses = random.normal(size=(5, 300))[group] + 0.5 * random.normal(size=(55, 300))
    place = grid_layout(np.corrcoef(responses).astype(np.float32))
    assert len({(row, column) for row, column in place.tolist()}) == 55, "each has a cell of its own"
    assert place.min() >= 0
    assert place.max() < 8
    apart = np.linalg.norm(place[:, None] - place[None].astype(float), axis=2)
    alike = group[:, None] == group
    assert apart[alike].mean() < 0.6 * apart[~alike].mean()
    for few in (1, 2, 3, 5):
        assert len(set(map(tuple, grid_layout(np.eye(few, dtype=np.float32)).tolist()))) == few


def test_the_answer_names_the_checkpoints_it_compares(net: Inception, photographs: Photographs, tmp_path: Path) -> None:
    alone, what = subject(net, photographs), subject(net, photographs, twin(net))
    similar, store = analyses()["similar"], Store(tmp_path)
    assert similar.key(what, "mixed3a") != similar.key(alone, "mixed3a"), "compared with others it is another question"
    ((_, result),) = run(store, what, missing(store, what, [similar], ["mixed3a"]))
    arrays = store.arrays(result)
    assert result.facts == {"others": ["twin"], "photographs": 4}
    assert arrays["map"].shape == (256, 2)
    assert (arrays["same_unit"] != np.arange(256)[:, None]).all(), "no unit is its own like"
    alive = np.isfinite(arrays["other0_r"][:, 0]) & (arrays["other0_r"][:, 0] > 0)
    assert (arrays["other0_r"][alive, 0] > 0.99).all(), "in a twin each unit is found again"
    assert arrays["before_unit"].max() < 192
    assert arrays["after_unit"].shape == (256, 6)
