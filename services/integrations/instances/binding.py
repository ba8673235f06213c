"""Credentials and the addresses that they were given for: what a change of the configuration takes away.

An instance that is pointed elsewhere keeps no credentials, unless the same request gives them anew.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.errors import IntegrationConfigInvalid
from services.context import Context
from services.integrations.definitions.compiling import Compiled
from services.integrations.instances.configs import judged_config
from services.integrations.instances.destinations import destinations_of
from services.integrations.instances.rows import compiled_of
from services.integrations.instances.secrets import forget_sent_secrets, forget_token
from services.integrations.instances.status import effective_config


def destinations_with(compiled: Compiled, config: Mapping[str, Any] | None) -> str:
    """Where credentials would go with this configuration."""
    return destinations_of(compiled.definition, effective_config(compiled.definition, config))


async def destinations_of_row(context: Context, row: Mapping[str, Any]) -> str:
    """Where credentials of an instance would go now."""
    config = judged_config(context.runtime.encryption, row)
    return destinations_with(await compiled_of(context, row["definition"]), config)


async def withdraw(context: Context, row: Mapping[str, Any]) -> bool:
    """Delete what calls of an instance send, in the caller's transaction; whether there was anything."""
    gone = await forget_sent_secrets(context.tenant, row["id"]) + await forget_token(context.tenant, row["id"])
    return bool(gone) or row["credential_ref"] is not None


def withdrawn(before: str, after: str) -> str:
    """What the instance, and the audit history, say of it."""
    return f"The credentials were given for {before}, and would go to {after} now. They were removed: give them again."


def check_secrets_given(given: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Raise IntegrationConfigInvalid where a masked value stands for a secret that was given for another address."""
    text = "is a secret that was given for another address: give it again"
    faults = dict.fromkeys(_different(given, stored, "config"), text)
    if faults:
        raise IntegrationConfigInvalid(faults)


def _different(given: Any, stored: Any, path: str) -> Iterator[str]:
    if given == stored:
        return
    if isinstance(given, Mapping) and isinstance(stored, Mapping):
        for name, inner in given.items():
            yield from _different(inner, stored.get(name), f"{path}.{name}")
    elif isinstance(given, list) and isinstance(stored, list):
        for number, (one, other) in enumerate(zip(given, stored, strict=False)):
            yield from _different(one, other, f"{path}.{number}")
    else:
        yield path
