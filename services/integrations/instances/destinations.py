"""Where the credentials of an instance may go: the origins of its base URL and token endpoint, and its realm's host.

What is stored names the destinations for which it was given, and is opened for no others. So whoever may change a
configuration can point an integration elsewhere, and takes no credentials along. Origins are those of RFC 6454, read as
the client that dials reads them.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from app.egress.errors import EgressRefused
from app.egress.urls import parse_url
from app.errors import IntegrationNotAuthenticated
from services.integrations.definitions.model import AuthConfig, Definition, OAuth2Config

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TOKENS = ("oauth2", "client_credentials")
NOWHERE = "no address"


@lru_cache(maxsize=4_096)
def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, in one form for all ways to write them; one that nobody can dial is its own."""
    try:
        read = parse_url(url)
    except EgressRefused:
        return f"unreadable {hashlib.sha256(url.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    host = (read.raw_host or "").lower().rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if read.port == _DEFAULT_PORTS[read.scheme] else f":{read.port}"
    return f"{read.scheme}://{host}{port}"


def destinations_of(definition: Definition, config: Mapping[str, Any]) -> str:
    """All that may receive credentials of an instance with this effective configuration, as it is stored and shown."""
    auth = (definition.auth_type, definition.auth_config, definition.oauth2_config)
    return destinations(definition.base_url, *auth, config)


def destinations(
    base_url: str | None,
    auth_type: str,
    auth_config: AuthConfig | None,
    oauth2_config: OAuth2Config | None,
    config: Mapping[str, Any],
) -> str:
    """The same by the parts of a definition that count."""
    base = config.get("baseUrl") or base_url
    found = [origin_of(base) if isinstance(base, str) else NOWHERE]
    if auth_type in _TOKENS:
        own, default = config.get("tokenUrl"), oauth2_config and oauth2_config.token_url
        url = own if isinstance(own, str) else default
        found += [f"token endpoint {origin_of(url)}"] if url else []
    realm = config.get("realmHost")
    if auth_config is not None and auth_config.challenge is not None and isinstance(realm, str):
        found.append(f"realm {realm.lower().rstrip('.')}")
    return ", ".join(found)


def check_bound(bound_to: str | None, wanted: str) -> None:
    """Raise IntegrationNotAuthenticated where credentials would go where they were not given for."""
    if bound_to != wanted:
        text = f"The credentials were given for {bound_to or NOWHERE}, and would go to {wanted} now: give them again."
        raise IntegrationNotAuthenticated(text)
