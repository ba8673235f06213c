"""The root of the command: which commands there are, and how each of them fails."""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
import rich_click

from app.cli.failures import problem_of, report

#: Each command and the module that holds it under the same name.
COMMANDS = {
    "serve": "app.cli.serve",
    "migrate": "app.cli.migrate",
    "demo": "app.cli.demo",
    "token": "app.cli.tokens",
    "tenants": "app.cli.tenants",
    "installations": "app.cli.installations",
    "origins": "app.cli.origins",
    "credentials": "app.cli.credentials",
    "people": "app.cli.people",
    "consumers": "app.cli.consumers",
    "definitions": "app.cli.definitions",
    "instances": "app.cli.instances",
    "redirects": "app.cli.redirects",
    "audit": "app.cli.audit",
    "usage": "app.cli.usage",
    "keys": "app.cli.keys",
    "backup": "app.cli.backup",
    "rollout": "app.cli.rollout",
    "simulate": "app.cli.simulate",
    "contract": "app.cli.contract",
    "openapi": "app.cli.documents",
    "schema": "app.cli.documents",
    "settings": "app.cli.settings",
}


class Root(rich_click.RichGroup):
    """Loads a command's module when it is asked for, and ends every expected failure without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            report(problem)
            ctx.exit(problem.exit_code)

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """As click's, but with `--json` what click itself refuses is a JSON document too."""
        given = list(sys.argv[1:] if args is None else args)
        if not standalone_mode or "--json" not in given:
            return super().main(given, standalone_mode=standalone_mode, **extra)
        try:
            code = super().main(given, standalone_mode=False, **extra)
        except click.ClickException as error:
            refused = {"code": "usage", "message": error.format_message(), "details": None}
            click.echo(json.dumps({"error": refused}), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)


@rich_click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dovetail", message="dovetail %(version)s")
def dovetail() -> None:
    """Dovetail: a control plane for integrations.

    Settings come from DOVETAIL_* in the environment and from dovetail.toml in the home folder;
    `dovetail settings` shows each. `--json` prints one JSON document on standard output.
    """
