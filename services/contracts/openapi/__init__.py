"""The OpenAPI half of the contract law: `compare` two documents, by the `RULES`."""

from services.contracts.openapi.comparing import compare
from services.contracts.openapi.rules import RULES, Rule

__all__ = ["RULES", "Rule", "compare"]
