"""OAuth2 of instances: begun, completed, given up; and the tenant's list of redirect URIs."""

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.params import FromPath

from app.clock import iso
from app.errors import NotFound
from rest.platform_v1 import authorization_shapes as shapes
from rest.platform_v1 import queries
from rest.platform_v1.entry import Asked, body_of, context_of, expected_version
from rest.platform_v1.instances import instance_id
from rest.platform_v1.routing import Words, nothing, route, sent
from services.inputs import read_input
from services.integrations.oauth2.authorizing import (
    AuthorizationAnswer,
    complete_integration_authorization,
    start_integration_authorization,
)
from services.integrations.oauth2.disconnecting import disconnect_integration
from services.integrations.oauth2.redirects import (
    add_integration_redirect,
    list_integration_redirects,
    remove_integration_redirect,
)

_OF_INSTANCE = "/integrations/instances/{id:str}/auth/oauth2"
_REDIRECTS = "/integrations/auth/oauth2/redirects"


@route(
    "POST",
    f"{_OF_INSTANCE}/start",
    start_integration_authorization,
    Words(
        "start_authorization",
        "Begin an authorization",
        "Send the browser to `authorizationUrl`. The state is good once, for ten minutes, for who began it.",
    ),
    body=shapes.AuthorizationStart,
)
async def start_authorization(request: Asked, id: FromPath[str]) -> Response[shapes.AuthorizationStarted]:
    given, wanted = read_input(shapes.AuthorizationStart, await body_of(request)), instance_id(id)
    started = await start_integration_authorization(context_of(request), wanted, given.redirect_uri)
    return _json({"authorizationUrl": started.authorization_url, "state": started.state})


@route(
    "POST",
    f"{_OF_INSTANCE}/callback",
    complete_integration_authorization,
    Words(
        "complete_authorization",
        "Complete an authorization",
        "With what the browser came back with. The state is used up, whatever comes of it.",
    ),
    body=shapes.AuthorizationCallback,
)
async def complete_authorization(request: Asked, id: FromPath[str]) -> Response[shapes.AuthorizationCompleted]:
    given, wanted = read_input(shapes.AuthorizationCallback, await body_of(request)), instance_id(id)
    answer = AuthorizationAnswer(state=given.state, code=given.code, iss=given.iss, error=given.error)
    after = await complete_integration_authorization(context_of(request), wanted, answer)
    return _json({"status": "SUCCESS", "integrationInstanceId": str(after["id"])})


@route(
    "DELETE",
    _OF_INSTANCE,
    disconnect_integration,
    Words("disconnect", "Disconnect", "The tokens are forgotten and revoked; the client's credentials stay."),
    status=204,
)
async def disconnect(request: Asked, id: FromPath[str]) -> Response[None]:
    await disconnect_integration(context_of(request), instance_id(id), version=expected_version(request))
    return nothing()


@route(
    "GET",
    _REDIRECTS,
    list_integration_redirects,
    Words("list_redirects", "Redirect URIs", "Where the tenant's authorizations may come back to."),
)
async def list_redirects(request: Asked) -> Response[shapes.RedirectList]:
    return _json({"items": [_shown(row) for row in await list_integration_redirects(context_of(request))]})


@route(
    "POST",
    _REDIRECTS,
    add_integration_redirect,
    Words("add_redirect", "Add a redirect URI", "It is compared letter by letter when an authorization begins."),
    status=201,
    body=shapes.RedirectCreation,
)
async def add_redirect(request: Asked) -> Response[shapes.Redirect]:
    given = read_input(shapes.RedirectCreation, await body_of(request))
    return _json(_shown(await add_integration_redirect(context_of(request), given.uri)), 201)


@route(
    "DELETE",
    f"{_REDIRECTS}/{{id:str}}",
    remove_integration_redirect,
    Words("remove_redirect", "Remove a redirect URI", "What was begun with it is still completed."),
    status=204,
)
async def remove_redirect(request: Asked, id: FromPath[str]) -> Response[None]:
    wanted = queries.uuid_or_none(id)
    if wanted is None:
        raise NotFound("There is no such redirect URI.")
    await remove_integration_redirect(context_of(request), wanted)
    return nothing()


def _json(value: Any, status: int = 200) -> Response[Any]:
    return sent(value, status)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": str(row["id"]), "uri": row["uri"], "createdAt": iso(row["created_at"])}


ROUTES = [
    start_authorization, complete_authorization, disconnect, list_redirects, add_redirect, remove_redirect,
]  # fmt: skip
