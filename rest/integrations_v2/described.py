"""What the contract's document says of each endpoint, in words of its own, with examples."""

from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from app.errors import REGISTRY
from rest.integrations_v2 import examples, shapes
from rest.integrations_v2.errors import PROBLEM_JSON
from services.operations import Operation


class Words(msgspec.Struct, frozen=True):
    """`example` is the body of a 200."""

    operation_id: str
    summary: str
    description: str
    example: Any

    def kwargs(self) -> dict[str, Any]:
        return {"summary": self.summary, "description": self.description, "tags": ["health"], "security": []}


_LIST = (
    " Without `updated_since` it is all that is listed; a row that is listed throughout the walk is met exactly once. "
    "With it, it is what changed since: rows as they are now, and a tombstone for each that is no longer listed."
)
WORDS = {
    "get_health": Words(
        "get_health",
        "Health",
        "Says that the service answers, and which revision of this contract it serves.",
        examples.HEALTH,
    ),
    "get_own_installation": Words(
        "get_own_installation",
        "The installation of the presented key",
        "The installation, its origins, and the credential that was presented. Needs no scope: any valid, "
        "active credential of an active installation.",
        examples.INSTALLATION,
    ),
    "list_people": Words(
        "list_people",
        "People",
        "People with an internal, current membership who are visible and not deleted." + _LIST,
        examples.PEOPLE,
    ),
    "get_person": Words(
        "get_person",
        "One person",
        "The person of an ORCID iD, where they are listed.",
        examples.PERSON,
    ),
    "list_publications_by": Words(
        "list_person_publications",
        "Publications of one person",
        "What a listed person wrote and is listed. A row that is listed throughout the walk is met exactly once.",
        examples.PERSON_PUBLICATIONS,
    ),
    "list_publications": Words(
        "list_publications",
        "Publications",
        "Visible publications of listed members." + _LIST,
        examples.PUBLICATIONS,
    ),
    "list_works": Words("list_works", "Works", "Verified, visible works of listed members." + _LIST, examples.WORKS),
    "list_projects": Words("list_projects", "Projects", "Projects of the workspace." + _LIST, examples.PROJECTS),
    "check_own_origin": Words(
        "check_own_origin",
        "Verification of an origin",
        "The state of an origin of the presented key's installation. One that waits for its proof is looked at "
        "first, at most once in ten seconds. Answers also while the installation is `pending_verification`.",
        examples.ORIGIN,
    ),
}

_ERRORS = {
    400: "`invalid_query_parameters`: `errors` names each parameter and the rule that it breaks. A cursor that belongs "
    "to another list, to other parameters or to another workspace is refused here too.",
    401: "`missing_api_key`, or `invalid_installation_credential` for a malformed or unknown key.",
    403: "`inactive_installation_credential` (revoked or expired), `inactive_installation`, `origin_not_verified`, "
    "`origin_mismatch`",
    410: "`full_sync_required`: tombstones since `updated_since` are no longer kept. Read the list again without "
    "it, and take out what it does not hold.",
    429: "`installation_rate_limit_exceeded`: `Retry-After` says when. A page that a cursor leads to is not refused "
    "for quota.",
    500: "`internal_error`: only the request id is told.",
    503: "`service_unavailable`: try again after `Retry-After` seconds.",
}
_MISSING = {
    "get_person": "`not_found`: no person of this ORCID iD is listed.",
    "list_publications_by": "`not_found`: no person of this ORCID iD is listed.",
    "check_own_origin": "`origin_not_found`: this installation has no such origin.",
}
_SCOPED = ", or `installation_scope_denied` with `required_scope` and `granted_scopes`."
#: The code whose problem is the example of a status.
_SHOWN = {
    400: "invalid_query_parameters", 401: "missing_api_key", 403: "origin_not_verified", 404: "not_found",
    410: "full_sync_required", 429: "installation_rate_limit_exceeded", 500: "internal_error",
    503: "service_unavailable",
}  # fmt: skip


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


HEADERS = {
    "ETag": _header("Of these very bytes. Send it as If-None-Match, and an answer that is the same is 304."),
    "Cache-Control": _header("`private, no-cache`: keep it, and ask whether it is still the same."),
    "RateLimit": _header("How many requests may be sent at once now, and in how many seconds the limit is whole."),
    "RateLimit-Policy": _header("How many requests a minute the installation may send."),
}
ROWS = "In an order that stays and has no meaning."
#: What the framework cannot be told of members that hold others, and of those of pages.
PARTS = {
    "installation": "The installation of the presented key.",
    "credential": "The presented credential.",
    "origin": "Scheme, host and port (RFC 6454); as an object: the origin that was asked for.",
    "person": "The person of the ORCID iD.",
    "next_cursor": "Send it as `cursor` for the next page; null on the last page.",
    "next_updated_since": "Null but for the last page. Keep it once the walk is stored, and send it as "
    "`updated_since` the next time.",
}


def _texts(operation: Operation, parameters: tuple[str, ...]) -> dict[int, str]:
    texts = dict(_ERRORS)
    texts[403] += _SCOPED if operation.scope else "."
    if "updated_since" not in parameters:
        del texts[410]
    if operation.name in _MISSING:
        texts[404] = _MISSING[operation.name]
    return dict(sorted(texts.items()))


def _problem(status: int, operation: Operation) -> list[Example]:
    code = "origin_not_found" if (status, operation.name) == (404, "check_own_origin") else _SHOWN[status]
    assert REGISTRY[code].status == status
    return [Example(value=examples.problem(code))]


def answers_of(operation: Operation, parameters: tuple[str, ...]) -> dict[int, ResponseSpec]:
    """The documented answers of an endpoint, but for 200."""
    same = ResponseSpec(data_container=None, description="The caller has it already: its If-None-Match is the ETag.")
    return {304: same} | {
        status: ResponseSpec(
            data_container=shapes.Problem,
            description=text,
            generate_examples=False,
            media_type=PROBLEM_JSON,
            examples=_problem(status, operation),
        )
        for status, text in _texts(operation, parameters).items()
    }
