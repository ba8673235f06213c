"""Registering, verifying and removing origins."""

from typing import Annotated, Any, TypeAlias

import strawberry

from graph.origins.types import Origin, VerificationMethod
from graph.problems import Problem
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import mutation_field
from graph.rows import column
from services.origins import registry

OriginId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The origin's id.")]


@strawberry.input(description="An origin to register.")
class RegisterOriginInput:
    installation: strawberry.ID = strawberry.field(description="The id of the installation that runs there.")
    origin: str = strawberry.field(description="`https://` and a host, with a port where it is not 443.")
    method: VerificationMethod = strawberry.field(
        default=VerificationMethod.WELL_KNOWN_FILE, description="How its owner will prove to be it."
    )
    callback_path: str | None = strawberry.field(
        default=None, description="For the method CALLBACK: the path that answers challenges."
    )


@strawberry.type(description="An origin, or why not.")
class OriginResult:
    origin: Origin | None = column(description="The origin; null where it was refused.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="The answer of `registerOrigin`; `origin.challenge` says what to publish.")
class RegisterOriginPayload(OriginResult):
    pass


@strawberry.type(description="The answer of `verifyOrigin`; where the proof is missing, an OriginUnverified.")
class VerifyOriginPayload(OriginResult):
    pass


@strawberry.type(description="The answer of `removeOrigin`; the origin is shown as it was.")
class RemoveOriginPayload(OriginResult):
    pass


@strawberry.type
class OriginMutation:
    @mutation_field(registry.register_origin, RegisterOriginPayload, "origin")
    async def register_origin(
        self,
        info: Info,
        input: Annotated[RegisterOriginInput, strawberry.argument(description="The origin and its proof.")],
    ) -> Any:
        installation = from_global_id(input.installation, "Installation", "installation")
        method = str(input.method.value)
        return await registry.register_origin(
            info.context.context, installation, input.origin, method, input.callback_path
        )

    @mutation_field(registry.verify_origin, VerifyOriginPayload, "origin")
    async def verify_origin(self, info: Info, id: OriginId) -> Any:
        return await registry.verify_origin(info.context.context, from_global_id(id, "Origin"))

    @mutation_field(registry.remove_origin, RemoveOriginPayload, "origin")
    async def remove_origin(self, info: Info, id: OriginId) -> Any:
        return await registry.remove_origin(info.context.context, from_global_id(id, "Origin"))
