"""Every route of the platform's API."""

from rest.platform_v1 import (
    PREFIX,
    authorizations,
    checks,
    connections,
    definitions,
    executions,
    importing,
    instances,
)

ROUTES = [
    *definitions.ROUTES, *importing.ROUTES, *instances.ROUTES, *authorizations.ROUTES, *executions.ROUTES,
    *connections.ROUTES, *checks.ROUTES,
]  # fmt: skip
__all__ = ["PREFIX", "ROUTES"]
