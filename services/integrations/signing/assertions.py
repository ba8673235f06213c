"""Signed assertions (RFC 7519), with what a definition says of them."""

from collections.abc import Mapping
from typing import Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, import_key

from app.clock import SECOND
from app.errors import ExecutionFailed, IntegrationNotAuthenticated
from app.ids import new_id
from services.integrations.definitions.model import AuthConfig

_DEFAULT_LIFETIME = 300
#: How far `iat` lies back (seconds): a peer whose clock is behind refuses what is issued in its future.
_BACKDATED = 60
_KINDS: Mapping[str, Literal["RSA", "EC", "OKP"]] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


def signed_assertion(config: AuthConfig, secrets: Mapping[str, str], at: int) -> str:
    """An assertion of the instant `at` (ms). Raises IntegrationNotAuthenticated, and ExecutionFailed for a bad key.

    `exp` is counted from `iat`: some peers bound how far it lies ahead of them, and others how far from `iat`.
    """
    if "privateKey" not in secrets:
        raise IntegrationNotAuthenticated("The integration has no secret privateKey.")
    algorithm, lifetime = config.algorithm or "RS256", config.lifetime_seconds or _DEFAULT_LIFETIME
    # Of a short life half is left, so that a peer whose clock is ahead takes it too.
    issued_at = at // SECOND - min(_BACKDATED, lifetime // 2)
    issuer = config.issuer or secrets.get("clientId") or secrets.get("keyId")
    claims = {"iat": issued_at, "exp": issued_at + lifetime, "jti": str(new_id())}
    claims |= {"iss": issuer, "sub": issuer} if issuer else {}
    claims |= {"aud": config.audience} if config.audience else {}
    header = {"alg": algorithm, "typ": "JWT"}
    header |= {"kid": secrets["keyId"]} if "keyId" in secrets else {}
    text = secrets["privateKey"]
    try:
        key = OctKey.import_key(text) if algorithm == "HS256" else import_key(text, _KINDS[algorithm])
        return jwt.encode(header, claims, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        raise ExecutionFailed("The private key cannot sign the assertion that the integration asks for.") from None
