"""Who calls with a bearer token or a client certificate: read from the request, the same for every surface."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from app.auth.certificates import ClientCertificate, presented, read_certificate
from app.auth.principal import Principal
from app.errors import Unauthenticated
from services.chain.entries import Surface

if TYPE_CHECKING:
    from services.runtime import Runtime

#: What a caller is known by: a bearer token as it was sent, or the client certificate that a proxy checked.
Credential: TypeAlias = str | ClientCertificate


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header (RFC 6750). Raises Unauthenticated."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


def credential(scope: Mapping[str, Any], authorization: str | None) -> Credential:
    """What the caller is known by; a token, also a bad one, goes before a certificate. Raises Unauthenticated."""
    certificates = presented(scope) if authorization is None else ()
    return read_certificate(certificates) if certificates else bearer(authorization)


async def identify(runtime: "Runtime", given: Credential, surface: Surface, request_id: str) -> Principal:
    """Raises InvalidToken, CertificateRefused, or Unavailable where the issuer's keys cannot be read."""
    if isinstance(given, str):
        return await runtime.authenticate(given)
    return await runtime.authenticate_certificate(given, surface, request_id)
