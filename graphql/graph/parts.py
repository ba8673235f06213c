"""What a domain adds to the schema; apart from it, because the schema imports every domain."""

from collections.abc import Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """A domain module has it as `PART`. `types` are those that no field names by itself."""

    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    types: Sequence[type] = ()
