"""The surfaces of every version in the registry, ready to be served below their prefixes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from app.errors import DomainError
from rest.contracts.documents import resolve, snapshot
from rest.contracts.lifecycles import announced
from rest.contracts.registry import APIS
from services.runtime import Runtime


class Mounted(NamedTuple):
    """One version as it is served; `body_of` makes a refusal's body, in `media`, with the request id."""

    prefix: str
    surface: Any
    body_of: Callable[[DomainError, str], bytes]
    media: str

    def refusal(self, path: str, request_id: str, error: DomainError) -> tuple[int, bytes]:
        """Status and body of a refusal before the routes; a surface of several dialects makes its own."""
        own = getattr(self.surface, "refusal", None)
        if own is None:
            return error.status, self.body_of(error, request_id)
        status, body = own(path.removeprefix(self.prefix), request_id, error)
        return status, body

    def most_bytes(self, path: str, usual: int) -> int:
        """The largest body that a path takes; a surface may have paths that take more than the usual."""
        own = getattr(self.surface, "most_bytes", None)
        return usual if own is None else int(own(path.removeprefix(self.prefix)))


def mount(runtime: Runtime) -> dict[str, Mounted]:
    """Prefix, such as `/integrations/v1`, to the version below it."""
    found = {}
    for name, api in APIS.items():
        for version in api.names:
            said, prefix = api.versions[version], f"{api.prefix}/{version}"
            document = snapshot(name, version)
            surface = announced(resolve(said.surface)(runtime, document), msgspec.json.decode(document))
            found[prefix] = Mounted(prefix, surface, resolve(said.errors), said.media)
    return found
