"""Integrations: what can be connected, what is connected, and how it goes."""

from strawberry.tools import merge_types

from graph.integrations.authorizations import AuthorizationMutation, AuthorizationQuery
from graph.integrations.deliveries import DeliveryQuery, DeliverySubscription
from graph.integrations.mutations import IntegrationMutation
from graph.integrations.queries import IntegrationQuery
from graph.integrations.reviews import IntegrationReviewQuery
from graph.integrations.subscriptions import IntegrationSubscription
from graph.integrations.webhooks import WebhookMutation
from graph.parts import Part

PART = Part(
    query=merge_types(
        "IntegrationReading", (IntegrationQuery, IntegrationReviewQuery, AuthorizationQuery, DeliveryQuery)
    ),
    mutation=merge_types("IntegrationChanging", (IntegrationMutation, AuthorizationMutation, WebhookMutation)),
    subscription=merge_types("IntegrationListening", (IntegrationSubscription, DeliverySubscription)),
)
