"""The law for GraphQL schemas: what a changed SDL does to documents that were valid and to answers that were promised.

graphql-core is here a parser and a validator of SDL, nothing that serves; see docs/decisions/0012-graphql-law.md.
"""

from services.contracts.sdl.comparing import compare
from services.contracts.sdl.rules import RULES

__all__ = ["RULES", "compare"]
