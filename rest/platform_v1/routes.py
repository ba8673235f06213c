"""Every route of the platform's API."""

from rest.platform_v1 import (
    PREFIX,
    authorizations,
    checks,
    connections,
    definitions,
    deliveries,
    executions,
    importing,
    instances,
    receiving,
    reviews,
)

ROUTES = [
    *definitions.ROUTES, *importing.ROUTES, *reviews.ROUTES, *instances.ROUTES, *authorizations.ROUTES,
    *executions.ROUTES, *deliveries.ROUTES, *receiving.ROUTES, *connections.ROUTES, *checks.ROUTES,
]  # fmt: skip
__all__ = ["PREFIX", "ROUTES"]
