"""Integrations: what can be connected, what is connected, and how it goes."""

from graph.integrations.mutations import IntegrationMutation
from graph.integrations.queries import IntegrationQuery
from graph.integrations.subscriptions import IntegrationSubscription
from graph.parts import Part

PART = Part(query=IntegrationQuery, mutation=IntegrationMutation, subscription=IntegrationSubscription)
