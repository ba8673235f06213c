"""What is sent in to make or change an installation."""

import dataclasses

import strawberry

from graph.installations.types import Platform
from services.installations import InstallationChange, NewInstallation


@strawberry.input(description="An installation to create.")
class CreateInstallationInput:
    display_name: str = strawberry.field(description="What people call it; at most 200 characters.")
    platform: Platform = strawberry.field(default=Platform.CUSTOM, description="What the plugin runs on.")
    description: str | None = strawberry.field(default=None, description="What else there is to say.")
    rate_limit_per_minute: int | None = strawberry.field(
        default=None, description="Requests a minute; the server's default where absent."
    )
    rate_limit_burst: int | None = strawberry.field(
        default=None, description="Requests at once; the server's default where absent."
    )

    def request(self) -> NewInstallation:
        given = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return NewInstallation(**given | {"platform": self.platform.value})


@strawberry.input(description="Changes to an installation; what is absent stays as it is.")
class UpdateInstallationInput:
    id: strawberry.ID = strawberry.field(description="The installation's id.")
    display_name: str | None = strawberry.field(default=strawberry.UNSET, description="A new name.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="A new text; null for none.")
    rate_limit_per_minute: int | None = strawberry.field(
        default=strawberry.UNSET, description="Requests a minute; null for the server's default."
    )
    rate_limit_burst: int | None = strawberry.field(
        default=strawberry.UNSET, description="Requests at once; null for the server's default."
    )
    version: int | None = strawberry.field(
        default=None, description="Refuse the change where the installation has another version by now."
    )

    def change(self) -> InstallationChange:
        names = [name for name in InstallationChange.__struct_fields__ if getattr(self, name) is not strawberry.UNSET]
        return InstallationChange(**{name: getattr(self, name) for name in names})
