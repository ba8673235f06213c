"""Access tokens as the known issuers make them, and what else they sign, signed with a key that is published."""

from typing import Any

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey

from app.auth.tokens import TokenVerifier
from app.clock import SECOND, SYSTEM_CLOCK
from app.errors import InvalidToken
from app.ids import new_id
from app.settings import OidcIssuer

KEY = OKPKey.generate_key("Ed25519", {"alg": "EdDSA"}, auto_kid=True)
ISSUER = "https://login.example"

ACCESS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "RFC 9068": ({"typ": "at+jwt"}, {"client_id": "c", "jti": "1"}),
    "RFC 9068, in full": ({"typ": "application/AT+JWT"}, {"client_id": "c"}),
    "with what an ID token has": ({"typ": "at+jwt"}, {"nonce": "n", "auth_time": 1, "acr": "0"}),
    "Auth0": ({"typ": "JWT"}, {"azp": "c", "scope": "openid profile", "gty": "password", "permissions": []}),
    "Okta": ({}, {"ver": 1, "cid": "c", "uid": "u", "scp": ["openid"], "auth_time": 1}),
    "Keycloak": ({"typ": "JWT"}, {"typ": "Bearer", "azp": "c", "acr": "1", "sid": "s", "preferred_username": "ada"}),
    "Keycloak of before 24": ({"typ": "JWT"}, {"typ": "Bearer", "azp": "c", "nonce": "n", "session_state": "s"}),
    "Entra": ({"typ": "JWT", "x5t": "x"}, {"ver": "2.0", "scp": "access", "azp": "c", "idtyp": "user"}),
    "Cognito": ({}, {"token_use": "access", "client_id": "c", "scope": "openid"}),
}
OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Auth0's ID token": ({"typ": "JWT"}, {"nonce": "n", "sid": "s", "email": "ada@example.org"}),
    "Okta's ID token": ({}, {"ver": 1, "amr": ["pwd"], "idp": "i", "at_hash": "h"}),
    "Keycloak's ID token": ({"typ": "JWT"}, {"typ": "ID", "azp": "c"}),
    "Keycloak's refresh token": ({"typ": "JWT"}, {"typ": "Refresh"}),
    "Cognito's ID token": ({}, {"token_use": "id"}),
    "a hybrid flow's ID token": ({"typ": "JWT"}, {"c_hash": "h"}),
    "a logout token": ({"typ": "logout+jwt"}, {"events": {}}),
    "a security event": ({"typ": "secevent+jwt"}, {}),
    "a typed ID token": ({"typ": "id_token+jwt"}, {}),
    "nothing": ({"typ": ""}, {}),
}


class Published:
    """One key, and an issuer of the given types."""

    def __init__(self, **given: Any) -> None:
        self.issuer = OidcIssuer(ISSUER, "dovetail", **given)

    async def keys(self, kid: str | None) -> KeySet:
        return KeySet([KEY])


async def verify(header: dict[str, Any], claims: dict[str, Any], **given: Any) -> str:
    """The subject of a token that is good but for its type."""
    common = {"iss": ISSUER, "aud": "dovetail", "sub": "ada", "tenant_id": str(new_id())}
    common["exp"] = SYSTEM_CLOCK.now_ms() // SECOND + 60  # type: ignore[assignment]
    # What makes JWTs adds a `typ` of its own where there is none.
    whole, payload = {"alg": "EdDSA", "kid": KEY.kid, **header}, msgspec.json.encode(common | claims)
    token = jws.serialize_compact(whole, payload, KEY, algorithms=["EdDSA"])
    raw = token if "typ" in header else _without_typ(common | claims)
    return (await TokenVerifier([Published(**given)], SYSTEM_CLOCK).verify(raw)).subject


def _without_typ(claims: dict[str, Any]) -> str:
    import msgspec
    from joserfc import jws

    header = {"alg": "EdDSA", "kid": KEY.kid}
    return jws.serialize_compact(header, msgspec.json.encode(claims), KEY, algorithms=["EdDSA"])


@pytest.mark.parametrize("name", ACCESS)
async def test_access_tokens_let_in(name: str) -> None:
    """As they come from the issuers that people have, without any setting."""
    assert await verify(*ACCESS[name]) == "ada"


@pytest.mark.parametrize("name", OTHERS)
async def test_other_tokens_do_not(name: str) -> None:
    """However good their signature, issuer and audience."""
    with pytest.raises(InvalidToken, match=r"no access token|another type"):
        await verify(*OTHERS[name])


@pytest.mark.parametrize("name", ACCESS)
async def test_an_issuer_may_be_held_to_one_type(name: str) -> None:
    """`token_types` is an allow-list: with `at+jwt` alone, only what says that it is an access token."""
    header, claims = ACCESS[name]
    if header.get("typ", "").lower().endswith("at+jwt"):
        assert await verify(header, claims, token_types=("at+jwt",)) == "ada"
    else:
        with pytest.raises(InvalidToken, match=r"this server takes at\+jwt of its issuer"):
            await verify(header, claims, token_types=("at+jwt",))
