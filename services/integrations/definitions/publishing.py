"""What a definition must have before anybody can use it; a draft may still lack it."""

from services.integrations.definitions.faults import Faults
from services.integrations.definitions.model import Definition, Method
from services.integrations.definitions.schemas import property_names


def check_publishable(definition: Definition) -> None:
    """Raise ValidationFailed, naming each gap by its path."""
    faults = Faults()
    _calls(definition, faults)
    _authentication(definition, faults)
    faults.refuse()


def _calls(definition: Definition, faults: Faults) -> None:
    if not definition.methods and definition.webhook is None:
        also = ", or say in webhook what comes in" if definition.type == "webhook" else ""
        faults.add("methods", f"must have at least one method{also}")
    if definition.methods and not _has_base(definition):
        faults.add("baseUrl", "must be given, here, in defaultConfig, or as the property baseUrl of configSchema")
    for number, method in enumerate(definition.methods):
        _request(definition, method, f"methods.{number}.request", faults)


def _has_base(definition: Definition) -> bool:
    configured = property_names(definition.config_schema) or ()
    return bool(definition.base_url or "baseUrl" in (definition.default_config or {}) or "baseUrl" in configured)


def _request(definition: Definition, method: Method, at: str, faults: Faults) -> None:
    request = method.request
    if request is None:
        faults.add(at, "must say which HTTP request the method makes")
    elif definition.type == "graphql" and (request.body is None or request.body.encoding != "graphql"):
        faults.add(f"{at}.body", "must have the encoding graphql, and a document")
    elif request.path is None and definition.type != "graphql":
        faults.add(f"{at}.path", "must be given")


def _authentication(definition: Definition, faults: Faults) -> None:
    given = definition.oauth2_config
    if definition.auth_type in ("oauth2", "client_credentials"):
        if given is None or given.token_url is None:
            faults.add("oauth2Config.tokenUrl", f"must be given with authType {definition.auth_type}")
        if definition.auth_type == "oauth2" and (given is None or given.authorization_url is None):
            faults.add("oauth2Config.authorizationUrl", "must be given with authType oauth2")
    placed = definition.auth_config
    if definition.auth_type == "api_key" and (placed is None or placed.location is None or placed.name is None):
        faults.add("authConfig", "must say with `in` and `name` where the key goes")
