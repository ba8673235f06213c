"""Lint: the rules of writing and of publishing as errors, and what a careful author would not leave out as warnings."""

from collections.abc import Iterator

from app.errors import ValidationFailed
from services.integrations.definitions.addresses import covers
from services.integrations.definitions.challenges import Challenge
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.model import Definition, Method
from services.integrations.definitions.publishing import check_publishable
from services.integrations.definitions.webhooks import Event, Webhook
from services.integrations.reviewing.reports import Lint


def lint_definition(definition: Definition) -> list[Lint]:
    """Everything that is wrong or missing, errors first."""
    found: list[Lint] = []
    for rule, check in (("invalid", check_definition), ("unpublishable", check_publishable)):
        try:
            check(definition)
        except ValidationFailed as error:
            found += [Lint("error", rule, path, str(text)) for path, text in (error.details or {}).items()]
    found += _definition(definition)
    for number, method in enumerate(definition.methods):
        found += _method(method, f"methods.{number}")
    return found + ([] if definition.webhook is None else list(_webhook(definition.webhook)))


def _warning(rule: str, path: str, message: str) -> Lint:
    return Lint("warning", rule, path, message)


def _definition(definition: Definition) -> Iterator[Lint]:
    if not definition.description.strip():
        yield _warning("description", "description", "is empty: nobody can tell what it connects")
    if definition.verification is None and definition.methods:
        yield _warning("verification", "verification", "names no method, so that a connection cannot be tested")
    if definition.auth_type != "none" and definition.secrets_schema is None:
        yield _warning("secrets", "secretsSchema", "is missing: the form for the secrets has no descriptions")
    if definition.exchange is not None and definition.exchange.expires_path is None:
        told = "is missing: a token is used until a call with it is refused"
        yield _warning("expires", "authConfig.exchange.expiresPath", told)
    for number, pattern in enumerate(definition.allowed_hosts or ()):
        if _is_wide(pattern):
            yield _warning("wide_host", f"allowedHosts.{number}", f"{pattern} takes every host of a registry of names")
    base = definition.base_url or ""
    if base.startswith("http://") and not covers(["127.0.0.1", "localhost"], base.split("/")[2].partition(":")[0]):
        yield _warning("plain_http", "baseUrl", "is http: secrets travel in the clear")


def _is_wide(pattern: str) -> bool:
    """`*.com`, and `*.co.uk` alike: fewer than two labels after the star, or a short second one."""
    if not pattern.startswith("*."):
        return False
    labels = pattern[2:].strip(".").split(".")
    return len(labels) < 2 or (len(labels) == 2 and len(labels[0]) <= 3 and len(labels[1]) == 2)


def _method(method: Method, at: str) -> Iterator[Lint]:
    if not method.description:
        yield _warning("description", f"{at}.description", f"{method.name} is not described")
    if not method.examples:
        yield _warning("examples", f"{at}.examples", f"{method.name} has none: nothing tests it offline")
    elif all(example.response.status >= 400 for example in method.examples):
        yield _warning("examples", f"{at}.examples", f"{method.name} has none that goes well")
    if method.param_schema is None:
        yield _warning("params", f"{at}.paramSchema", f"{method.name} takes any parameters")
    if method.result_schema is None and method.effect == "read":
        yield _warning("result", f"{at}.resultSchema", f"{method.name} may answer anything")
    if method.timeout_ms is None:
        yield _warning("timeout", f"{at}.timeoutMs", f"{method.name} waits {method.timeout / 1000:.0f} s, the default")
    if method.rate_limits is None:
        yield _warning("rate_limit", f"{at}.rateLimits", f"{method.name} may be called without a limit")
    if method.repeats == "none" and method.retry is not None and method.retry.max_attempts > 1:
        yield _warning("retry", f"{at}.retry", f"{method.name} is not repeatable: it is tried again only unsent")


def _webhook(webhook: Webhook) -> Iterator[Lint]:
    for number, signature in enumerate(webhook.signatures):
        if not signature.is_timed:
            told = "has no timestamp: two webhooks with the same body are one"
            yield _warning("replay", f"webhook.signatures.{number}", told)
    if webhook.event_type is None:
        yield _warning("event_type", "webhook.eventType", "is missing: nobody can ask for one type of event")
    if not webhook.events:
        yield _warning("events", "webhook.events", "are missing: any payload is taken, and nothing tests it offline")
    if webhook.challenge is not None:
        yield from _challenge(webhook.challenge)
    for number, event in enumerate(webhook.events or ()):
        yield from _event(event, f"webhook.events.{number}")


def _challenge(challenge: Challenge) -> Iterator[Lint]:
    at = "webhook.challenge"
    if challenge.proof == "none":
        signed = "" if challenge.hmac is None else ", signed with the secret of webhooks"
        yield _warning("challenge", f"{at}.proof", f"is none: whoever knows the URL is answered what they send{signed}")
    if not challenge.examples:
        yield _warning("examples", f"{at}.examples", "are missing: nothing tests the challenge offline")


def _event(event: Event, at: str) -> Iterator[Lint]:
    if not event.description:
        yield _warning("description", f"{at}.description", f"{event.name} is not described")
    if event.payload_schema is None:
        yield _warning("payload", f"{at}.payloadSchema", f"{event.name} may say anything")
    if not event.examples:
        yield _warning("examples", f"{at}.examples", f"{event.name} has none: nothing tests it offline")
