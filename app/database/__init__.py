"""The database: SQLite or PostgreSQL behind one face, hardened engines for Piccolo, migrations.

Migrations are apart (`app.database.migrating`), because their tools are slow to import.
"""

from app.database.access import Database, Row, bind, open_database
from app.database.counting import StatementLog
from app.database.statements import Dialect, Statement
from app.database.transactions import Transaction

__all__ = ["Database", "Dialect", "Row", "Statement", "StatementLog", "Transaction", "bind", "open_database"]
