"""The command `atlas cite`: documents whose units become references to an atlas."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.command import Command
from generator.cli.output import echo
from generator.config.atlas_toml import load_config
from generator.core.errors import AtlasError, UsageError

if TYPE_CHECKING:
    from generator.cite.document import CitedDocument, Remark
    from generator.cite.mentions import Language
    from generator.cite.writing import Format

_FORMATS: tuple[Format, ...] = ("link", "chip", "markdown", "footnote")
_KINDS: tuple[Language, ...] = ("markdown", "html", "latex", "notebook")


@click.command(
    cls=Command,
    examples="""
    atlas cite post.md                         the text with links, on stdout
    atlas cite post.md notes.ipynb --write     into the files themselves
    atlas cite page.html --to chip --write     small pictures with names
    atlas cite --check posts/*.md              dead links, pictures that changed; exit 1 if there are any
    atlas cite post.md --atlas https://host/atlas/
    pbpaste | atlas cite -                     standard input, to stdout
    """,
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--to", type=click.Choice(_FORMATS), default="link", show_default=True,
    help="What a name becomes: a link, a chip (a small picture and the name), a linked picture, or a footnote. "
    "Links keep their own text.",
)  # fmt: skip
@click.option("--format", "kind", type=click.Choice(_KINDS), help="What the files are. [default: by their ending]")
@click.option("--check", is_flag=True, help="Only report; exit 1 if a reference leads nowhere or its picture changed.")
@click.option("--write", is_flag=True, help="Put the text into the files instead of on stdout.")
@click.option("--atlas", "where", metavar="WHERE", help="A built atlas: its address or folder. [default: yours]")
@click.option("--checkpoint", help="Which weights names without one mean. [default: the first of the atlas]")
@click.pass_obj
def command(
    path: Path, files: tuple[Path, ...], to: Format, kind: Language | None, check: bool, write: bool, where: str | None,
    checkpoint: str | None,
) -> None:  # fmt: skip
    """Make references of the units that documents name: mixed4a:11, [[4a:11]], links to Microscope, Distill's weight
    explorer and the gallery of 2016.

    Markdown, HTML, LaTeX and Jupyter notebooks are read, by their ending; - is standard input. Only prose is touched,
    and citing again changes nothing. In LaTeX only addresses are: write \\atlasunit{mixed4a:11} with the atlas's own
    atlas.sty. Addresses of a checkpoint that the atlas does not have are reported and left.
    What is wrong is reported and stays; only --check says it in the exit code. See docs/citing.md.
    """
    if check and write:
        raise UsageError("--check only reports; leave out --write, or --check")
    from generator.cite.document import NotebookError, cite, times
    from generator.cite.files import STDIN, kind_of, read_document
    from generator.core.atomic import replace_file
    from generator.reader.atlas import Atlas

    if write and STDIN in files:
        raise UsageError("--write needs files; what comes from standard input goes to stdout")
    kinds = [kind or kind_of(file) for file in files]
    atlas = Atlas.open(where or _own(path))
    done: list[tuple[Path, str, CitedDocument]] = []
    for file, its_kind in zip(files, kinds, strict=True):
        text = read_document(file)
        try:
            done.append((file, text, cite(text, its_kind, atlas, to=to, checkpoint=checkpoint)))
        except NotebookError as error:
            raise AtlasError(f"{file}: {error}") from error
    for file, text, cited in done:
        if write and cited.text != text:
            replace_file(file, cited.text.encode())
            echo(f"{file}: {times(cited.written, 'reference')} written")
        elif not write and not check:
            click.echo(cited.text.encode("utf-8"), nl=False)
        for line in _report(file, cited):
            echo(line, err=not check)
    problems = sum(len(cited.problems) for _, _, cited in done)
    if check and problems:
        raise AtlasError(f"{times(problems, 'problem')}; mend the documents, or render and build what they name")


def _own(path: Path) -> Path:
    """Where the atlas of this folder is built."""
    if not path.is_file():
        raise UsageError(f"no {path} here; name an atlas with --atlas, its folder or https://host/path/")
    return load_config(path).output


def _report(file: Path, cited: CitedDocument) -> Iterable[str]:
    from generator.cite.document import times

    remarks: list[tuple[Remark, str]] = [(x, "") for x in cited.problems] + [(x, "note: ") for x in cited.notes]
    for remark, kind in sorted(remarks, key=lambda said: said[0].line):
        yield f"{file}:{remark.line}: {kind}{remark.text}"
    yield f"{file}: {times(cited.count, 'reference')} right, {times(len(cited.problems), 'problem')}"
