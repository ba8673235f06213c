"""A definition made ready for use: its schemas, templates and expressions compiled, once for each stored version."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from services.integrations.definitions.challenges import VERIFY_TOKEN, Challenge, ChallengeSource
from services.integrations.definitions.columns import definition_of
from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.model import AuthType, Definition, ErrorRule, Method
from services.integrations.definitions.parts import Schema
from services.integrations.definitions.schemas import compile_schema
from services.integrations.definitions.slicing import texts_by_name
from services.integrations.definitions.templates import compile_path, compile_query
from services.integrations.definitions.webhooks import SIGNING_SECRET, Source, Webhook

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


class CompiledMethods(Mapping[str, CompiledMethod]):
    """Methods by name, each read and compiled when it is first asked for: of a thousand a tenant calls a few.

    One may be given as its JSON text, as it is stored.
    """

    def __init__(self, methods: Mapping[str, Method | str]) -> None:
        self._methods = methods
        self._made: dict[str, CompiledMethod] = {}

    def __getitem__(self, name: str) -> CompiledMethod:
        found = self._made.get(name)
        if found is None:
            given = self._methods[name]
            method = msgspec.json.decode(given, type=Method) if isinstance(given, str) else given
            found = self._made[name] = _method(method)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._methods

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)


class CompiledChallenge(msgspec.Struct, frozen=True):
    """What a sender wants answered; of `value`, `token` and `when` those that are expressions, else None."""

    challenge: Challenge
    value: Any
    token: Any
    when: Any


class CompiledWebhook(msgspec.Struct, frozen=True):
    """What comes in; `payloads` has a validator for each event that has a schema, by the event's name."""

    webhook: Webhook
    event_type: Any
    delivery_id: Any
    payloads: Mapping[str, Any]
    challenge: CompiledChallenge | None = None


class Compiled(msgspec.Struct, frozen=True):
    """A definition that passed services.integrations.definitions.checking, ready for use.

    Of one that is stored the `definition` has no methods; they are in `methods` alone.
    """

    definition: Definition
    config: Any
    secrets: Any
    methods: Mapping[str, CompiledMethod]
    rules: tuple[CompiledRule, ...]
    webhook: CompiledWebhook | None = None


def secrets_schema(definition: Definition) -> Schema:
    """Which secrets an instance may have, each a text, and which it must have."""
    if definition.secrets_schema is not None:
        return definition.secrets_schema
    required, optional = _SECRETS[definition.auth_type]
    if definition.type == "webhook":
        optional = (*optional, SIGNING_SECRET)
        challenge = None if definition.webhook is None else definition.webhook.challenge
        optional += () if challenge is None or challenge.proof != "token" else (VERIFY_TOKEN,)
    properties = dict.fromkeys((*required, *optional), _TEXT)
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def compile_definition(definition: Definition) -> Compiled:
    """Raises Fault for a definition that was not checked; for a fault of a method, when that is asked for."""
    return _compiled(definition, {method.name: method for method in definition.methods})


async def compile_stored(row: Mapping[str, Any]) -> Compiled:
    """The definition of a whole row. Others run meanwhile: the methods may have tens of megabytes."""
    return _compiled(definition_of({**row, "methods": "[]"}), await texts_by_name(row["methods"]))


def _compiled(definition: Definition, methods: Mapping[str, Method | str]) -> Compiled:
    return Compiled(
        definition,
        None if definition.config_schema is None else compile_schema(definition.config_schema),
        compile_schema(secrets_schema(definition)),
        CompiledMethods(methods),
        tuple(
            CompiledRule(rule, _expression(rule.when), _expression(rule.message))
            for rule in definition.error_rules or ()
        ),
        None if definition.webhook is None else _webhook(definition.webhook),
    )


def _webhook(webhook: Webhook) -> CompiledWebhook:
    payloads = {
        event.name: compile_schema(event.payload_schema)
        for event in webhook.events or ()
        if event.payload_schema is not None
    }
    challenge = None if webhook.challenge is None else _challenge(webhook.challenge)
    return CompiledWebhook(webhook, _of_body(webhook.event_type), _of_body(webhook.delivery_id), payloads, challenge)


def _challenge(given: Challenge) -> CompiledChallenge:
    return CompiledChallenge(given, _of_body(given.value), _of_body(given.token), _expression(given.when))


def _of_body(source: Source | ChallengeSource | None) -> Any:
    return None if source is None else _expression(source.body)


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
