"""The instants of signed assertions: never issued in the future of a peer whose clock is a little behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from services.integrations.definitions.model import AuthConfig
from services.integrations.signing.assertions import signed_assertion

SECRET = "a-secret-of-thirty-two-characters"
NOW = 1_762_050_000_000


@given(at=st.integers(NOW, NOW * 2), lifetime=st.none() | st.integers(10, 3_600))
def test_the_life_of_an_assertion(at: int, lifetime: int | None) -> None:
    """It lasts what is said, of which a minute has passed; of a life below two minutes, half of it."""
    config = AuthConfig(algorithm="HS256", lifetime_seconds=lifetime)
    text = signed_assertion(config, {"privateKey": SECRET}, at)
    claims = jwt.decode(text, OctKey.import_key(SECRET), algorithms=["HS256"]).claims
    lasting, now = lifetime or 300, at // 1000
    assert claims["exp"] - claims["iat"] == lasting
    assert now - claims["iat"] == (60 if lasting >= 120 else lasting // 2)
    assert claims["exp"] - now >= lasting / 2
