"""The contracts that this server serves, by name and by prefix; filled by the roof, which knows the surfaces."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from app.errors import ValidationFailed
from services.contracts.reading import ContractDocument, read_document


class Served(NamedTuple):
    """A version of an API (an empty one where it has none); `read` gives its committed document."""

    api: str
    version: str
    prefix: str
    kind: str
    read: Callable[[], bytes]

    def document(self) -> ContractDocument:
        return read_document(self.read(), f"{self.api}-{self.version}.{self.kind}")


class Catalogue:
    def __init__(self) -> None:
        self._served: list[Served] = []

    def add(self, served: Served) -> None:
        self._served.append(served)

    def versions(self, api: str) -> list[Served]:
        """The oldest first. Raises ValidationFailed for an API that there is not."""
        found = [each for each in self._served if each.api == api]
        if not found:
            names = ", ".join(dict.fromkeys(each.api for each in self._served))
            raise ValidationFailed({"api": f"must be one of {names}"})
        return found

    def find(self, api: str, version: str, field: str) -> Served:
        """Raises ValidationFailed, naming the field that asked."""
        known = self.versions(api)
        for each in known:
            if each.version == version:
                return each
        raise ValidationFailed({field: f"must be one of {', '.join(each.version or 'the schema' for each in known)}"})

    def of_document(self, document: ContractDocument) -> Served | None:
        """The version whose prefix a document names as its server; every SDL is the control plane's."""
        if document.kind == "sdl":
            return next((each for each in self._served if each.kind == "graphql"), None)
        servers = document.openapi.get("servers")
        urls = (
            [server.get("url") for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []
        )
        paths = {urlsplit(url).path.rstrip("/") for url in urls if isinstance(url, str)}
        return next((each for each in self._served if each.kind == "json" and each.prefix in paths), None)
