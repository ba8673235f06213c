"""Which JWT of an issuer is an access token: it says so (RFC 9068), or at least nothing says that it is another.

An issuer signs ID tokens and others with the same keys. They were made for a client to read, travel on other ways, and
let nobody in here (RFC 8725 section 3.12).
"""

from collections.abc import Mapping
from typing import Any

from app.errors import InvalidToken
from app.settings import OidcIssuer

ACCESS = "at+jwt"
#: Only an ID token carries a hash of what was given beside it (OpenID Connect Core, 3.1.3.6 and 3.3.2.11).
_OF_ID_TOKENS = ("at_hash", "c_hash", "s_hash")
#: What Keycloak calls its tokens in the claim `typ`, those that are no access token.
_OTHER_KINDS = frozenset({"id", "refresh", "offline", "logout"})
_BEARER = "bearer"


def check_type(header: Mapping[str, Any], claims: Mapping[str, Any], issuer: OidcIssuer) -> None:
    """Raises InvalidToken for what is no access token of the issuer, by its `token_types` and by its claims."""
    found = _type_of(header)
    if found not in issuer.token_types:
        shown = "has no typ" if found == "absent" else "is of another type"
        allowed = ", ".join(issuer.token_types)
        raise InvalidToken(f"The bearer token is not valid: it {shown}; this server takes {allowed} of its issuer.")
    if found != ACCESS and (sign := _sign_of_another(claims)) is not None:
        raise InvalidToken(f"The bearer token is not valid: by its {sign} it is no access token.")


def _type_of(header: Mapping[str, Any]) -> str:
    """As RFC 7515 section 4.1.9 compares it: without `application/`, in whatever case."""
    if "typ" not in header:
        return "absent"
    kind = str(header["typ"]).lower().removeprefix("application/")
    return "JWT" if kind == "jwt" else ACCESS if kind == ACCESS else ""


def _sign_of_another(claims: Mapping[str, Any]) -> str | None:
    """The claim by which it is an ID token or another; an access token of an older Keycloak has a nonce too."""
    kind = str(claims.get("typ", "")).lower()
    if kind in _OTHER_KINDS:
        return "typ"
    # Amazon Cognito's word for it.
    if claims.get("token_use", "access") != "access":
        return "token_use"
    if "nonce" in claims and kind != _BEARER:
        return "nonce"
    return next((name for name in _OF_ID_TOKENS if name in claims), None)
