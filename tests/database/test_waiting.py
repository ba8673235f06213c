"""What is waiting is told the same way with and without the migration tools."""

from app.database import Database
from app.database.migrating import migrate, pending
from app.database.waiting import known_migrations, waiting
from tests.databases import database, database_url

__all__ = ["database", "database_url"]


async def test_it_agrees_with_the_tools(database: Database) -> None:
    """All on an empty database, none after migrating; the files' order is the tools' order."""
    assert await waiting(database) == await pending(database) == known_migrations()
    assert len(known_migrations()) >= 2
    await migrate(database)
    assert await waiting(database) == await pending(database) == []
