"""What is sent in to connect an integration, or to change what is connected."""

from typing import Any

import msgspec
import strawberry

from app.errors import ValidationFailed
from graph.relay import from_global_id
from graph.scalars import JSON
from services.integrations.execution.discovering import NewDiscovery
from services.integrations.execution.executing import NewExecution
from services.integrations.importing.converting import Choice
from services.integrations.instances.changing import InstanceChange
from services.integrations.instances.registry import NewInstance

_CREDENTIALS = "Secrets by name, as texts; they are never shown again."
_REFERENCE = "Where its secrets lie, in the place of `credentials`: `vault://VAULT/PATH#FIELD`."


@strawberry.input(description="An integration to connect, named by exactly one of `definition` and `type`.")
class CreateIntegrationInstanceInput:
    name: str = strawberry.field(description="What people call it; at most 255 characters.")
    definition: strawberry.ID | None = strawberry.field(default=None, description="The definition's id.")
    type: str | None = strawberry.field(
        default=None, description="The definition's name: the version that was published last."
    )
    config: JSON | None = strawberry.field(default=None, description="Its configuration; it can follow.")
    credentials: JSON | None = strawberry.field(default=None, description=_CREDENTIALS)
    credential_ref: str | None = strawberry.field(default=None, description=_REFERENCE)
    enabled: bool = strawberry.field(default=True, description="Whether it may be called.")

    def request(self) -> NewInstance:
        named = self.definition
        return NewInstance(
            definition=None if named is None else from_global_id(named, "IntegrationDefinition", "definition"),
            type=self.type,
            name=self.name,
            config=config_input(self.config),
            credentials=None if self.credentials is None else credentials_input(self.credentials),
            credential_ref=self.credential_ref,
            enabled=self.enabled,
        )


@strawberry.input(description="Changes to an instance; what is absent stays as it is.")
class UpdateIntegrationInstanceInput:
    id: strawberry.ID = strawberry.field(description="The instance's id.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="A new name.")
    config: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="The whole configuration; null for none."
    )
    enabled: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether it may be called.")
    version: int | None = strawberry.field(
        default=None, description="Refuse the change where the instance has another version by now."
    )

    def change(self) -> InstanceChange:
        given: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("name", "config", "enabled")
            if getattr(self, name) is not strawberry.UNSET
        }
        for name in ("name", "enabled"):
            if name in given and given[name] is None:
                raise ValidationFailed({name: "must not be null"})
        if "config" in given:
            given["config"] = config_input(given["config"])
        return InstanceChange(**given, version=self.version)


@strawberry.input(description="Which operations of a document are imported, and as what.")
class ImportChoiceInput:
    tags: list[str] | None = strawberry.field(default=None, description="Operations with one of these tags.")
    operations: list[str] | None = strawberry.field(
        default=None, description="These too, by operationId or as `GET /path`."
    )
    name: str | None = strawberry.field(default=None, description="The definition's name; else the document's title.")
    version: str | None = strawberry.field(default=None, description="Its version; else the document's.")
    security: str | None = strawberry.field(
        default=None, description="The security scheme to use; else the one that most operations take."
    )

    def request(self) -> Choice:
        given = {name: getattr(self, name) for name in Choice.__struct_fields__}
        return Choice(**{name: value for name, value in given.items() if value is not None})


@strawberry.input(description="What to look for on the other side.")
class DiscoverIntegrationResourcesInput:
    id: strawberry.ID = strawberry.field(description="The instance's id.")
    resource_type: str = strawberry.field(description="One of those that the definition offers.")
    parent: str | None = strawberry.field(default=None, description="Below this one.")
    query: str | None = strawberry.field(default=None, description="That match this text.")
    limit: int = strawberry.field(default=100, description="At most so many, 1 to 500.")
    cursor: str | None = strawberry.field(default=None, description="The `nextCursor` of an earlier answer.")

    def request(self) -> NewDiscovery:
        return NewDiscovery(**{name: getattr(self, name) for name in NewDiscovery.__struct_fields__})


@strawberry.input(description="A call of a method.")
class ExecuteIntegrationMethodInput:
    id: strawberry.ID = strawberry.field(description="The instance's id.")
    method: str = strawberry.field(description="The method's name.")
    parameters: JSON | None = strawberry.field(default=None, description="Its parameters by name; none where absent.")
    cursor: str | None = strawberry.field(default=None, description="The `nextCursor` of an earlier answer.")
    all: bool = strawberry.field(default=False, description="Gather the items of all pages, up to a bound.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes the key that methods send that are idempotent by key."
    )

    def request(self) -> NewExecution:
        parameters = _checked("parameters", self.parameters or {}, dict[str, Any])
        return NewExecution(
            method=self.method, parameters=parameters, cursor=self.cursor, all=self.all, key=self.idempotency_key
        )


def config_input(value: Any) -> dict[str, Any] | None:
    """A configuration. Raises ValidationFailed for what is no object."""
    found: dict[str, Any] | None = _checked("config", value, dict[str, Any] | None)
    return found


def credentials_input(value: Any) -> dict[str, str]:
    """Secrets by name. Raises ValidationFailed, which repeats none of them."""
    found: dict[str, str] = _checked("credentials", value, dict[str, str])
    return found


def _checked(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        rule = "must be an object of texts" if name == "credentials" else "must be an object"
        raise ValidationFailed({name: rule}) from None
