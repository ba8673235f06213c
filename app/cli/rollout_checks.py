"""The checks of `dovetail rollout check`, one function each: what fell short, and nothing where all is well."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

from app.auth.credentials import new_key
from app.cli.rollout_contract import Contract, Operation, broken_promises
from app.cli.rollout_feeds import feed_checks
from app.cli.rollout_http import Answer, Site, Unreachable
from app.cli.rollout_schema import Schema, UnknownKeyword, faults

LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
IETF_HEADERS = ("ratelimit", "ratelimit-policy")
Check = Callable[["Rollout"], Iterator[str]]


class Finding(NamedTuple):
    """One check and what fell short; it is passed where nothing did."""

    check: str
    short: list[str]

    @property
    def passed(self) -> bool:
        return not self.short


class Rollout:
    """A server under check. `contract` is what its answers are held against."""

    def __init__(self, site: Site, key: str, packaged: Contract, previous: Contract | None) -> None:
        self.site, self.key, self.packaged, self.previous = site, key, packaged, previous
        served = site.ask("/openapi.json")
        self.document: Any = served.json() if served.status == 200 else None
        # Before a deploy the server still has the previous contract.
        older = previous is not None and self.document == previous.document
        self.contract = previous if older and previous is not None else packaged
        self.installation: dict[str, Any] = {}

    def may(self, operation: Operation) -> bool:
        """Whether the given key has the scope; known once its installation has answered."""
        return operation.scope is None or operation.scope in self.installation.get("scopes", ())

    def refused(self, answer: Answer, status: int, code: str) -> Iterator[str]:
        """What is wrong with an answer that must be this refusal, in the contract's form."""
        if (answer.status, answer.code()) != (status, code):
            yield f"{answer.described()}; expected {status} {code}"
        else:
            yield from self.shaped(answer, self.contract.error_schema(), self.contract.error_media)

    def granted(self, answer: Answer, schema: Schema) -> Iterator[str]:
        if answer.status != 200:
            yield f"{answer.described()}; expected 200"
        else:
            yield from self.shaped(answer, schema)

    def shaped(self, answer: Answer, schema: Schema, media: str = "application/json") -> Iterator[str]:
        if answer.headers.get("content-type", "").partition(";")[0].strip() != media:
            told = "JSON" if media == "application/json" else media
            yield f"{answer.asked}: the answer is {answer.headers.get('content-type', 'of no type')} and not {told}"
            return
        yield from (f"{answer.asked}: {text}" for text in faults(answer.json(), schema, self.contract.document))


def health(rollout: Rollout) -> Iterator[str]:
    answer = rollout.site.ask("/health")
    yield from rollout.granted(answer, rollout.contract.answer("get", "/health"))
    found = answer.json()
    version = found.get("version") if isinstance(found, dict) else None
    if version != rollout.contract.version:
        yield f"GET /health says version {version}; expected {rollout.contract.version}"


def document_served(rollout: Rollout) -> Iterator[str]:
    if not isinstance(rollout.document, dict):
        yield "GET /openapi.json is not a document"
        return
    known = [rollout.packaged, *([rollout.previous] if rollout.previous else [])]
    if not any(rollout.document == contract.document for contract in known):
        version = (rollout.document.get("info") or {}).get("version")
        parts = [name for name in sorted(rollout.document | rollout.packaged.document) if _differs(rollout, name)]
        yield f"the served document (version {version}) is not the shipped one; they differ in {', '.join(parts)}"


def _differs(rollout: Rollout, name: str) -> bool:
    missing = object()
    return bool(rollout.document.get(name, missing) != rollout.packaged.document.get(name, missing))


def previous_holds(rollout: Rollout) -> Iterator[str]:
    if rollout.previous is None:
        return
    try:
        served = Contract(rollout.document)
        yield from broken_promises(rollout.previous, served)
    except (LookupError, TypeError, AttributeError):
        yield "the served document cannot be compared with the previous snapshot"


def no_key(rollout: Rollout) -> Iterator[str]:
    yield from rollout.refused(rollout.site.ask("/installation"), 401, "missing_api_key")
    yield from rollout.refused(rollout.site.ask("/people"), 401, "missing_api_key")


def wrong_key(rollout: Rollout) -> Iterator[str]:
    """Well-formed and with a right checksum, so that it takes a look-up to know it for what it is."""
    answer = rollout.site.ask("/installation", new_key("live").text)
    yield from rollout.refused(answer, 401, "invalid_installation_credential")


def given_key(rollout: Rollout) -> Iterator[str]:
    answer = rollout.site.ask("/installation", rollout.key)
    short = list(rollout.granted(answer, rollout.contract.answer("get", "/installation")))
    rollout.installation = {} if short else answer.json()["installation"]
    yield from short


def endpoint(operation: Operation, rollout: Rollout) -> Iterator[str]:
    """The documented shape, or the documented refusal where the key has not the scope."""
    if not rollout.installation:
        yield "not checked: GET /installation did not answer as it must"
        return
    path = _filled(operation, rollout)
    if path is None:
        return
    answer = rollout.site.ask(path, rollout.key)
    if rollout.may(operation):
        yield from rollout.granted(answer, operation.answers["200"])
        yield from _bad_query(operation, rollout)
        return
    yield from rollout.refused(answer, 403, "installation_scope_denied")
    body = answer.json() or {}
    at, told = (
        ("required_scope", body) if rollout.contract.problems else ("details.required_scope", body.get("details"))
    )
    if answer.status == 403 and (told or {}).get("required_scope") != operation.scope:
        yield f"{answer.asked}: {at} is not {operation.scope}"


def _filled(operation: Operation, rollout: Rollout) -> str | None:
    """The path to ask; None for a path that needs an origin or a person where there is none."""
    origins, path = rollout.installation["origins"], operation.path
    if origins:
        path = path.replace("{originId}", origins[0]["id"]).replace("{origin_id}", origins[0]["id"])
    if "{orcid_id}" in path and (known := _some_orcid_id(rollout)):
        path = path.replace("{orcid_id}", known)
    return None if "{" in path else path


def _some_orcid_id(rollout: Rollout) -> str | None:
    found = rollout.site.ask("/people?limit=1", rollout.key).json()
    people = found.get("people") if isinstance(found, dict) else None
    return str(people[0]["orcid_id"]) if people else None


def _bad_query(operation: Operation, rollout: Rollout) -> Iterator[str]:
    for name in operation.parameters & {"per_page", "limit"} if "{" not in operation.path else ():
        answer = rollout.site.ask(f"{operation.path}?{name}=101", rollout.key)
        yield from rollout.refused(answer, 400, "invalid_query_parameters")


def unknown_route(rollout: Rollout) -> Iterator[str]:
    answer = rollout.site.ask(f"/no-such-route-{uuid4().hex[:8]}", rollout.key)
    yield from rollout.refused(answer, 404, "not_found")


def wrong_method(rollout: Rollout) -> Iterator[str]:
    answer = rollout.site.ask("/people", rollout.key, method="POST")
    yield from rollout.refused(answer, 405, "method_not_allowed")
    if answer.status == 405 and "allow" not in answer.headers:
        yield f"{answer.asked}: 405 without Allow"


def limit_headers(rollout: Rollout) -> Iterator[str]:
    answer = rollout.site.ask("/installation", rollout.key)
    for name in LIMIT_HEADERS:
        if not answer.headers.get(name, "").isdigit():
            yield f"{answer.asked}: {name} is {answer.headers.get(name, 'absent')} and not a number"
    yield from (f"{answer.asked}: {name} is absent" for name in IETF_HEADERS if name not in answer.headers)


def request_ids(rollout: Rollout) -> Iterator[str]:
    """On every answer that this check has got, and none twice."""
    answers = rollout.site.answers
    yield from (f"{answer.asked}: X-Request-Id is absent" for answer in answers if not _request_id(answer))
    ids = [_request_id(answer) for answer in answers if _request_id(answer)]
    if len(set(ids)) != len(ids):
        yield "two answers have the same X-Request-Id"


def _request_id(answer: Answer) -> str:
    return answer.headers.get("x-request-id", "")


def checks_of(rollout: Rollout) -> list[tuple[str, Check]]:
    """Every check by its name, in order; the key's scopes are known once `given_key` has run."""
    keyed = [operation for operation in rollout.contract.operations if not operation.open and operation.method == "get"]
    endpoints: list[tuple[str, Check]] = [
        (f"{operation.name} has its documented shape", partial(endpoint, operation))
        for operation in keyed if operation.path != "/installation"
    ]  # fmt: skip
    previous: list[tuple[str, Check]] = [("the previous contract still holds", previous_holds)]
    return [
        ("openapi.json is the shipped contract", document_served),
        *(previous if rollout.previous else []),
        ("health answers with the contract's version", health),
        ("no key is refused", no_key),
        ("a wrong key is refused", wrong_key),
        ("the given key opens its installation", given_key),
        *endpoints,
        *(feed_checks() if rollout.contract.problems else ()),
        ("an unknown route is refused in the contract's form", unknown_route),
        ("a wrong method is refused in the contract's form", wrong_method),
        ("rate limits are told", limit_headers),
        ("every answer has a request id", request_ids),
    ]


def run_checks(rollout: Rollout) -> Iterator[Finding]:
    for name, check in checks_of(rollout):
        try:
            yield Finding(name, list(check(rollout)))
        except (Unreachable, UnknownKeyword) as error:
            yield Finding(name, [str(error)])
