"""The rules that a definition is held to when it is written; each fault is told with its path.

What a draft may still lack is asked for when it is published: services.integrations.definitions.publishing.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import msgspec

from services.integrations.definitions.addresses import check_host, check_url, covers
from services.integrations.definitions.challenge_rules import check_challenge
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.faults import Fault, Faults, joined
from services.integrations.definitions.masking import masked
from services.integrations.definitions.methods import check_method
from services.integrations.definitions.model import CONFIG, Definition
from services.integrations.definitions.schemas import compile_schema, property_names, schema_faults
from services.integrations.definitions.templates import compile_path, variables_of
from services.integrations.definitions.webhook_rules import check_webhook

# semver.org, version 2.0.0.
_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_LABEL}(?:\.{_LABEL})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_RESOURCE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def check_definition(definition: Definition) -> None:
    """Raise ValidationFailed, naming each fault by its path."""
    faults = Faults()
    for check in (*_PARTS, _methods, _uses, _rules, check_webhook, check_challenge):
        check(definition, faults)
    faults.refuse()


def check_parts(definition: Definition) -> None:
    """The same but for methods and what uses them: services.integrations.importing checks each method by itself."""
    faults = Faults()
    for check in _PARTS:
        check(definition, faults)
    faults.refuse()


def _names(definition: Definition, faults: Faults) -> None:
    for field, text in (("name", definition.name), ("description", definition.description)):
        if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text):
            faults.add(field, "must not contain control characters")
    if definition.name != definition.name.strip() or "\n" in definition.name:
        faults.add("name", "must be one line that neither begins nor ends with white space")
    if SEMVER.fullmatch(definition.version) is None:
        faults.add("version", "must be a semantic version such as 1.0.0")


def _addresses(definition: Definition, faults: Faults) -> None:
    hosts = definition.allowed_hosts
    for number, pattern in enumerate(hosts or ()):
        with faults.at(joined("allowedHosts", number)):
            check_host(pattern)
    default = (definition.default_config or {}).get("baseUrl")
    for path, address in (("baseUrl", definition.base_url), ("defaultConfig.baseUrl", default)):
        if address is None:
            continue
        with faults.at(path):
            if not isinstance(address, str):
                raise Fault("must be text")
            host = check_url(address)
            if hosts and not covers(hosts, host):
                raise Fault(f"leads to {host[:100]}, which is none of allowedHosts")


def _schemas(definition: Definition, faults: Faults) -> None:
    if definition.config_schema is not None:
        with faults.at("configSchema"):
            compile_schema(definition.config_schema)
        _check_names(definition.config_schema, "configSchema", faults)
    if definition.secrets_schema is not None:
        with faults.at("secretsSchema"):
            compile_schema(definition.secrets_schema)
            _check_secrets(definition.secrets_schema, faults)


def _default_config(definition: Definition, faults: Faults) -> None:
    """Whoever reads definitions reads their defaults, so nothing in these is secret."""
    given, schema = definition.default_config or {}, definition.config_schema
    try:
        shown = masked(given, schema) or {}
    except Fault:
        # The schema does not compile, and is told as such.
        return
    for name in given:
        if shown[name] != given[name]:
            faults.add(joined("defaultConfig", name), "must hold nothing that configSchema marks as secret")


def _check_names(schema: Mapping[str, Any], at: str, faults: Faults) -> None:
    if schema.get("type", "object") != "object":
        faults.add(joined(at, "type"), "must be object")


def _check_secrets(schema: dict[str, Any], faults: Faults) -> None:
    names = property_names(schema)
    if schema.get("type") != "object" or names is None:
        raise Fault("must be of type object, and name its properties")
    for name in names:
        inner = schema["properties"][name]
        if not isinstance(inner, Mapping) or inner.get("type") != "string":
            faults.add(joined("secretsSchema.properties", name), "must be of type string: a secret is a text")
        elif "default" in inner:
            faults.add(joined("secretsSchema.properties", name), "must have no default: it would be no secret")


def _oauth2(definition: Definition, faults: Faults) -> None:
    given = definition.oauth2_config
    if given is None:
        return
    if definition.auth_type not in ("oauth2", "client_credentials"):
        faults.add("oauth2Config", f"is of no use with authType {definition.auth_type}")
    addresses = {
        "authorizationUrl": given.authorization_url,
        "tokenUrl": given.token_url,
        "revocationUrl": given.revocation_url,
        "issuer": given.issuer,
    }
    for name, address in addresses.items():
        if address is not None:
            with faults.at(f"oauth2Config.{name}"):
                check_url(address, query=name == "authorizationUrl")


def _challenge(definition: Definition, faults: Faults) -> None:
    given = definition.auth_config
    if given is None:
        return
    if given.challenge is not None and definition.auth_type != "basic":
        faults.add("authConfig.challenge", f"is of no use with authType {definition.auth_type}: it takes basic")
    if given.realm_hosts is not None and given.challenge != "registry-token":
        faults.add("authConfig.realmHosts", "goes with the challenge registry-token")
    for number, pattern in enumerate(given.realm_hosts or ()):
        with faults.at(joined("authConfig.realmHosts", number)):
            check_host(pattern)


def _exchange(definition: Definition, faults: Faults) -> None:
    given = None if definition.auth_config is None else definition.auth_config.exchange
    if given is None:
        return
    if definition.auth_type != "jwt":
        faults.add("authConfig.exchange", f"is of no use with authType {definition.auth_type}: it takes jwt")
    names = property_names(definition.config_schema)
    known = None if names is None else {*names, *(definition.default_config or {})}
    with faults.at("authConfig.exchange.path"):
        compile_path(given.path)
        for name in variables_of(given.path):
            head, _, rest = name.partition(".")
            if head != CONFIG or (known is not None and rest not in known):
                raise Fault(f"{{{name}}} names no value of the configuration, as {{_config.name}} does")
    _expressions(faults, "authConfig.exchange", tokenPath=given.token_path, expiresPath=given.expires_path)


def _methods(definition: Definition, faults: Faults) -> None:
    seen: set[str] = set()
    for number, method in enumerate(definition.methods):
        if method.name in seen:
            faults.add(f"methods.{number}.name", f"{method.name} is there already; names are unique")
        seen.add(method.name)
        check_method(definition, method, f"methods.{number}", faults)


def _uses(definition: Definition, faults: Faults) -> None:
    """The methods that verification and discovery name, and what they give to them."""
    if definition.verification is not None:
        method = definition.method(definition.verification.method)
        if method is None:
            faults.add("verification.method", "names no method of this definition")
        elif method.param_schema is not None:
            with faults.at("verification"):
                validator = compile_schema(method.param_schema)
                faults.update(schema_faults(validator, definition.verification.params or {}, "verification.params"))
    for name, discovery in (definition.discover or {}).items():
        path = joined("discover", name)
        if _RESOURCE.fullmatch(name) is None:
            faults.add(path, "must be a name of letters, digits, - and _")
        if definition.method(discovery.method) is None:
            faults.add(f"{path}.method", "names no method of this definition")
        _expressions(faults, path, params=discovery.params, resources=discovery.resources, cursor=discovery.cursor)


def _rules(definition: Definition, faults: Faults) -> None:
    for number, rule in enumerate(definition.error_rules or ()):
        path = f"errorRules.{number}"
        if rule.status is None and rule.when is None:
            faults.add(path, "must have status or when, or every answer would be an error")
        _expressions(faults, path, when=rule.when, message=rule.message)


def _expressions(faults: Faults, path: str, **given: str | None) -> None:
    for name, text in given.items():
        if text is not None:
            with faults.at(f"{path}.{name}"):
                compile_expression(text)


_PARTS = (_names, _addresses, _schemas, _default_config, _oauth2, _challenge, _exchange)


def encoded(part: Any) -> str | None:
    """A part of a definition as it is stored: JSON text, or None."""
    return None if part is None else msgspec.json.encode(part).decode()
