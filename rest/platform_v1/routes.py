"""Every route of the platform's API."""

from rest.platform_v1 import PREFIX, connections, definitions, importing, instances

ROUTES = [*definitions.ROUTES, *importing.ROUTES, *instances.ROUTES, *connections.ROUTES]
__all__ = ["PREFIX", "ROUTES"]
