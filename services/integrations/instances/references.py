"""Credentials by reference: `vault://VAULT/PATH#FIELD`, a secret that lies in a vault which the tenant has connected.

VAULT is the name of the vault's instance, or its id; PATH is the secret's path there, percent-encoded (RFC 3986).
FIELD is the field that holds the one secret of the integration; without it, the fields are the secrets by name, and
of who receives webhooks the signing secret before the present one too. What is stored names the vault by its id, so
that it may be renamed. `authref://vault/VAULT/…` is read as the same.

Secrets that were given lie sealed in a store of our own, of which answers say `authref://store/INSTANCE`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn, Protocol
from urllib.parse import quote, unquote
from uuid import UUID

from app.database import Row, Statement
from app.errors import IntegrationConfigInvalid, InUse
from models.integrations import IntegrationInstance
from services.context import Context
from services.integrations.definitions.compiling import Compiled, secrets_schema
from services.integrations.definitions.webhooks import PREVIOUS_SECRET
from services.integrations.instances.rows import compiled_of
from services.paging import Condition, among, joined, statement

#: How a definition of a vault offers its secrets: `{"name": PATH}` gives `{"data": {FIELD: …}}`.
CATEGORY, METHOD, PARAMETER, FIELDS = "vault", "readSecret", "name", "data"
#: The vault that a stored reference names, in SQL.
VAULT_ID = "substr(credential_ref, 9, 36)"
_LONGEST = 500
_FORM = re.compile(r"(?:vault://|authref://vault/)([^/?#]+)/([^?#]+)(?:#([^#]+))?")
_RULE = "must be vault://VAULT/PATH or vault://VAULT/PATH#FIELD, each part percent-encoded"
_MOST_NAMED = 20
_HAS_SECRETS = "EXISTS (SELECT 1 FROM integration_secret s WHERE s.instance = integration_instance.id)"
_REFERRING = Statement(
    "SELECT id, name FROM integration_instance WHERE tenant = {tenant} AND credential_ref LIKE {prefix} "
    "ORDER BY name, id"
)


_STORE = "authref://store/"


class Held(NamedTuple):
    """Secrets by name; `kept` where they were not read just now."""

    secrets: dict[str, str]
    kept: bool = False


class Referring(Protocol):
    """An instance with its definition, and where its credentials would go."""

    @property
    def row(self) -> Mapping[str, Any]: ...
    @property
    def compiled(self) -> Compiled: ...
    @property
    def destinations(self) -> str: ...


class Reference(NamedTuple):
    vault: str
    path: str
    field: str | None

    @property
    def text(self) -> str:
        return f"{_prefix(self.vault)}{quote(self.path, safe='/')}" + (
            "" if self.field is None else f"#{quote(self.field, safe='')}"
        )


def _prefix(vault: object) -> str:
    return f"vault://{quote(str(vault), safe='')}/"


def read_reference(text: str) -> Reference:
    """Raises IntegrationConfigInvalid on `credentialRef`."""
    found = _FORM.fullmatch(text)
    if found is None:
        _refuse(_RULE)
    vault, path, field = (None if part is None else unquote(part, errors="replace") for part in found.groups())
    if any(char < " " or char in "\x7f\ufffd" for part in (vault, path, field) for char in part or ""):
        _refuse("must not have control characters, or bytes that are no UTF-8")
    if any(part in ("", ".", "..") for part in (path or "").split("/")):
        _refuse("must be a path of segments with one slash between them, none of them . or ..")
    return Reference(vault or "", path or "", field)


def _refuse(rule: str) -> NoReturn:
    raise IntegrationConfigInvalid({"credentialRef": rule})


def referred_names(compiled: Compiled, reference: Reference) -> dict[str, str]:
    """The secrets of an integration, each with the field of the vault's secret that it is.

    Raises IntegrationConfigInvalid where the reference does not fit the type.
    """
    schema = secrets_schema(compiled.definition)
    every = list(schema.get("properties") or ())
    if reference.field is None:
        return {name: name for name in (*every, *([] if compiled.webhook is None else [PREVIOUS_SECRET]))}
    wanted = [name for name in list(schema.get("required") or ()) or every if not _is_told(compiled, name)]
    if len(wanted) != 1:
        _refuse(f"names one field, and the type takes {', '.join(wanted)}: leave out # and the field")
    return {wanted[0]: reference.field}


def _is_told(compiled: Compiled, name: str) -> bool:
    """Whether the definition says itself what this secret would."""
    config = compiled.definition.oauth2_config
    return name == "clientId" and config is not None and config.client_id is not None


async def stored_reference(context: Context, compiled: Compiled, text: str) -> str:
    """The reference as it is stored, in the transaction that writes it. Raises IntegrationConfigInvalid."""
    definition = compiled.definition
    if definition.category == CATEGORY:
        _refuse("a vault gives its own credentials: a reference would lead from vault to vault")
    if not secrets_schema(definition).get("properties"):
        _refuse(f"is of no use: the type has no secrets, with authType {definition.auth_type}")
    given = read_reference(text)
    referred_names(compiled, given)
    vault = await _vault(context, given.vault)
    found = given._replace(vault=str(vault["id"])).text
    if len(found) > _LONGEST:
        _refuse(f"must be at most {_LONGEST} characters with the vault's id")
    return found


async def _vault(context: Context, named: str) -> Row:
    table: Any = IntegrationInstance
    by_id = _uuid(named)
    columns, own = (table.id, table.status, table.definition), table.of(context.tenant)
    row = None if by_id is None else await own.one(*columns, where=table.id == by_id)
    row = row or await own.one(*columns, where=table.name == named)
    if row is not None:
        # Whoever deletes it waits for this, or was first.
        await context.database.lock(f"vault:{row['id']}")
        row = await own.one(*columns, where=table.id == row["id"])
    if row is None:
        _refuse("names no integration of the tenant")
    compiled = await compiled_of(context, row["definition"])
    if compiled.definition.category != CATEGORY or METHOD not in compiled.methods:
        _refuse(f"names an integration that is no vault: its category is to be {CATEGORY}, with a method {METHOD}")
    if row["status"] != "CONNECTED":
        _refuse(f"names a vault that is {row['status']}; connect it first")
    found: Row = row
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def store_reference(instance_id: UUID) -> str:
    """Where the secrets of an instance lie that were given."""
    return f"{_STORE}{instance_id}"


async def references_of(context: Context, instances: list[UUID]) -> dict[UUID, str | None]:
    """Where the secrets of these instances of the tenant lie, as answers show it; None where they have none."""
    if not instances:
        return {}
    sql, params = joined([
        Condition("tenant = {tenant}", {"tenant": context.tenant}), among(context.database, "id", instances)
    ])  # fmt: skip
    text = f"SELECT id, credential_ref, {_HAS_SECRETS} AS sealed FROM integration_instance WHERE {sql}"  # noqa: S608
    rows = await context.database.fetch(statement(text), **params)
    return {row["id"]: row["credential_ref"] or (store_reference(row["id"]) if row["sealed"] else None) for row in rows}


async def check_unused(context: Context, instance_id: UUID) -> None:
    """Raise InUse where other integrations take their credentials from this vault."""
    await context.database.lock(f"vault:{instance_id}")
    rows = await context.database.fetch(_REFERRING, tenant=context.tenant, prefix=f"{_prefix(instance_id)}%")
    if rows:
        named = [{"id": str(row["id"]), "name": row["name"]} for row in rows[:_MOST_NAMED]]
        text = f"{len(rows)} integration(s) take their credentials from this vault; give them others first."
        raise InUse(text, references=named, count=len(rows))
