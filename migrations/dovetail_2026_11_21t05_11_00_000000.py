"""What is stored is bound to where it goes today; authorizations that are on their way are begun again."""

from typing import Any

import msgspec
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.querystring import QueryString

from app.database.dialects import migrating_engine
from services.integrations.definitions.model import AuthConfig, OAuth2Config
from services.integrations.definitions.schemas import with_defaults
from services.integrations.instances.destinations import destinations

ID = "2026-11-21T05:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Stored credentials are bound to their present addresses"

# What is compared with at a call is written by the same code, so that the two cannot differ.
ROWS = (
    "SELECT i.id, i.config, d.base_url, d.auth_type, d.auth_config, d.oauth2_config, d.default_config, "
    "d.config_schema FROM integration_instance i JOIN integration_definition d ON d.id = i.definition"
)
UPDATES = (
    "UPDATE integration_instance SET bound_to = {} WHERE id = {} AND credential_ref IS NOT NULL",
    "UPDATE integration_secret SET bound_to = {} WHERE instance = {}",
    "UPDATE integration_token SET bound_to = {} WHERE instance = {}",
)


def _read(text: str | None, kind: Any = dict[str, Any]) -> Any:
    return None if text is None else msgspec.json.decode(text, type=kind)


def _destinations(row: dict[str, Any]) -> str:
    merged = {**(_read(row["default_config"]) or {}), **(_read(row["config"]) or {})}
    config = with_defaults(_read(row["config_schema"]), merged)
    auth, oauth2 = _read(row["auth_config"], AuthConfig), _read(row["oauth2_config"], OAuth2Config)
    return destinations(row["base_url"], row["auth_type"], auth, oauth2, config)


async def bind(engine: Any) -> None:
    for row in await engine.run_querystring(QueryString(ROWS)):
        bound_to = _destinations(row)
        for update in UPDATES:
            await engine.run_querystring(QueryString(update, bound_to, row["id"]))


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="dovetail", description=DESCRIPTION)

    async def present() -> None:
        await bind(migrating_engine())

    manager.add_raw(present)
    return manager
