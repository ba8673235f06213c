"""Which engine a URL names."""

from pathlib import Path

from app.database.postgres_engine import PostgresEngine
from app.database.sqlite_engine import SqliteEngine

DatabaseEngine = PostgresEngine | SqliteEngine

_SQLITE = "sqlite:///"


def engine_for(url: str) -> DatabaseEngine:
    """An engine that has not connected; raises ValueError for any other URL."""
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresEngine(url)
    if not url.startswith(_SQLITE):
        raise ValueError("a database URL begins with `postgresql://` or `sqlite:///`")
    path = Path(url.removeprefix(_SQLITE))
    if not path.is_absolute():
        raise ValueError(f"a SQLite URL names an absolute path: `sqlite:///{path.absolute()}`")
    return SqliteEngine(str(path))
