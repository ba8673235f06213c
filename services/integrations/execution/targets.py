"""What is called: an instance that is there, its definition compiled, and the method; then whether it may be called."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from app.auth.encryption import Unreadable
from app.database import Statement
from app.errors import (
    ExecutionFailed,
    IntegrationDisabled,
    IntegrationNotAuthenticated,
    IntegrationNotReady,
    MethodNotFound,
    NotFound,
    ValidationFailed,
)
from services.context import Context
from services.integrations.definitions.addresses import covers
from services.integrations.definitions.compiling import Compiled, CompiledMethod
from services.integrations.definitions.masking import secret_texts
from services.integrations.definitions.schemas import schema_faults, with_defaults
from services.integrations.instances.configs import open_config
from services.integrations.instances.destinations import destinations_of
from services.integrations.instances.rows import compiled_of
from services.integrations.instances.status import effective_config

_FIND = Statement(
    "SELECT i.id, i.name, i.definition, i.config, i.sealed_config, i.key_id, i.credential_ref, i.bound_to, i.status, "
    "i.error, i.enabled, i.version, i.health_failures, i.health_history, d.version AS definition_version, "
    "d.status AS definition_status "
    "FROM integration_instance i JOIN integration_definition d ON d.id = i.definition "
    "WHERE i.id = {instance} AND i.tenant = {tenant}"
)


class Target(NamedTuple):
    """An instance that can be called, and what it is called with."""

    row: Mapping[str, Any]
    compiled: Compiled
    config: Mapping[str, Any]

    @property
    def id(self) -> UUID:
        found: UUID = self.row["id"]
        return found

    @property
    def base(self) -> str:
        """What the paths of its methods are below. Raises ExecutionFailed."""
        base = self.config.get("baseUrl") or self.compiled.definition.base_url
        if not isinstance(base, str):
            raise ExecutionFailed("The integration has no base URL.")
        return base.rstrip("/")

    @property
    def host(self) -> str:
        try:
            return urlsplit(self.base).hostname or ""
        except ValueError:
            raise ExecutionFailed("The integration's base URL cannot be read.") from None

    @property
    def destinations(self) -> str:
        """Where its credentials go."""
        return destinations_of(self.compiled.definition, self.config)

    def may_call(self, host: str) -> bool:
        """Whether the definition allows this host; where it says nothing, the base URL's alone."""
        hosts = self.compiled.definition.allowed_hosts
        return covers(hosts if hosts is not None else [self.host], host.strip("[]"))

    @property
    def secret_config(self) -> list[str]:
        """The values of the configuration that are marked as secret."""
        return secret_texts(self.config, self.compiled.definition.config_schema)


async def find_target(context: Context, instance_id: UUID) -> Target:
    """The instance, with its definition. Raises NotFound; a definition that is archived is as one that is gone.

    And ExecutionFailed where its configuration does not open: its key is not in the ring.
    """
    rows = await context.database.fetch(_FIND, instance=instance_id, tenant=context.tenant)
    if not rows:
        raise NotFound("There is no such integration instance.")
    row = rows[0]
    if row["definition_status"] == "ARCHIVED":
        raise NotFound("The definition of this integration is archived; its methods can no longer be called.")
    compiled = await compiled_of(context, row["definition"], row["definition_version"])
    try:
        config = open_config(context.runtime.encryption, row)
    except Unreadable:
        text = "The integration's configuration cannot be opened with the keys of this server."
        raise ExecutionFailed(text) from None
    return Target(row, compiled, effective_config(compiled.definition, config))


def find_method(target: Target, name: str) -> CompiledMethod:
    """Raises MethodNotFound, which names a few that there are."""
    found = target.compiled.methods.get(name)
    if found is None:
        raise MethodNotFound(method=name[:128], methods=sorted(target.compiled.methods)[:20])
    return found


def checked_parameters(method: CompiledMethod, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the schema's defaults. Raises ValidationFailed, each fault below `parameters`."""
    filled: dict[str, Any] = with_defaults(method.method.param_schema, dict(given))
    if method.params is not None:
        faults = dict(schema_faults(method.params, filled, "parameters"))
        if faults:
            raise ValidationFailed(faults)
    return filled


def check_connected(target: Target) -> None:
    """Raises IntegrationDisabled, IntegrationNotReady, or IntegrationNotAuthenticated."""
    status = target.row["status"]
    if not target.row["enabled"]:
        raise IntegrationDisabled
    if status in ("PENDING_CONFIGURATION", "CONFIG_ERROR"):
        raise IntegrationNotReady(f"The integration is {status}: give it a configuration that fits.", status=status)
    if status != "CONNECTED":
        text = f"The integration is {status}: give it credentials, or connect it again."
        raise IntegrationNotAuthenticated(text, status=status)


def plain_json(value: Any) -> bytes:
    """JSON of a value that came from JSON."""
    return msgspec.json.encode(value)
