"""Views: whatever module lies in the package is one, everywhere, and may be rendered in batches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from generator.cli.commands.render import command
from generator.core import views
from generator.core.errors import UsageError
from generator.core.recipe import Question, Recipe
from generator.core.units import Unit
from generator.core.views import VIEWS
from generator.network import Inception, load_checkpoint
from generator.render.objective import measure


@pytest.fixture(scope="module")
def net() -> Inception:
    return load_checkpoint("untrained")


def test_every_module_of_the_package_is_a_view_and_an_option() -> None:
    assert {path.stem for path in Path(views.__file__).parent.glob("*.py")} == {*VIEWS, "view", "__init__"}
    [option] = [each for each in command.params if each.name == "view"]
    assert list(option.type.choices) == list(VIEWS)
    assert all(f"{name}, {view.help}" in option.help for name, view in VIEWS.items())


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_measures_each_picture_by_itself(net: Inception, view: str) -> None:
    rgb, channels = torch.rand(3, 3, 64, 64, requires_grad=True), torch.tensor([5, 6, 7])
    together = measure(net, rgb, "mixed3a_1x1", channels, view, leak=0.1)
    assert together.shape == (3,)
    assert together.dtype == torch.float32
    [gradient] = torch.autograd.grad(together[1], rgb)
    assert gradient[1].any()
    assert not gradient[[0, 2]].any()
    half = measure(load_checkpoint("untrained", dtype=torch.bfloat16), rgb, "mixed3a_1x1", channels, view)
    assert half.dtype == torch.float32


def test_a_view_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="no view “sideways”: there are channel"):
        Question("0" * 64, Unit("mixed4a", 0), "sideways", Recipe())
