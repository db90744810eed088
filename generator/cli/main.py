"""The command `atlas`: one word for each thing people do with an atlas, each a module of :mod:`generator.cli.commands`.

Every command reads atlas.toml in the current folder (or ``--config``), says on stdout what it did, and on stderr how
far it is. A mistake is one line that begins with ``atlas:`` and says what to type. Exit codes are 2 for a mistake in
what was asked, 1 for a failure, 130 after Ctrl-C and 143 after SIGTERM.
"""

import re
import sys
from io import TextIOWrapper
from pathlib import Path

import click

from generator import __version__
from generator.cli.command import Group
from generator.cli.output import echo
from generator.cli.stopping import end_stopped, stoppable
from generator.config.atlas_toml import FILE
from generator.core.errors import AtlasError


@click.group(
    cls=Group,
    package="generator.cli.commands",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--config", "path", type=click.Path(path_type=Path), default=FILE, show_default=True, help="The atlas.")
@click.version_option(__version__, prog_name="atlas")
@click.pass_context
def atlas(ctx: click.Context, path: Path) -> None:
    """Every channel of InceptionV1, rendered by activation maximisation and laid out as a browsable atlas.

    Begin with `atlas init`; then `atlas render`, `atlas build`, `atlas serve`.
    """
    ctx.obj = path


def main() -> None:
    """Run the command line; what went wrong is one line."""
    if isinstance(sys.stdout, TextIOWrapper):  # which may be a pipe of some old encoding: names can be in any script
        sys.stdout.reconfigure(errors="backslashreplace")
    with stoppable():
        try:
            atlas.main(standalone_mode=False)
        except (click.exceptions.Abort, KeyboardInterrupt):
            end_stopped("nothing is lost")
        except click.ClickException as error:
            usage = isinstance(error, click.UsageError) and error.ctx
            hint = f"; see `{usage.command_path} --help`" if usage else ""
            _fail(f"{error.format_message().rstrip('.')}{hint}", error.exit_code)
        except AtlasError as error:
            _fail(str(error), error.exit_code)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        except NotImplementedError as error:  # torch lacks an operation on some device, as on Apple's GPUs
            if not (operation := re.search(r"aten::\w+", str(error))):
                raise
            instead = "set PYTORCH_ENABLE_MPS_FALLBACK=1, or type --device cpu"
            _fail(f"this torch cannot compute {operation[0]} on this device; {instead}", 1)
        except OSError as error:
            _fail(f"{error.filename or 'the system'}: {error.strerror}; mend that and try again", 1)


def _fail(text: str, code: int) -> None:
    echo(f"atlas: {text}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
