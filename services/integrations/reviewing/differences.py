"""What another version of a definition takes from those who use it, by the law of contracts.

A definition is read as a contract: each method takes its parameters and answers its result, an instance gives its
configuration and its secrets. What the law does not know of, authentication for one, is compared here.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from services.contracts.findings import Finding
from services.contracts.openapi.comparing import compare
from services.integrations.definitions.challenges import Challenge
from services.integrations.definitions.compiling import secrets_schema
from services.integrations.definitions.model import Definition, Method
from services.integrations.definitions.webhooks import Webhook
from services.integrations.reviewing.reports import Bump, Difference

_BUMPS: tuple[Bump, ...] = ("none", "patch", "minor", "major")
_NUMBERS = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)")


class Comparison(msgspec.Struct, frozen=True):
    """`needed` is the least step of the version for these differences, `made` the one that was taken."""

    differences: list[Difference]
    needed: Bump
    made: Bump

    @property
    def honest(self) -> bool:
        return _BUMPS.index(self.made) >= _BUMPS.index(self.needed)


def compare_definitions(base: Definition, revision: Definition, today: dt.date) -> Comparison:
    """What the revision does to those who use the base, the most severe first."""
    law = compare(_contract(base), _contract(revision), today=today)
    found = [*(_of_law(each) for each in law), *_own(base, revision)]
    order = {"breaking": 0, "unknown": 1, "notice": 2}
    found.sort(key=lambda each: order.get(each.verdict, 3))
    return Comparison(found, _needed(base, revision, found), _made(base.version, revision.version))


def _needed(base: Definition, revision: Definition, found: list[Difference]) -> Bump:
    if any(each.verdict != "notice" for each in found):
        return "major"
    if _names(revision) - _names(base) or found:
        return "minor"
    same = msgspec.structs.replace(revision, version=base.version) == base
    return "none" if same else "patch"


def _names(definition: Definition) -> set[tuple[str, str]]:
    """What can be asked of it, what it tells, and what it answers."""
    events = definition.webhook.events if definition.webhook is not None else None
    challenge = definition.webhook.challenge if definition.webhook is not None else None
    return {
        *(("method", method.name) for method in definition.methods),
        *(("event", event.name) for event in events or ()),
        *([] if challenge is None else [("challenge", "")]),
    }


def _made(before: str, after: str) -> Bump:
    """The step between two versions; one backwards is none. A pre-release is a step to its release."""
    old, new = (_NUMBERS.match(text) for text in (before, after))
    if old is None or new is None:
        return "none"
    left, right = ([int(part) for part in found.groups()] for found in (old, new))
    if right == left:
        return "none" if before == after else "patch"
    place = next(place for place in range(3) if left[place] != right[place])
    return "none" if right[place] < left[place] else _BUMPS[3 - place]


def _contract(definition: Definition) -> dict[str, Any]:
    """The definition as an OpenAPI document."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for method in definition.methods:
        paths[f"/{method.name}"] = {"post": _operation(method, schemas)}
    for name, schema in (("config", definition.config_schema), ("secrets", secrets_schema(definition))):
        place = _placed(f"_.{name}", schema or {"type": "object"}, schemas)
        paths[f"/_/{name}"] = {"post": _body(place) | {"responses": {"204": {"description": "taken"}}}}
    for event in (definition.webhook.events if definition.webhook is not None else None) or ():
        place = _placed(f"_.events.{quote(event.name, safe='')}", event.payload_schema or {}, schemas)
        paths[f"/_/events {quote(event.name, safe='')}"] = {"get": {"responses": {"200": _answer(place)}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": definition.name, "version": definition.version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(method: Method, schemas: dict[str, Any]) -> dict[str, Any]:
    params = _placed(f"{method.name}.params", method.param_schema or {"type": "object"}, schemas)
    result = _placed(f"{method.name}.result", method.result_schema or {}, schemas)
    return _body(params) | {"responses": {"200": _answer(result)}}


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "what comes", "content": {"application/json": {"schema": schema}}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _placed(name: str, schema: Mapping[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Put a schema with references of its own into the document; the reference to it."""
    at = f"#/components/schemas/{name}"
    schemas[name] = _moved(schema, at)
    return {"$ref": at}


def _moved(value: Any, at: str) -> Any:
    if isinstance(value, Mapping):
        return {
            name: f"{at}{inner[1:]}"
            if name == "$ref" and isinstance(inner, str) and inner.startswith("#")
            else _moved(inner, at)
            for name, inner in value.items()
        }
    return [_moved(inner, at) for inner in value] if isinstance(value, list) else value


def _of_law(finding: Finding) -> Difference:
    path = finding.operation.partition(" ")[2].lstrip("/")
    method, where = ("", path[2:]) if path.startswith("_/") else (path, "")
    where = " ".join(part for part in (where, finding.where) if part)
    return Difference(str(finding.verdict), finding.rule, method, where, finding.message)


def _own(base: Definition, revision: Definition) -> Iterator[Difference]:
    """What stands beside the schemas."""
    for rule, where, before, after in (
        ("type-changed", "type", base.type, revision.type),
        ("auth-type-changed", "authType", base.auth_type, revision.auth_type),
        ("auth-config-changed", "authConfig", base.auth_config, revision.auth_config),
    ):
        if before != after:
            told = f"was {_told(before)} and is {_told(after)}: a connection that there is does not fit any more"
            yield Difference("breaking", rule, "", where, told)
    for name in sorted(set(base.discover or ()) - set(revision.discover or ())):
        yield Difference("breaking", "discovery-removed", "", f"discover.{name}", "can no longer be listed")
    if base.base_url != revision.base_url:
        told = f"was {base.base_url or 'not given'} and is {revision.base_url or 'not given'}"
        yield Difference("notice", "base-url-changed", "", "baseUrl", told)
    yield from _of_webhooks(base.webhook, revision.webhook)
    for method in base.methods:
        other = revision.method(method.name)
        if other is not None:
            yield from _of_method(method, other)


def _of_webhooks(before: Webhook | None, after: Webhook | None) -> Iterator[Difference]:
    """A sender that there is must still be understood; the schemas of events are the law's."""
    if before is None:
        return
    if after is None:
        yield Difference("breaking", "webhook-removed", "", "webhook", "no webhooks come in any more")
        return
    for number, signature in enumerate(before.signatures):
        if signature not in after.signatures:
            told = f"{signature.scheme}, in {signature.signature_header}, is no longer taken: who signs so is refused"
            yield Difference("breaking", "signature-removed", "", f"webhook.signatures.{number}", told)
    for name, old, new in (
        ("eventType", before.event_type, after.event_type),
        ("deliveryId", before.delivery_id, after.delivery_id),
    ):
        if old not in (None, new):
            told = f"was {_told(old)} and is {_told(new)}: what is known by it is not found any more"
            yield Difference("breaking", "source-changed", "", f"webhook.{name}", told)
    yield from _of_challenge(before.challenge, after.challenge)


def _of_challenge(before: Challenge | None, after: Challenge | None) -> Iterator[Difference]:
    """Who asks as before must be answered as before; what comes to be answered takes nothing from anybody."""
    if before is None:
        return
    names = ("method", "value", "when", "proof", "token", "member", "members", "hmac")
    changed = [name for name in names if after is None or getattr(before, name) != getattr(after, name)]
    if changed:
        differing = f"differs in {', '.join(changed)}: who asks as before is refused"
        told = "is answered no more" if after is None else differing
        yield Difference("breaking", "challenge-changed", "", "webhook.challenge", told)


def _of_method(before: Method, after: Method) -> Iterator[Difference]:
    if before.effect == "read" and after.effect != "read":
        told = f"only read before, and is {after.effect} now"
        yield Difference("breaking", "side-effect-added", before.name, "sideEffect", told)
    if before.repeats != "none" and after.repeats == "none":
        yield Difference("breaking", "no-longer-repeatable", before.name, "idempotency", "cannot be repeated any more")
    if before.pagination is not None and after.pagination is None:
        yield Difference("breaking", "pagination-removed", before.name, "pagination", "gives no further pages any more")


def _told(part: Any) -> str:
    return part if isinstance(part, str) else "not given" if part is None else msgspec.json.encode(part).decode()
