"""The command `atlas study`: what units see in photographs, what simple stimuli they prefer, what they are made of."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.command import Command
from generator.cli.options import RenderOptions, checkpoint_option, study_options
from generator.cli.output import echo
from generator.cli.rendering import load_weights, need, warn
from generator.cli.stopping import end_stopped
from generator.config.atlas_toml import load_config
from generator.config.config import Config
from generator.core.architecture import CLASSIFIER, OUTPUT
from generator.core.errors import UsageError, did_you_mean
from generator.core.progress import progress
from generator.core.result import Result
from generator.core.units import select_units
from generator.store.findings import Study, is_of_these, newest
from generator.store.status import known_fingerprint
from generator.store.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generator.network import Inception
    from generator.network.load import Loaded
    from generator.study.analysis import Subject
    from generator.study.run import Todo


@click.command(
    cls=Command,
    examples="""
    atlas study                        all analyses that the store lacks; photographs: [photos] in atlas.toml
    atlas study weights                what units are made of, from the weights alone: seconds
    atlas study photos --photos ~/pictures --photos more/
    atlas study photos --layer mixed4a@sae   of the directions that [directions.sae] of atlas.toml names
    atlas study --checkpoint untrained --dry-run
    atlas study --ray-address 10.0.0.5:6379 photographs divided among the workers of a Ray cluster
    atlas study 4a:11 --json           what the store knows of a unit, for programs
    """,
)
@click.argument("names", nargs=-1, metavar="[ANALYSIS]...")
@checkpoint_option
@study_options
@click.option(
    "--photos",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of photographs, with credits.csv if there is one. [default: those of [photos] in atlas.toml]",
)
@click.option("--layer", "layers", multiple=True, help="A layer to answer for. [default: all]")
@click.option("--dry-run", is_flag=True, help="Say what would be computed.")
@click.option("--json", "as_json", is_flag=True, help="Print what is known of units, one JSON object a line.")
@click.pass_obj
def command(
    path: Path, names: tuple[str, ...], checkpoint: str | None, how: RenderOptions, folders: tuple[Path, ...],
    layers: tuple[str, ...], dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """What each unit sees in photographs, what it prefers among simple stimuli, and what it is made of.

    Answers lie in the store beside the pictures and come to the units' pages with the next `atlas build`. What is
    there is not computed again; a layer that is finished when you stop is kept.
    """
    if as_json:
        _print_known(load_config(path), names, checkpoint)
        return
    from generator.photos.photographs import find_photographs
    from generator.study.analyses import analyses
    from generator.study.analysis import Subject
    from generator.study.run import missing, run

    config, known = load_config(path), analyses()
    if wrong := [name for name in names if name not in known]:
        unit = (
            f"; of units, type `atlas study {shlex.quote(wrong[0])} --json`"
            if any(c.isdigit() for c in wrong[0])
            else ""
        )
        raise UsageError(f"no analysis “{wrong[0]}”: {did_you_mean(wrong[0], known)}{unit}")
    chosen, store = config.checkpoint(checkpoint), Store(config.store)
    net = chosen.architecture
    studied = (*net.seeing_layers, OUTPUT)
    if wrong := [layer for layer in layers if layer not in studied]:
        raise UsageError(f"no layer “{wrong[0]}”: {did_you_mean(wrong[0], studied)}")
    where = folders or config.photos
    photographs = find_photographs(where) if where else None
    _tell(photographs.left_out if photographs else {})
    wanted = [known[name] for name in names] if names else list(known.values())
    if not photographs:
        if lacking := [analysis.name for analysis in wanted if names and analysis.of_photographs]:
            raise UsageError(f"{lacking[0]} needs photographs: type --photos FOLDER, or set [photos] in {config.path}")
        for analysis in (a for a in wanted if a.of_photographs):
            echo(f"{analysis.name}: passed over, for there are no photographs; --photos FOLDER names some", err=True)
        wanted = [analysis for analysis in wanted if not analysis.of_photographs]

    @cache
    def load(name: str) -> Loaded:
        weights = how.weights if name == chosen.name else None
        return load_weights(config.checkpoint(name), weights, what="studying")

    def network(name: str) -> Inception:
        loaded = load(name)
        from generator.render.local import pick_device  # imports torch: a file that is none is refused before

        return loaded.network(pick_device("cpu" if how.ray else how.device))

    records = tuple(store.records())
    fingerprint = known_fingerprint(chosen, records) or load(chosen.name).fingerprint
    others = tuple(
        Subject(other.name, other.architecture, theirs, partial(network, other.name))
        for other in config.checkpoints
        if other is not chosen and (theirs := known_fingerprint(other, records))
    )
    subject = Subject(chosen.name, chosen.architecture, fingerprint, partial(network, chosen.name), photographs, others)
    compared = {chosen.name, *(other.checkpoint for other in others)}
    if photographs and any(analysis.of_others for analysis in wanted):
        for name in (each.name for each in config.checkpoints if each.name not in compared):
            echo(f"not compared with {name}, which has no picture yet; `atlas render` renders some", err=True)
    todo = missing(store, subject, wanted, (*layers, CLASSIFIER) if layers else ())
    for each in todo:
        answered = f"{len(each.layers)} layers to answer, {each.present} there"
        echo(f"{each.analysis.name:<10}{answered}  {each.analysis.help}")
    if dry_run:
        return
    kept = 0
    if any(each.layers for each in todo):
        load(chosen.name)  # a file that is refused is refused before an analysis imports torch
        unread: dict[str, str] = {}  # headers were sound, pixels not
        with _divided(subject, todo, load, how) as subject, progress(chosen.name, "parts", 100, keep=True) as bar:
            try:
                for _, result in run(store, subject, todo, lambda share: bar.advance(100 * share)):
                    kept += 1
                    unread |= result.facts.get("left_out", {})
            except KeyboardInterrupt:
                end_stopped(f"{kept} layers that are finished are kept")
        _tell(unread)
    echo(f"answered {kept}, already there {sum(each.present for each in todo)}, in {store.root}; type `atlas build`")


def _tell(left_out: Mapping[str, str]) -> None:
    for file, why in left_out.items():
        echo(f"left out: {file}: {why}", err=True)


@contextmanager
def _divided(
    subject: Subject, todo: Iterable[Todo], load: Callable[[str], Loaded], how: RenderOptions
) -> Iterator[Subject]:
    """The subject, with its photographs divided among the workers of a cluster where that was asked for."""
    of_photographs = [each.analysis for each in todo if each.layers and each.analysis.of_photographs]
    if not how.ray or not of_photographs:
        yield subject
        return
    need("torch", "safetensors", "ray", extra="ray", what="studying")
    from generator.cluster.pool import connect
    from generator.study.shards import on_cluster

    asked = (subject, *(subject.others if any(analysis.of_others for analysis in of_photographs) else ()))
    for each in asked:
        each.check(load(each.checkpoint).fingerprint)
    with connect(how.ray, workers=how.workers, device=how.device) as pool:
        echo(pool, err=True)
        with on_cluster([load(each.checkpoint) for each in asked], pool, warn) as spread:
            yield replace(subject, spread=spread)


def _print_known(config: Config, words: tuple[str, ...], checkpoint: str | None) -> None:
    """Print what the store knows of these units. Nothing is computed."""
    if not words:
        raise UsageError("name units: atlas study 4a:11 --json")
    chosen, store = config.checkpoint(checkpoint), Store(config.store)
    units = select_units(words, chosen.architecture, chosen.name)
    fingerprint = known_fingerprint(chosen, store.records())
    found = newest(result for result in store.results() if is_of_these(result, chosen.architecture))

    @cache
    def read(name: str, layer: str) -> tuple[Result, Mapping[str, NDArray[Any]]] | None:
        result = found.get((f"study/{name}", fingerprint, layer))
        return (result, store.arrays(result)) if result else None

    study = Study(chosen.name, chosen.architecture, chosen.class_names, read)
    for layer in dict.fromkeys(unit.layer for unit in units):
        if lacking := study.lacks(layer):
            if layer in (*chosen.architecture.seeing_layers, OUTPUT):
                command = f"atlas study {' '.join(lacking)}{f' --checkpoint {checkpoint}' if checkpoint else ''}"
                echo(f"{layer}: no answer of {', '.join(lacking)}; type `{command}`", err=True)
            else:
                echo(f"{layer}: only {', '.join(chosen.architecture.main_layers)} are studied", err=True)
    for unit in units:
        picture = store.read(config.question(fingerprint, unit).key) if fingerprint else None
        echo(json.dumps(study.of(unit, picture.provenance.activation if picture else None)))
