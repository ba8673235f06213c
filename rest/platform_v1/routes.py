"""Every route of the platform's API."""

from rest.platform_v1 import PREFIX, connections, definitions, instances

ROUTES = [*definitions.ROUTES, *instances.ROUTES, *connections.ROUTES]
__all__ = ["PREFIX", "ROUTES"]
