"""Configurations at rest: what a schema marks as secret lies sealed beside the rest, and is put back for a call.

The column `config` holds what answers show; where anything is masked in it, `sealed_config` holds the whole under the
key `key_id`. What is not masked in `config` holds as it is, so that a server of a release before, which writes plain
text, loses nothing; `seal_configs` brings its rows into order.
"""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
import structlog

from app.auth.encryption import GIVEN_UP, EncryptionKeys, Place, Sealed, Unreadable, UnreadableRow
from app.database import Database, Row, Statement
from services.context import Context
from services.integrations.definitions.masking import masked, restored
from services.integrations.instances.rows import compiled_of

LOG = structlog.get_logger("dovetail.encryption")
_TABLE, _COLUMN, _BATCH = "integration_instance", "sealed_config", 200
_STORED = Statement(
    "SELECT i.id, i.tenant, i.config, i.sealed_config, i.key_id, i.version, d.config_schema "
    "FROM integration_instance i JOIN integration_definition d ON d.id = i.definition "
    "WHERE i.config IS NOT NULL AND d.config_schema IS NOT NULL AND i.id > {after} ORDER BY i.id LIMIT {limit}"
)
_SEAL = Statement(
    "UPDATE integration_instance SET config = {config}, sealed_config = {sealed_config}, key_id = {key_id} "
    "WHERE id = {id} AND version = {version} AND config = {found}"
)


def stored_config(
    keys: EncryptionKeys, row_id: UUID, config: Mapping[str, Any] | None, schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The columns of a configuration."""
    if config is None:
        return {"config": None, "sealed_config": None, "key_id": None}
    shown, whole = masked(config, schema), msgspec.json.encode(config).decode()
    if shown == config:
        return {"config": whole, "sealed_config": None, "key_id": None}
    sealed = keys.seal(whole, Place(_TABLE, row_id, _COLUMN))
    return {"config": msgspec.json.encode(shown).decode(), "sealed_config": sealed.text, "key_id": sealed.key_id}


def masked_config(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """A configuration as it lies in its row, where nothing is opened; None where there is none."""
    found: dict[str, Any] | None = None if row["config"] is None else msgspec.json.decode(row["config"])
    return found


def open_config(keys: EncryptionKeys, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """A configuration as it was given; None where it was not. Raises Unreadable."""
    shown = masked_config(row)
    if shown is None or row["sealed_config"] is None:
        return shown
    text = keys.open(Sealed(row["key_id"], row["sealed_config"]), Place(_TABLE, row["id"], _COLUMN))
    found: dict[str, Any] = restored(shown, msgspec.json.decode(text))
    return found


def judged_config(keys: EncryptionKeys, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """A configuration to tell a status by: where it does not open, by what can be seen of it."""
    try:
        return open_config(keys, row)
    except Unreadable:
        return masked_config(row)


async def plain_configs(database: Database) -> AsyncIterator[Row]:
    """The rows of every tenant that hold what their schema marks as secret in the clear."""
    after = UUID(int=0)
    while rows := await database.fetch(_STORED, after=after, limit=_BATCH):
        for row in rows:
            shown = masked_config(row)
            if masked(shown, _schema(row["config_schema"])) != shown:
                yield row
        after = rows[-1]["id"]


async def unreadable_configs(database: Database, keys: EncryptionKeys) -> list[UnreadableRow]:
    """Those of the rows partly in the clear whose sealed rest does not open, so that `seal_configs` leaves them."""
    found = []
    async for row in plain_configs(database):
        try:
            open_config(keys, row)
        except Unreadable as error:
            found.append(UnreadableRow(_TABLE, row["id"], row["tenant"], row["key_id"], str(error)))
    return [row for row in found if row.key != GIVEN_UP]


async def seal_configs(database: Database, keys: EncryptionKeys) -> int:
    """Seal what lies in the clear, of every tenant; how many rows. One that somebody changes meanwhile is left."""
    done = 0
    async for row in plain_configs(database):
        try:
            columns = stored_config(keys, row["id"], open_config(keys, row), _schema(row["config_schema"]))
        except Unreadable as error:
            LOG.error("a configuration does not open, and stays partly in the clear", reason=str(error))
            continue
        done += await database.execute(
            _SEAL, id=row["id"], version=row["version"], found=row["config"], **columns
        )  # fmt: skip
    return done


@lru_cache(maxsize=256)
def _schema(text: str) -> Any:
    return msgspec.json.decode(text)


def config_of(row: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration as an answer shows it; `definition` is its whole row."""
    schema = definition["config_schema"]
    return masked(masked_config(row), None if schema is None else _schema(schema))


async def shown_config(context: Context, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration of an instance that the caller may read, without the values that are marked as secret."""
    if row["config"] is None:
        return None
    return masked(masked_config(row), (await compiled_of(context, row["definition"])).definition.config_schema)
