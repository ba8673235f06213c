"""What the contract's document says of each endpoint, in words of its own: frozen with it."""

from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from rest.integrations_v1.shapes import ErrorBody
from services.operations import Operation


class Words(msgspec.Struct, frozen=True):
    summary: str
    description: str

    def kwargs(self) -> dict[str, Any]:
        return {"summary": self.summary, "description": self.description, "tags": ["health"], "security": []}


WORDS = {
    "get_health": Words("Health", "Says that the service answers, and which revision of this contract it serves."),
    "get_own_installation": Words(
        "The installation of the presented key",
        "The installation, its origins, and the credential that was presented. Needs no scope: any valid, "
        "active credential of an active installation.",
    ),
    "list_people": Words(
        "People",
        "People with an internal, current membership who are visible and not deleted, by name and then ORCID iD. "
        "A page past the end is empty. `name` is a string, or an object from locale to string or null.",
    ),
    "list_publications": Words("Publications", "Visible publications of listed members, the latest fetched first."),
    "list_works": Words("Works", "Verified, visible works of listed members, the latest first."),
    "list_projects": Words("Projects", "Projects of the workspace, by title."),
    "check_own_origin": Words(
        "Verification of an origin",
        "The state of an origin of the presented key's installation. One that waits for its proof is looked at "
        "first, at most once in ten seconds. Answers also while the installation is `pending_verification`.",
    ),
}

_ERRORS = {
    400: "`invalid_query_parameters`: `details` maps each field to the rule that it breaks.",
    401: "`missing_api_key`, or `invalid_installation_credential` for a malformed or unknown key.",
    403: "`inactive_installation_credential` (revoked or expired), `inactive_installation`, `origin_not_verified`, "
    "`origin_mismatch`",
    404: "`origin_not_found`: this installation has no such origin.",
    429: "`installation_rate_limit_exceeded`: `Retry-After` says when. Pages after the first of a list that was "
    "begun are not refused for quota.",
    500: "`internal_error`: the request id is in `X-Request-Id`.",
    503: "`service_unavailable`: try again after `Retry-After` seconds.",
}
_SCOPED = ", or `installation_scope_denied` with `details.required_scope` and `details.granted_scopes`."


def _texts(operation: Operation, *, listed: bool) -> dict[int, str]:
    wanted = [401, 403, 429, 500, 503]
    if operation.name == "check_own_origin":
        # Litestar documents a 400 of its own form wherever a path has a parameter.
        wanted += [400, 404]
    elif listed:
        wanted.append(400)
    texts = {status: _ERRORS[status] for status in sorted(wanted)}
    texts[403] += _SCOPED if operation.scope else "."
    return texts


def errors_of(operation: Operation, *, listed: bool) -> dict[int, ResponseSpec]:
    """The documented refusals of an endpoint."""
    return {
        status: ResponseSpec(data_container=ErrorBody, description=text, generate_examples=False)
        for status, text in _texts(operation, listed=listed).items()
    }
