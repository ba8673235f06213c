"""Which migrations have not run here, told without the tools that run them: those are slow to import."""

import re
import sqlite3
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from app.database.access import Database
from app.database.statements import Statement

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_ID = re.compile(r'^ID = "([^"]+)"$', re.MULTILINE)
_DONE = Statement("SELECT name FROM migration WHERE app_name = 'dovetail'")


def known_migrations(folder: Path = FOLDER) -> list[str]:
    """The ids that the migration files state, in order."""
    found = [_ID.search(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
    return sorted(match[1] for match in found if match)


async def waiting(database: Database) -> list[str]:
    """Ids of the migrations that have not run, oldest first; all of them on an empty database."""
    try:
        done = {row["name"] for row in await database.fetch(_DONE)}
    except asyncpg.UndefinedTableError:
        done = set()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        done = set()
    return [one for one in known_migrations() if one not in done]
