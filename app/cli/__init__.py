"""The command `dovetail`: one small module a group of commands, each imported when it is first needed."""

from app.cli.root import dovetail


def main() -> None:
    """The entry point of the installed command."""
    dovetail(prog_name="dovetail")


__all__ = ["main"]
