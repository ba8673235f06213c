"""The browser's own way back: no credential comes with it, so the state says whose authorization it is.

Only an authorization whose redirect URI is a landing is completed here, in the name of who began it; an application
that has a page of its own completes with its user's token instead.
"""

from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from app.auth.principal import Kind, Principal
from app.auth.scopes import Scope
from app.errors import ValidationFailed
from models.integrations import IntegrationOauthState
from services.context import Context
from services.integrations.oauth2.authorizing import AuthorizationAnswer, complete_integration_authorization
from services.integrations.oauth2.states import digest_of

if TYPE_CHECKING:
    from services.runtime import Runtime

PATH = "/api/v1/integrations/auth/oauth2/callback"


async def complete_at_landing(runtime: "Runtime", answer: AuthorizationAnswer, request_id: str) -> str:
    """The name of the instance that is connected now. Raises what `complete_integration_authorization` does."""
    table = IntegrationOauthState
    rows = table.across_tenants("a browser that comes back has no credential; the state names the tenant")
    begun = await rows.one(*table.all_columns(), where=table.digest == digest_of(answer.state))
    if begun is None or not urlsplit(begun["redirect_uri"]).path.endswith(PATH):
        raise ValidationFailed({"state": "is not known here, was used, or has run out"})
    kind, _, subject = begun["caller"].partition(":")
    principal = Principal(
        tenant=begun["tenant"],
        subject=subject,
        kind=cast(Kind, kind),
        scopes=frozenset({str(Scope.INTEGRATIONS_WRITE)}),
        authn="system",
    )
    context = Context(runtime, principal, "rest", request_id)
    after = await complete_integration_authorization(context, begun["instance"], answer)
    return str(after["name"])
