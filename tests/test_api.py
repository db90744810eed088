"""What a researcher types: pictures as arrays, the same as those of the store, and no file behind one's back."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_runner import RECIPE, go, plan, questions
from torch import Tensor

from generator import api
from generator.core.errors import AtlasError
from generator.core.recipe import Question
from generator.core.units import Unit
from generator.network import Inception
from generator.render import canvas
from generator.store.store import Store

ROOT = Path(__file__).parent.parent


def test_pictures_are_those_of_the_store_and_nothing_is_written(
    net: Inception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    pictures = api.render(net, ["mixed3a:64", "conv2d0:0-1"], RECIPE, progress=False)
    assert [str(p.unit) for p in pictures] == ["conv2d0:0", "conv2d0:1", "mixed3a:64"]
    assert list((tmp_path / "here").iterdir()) == []
    store = Store(tmp_path / "store")
    asked = questions(net, "conv2d0:0-1", "mixed3a:64")
    go(plan(asked, store, size=3), net, store)
    for picture, question in zip(pictures, asked, strict=True):
        record = store.read(question.key)
        assert record is not None
        assert picture.question == question
        assert picture.activations == pytest.approx(record.provenance.activations, rel=1e-4)
        assert picture.activation == pytest.approx(record.provenance.activation, rel=1e-4)
        assert picture.provenance.checkpoint == "untrained"
        assert picture.pixels.shape == (32, 32, 3)
        assert picture.pixels.dtype == np.uint8


def test_snapshots_are_on_one_ascent(net: Inception) -> None:
    raw = api.preset("raw", size=32, input=64, steps=6)
    strip = api.snapshots(net, "mixed3a:63", np.array([5, 0, 2]), raw, progress=False)
    frames, end = strip.frames, strip.end
    assert [frame.question.recipe.steps for frame in frames] == [0, 2, 5]
    assert end.question.recipe.steps == len(end.activations) == 6
    assert all(frame.activations == end.activations[:n] for n, frame in zip((0, 2, 5), frames, strict=True))
    assert not np.array_equal(frames[-1].pixels, end.pixels)
    whole = api.snapshots(net, "mixed3a:63", [0, 6], raw, progress=False)
    assert whole.frames[-1] is whole.end
    assert [list(line.get_xdata()) for line in api.filmstrip(whole).axes[-1].lines][1] == [0, 6]
    with pytest.raises(AtlasError, match="steps 0 to 6, not 7"):
        api.snapshots(net, "mixed3a:63", [1, 7], raw)
    with pytest.raises(AtlasError, match="names 2 units"):
        api.snapshots(net, "mixed3a:63-64", [1], raw)


def test_a_loop_over_raw_pixels_is_the_raw_recipe(net: Inception) -> None:
    """The few lines that a student reads give what the renderer gives."""
    raw = api.preset("raw", size=64, input=64, steps=8, wake_steps=0, precision="float32")
    question = Question(net.fingerprint, Unit("conv2d1", 3), "channel", raw)
    pixels = canvas.start(raw, [question.draw_seed, question.draw_seed]).requires_grad_()

    def objective(x: Tensor) -> Tensor:
        return net(x / 4 + 0.5, "conv2d1")[:, 3].mean((1, 2))

    climb = api.gradient_ascent(pixels, objective, torch.optim.Adam([pixels], lr=0.05))
    curve = [next(climb)[0].item() for _ in range(8)]
    (picture,) = api.render(net, "conv2d1:3", raw, progress=False)
    assert curve[-1] > curve[0]
    assert picture.activations == pytest.approx(curve, rel=1e-3)
    shown = (pixels[0].detach() / 4 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy() * 255
    assert np.abs(picture.pixels - shown).mean() < 1


def test_the_ascent_leaves_nothing_behind(net: Inception) -> None:
    weights = {name: tensor.clone() for name, tensor in net.named_buffers()}
    state = torch.get_rng_state()
    api.render(net, "conv2d1:3", RECIPE, progress=False)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in net.named_buffers())
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())
    assert torch.equal(torch.get_rng_state(), state)


def test_figures_show_themselves_in_a_notebook(net: Inception) -> None:
    pictures = api.render(net, "conv2d0:0-2", RECIPE, progress=False)
    for figure in (
        api.gallery(pictures),
        api.contact_sheet(pictures),
        api.poster([pictures[:2], pictures[1:]]),
        api.filmstrip(api.snapshots(net, "conv2d0:0", [0, 2], RECIPE, progress=False)),
        api.parameterizations(net, "conv2d0:0", size=32, input=64, steps=2, progress=False),
    ):
        assert figure._repr_jpeg_().startswith(b"\xff\xd8")


def test_mistakes_are_named(net: Inception) -> None:
    with pytest.raises(AtlasError, match="did you mean mixed4a"):
        api.render(net, "mixd4a:1")
    with pytest.raises(AtlasError, match="no pictures"):
        api.gallery([])
    with pytest.raises(AtlasError, match="columns = 0"):
        api.gallery(api.render(net, "conv2d0:0", RECIPE, progress=False), columns=0)
    with pytest.raises(AtlasError, match="batch = 0"):
        api.render(net, "conv2d0:0", RECIPE, batch=0)
    with pytest.raises(AtlasError, match="names 4 units"):
        api.parameterizations(net, "conv2d0:0-3")
    with pytest.raises(AtlasError, match="is not for raw"):
        api.parameterizations(net, "conv2d0:0", rotate=45.0)
    with pytest.raises(AtlasError, match="0 steps"):
        api.filmstrip(
            api.snapshots(net, "conv2d0:0", [0], api.preset("raw", steps=0, size=32, input=64), progress=False)
        )
    one, two = api.render(net, "conv2d0:0-1", RECIPE, progress=False)
    with pytest.raises(AtlasError, match="equal length"):
        api.poster([[one], [one, two]])
    with pytest.raises(AtlasError, match="raw, naive, full"):
        api.preset("fancy")
    with pytest.raises(AtlasError, match="steps = -1"):
        api.preset("raw", steps=-1)


def test_the_notebook_runs_from_top_to_bottom() -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("run", ROOT / "notebooks" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    quick = {"CHECKPOINT": "untrained", "STEPS": 2, "RAW_STEPS": 20, "SIZE": 64}
    done = tool.run(ROOT / "notebooks" / "activation_maximization.ipynb", quick)
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    shown = [cell for cell in code if any("image/jpeg" in out.get("data", {}) for out in cell.outputs)]
    assert len(shown) == 6, "gallery, filmstrip, three ways, poster, control, seeds"
    for cell in code:
        assert len(cell.source.splitlines()) <= 20, "a few lines a cell"
