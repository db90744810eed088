"""Commands that are found by listing a package, and whose ``--help`` ends with examples."""

import importlib
import pkgutil
from typing import Any

import click

from generator.core.errors import UsageError, did_you_mean


class Command(click.Command):
    """A command with ``examples``, each on a line of its own, as people want to copy them."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")


class Group(click.Group):
    """A word with commands under it. Alone it shows its help; for a word that is not there it names the nearest.

    With ``package`` each module of that package is a command: ``command`` in the module, under the module's name. Only
    what is typed is imported.
    """

    def __init__(self, *args: Any, package: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **{"invoke_without_command": True, **kwargs})
        path = importlib.import_module(package).__path__ if package else ()
        self.package, self.modules = package, [module.name for module in pkgutil.iter_modules(path)]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.modules, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.modules and cmd_name not in self.commands:
            self.add_command(importlib.import_module(f"{self.package}.{cmd_name}").command, cmd_name)
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            kind = "command" if self.modules else str(self.name)
            raise UsageError(f"no {kind} “{args[0]}”: {did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        result = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())
        return result
