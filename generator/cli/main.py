"""The command `atlas`: one word for each thing people do with an atlas.

Every command reads atlas.toml in the current folder (or ``--config``), says on stdout what it did, and on stderr how
far it is. A mistake is one line that begins with ``atlas:`` and says what to type; exit codes are 2 for a mistake in
what was asked, 1 for a failure, 130 after Ctrl-C. Torch is imported only when something has to be rendered.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from generator import __version__
from generator.cli.bench import bench
from generator.cli.cite import cite
from generator.cli.command import Command
from generator.cli.figure import figure
from generator.cli.read import open_page, pull
from generator.cli.render import render
from generator.config.atlas_toml import FILE, load_config
from generator.core.errors import AtlasError, UsageError
from generator.store.store import Damage, Store


@click.group(
    invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--config", "path", type=click.Path(path_type=Path), default=FILE, show_default=True, help="The atlas.")
@click.version_option(__version__, prog_name="atlas")
@click.pass_context
def atlas(ctx: click.Context, path: Path) -> None:
    """Every channel of InceptionV1, rendered by activation maximisation and laid out as a browsable atlas.

    Begin with `atlas init`; then `atlas render`, `atlas build`, `atlas serve`.
    """
    ctx.obj = path
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@atlas.command(cls=Command, examples="atlas init\natlas init my-atlas && cd my-atlas && atlas render")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def init(folder: Path) -> None:
    """Write a commented atlas.toml for a new atlas into FOLDER."""
    from generator.config.starter import starter_config

    target = folder / FILE
    if folder.is_file():
        raise UsageError(f"{folder} is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(starter_config())
    except FileExistsError:
        raise UsageError(f"{target} is there already; edit it, or type `atlas init OTHER_FOLDER`") from None
    except OSError as error:
        raise AtlasError(f"cannot write {target}: {error.strerror}; choose another folder") from error
    click.echo(f"{target} written; look into it, then type `atlas render` beside it")


atlas.add_command(render)
atlas.add_command(bench)
atlas.add_command(figure)
atlas.add_command(open_page)
atlas.add_command(pull)
atlas.add_command(cite)


@atlas.command(cls=Command, examples="atlas status\natlas status --json | jq '.[0].layers[] | {layer, missing}'")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--check", is_flag=True, help="Print nothing; exit 1 if a unit is missing.")
@click.pass_obj
def status(path: Path, as_json: bool, check: bool) -> None:
    """How far the atlas is: units selected, rendered and missing, layer by layer."""
    from generator.store.status import status as read_status

    config = load_config(path)
    found = read_status(config, Store(config.store))
    if check:
        sys.exit(any(c.missing for c in found))
    if as_json:
        click.echo(json.dumps([c.as_dict() for c in found], indent=1))
        return
    row = "{:<24}{:>9}{:>10}{:>9}{:>11}{:>12}"
    for c in found:
        click.echo(f"{c.name}  {f'weights {c.fingerprint[:12]}' if c.fingerprint else 'weights not read yet'}")
        click.echo(row.format("layer", "selected", "rendered", "missing", "bytes", "bytes/unit"))
        lines = [(x.layer, x.selected, x.rendered, len(x.missing), x.bytes) for x in c.layers]
        for name, selected, rendered, missing, size in [
            *lines,
            ("all", c.selected, c.rendered, len(c.missing), c.bytes),
        ]:
            mean = f"{size / rendered:,.0f}" if rendered else "-"
            click.echo(row.format(name, selected, rendered, missing, f"{size:,}", mean))
    missing = sum(len(c.missing) for c in found)
    click.echo(f"{missing} missing: type `atlas render`" if missing else "nothing is missing: type `atlas build`")


@atlas.command(cls=Command, examples="atlas verify")
@click.pass_obj
def verify(path: Path) -> None:
    """Read every file of the store against its hash and its record; set aside what is damaged."""
    config = load_config(path)
    store = Store(config.store)
    keys = list(store.keys())
    damaged: list[Damage] = []
    with _bar(len(keys), "verify", "answers") as bar:
        for answer in store.verify():
            if isinstance(answer, Damage):
                damaged.append(answer)
            bar.update()
    for damage in damaged:
        aside = store.set_aside(damage)
        reason = damage.reason.partition("; type")[0]
        click.echo(f"damaged: {reason} (set aside in {aside})")
    leftovers = sum(1 for _ in store.unclaimed())
    note = f"; {leftovers} other files there belong to no record, harmless" if leftovers else ""
    click.echo(f"{len(keys) - len(damaged)} answers whole, {len(damaged)} damaged, in {store.root}{note}")
    if damaged:
        raise AtlasError("what was damaged is missing now; type `atlas render` to make it again")


@atlas.command(cls=Command, examples="atlas build && atlas check")
@click.pass_obj
def build(path: Path) -> None:
    """Lay the store out as pages. Writes only what changed and removes what is no longer made, never the store."""
    from generator.publish.build import build as build_site

    config = load_config(path)
    with _bar(0, "build", "files") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        built = build_site(config, progress)
    for warning in built.warnings:
        click.echo(f"warning: {warning}", err=True)
    counts = f"{built.written} files written, {built.unchanged} unchanged, {built.removed} removed"
    click.echo(f"{built.index}: {counts} in {built.seconds:.1f} s")


@atlas.command(cls=Command, examples="atlas check")
@click.pass_obj
def check(path: Path) -> None:
    """Look through the built pages for dead links, bad ids, pictures without alt text, orphans, pages too large."""
    from generator.publish.check.site import check as check_site

    config = load_config(path)
    problems = check_site(config)
    for problem in problems:
        click.echo(str(problem))
    errors = sum(problem.level == "error" for problem in problems)
    if errors:
        raise AtlasError(f"{errors} problems in {config.output}; mend them and type `atlas build`")
    click.echo(f"{config.output}: clean")


@atlas.command(cls=Command, examples="atlas build && atlas check && atlas promise")
@click.pass_obj
def promise(path: Path) -> None:
    """Keep the built addresses in addresses.txt. From then on `atlas check` sees that each stays and means the same."""
    from generator.publish.check.published import FILE, broken
    from generator.publish.check.published import promise as keep

    config = load_config(path)
    file = config.path.parent / FILE
    click.echo(f"{file}: {keep(config)} lines are new; commit it with what is published")
    wrong = list(broken(config))
    for address, what in wrong:
        click.echo(f"error: {address}: {what}")
    if wrong:
        raise AtlasError(
            f"{len(wrong)} promises are broken; mend them, or take one back by deleting its line in {file}"
        )


@atlas.command(cls=Command, examples="atlas serve\natlas serve --port 9000")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.pass_obj
def serve(path: Path, port: int) -> None:
    """Preview the built pages on 127.0.0.1, for this machine alone. Ctrl-C ends it."""
    from generator.publish.serve import serve as serve_site

    config = load_config(path)
    serve_site(config.output, port, config.url)


def _bar(total: int, what: str, unit: str) -> Any:
    """A progress bar that leaves no trace, and none where nobody looks."""
    return tqdm(total=total, desc=what, unit=f" {unit}", leave=False, disable=None, file=sys.stderr)


def main() -> None:
    """Run the command line; what went wrong is one line."""
    try:
        atlas.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("atlas: stopped; nothing is lost. Type the same command again to go on", err=True)
        sys.exit(130)
    except click.ClickException as error:
        hint = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        click.echo(f"atlas: {error.format_message().rstrip('.')}{hint}", err=True)
        sys.exit(error.exit_code)
    except AtlasError as error:
        click.echo(f"atlas: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        click.echo(f"atlas: {error.filename or 'the system'}: {error.strerror}; mend that and try again", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
