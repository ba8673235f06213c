from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text, Varchar
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-21T04:55:22:920401"
VERSION = "1.38.0"
DESCRIPTION = "Secret values of configurations lie sealed"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    manager.add_column(
        table_class_name="IntegrationInstance",
        tablename="integration_instance",
        column_name="key_id",
        db_column_name="key_id",
        column_class_name="Varchar",
        column_class=Varchar,
        params={
            "length": 40,
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": True,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="IntegrationInstance",
        tablename="integration_instance",
        column_name="sealed_config",
        db_column_name="sealed_config",
        column_class_name="Text",
        column_class=Text,
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
