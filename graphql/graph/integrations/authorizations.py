"""OAuth2 of instances on the control plane, and the tenant's redirect URIs."""

from typing import Annotated, Any, TypeAlias

import strawberry

from graph.integrations.payloads import IntegrationInstanceResult
from graph.integrations.queries import InstanceId
from graph.problems import Problem
from graph.relay import from_global_id, id_column
from graph.request import Info
from graph.requires import mutation_field, operation_field
from graph.rows import column
from graph.scalars import DateTime
from services.integrations.oauth2 import authorizing, disconnecting, redirects

RedirectUri: TypeAlias = Annotated[
    str, strawberry.argument(description="One of the tenant's redirect URIs, letter by letter.")
]
NewUri: TypeAlias = Annotated[
    str, strawberry.argument(description="https, or http on a loopback host; without a fragment.")
]
RedirectId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The redirect URI's id.")]


@strawberry.input(description="What the browser came back with: `code`, or the provider's `error`.")
class CompleteIntegrationAuthorizationInput:
    id: strawberry.ID = strawberry.field(description="The instance's id.")
    state: str = strawberry.field(description="The state, which is used up, whatever comes of it.")
    code: str | None = strawberry.field(default=None, description="The authorization code.")
    iss: str | None = strawberry.field(default=None, description="The issuer, where the provider sends it (RFC 9207).")
    error: str | None = strawberry.field(default=None, description="The error, where there is no code.")

    def answer(self) -> authorizing.AuthorizationAnswer:
        return authorizing.AuthorizationAnswer(state=self.state, code=self.code, iss=self.iss, error=self.error)


Completion: TypeAlias = Annotated[
    CompleteIntegrationAuthorizationInput, strawberry.argument(description="What the browser came back with.")
]


@strawberry.type(description="A URI that the tenant's authorizations may come back to.")
class IntegrationRedirect:
    id: strawberry.ID = id_column("IntegrationRedirect")
    uri: str = column(description="The URI, letter by letter.")
    created_at: DateTime = column(description="When it was added.")


@strawberry.type(description="The answer of `startIntegrationAuthorization`.")
class StartIntegrationAuthorizationPayload:
    authorization_url: str | None = column(description="Where to send the browser.")
    state: str | None = column(description="Comes back with the browser; good once, for ten minutes, for the caller.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="The answer of `completeIntegrationAuthorization`.")
class CompleteIntegrationAuthorizationPayload(IntegrationInstanceResult):
    pass


@strawberry.type(description="The answer of `disconnectIntegration`.")
class DisconnectIntegrationPayload(IntegrationInstanceResult):
    pass


@strawberry.type(description="A redirect URI, or why not.")
class IntegrationRedirectResult:
    redirect: IntegrationRedirect | None = column(description="The redirect URI; null where it was refused.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="The answer of `addIntegrationRedirect`.")
class AddIntegrationRedirectPayload(IntegrationRedirectResult):
    pass


@strawberry.type(description="The answer of `removeIntegrationRedirect`.")
class RemoveIntegrationRedirectPayload(IntegrationRedirectResult):
    pass


def _started(found: authorizing.StartedAuthorization) -> dict[str, Any]:
    return {"authorization_url": found.authorization_url, "state": found.state}


@strawberry.type
class AuthorizationQuery:
    @operation_field(redirects.list_integration_redirects, list[IntegrationRedirect])
    async def integration_redirects(self, info: Info) -> Any:
        return await redirects.list_integration_redirects(info.context.context)


@strawberry.type
class AuthorizationMutation:
    @mutation_field(authorizing.start_integration_authorization, StartIntegrationAuthorizationPayload, shape=_started)
    async def start_integration_authorization(self, info: Info, id: InstanceId, redirect_uri: RedirectUri) -> Any:
        wanted = from_global_id(id, "IntegrationInstance")
        return await authorizing.start_integration_authorization(info.context.context, wanted, redirect_uri)

    @mutation_field(authorizing.complete_integration_authorization, CompleteIntegrationAuthorizationPayload, "instance")
    async def complete_integration_authorization(self, info: Info, input: Completion) -> Any:
        wanted = from_global_id(input.id, "IntegrationInstance")
        return await authorizing.complete_integration_authorization(info.context.context, wanted, input.answer())

    @mutation_field(disconnecting.disconnect_integration, DisconnectIntegrationPayload, "instance")
    async def disconnect_integration(self, info: Info, id: InstanceId) -> Any:
        wanted = from_global_id(id, "IntegrationInstance")
        return await disconnecting.disconnect_integration(info.context.context, wanted)

    @mutation_field(redirects.add_integration_redirect, AddIntegrationRedirectPayload, "redirect")
    async def add_integration_redirect(self, info: Info, uri: NewUri) -> Any:
        return await redirects.add_integration_redirect(info.context.context, uri)

    @mutation_field(redirects.remove_integration_redirect, RemoveIntegrationRedirectPayload, "redirect")
    async def remove_integration_redirect(self, info: Info, id: RedirectId) -> Any:
        wanted = from_global_id(id, "IntegrationRedirect")
        return await redirects.remove_integration_redirect(info.context.context, wanted)
