"""Installations, made and taken through their life."""

from typing import Annotated, Any, TypeAlias

import strawberry

import services.installations as operations
from graph.installations.inputs import CreateInstallationInput, UpdateInstallationInput
from graph.installations.payloads import (
    ArchiveInstallationPayload,
    CreateInstallationPayload,
    DisableInstallationPayload,
    EnableInstallationPayload,
    RevokeInstallationPayload,
    UpdateInstallationPayload,
)
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import mutation_field

InstallationId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The installation's id.")]
Create: TypeAlias = Annotated[CreateInstallationInput, strawberry.argument(description="The installation to create.")]
Update: TypeAlias = Annotated[UpdateInstallationInput, strawberry.argument(description="What changes.")]


@strawberry.type
class InstallationMutation:
    @mutation_field(operations.create_installation, CreateInstallationPayload, "installation")
    async def create_installation(self, info: Info, input: Create) -> Any:
        return await operations.create_installation(info.context.context, input.request())

    @mutation_field(operations.update_installation, UpdateInstallationPayload, "installation")
    async def update_installation(self, info: Info, input: Update) -> Any:
        wanted = from_global_id(input.id, "Installation")
        return await operations.update_installation(info.context.context, wanted, input.change())

    @mutation_field(operations.disable_installation, DisableInstallationPayload, "installation")
    async def disable_installation(self, info: Info, id: InstallationId) -> Any:
        return await operations.disable_installation(info.context.context, from_global_id(id, "Installation"))

    @mutation_field(operations.enable_installation, EnableInstallationPayload, "installation")
    async def enable_installation(self, info: Info, id: InstallationId) -> Any:
        return await operations.enable_installation(info.context.context, from_global_id(id, "Installation"))

    @mutation_field(operations.revoke_installation, RevokeInstallationPayload, "installation")
    async def revoke_installation(self, info: Info, id: InstallationId) -> Any:
        return await operations.revoke_installation(info.context.context, from_global_id(id, "Installation"))

    @mutation_field(operations.archive_installation, ArchiveInstallationPayload, "installation")
    async def archive_installation(self, info: Info, id: InstallationId) -> Any:
        return await operations.archive_installation(info.context.context, from_global_id(id, "Installation"))
