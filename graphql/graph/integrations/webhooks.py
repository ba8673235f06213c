"""Endpoints of webhooks on the control plane: their URL and their secret, made anew."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import strawberry

from graph.integrations.payloads import IntegrationInstanceResult
from graph.integrations.queries import InstanceId
from graph.relay import from_global_id
from graph.request import Info
from graph.requires import mutation_field
from graph.rows import column
from graph.scalars import DateTime
from services import fields
from services.integrations.instances.endpoints import IssuedWebhook
from services.integrations.webhooks import endpoints

NewSecret: TypeAlias = Annotated[
    str | None, strawberry.argument(description="The secret to sign with; one is made where it is absent.")
]
Overlap: TypeAlias = Annotated[
    int, strawberry.argument(description="For how long the one before holds too, in seconds: up to seven days.")
]


@strawberry.type(description="The answer of `rotateIntegrationWebhookSecret`.")
class RotateIntegrationWebhookSecretPayload(IntegrationInstanceResult):
    signing_secret: str | None = column(
        description="The secret that was made, shown this once; null where one was given."
    )
    previous_secret_until: DateTime | None = column(description="Until when the one before holds too.")


@strawberry.type(description="The answer of `rotateIntegrationWebhookUrl`.")
class RotateIntegrationWebhookUrlPayload(IntegrationInstanceResult):
    url: str | None = column(description="The new URL, shown this once; null where it was refused.")


def _rotated(made: IssuedWebhook) -> Mapping[str, Any]:
    return {
        "instance": made.instance,
        "signing_secret": made.signing_secret,
        "previous_secret_until": made.previous_until,
    }


def _moved(made: IssuedWebhook) -> Mapping[str, Any]:
    return {"instance": made.instance, "url": made.url}


@strawberry.type
class WebhookMutation:
    @mutation_field(endpoints.rotate_integration_webhook_secret, RotateIntegrationWebhookSecretPayload, shape=_rotated)
    async def rotate_integration_webhook_secret(
        self,
        info: Info,
        id: InstanceId,
        secret: NewSecret = None,
        overlap_seconds: Overlap = endpoints.DEFAULT_OVERLAP_SECONDS,
    ) -> Any:
        fields.between("overlapSeconds", overlap_seconds, 0, endpoints.MOST_OVERLAP_SECONDS)
        rotation = endpoints.SecretRotation(secret=secret, overlap_seconds=overlap_seconds)
        wanted = from_global_id(id, "IntegrationInstance")
        return await endpoints.rotate_integration_webhook_secret(info.context.context, wanted, rotation)

    @mutation_field(endpoints.rotate_integration_webhook_url, RotateIntegrationWebhookUrlPayload, shape=_moved)
    async def rotate_integration_webhook_url(self, info: Info, id: InstanceId) -> Any:
        wanted = from_global_id(id, "IntegrationInstance")
        return await endpoints.rotate_integration_webhook_url(info.context.context, wanted)
