"""Swagger 2.0 documents, read as the OpenAPI 3.0 documents that say the same."""

from services.contracts.swagger.documents import converted

__all__ = ["converted"]
