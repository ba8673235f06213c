"""The answers of the mutations of installations."""

import strawberry

from graph.installations.types import Installation
from graph.problems import Problem
from graph.rows import column


@strawberry.type(description="An installation, or why not.")
class InstallationResult:
    installation: Installation | None = column(description="The installation; null where it was refused.")
    errors: list[Problem] = column(description="Why it was refused; empty where it was not.")


@strawberry.type(description="The answer of `createInstallation`.")
class CreateInstallationPayload(InstallationResult):
    pass


@strawberry.type(description="The answer of `updateInstallation`.")
class UpdateInstallationPayload(InstallationResult):
    pass


@strawberry.type(description="The answer of `disableInstallation`.")
class DisableInstallationPayload(InstallationResult):
    pass


@strawberry.type(description="The answer of `enableInstallation`.")
class EnableInstallationPayload(InstallationResult):
    pass


@strawberry.type(description="The answer of `revokeInstallation`.")
class RevokeInstallationPayload(InstallationResult):
    pass


@strawberry.type(description="The answer of `archiveInstallation`.")
class ArchiveInstallationPayload(InstallationResult):
    pass
