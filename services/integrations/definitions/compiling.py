"""A definition made ready for use: its schemas, templates and expressions compiled, once for each stored version."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.model import AuthType, Definition, ErrorRule, Method, Schema
from services.integrations.definitions.schemas import compile_schema
from services.integrations.definitions.templates import compile_path, compile_query

#: What an instance must be given where the definition does not say so itself, by authType.
_TEXT = {"type": "string", "minLength": 1}
_SECRETS: Mapping[AuthType, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "none": ((), ()),
    "basic": (("username", "password"), ()),
    "api_key": (("apiKey",), ()),
    "bearer": (("token",), ()),
    "oauth2": ((), ("clientId", "clientSecret")),
    "client_credentials": (("clientId", "clientSecret"), ()),
    "jwt": (("privateKey",), ("keyId",)),
}


class CompiledMethod(msgspec.Struct, frozen=True):
    """A method with its parts compiled; what it does not have is None or empty."""

    method: Method
    params: Any
    result: Any
    path: Any
    query: Mapping[str, Any]
    body: Any
    result_path: Any


class CompiledRule(msgspec.Struct, frozen=True):
    rule: ErrorRule
    when: Any
    message: Any


class Compiled(msgspec.Struct, frozen=True):
    """A definition that passed services.integrations.definitions.checking, ready for use."""

    definition: Definition
    config: Any
    secrets: Any
    methods: Mapping[str, CompiledMethod]
    rules: tuple[CompiledRule, ...]


def secrets_schema(definition: Definition) -> Schema:
    """Which secrets an instance may have, each a text, and which it must have."""
    if definition.secrets_schema is not None:
        return definition.secrets_schema
    required, optional = _SECRETS[definition.auth_type]
    if definition.type == "webhook":
        optional = (*optional, "signingSecret")
    properties = dict.fromkeys((*required, *optional), _TEXT)
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def compile_definition(definition: Definition) -> Compiled:
    """Raises Fault for a definition that was not checked."""
    return Compiled(
        definition,
        None if definition.config_schema is None else compile_schema(definition.config_schema),
        compile_schema(secrets_schema(definition)),
        {method.name: _method(method) for method in definition.methods},
        tuple(
            CompiledRule(rule, _expression(rule.when), _expression(rule.message))
            for rule in definition.error_rules or ()
        ),
    )


def _method(method: Method) -> CompiledMethod:
    request = method.request
    body = request.body if request is not None else None
    return CompiledMethod(
        method,
        None if method.param_schema is None else compile_schema(method.param_schema),
        None if method.result_schema is None else compile_schema(method.result_schema),
        None if request is None or request.path is None else compile_path(request.path),
        {name: compile_query(text) for name, text in ((request and request.query) or {}).items()},
        None if body is None else _expression(body.template),
        _expression(method.result_path),
    )


def _expression(text: str | None) -> Any:
    return None if text is None else compile_expression(text)
