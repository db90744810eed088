"""Views: whatever module lies in the package is one, everywhere, and may be rendered in batches."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from generator.api import render
from generator.cli.commands.render import command
from generator.core import views
from generator.core.architecture import CLASSIFIER, OUTPUT
from generator.core.errors import UsageError
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.core.views import VIEWS
from generator.network import Inception, load_checkpoint
from generator.render.objective import choose, measure, probabilities


def test_every_module_of_the_package_is_a_view_and_an_option() -> None:
    assert {path.stem for path in Path(views.__file__).parent.glob("*.py")} == {*VIEWS, "view", "__init__"}
    [option] = [each for each in command.params if each.name == "view"]
    assert list(option.type.choices) == [*VIEWS, "all"]
    assert all(f"{name}, {view.help}" in option.help for name, view in VIEWS.items())


def test_the_picture_of_a_class_depends_on_no_other_and_says_its_probability(net: Inception) -> None:
    few = Recipe(size=64, input=64, steps=3)
    [three, seven] = render(net, "output:3,7", few, progress=False)
    [alone] = render(net, "output:7", few, progress=False)
    assert (alone.pixels == seven.pixels).all()
    assert 0 <= (three.provenance.probability or 0) <= 1
    assert three.provenance.probability is not None
    assert render(net, "mixed3a:7", few, progress=False)[0].provenance.probability is None


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_measures_each_unit_by_itself(net: Inception, view: str) -> None:
    each, whole = VIEWS[view].pictures, "mixed3a" if VIEWS[view].whole_layer else "mixed3a_1x1"
    rgb = torch.rand(3 * each, 3, 64, 64, requires_grad=True)
    layer = {"classes": OUTPUT, "directions": "mixed3a@5_plus_6"}.get(VIEWS[view].of, whole)
    channels = choose(net, layer, [0, 0, 0] if VIEWS[view].of == "directions" else [5, 6, 7], "cpu")
    together = measure(net, rgb, layer, channels, view, leak=0.1)
    assert together.shape == (3 * each,)
    assert together.dtype == torch.float32
    own, rest = slice(each, 2 * each), [*range(each), *range(2 * each, 3 * each)]
    [gradient] = torch.autograd.grad(together[own].sum(), rgb)
    assert gradient[own].flatten(1).any(1).all()
    assert not gradient[rest].any()
    half = measure(load_checkpoint("untrained", dtype=torch.bfloat16), rgb, layer, channels, view)
    assert half.dtype == torch.float32


MEASURED = {
    "channel": (1, 0.578319, 0.256125),
    "diversity": (1, 2.09972, 0.493164),
    "neuron": (1, 1.03854, 1.41421),
    "negative": (1, -0.517863, 0.282843),
    "logit": (1, -1.01088, 1.48324),
    "direction": (1, -0.689766, 0.247246),
    "directioncosine": (1, -0.0679908, 0.0278578),
}
"""Of each view: the version of its renderer, what it measures of some activations, and how far that rises with them."""


@pytest.mark.parametrize("view", VIEWS)
def test_what_a_view_measures_changes_with_its_version_alone(view: str) -> None:
    """Pictures by another measure are other answers. If this fails, a change of yours gives the view other pictures
    under the keys of the old: raise ``renderer`` of the view, say so in the changelog, and put the new numbers here."""
    draw = torch.Generator().manual_seed(3)
    of = VIEWS[view]
    bare = torch.rand(of.pictures * 2, 24, *((1, 1) if of.of == "classes" else (5, 5)), generator=draw) - 0.25
    vectors = F.normalize(torch.randn(2, 24, generator=draw), dim=1)
    chosen = vectors if of.of == "directions" else torch.tensor([5, 6])
    bare.requires_grad_()
    given = of.measure(bare, chosen.repeat_interleave(of.pictures, 0), F.relu)
    (slope,) = torch.autograd.grad(given.sum(), bare)
    found = (of.renderer, given.sum().item(), slope.norm().item())
    assert found == pytest.approx(MEASURED[view], rel=1e-4)


def test_a_view_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="no view “sideways”: there are channel"):
        Question("0" * 64, Unit("mixed4a", 0), "sideways", Recipe())
    with pytest.raises(UsageError, match="output:7 has no view “neuron”: it has logit"):
        Question("0" * 64, Unit("output", 7), "neuron", Recipe())


def test_a_class_is_told_from_the_ten_strongest_and_given_its_probability(net: Inception) -> None:
    rgb, classes = torch.rand(2, 3, 64, 64), torch.tensor([3, 1007])
    logits = net(rgb, OUTPUT).flatten(1)
    expected = [
        (row[c] - row.sort(descending=True).values[:10].mean()).item() for row, c in zip(logits, classes, strict=True)
    ]
    assert measure(net, rgb, OUTPUT, classes, "logit").tolist() == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert net(rgb, OUTPUT).flatten(1).softmax(1).equal(net(rgb, CLASSIFIER))
    given = probabilities(net, rgb, 64, classes.tolist())
    assert given.tolist() == pytest.approx([net(rgb, CLASSIFIER)[i, c].item() for i, c in enumerate(classes)], rel=1e-4)
