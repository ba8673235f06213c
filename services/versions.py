"""The guard against a lost update: a caller may say which version of a row they have read."""

from collections.abc import Mapping
from typing import Any

from app.errors import VersionConflict


def check_version(row: Mapping[str, Any], expected: int | None) -> None:
    """Raise VersionConflict where the row has another version than the caller expects; None expects none."""
    if expected is not None and expected != row["version"]:
        raise VersionConflict(version=row["version"])
