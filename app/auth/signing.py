"""The built-in issuer: one Ed25519 key, made at first start, and the tokens that it signs."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

from app import base64url
from app.clock import SECOND, Clock
from app.ids import new_id
from app.keyfiles import read_or_create
from app.settings import Settings, SettingsError

# RFC 9864 renames EdDSA to Ed25519; verifiers in the field still know only the old name.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

ALGORITHM: Final = "EdDSA"


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is to say. `ttl_seconds` counts from now."""

    tenant: UUID
    user_id: str
    roles: Sequence[str] = ()
    permissions: Sequence[str] = ()
    tier: str = "standard"
    ttl_seconds: int


def _make_key() -> bytes:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM})
    key.ensure_kid()
    return json.dumps(key.as_dict(private=True), sort_keys=True).encode()


def signing_key(folder: Path) -> OKPKey:
    """The issuer's private key (RFC 8037), read from or made in `signing.json`."""
    path = folder / "signing.json"
    try:
        key = OKPKey.import_key(json.loads(read_or_create(path, _make_key)))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"{path} is no Ed25519 key as a JWK (RFC 8037)") from error
    if not key.is_private or key.curve_name != "Ed25519":
        raise SettingsError(f"{path} must hold a private Ed25519 key as a JWK (RFC 8037)")
    return key


def issue_token(key: OKPKey, settings: Settings, clock: Clock, request: TokenRequest) -> str:
    """A signed JWT (RFC 7519) with the claims of the contract plus iss, aud, iat, exp, jti."""
    now = clock.now_ms() // SECOND
    claims = {
        "iss": settings.token_issuer,
        "aud": settings.token_audience,
        "iat": now,
        "exp": now + request.ttl_seconds,
        "jti": base64url.encode(new_id().bytes),
        "user_id": request.user_id,
        "tenant_id": str(request.tenant),
        "roles": list(request.roles),
        "permissions": list(request.permissions),
        "tier": request.tier,
    }
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
