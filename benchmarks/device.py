"""How fast a device renders: a step in the loop and above its convolutions, Lucent beside it, and the whole command.

>>> make bench-gpu                                 # or: python benchmarks/device.py --device cuda

Everything is measured by the commands that people type, each in a process of its own, but for the step in the loop; the
whole command says where its wall clock goes. The table is printed, and written with all that was measured into a JSON
file. Numbers are kept in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from generator.bench.floor import synchronize
from generator.checkpoints import CHECKPOINTS
from generator.core.recipe import Recipe
from generator.kernels import choice
from generator.network import Inception, load_checkpoint
from generator.render import ascent, renderer, replay
from generator.render.arithmetic import fastest
from generator.render.local import pick_device
from generator.store.store import Store

PARTS = (  # of a whole run: what is timed, and what it is called
    (renderer, "draw", "draws, in a thread"),
    (renderer, "bytes_per_unit", "counting memory"),
    (replay._Graph, "_aside", "steps before a recording"),
    (replay._Graph, "_recorded", "recording"),
    (renderer, "ascend", "ascents as the host sees them, all of these in it"),
    (renderer.Renderer, "_answer", "waiting for the device and evaluating"),
    (renderer, "to_pixels", "of it copying pictures back"),
    (renderer, "encode", "encoding, in threads"),
    (Store, "write", "writing, in a thread"),
)
SETTLED = 5  # steps after the leak has ended: until then a GPU records the step


def main(words: Sequence[str] | None = None) -> None:
    if words is None and sys.argv[1:2] == ["--traced"]:
        traced(Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
        return
    asked = arguments(words)
    where = pick_device(asked.device)
    recipe = Recipe(size=asked.size, input=asked.size, steps=asked.steps)
    recipe = replace(recipe, precision=fastest(recipe.precision, where))
    net = load_checkpoint(asked.checkpoint, asked.weights, where, getattr(torch, recipe.precision))
    found: dict[str, Any] = {"batch": asked.batch, "recipe_steps": recipe.steps, "layers": {}}
    for layer in asked.layers:
        one: dict[str, Any] = {"in_the_loop_us": in_the_loop(net, layer, recipe, asked.batch)}
        if choice.operations(net.mean.device, net.mean.dtype).fused:
            with plain_operations():
                one["without_kernels_us"] = in_the_loop(net, layer, recipe, asked.batch)
        if asked.batch > 16:
            one["in_batches_of_16_us"] = in_the_loop(net, layer, recipe, 16)
        one["bench"] = bench(asked, layer, asked.batch, "--no-lucent", "--batch", str(asked.batch))
        if asked.compile:
            with plain_operations():
                one["compiled"] = compiled(net, layer, recipe, asked.batch)
        found["layers"][layer] = one
    found["lucent"] = bench(asked, asked.layers[0], 2, "--no-loop", "--lucent-steps", str(asked.lucent_steps))
    del net
    found["first"] = whole(asked, asked.first)
    found["whole"] = whole(asked, asked.select or list(CHECKPOINTS[asked.checkpoint].architecture.main_layers))
    Path(asked.output).write_text(json.dumps(found, indent=1) + "\n")
    print("\n".join(table(found)))


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    said = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    said.add_argument("--device", default="auto")
    said.add_argument("--checkpoint", default="bvlc_googlenet", choices=list(CHECKPOINTS))
    said.add_argument("--weights", type=Path)
    said.add_argument("--layers", nargs="+", default=["mixed4a", "mixed5b"])
    said.add_argument("--batch", type=int, default=128)
    said.add_argument("--size", type=int, default=224)
    said.add_argument("--steps", type=int, default=128)
    said.add_argument("--lucent-steps", type=int, default=512)
    said.add_argument("--first", nargs="+", default=["mixed4a:0-79"], help="the units of a short run")
    said.add_argument("--select", nargs="+", help="the units of the long run; all, if not given")
    said.add_argument("--compile", action="store_true", help="the objective under torch.compile too")
    said.add_argument("--output", default="device.json")
    return said.parse_args(words)


@contextmanager
def plain_operations() -> Iterator[None]:
    """No kernels for as long as this lasts."""
    os.environ["ATLAS_KERNELS"] = "0"
    choice._compared.cache_clear()
    try:
        yield
    finally:
        del os.environ["ATLAS_KERNELS"]
        choice._compared.cache_clear()


def in_the_loop(net: Inception, layer: str, recipe: Recipe, count: int) -> float:
    """Microseconds a unit and step, once the step is recorded."""
    return 1e6 * median(steps(net, layer, recipe, count)[recipe.wake_steps + SETTLED :]) / count


def steps(net: Inception, layer: str, recipe: Recipe, count: int) -> list[float]:
    """Seconds of each step of one ascent of the first units of a layer's first branch."""
    conv, _ = net.architecture.locate(layer, 0)
    channels = [n % net.architecture.convs[conv].channels for n in range(count)]
    marks: list[float] = []

    def mark() -> None:
        synchronize(net.mean.device)
        marks.append(time.perf_counter())

    mark()
    ascent.ascend(net, conv, channels, "channel", recipe, range(count), mark)
    return [after - before for before, after in pairwise(marks)]


def compiled(net: Inception, layer: str, recipe: Recipe, count: int) -> dict[str, Any]:
    """The same with the objective under torch.compile, and the seconds until it is compiled."""
    plain = ascent.measure
    try:
        ascent.measure = torch.compile(plain)
        taken = steps(net, layer, recipe, count)
    except Exception as error:
        return {"failed": str(error).partition("\n")[0][:200]}
    finally:
        ascent.measure = plain
    return {"in_the_loop_us": 1e6 * median(taken[recipe.wake_steps + SETTLED :]) / count, "before_it_s": sum(taken)}


def bench(asked: argparse.Namespace, layer: str, units: int, *more: str) -> dict[str, Any]:
    """What `atlas bench` says of a layer."""
    words = ["--layer", layer, "--units", str(units), "--steps", str(asked.steps), "--size", str(asked.size)]
    with tempfile.TemporaryDirectory(prefix="atlas-") as name:
        said = atlas(asked, Path(name), "bench", *words, "--input", str(asked.size), "--json", *more)
    result: dict[str, Any] = json.loads(said)
    return result


def whole(asked: argparse.Namespace, selected: Sequence[str]) -> dict[str, Any]:
    """One `atlas render` into an empty store: seconds, processor seconds, how long the device was at work, and the wall
    clock of :data:`PARTS`.

    The device works for the sum over the records of each unit's share of its batch; the rest of the time it waits.
    """
    settings = ["--size", str(asked.size), "--input", str(asked.size), "--steps", str(asked.steps)]
    with tempfile.TemporaryDirectory(prefix="atlas-") as name:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        spent = Path(name) / "spent.json"
        by = (__file__, "--traced", str(spent), str(time.time()))
        atlas(asked, Path(name), "render", *selected, *settings, by=by)
        seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        spent_text = spent.read_text()
        busy = [record.provenance.seconds for record in Store(Path(name) / "site" / "store").records()]
    return {
        "units": len(busy),
        "seconds": seconds,
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "device_seconds": sum(busy),
        "parts": json.loads(spent_text),
    }


def traced(path: Path, begun: float, words: Sequence[str]) -> None:
    """An `atlas` command; the seconds of its parts are written to a file. ``begun`` is when its process was started."""
    from generator.cli.main import main as command

    spent: Counter[str] = Counter()

    def timed(owner: Any, name: str, label: str) -> None:
        plain = getattr(owner, name)

        def call(*given: Any, **named: Any) -> Any:
            if name == "ascend":
                spent.setdefault("start-up", time.time() - begun)
            at = time.perf_counter()
            try:
                return plain(*given, **named)
            finally:
                spent[label] += time.perf_counter() - at

        setattr(owner, name, call)

    for part in PARTS:
        timed(*part)
    sys.argv = ["atlas", *words]
    try:
        command()
    finally:
        path.write_text(json.dumps(spent))


def atlas(
    asked: argparse.Namespace, folder: Path, command: str, *words: str, by: Sequence[str] = ("-m", "generator.cli.main")
) -> str:
    """What a command says on stdout, in a folder with an atlas.toml that says nothing but the checkpoint."""
    (folder / "atlas.toml").write_text(f"[checkpoints.{asked.checkpoint}]\nunits = []\n")
    given = ["--device", asked.device, *(["--weights", str(asked.weights.absolute())] if asked.weights else [])]
    line = [sys.executable, *by, command, *words, *given]
    done = subprocess.run(line, cwd=folder, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"`atlas {command} {' '.join(words)}` failed with {done.returncode}")
    return done.stdout


def table(found: dict[str, Any]) -> Iterator[str]:
    """The table of docs/benchmarks.md, and what does not fit into it as sentences."""
    layers: dict[str, Any] = found["layers"]
    first = next(iter(layers.values()))["bench"]
    machine, lucent = first["machine"], found["lucent"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    yield f"{machine['device']}, {first['arithmetic']}, batches of {found['batch']}; {versions}; {machine['date'][:10]}"
    yield ""
    yield f"| µs a unit and step | {' | '.join(layers)} |\n|---|{'---|' * len(layers)}"
    rows = {
        "in the loop": lambda one: one["in_the_loop_us"],
        "the same without kernels": lambda one: one.get("without_kernels_us"),
        "the same in batches of 16": lambda one: one.get("in_batches_of_16_us"),
        "by `atlas bench`, with what stands around the loop": lambda one: 1000 * one["bench"]["ours"]["ms_per_step"],
        "convolutions alone": lambda one: 1000 * median(one["bench"]["floor_ms"]),
        "the objective under torch.compile": lambda one: one.get("compiled", {}).get("in_the_loop_us"),
    }
    for name, of in rows.items():
        values = [of(one) for one in layers.values()]
        if any(value is not None for value in values):
            yield f"| {name} | {' | '.join('–' if value is None else f'{value:,.0f}' for value in values)} |"
    yield ""
    for layer, one in layers.items():
        shares = ", ".join(f"{part} {share:.0%}" for part, share in one["bench"]["parts"].items())
        yield f"- {layer}: {shares}; {one['bench']['matrix_share']:.0%} of the rate of a matrix product"
    theirs, sooner = median(lucent["lucent"]["seconds"]), lucent["seconds_to_lucent"]
    yield (
        f"- Lucent at {lucent['layer']}: {theirs:.3g} s a unit; ours to its activation, two units alone: "
        f"{f'{sooner:.3g} s' if sooner else 'not reached'}"
    )
    for run in (found["first"], found["whole"]):
        yield (
            f"- `atlas render`, {run['units']:,} units, an empty store: {run['seconds']:.1f} s, "
            f"{run['units'] / run['seconds']:.3g} units a second, {run['processor_seconds']:.0f} s of processor time; "
            f"the device worked for {run['device_seconds']:.1f} s; "
            + ", ".join(f"{part} {seconds:.1f} s" for part, seconds in run["parts"].items())
        )


if __name__ == "__main__":
    main()
