from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import BigInt
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-21T03:44:06:286669"
VERSION = "1.38.0"
DESCRIPTION = "Executions that are still running"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    manager.add_column(
        table_class_name="IntegrationExecution",
        tablename="integration_execution",
        column_name="running_until",
        db_column_name="running_until",
        column_class_name="BigInt",
        column_class=BigInt,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    return manager
