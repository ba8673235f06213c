"""`dovetail settings`: every setting, its value, and where that comes from."""

import os
import re
import tomllib
from typing import Any

import rich_click as click

from app.cli.options import json_option
from app.cli.output import emit_rows
from app.settings import PREFIX, Settings, load_settings

COLUMNS = ("setting", "value", "from")
_SECRET = frozenset({"pepper"})
_PASSWORD = re.compile(r"(?<=://)([^/@\s]*):[^@\s]*@")
_MASK = "•••"


@click.command()
@json_option
def settings() -> None:
    """Show every setting, its value and where it comes from; secrets are masked.

    The environment (DOVETAIL_NAME) wins over dovetail.toml in the home folder, and both over the default.
    """
    found = load_settings()
    in_file = _names_in_file(found)
    rows = [
        {
            "setting": f"{PREFIX}{name.upper()}",
            "value": _masked(name, getattr(found, name)),
            "from": _source(name, in_file),
        }
        for name in Settings.__struct_fields__
    ]
    emit_rows("settings", rows, COLUMNS)


def _names_in_file(found: Settings) -> set[str]:
    path = found.home / "dovetail.toml"
    return set(tomllib.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()


def _source(name: str, in_file: set[str]) -> str:
    if os.environ.get(f"{PREFIX}{name.upper()}"):
        return "environment"
    return "dovetail.toml" if name in in_file else "default"


def _masked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _SECRET:
        return _MASK
    if name == "oidc_issuers":
        return [issuer.issuer for issuer in value]
    if name == "service_certificates":
        return [service.subject for service in value]
    if isinstance(value, tuple):
        return list(value)
    # A password stands before the @ of an address; a webhook's secret often in its query.
    return value if isinstance(value, int) else re.sub(r"\?.*", f"?{_MASK}", _PASSWORD.sub(rf"\1:{_MASK}@", str(value)))
