"""`/api/v1`: the platform's API, in two dialects: the integration service's own, and the platform's envelope."""

PREFIX = "/api/v1"
REVISION = "1.0.0"
