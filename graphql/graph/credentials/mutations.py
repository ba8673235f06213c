"""Issuing, rotating, revoking and importing credentials."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.credentials.types import Credential, CredentialMode
from graph.problems import Problem
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import mutation_field
from graph.rows import column
from graph.scalars import DateTime
from services import credentials as keys
from services.credentials import IssuedCredential, NewCredential

CredentialId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The credential's id.")]


@strawberry.input(description="A key to issue.")
class IssueCredentialInput:
    installation: strawberry.ID = strawberry.field(description="The id of the installation that it opens.")
    label: str = strawberry.field(description="What people call it; at most 100 characters.")
    scopes: list[str] = strawberry.field(description="What it may read, such as `people.read`; at least one.")
    mode: CredentialMode = strawberry.field(default=CredentialMode.LIVE, description="What it is for.")
    expires_at: DateTime | None = strawberry.field(
        default=None, description="When it stops working; null where it does not."
    )

    def request(self) -> NewCredential:
        mode: Any = self.mode.value
        return NewCredential(label=self.label, scopes=self.scopes, mode=mode, expires_at=self.expires_at)


@strawberry.input(description="A key of a former system, by its digest.")
class ImportCredentialInput:
    installation: strawberry.ID = strawberry.field(description="The id of the installation that it opens.")
    label: str = strawberry.field(description="What people call it; at most 100 characters.")
    digest: str = strawberry.field(description="The SHA-256 of the key: 64 hexadecimal digits.")
    scopes: list[str] = strawberry.field(description="What it may read, such as `people.read`; at least one.")


@strawberry.type(description="A credential, or why not.")
class CredentialResult:
    credential: Credential | None = column(description="The credential; null where it was refused.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="A new key, or why not.")
class SecretResult(CredentialResult):
    secret: str | None = column(description="The key itself. It is in this answer and never again.")


@strawberry.type(description="The answer of `issueCredential`.")
class IssueCredentialPayload(SecretResult):
    pass


@strawberry.type(description="The answer of `rotateCredential`: the successor.")
class RotateCredentialPayload(SecretResult):
    pass


@strawberry.type(description="The answer of `revokeCredential`.")
class RevokeCredentialPayload(CredentialResult):
    pass


@strawberry.type(description="The answer of `importCredential`.")
class ImportCredentialPayload(CredentialResult):
    pass


def _with_secret(issued: IssuedCredential) -> Mapping[str, Any]:
    return {"credential": issued.credential, "secret": issued.secret}


@strawberry.type
class CredentialMutation:
    @mutation_field(keys.issue_credential, IssueCredentialPayload, shape=_with_secret)
    async def issue_credential(
        self, info: Info, input: Annotated[IssueCredentialInput, strawberry.argument(description="The key to issue.")]
    ) -> Any:
        installation = from_global_id(input.installation, "Installation", "installation")
        return await keys.issue_credential(info.context.context, installation, input.request())

    @mutation_field(keys.rotate_credential, RotateCredentialPayload, shape=_with_secret)
    async def rotate_credential(
        self,
        info: Info,
        id: CredentialId,
        grace_seconds: Annotated[
            int, strawberry.argument(description="How long the old key works on; at most 30 days.")
        ] = keys.GRACE_DEFAULT_SECONDS,
    ) -> Any:
        return await keys.rotate_credential(info.context.context, from_global_id(id, "Credential"), grace_seconds)

    @mutation_field(keys.revoke_credential, RevokeCredentialPayload, "credential")
    async def revoke_credential(self, info: Info, id: CredentialId) -> Any:
        return await keys.revoke_credential(info.context.context, from_global_id(id, "Credential"))

    @mutation_field(keys.import_credential, ImportCredentialPayload, "credential")
    async def import_credential(
        self, info: Info, input: Annotated[ImportCredentialInput, strawberry.argument(description="The key's digest.")]
    ) -> Any:
        installation = from_global_id(input.installation, "Installation", "installation")
        return await keys.import_credential(info.context.context, installation, input.label, input.digest, input.scopes)
