"""What is given for an instance, against the schemas of its definition."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.errors import IntegrationConfigInvalid
from services.integrations.definitions.compiling import Compiled
from services.integrations.definitions.schemas import schema_faults
from services.integrations.instances.endpoints import signing_faults
from services.integrations.instances.secrets import MOST_SECRET_CHARACTERS
from services.integrations.instances.status import config_faults

_LONGEST_CONFIG = 65_536


def check_config(compiled: Compiled, config: dict[str, Any]) -> None:
    """Raise IntegrationConfigInvalid for a configuration that does not fit."""
    if len(msgspec.json.encode(config)) > _LONGEST_CONFIG:
        raise IntegrationConfigInvalid({"config": f"must be at most {_LONGEST_CONFIG} bytes of JSON"})
    faults = config_faults(compiled, config)
    if faults:
        raise IntegrationConfigInvalid(faults)


def check_secrets(compiled: Compiled, secrets: Mapping[str, str]) -> None:
    """Raise IntegrationConfigInvalid for secrets that do not fit, or cannot be signed with."""
    long = {
        f"credentials.{name}": "is too long" for name, text in secrets.items() if len(text) > MOST_SECRET_CHARACTERS
    }
    faults = long or dict(schema_faults(compiled.secrets, dict(secrets), "credentials"))
    faults |= signing_faults(compiled, secrets)
    if faults:
        raise IntegrationConfigInvalid(faults)
