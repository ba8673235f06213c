"""The keys of a foreign issuer: read once, found when they rotate, and never our failure."""

import asyncio
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from app.auth.tokens import BuiltInKeys, JwksKeys, TokenVerifier
from tests.auth.clocks import ShiftedClock
from tests.auth.forging import claims_of
from tests.auth.issuers.asking import refusal, unavailable, viewer
from tests.auth.provider import DISCOVERY, JWKS, Provider, provider
from tests.world import World

pytestmark = pytest.mark.node
MEBIBYTE = 1_048_576


# --- the issuer's keys ---------------------------------------------------------------------------------


async def test_an_unknown_key_is_asked_for_once(world: World, issuer: Provider, clock: ShiftedClock) -> None:
    """Tokens of made-up keys make the server ask the issuer at most once in 30 seconds, however many come."""
    good = await issuer.token(tenant_id=str(world.tenant))
    await viewer(world, good)
    read = await issuer.seen(JWKS)
    for asked in (1, 2):
        clock.advance(31)
        forged = []
        for _ in range(20):
            key = OKPKey.generate_key("Ed25519", auto_kid=True)
            forged.append(jwt.encode({"alg": "EdDSA", "kid": key.kid}, claims_of(good), key, algorithms=["EdDSA"]))
        await asyncio.gather(*(refusal(world, token) for token in forged))
        assert await issuer.seen(JWKS) == read + asked
    assert (await viewer(world, good))["subject"] == "robot"


async def test_the_keys_are_read_once_for_many(world: World, issuer: Provider) -> None:
    """Fifty first requests at the same moment are one question to the issuer."""
    tokens = [await issuer.token(tenant_id=str(world.tenant), user_id=f"u{number}") for number in range(50)]
    read = await issuer.seen(JWKS)
    assert {(await found)["subject"] for found in asyncio.as_completed([viewer(world, one) for one in tokens])} == {
        f"u{number}" for number in range(50)
    }
    assert await issuer.seen(JWKS) == read + 1


async def test_rotated_keys_are_found(world: World, issuer: Provider, clock: ShiftedClock) -> None:
    """A token of a new key is good as soon as the keys are read again; one of the old key is not any more."""
    old = await issuer.token(tenant_id=str(world.tenant), user_id="old")
    await viewer(world, old)
    await issuer.rotate()
    new = await issuer.token(tenant_id=str(world.tenant), user_id="new")
    await refusal(world, new)
    clock.advance(31)
    assert (await viewer(world, new))["subject"] == "new"
    await refusal(world, old)


async def test_keys_are_kept_an_hour(world: World, issuer: Provider, clock: ShiftedClock) -> None:
    """Known keys are not asked for again within the hour, and are after it."""
    tokens = [await issuer.token(tenant_id=str(world.tenant), user_id=f"u{number}", ttl=9_000) for number in range(3)]
    await viewer(world, tokens[0])
    read = await issuer.seen(JWKS)
    clock.advance(3_500)
    await viewer(world, tokens[1])
    assert await issuer.seen(JWKS) == read
    clock.advance(200)
    await viewer(world, tokens[2])
    assert await issuer.seen(JWKS) == read + 1


GARBAGE = [
    {"status": 500, "body": "{}"},
    {"status": 404, "body": "{}"},
    {"status": 204},
    {"body": "<html>"},
    {"body": "null"},
    {"body": "[]"},
    {"body": "{}"},
    {"body": '{"keys": null}'},
    {"body": '{"keys": []}'},
    {"body": '{"keys": [1, "x", {"kty": "RSA"}, {"kty": ["oct"]}]}'},
    {"body": '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}'},
    {"body": "[" * 200_000},
    {"body": '{"keys": [' + " " * (2 * MEBIBYTE) + "]}"},
    {"hang": True},
]


@pytest.mark.parametrize("path", [JWKS, DISCOVERY])
@pytest.mark.parametrize("instead", GARBAGE, ids=[str(number) for number in range(len(GARBAGE))])
async def test_garbage_for_keys_is_not_our_failure(
    world: World, issuer: Provider, clock: ShiftedClock, path: str, instead: Any
) -> None:
    """Unreadable, huge, deep or never-ending: the part is unavailable, nothing fails, and it recovers by itself."""
    token = await issuer.token(tenant_id=str(world.tenant))
    await issuer.answer(path, **instead)
    await unavailable(world, token)
    asked = await issuer.seen(path)
    await asyncio.gather(*(unavailable(world, token) for _ in range(10)))
    assert await issuer.seen(path) == asked, "a failure too is kept for a moment"
    await issuer.answer()
    clock.advance(6)
    await viewer(world, token)


async def test_the_document_must_be_the_issuers_own(world: World, issuer: Provider, clock: ShiftedClock) -> None:
    """OpenID Connect Discovery, section 4.3: `issuer` in it is the configured one, to the letter."""
    token = await issuer.token(tenant_id=str(world.tenant))
    for named in ("https://evil.example", f"{issuer.url}/", issuer.url.upper(), None, 5):
        document = {"issuer": named, "jwks_uri": f"{issuer.url}{JWKS}"}
        await issuer.answer(DISCOVERY, body=json.dumps(document))
        asked = await issuer.seen(JWKS)
        assert "names another issuer" in await unavailable(world, token)
        assert await issuer.seen(JWKS) == asked
        clock.advance(6)
    await issuer.answer(DISCOVERY, body=json.dumps({"issuer": issuer.url, "jwks_uri": f"{issuer.url}{JWKS}"}))
    await viewer(world, token)


# The short key is one of the strange ones.
@pytest.mark.filterwarnings("ignore:Key size should be >= 112 bits")
async def test_one_strange_key_does_not_spoil_the_others(world: World, issuer: Provider) -> None:
    """Keys of a kind, a curve or a shape that is not understood are left out (RFC 7517 section 5)."""
    strange: list[Any] = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE"},
        {"kty": "RSA", "e": "AQAB"},
        {"kty": "oct", "k": "c2VjcmV0"},
        7,
    ]
    keys = [*strange, *issuer.keys.as_dict(private=False)["keys"]]
    await issuer.answer(JWKS, body=json.dumps({"keys": keys}))
    for algorithm in ("RS256", "ES256", "EdDSA"):
        await viewer(world, await issuer.token(algorithm=algorithm, tenant_id=str(world.tenant)))


async def test_keys_outlive_a_short_outage(world: World, issuer: Provider, clock: ShiftedClock) -> None:
    """What was read serves one more hour while the issuer is away; only unknown keys are unavailable, then all."""
    tokens = [await issuer.token(tenant_id=str(world.tenant), user_id=f"u{number}", ttl=20_000) for number in range(4)]
    await viewer(world, tokens[0])
    await issuer.answer(JWKS, status=503)
    clock.advance(3_700)
    asked = await issuer.seen(JWKS)
    await viewer(world, tokens[1])
    await viewer(world, tokens[2])
    assert await issuer.seen(JWKS) == asked + 1
    stranger = OKPKey.generate_key("Ed25519", auto_kid=True)
    header = {"alg": "EdDSA", "kid": stranger.kid}
    await unavailable(world, jwt.encode(header, claims_of(tokens[0]), stranger, algorithms=["EdDSA"]))
    clock.advance(3_700)
    await unavailable(world, tokens[3])


async def test_an_issuer_that_is_away_comes_back(served: Any, world: World, clock: ShiftedClock) -> None:
    """Nothing listens: unavailable, while the server's own tokens work; once it is there, its tokens do too."""
    app, _ = served
    with provider() as started:
        token = await started.token(tenant_id=str(world.tenant))
        port = int(started.url.rpartition(":")[2])
    trusted = type(app.settings.oidc_issuers[0])(started.url, "dovetail")
    own = BuiltInKeys(app.runtime.signing_key, app.settings)
    app.runtime.verifier = TokenVerifier([own, JwksKeys(trusted, app.runtime._fetch_json, clock)], clock)
    await unavailable(world, token)
    assert (await viewer(world, world.token("viewer")))["roles"] == ["viewer"]
    with provider(started.keys, port):
        clock.advance(6)
        assert (await viewer(world, token))["subject"] == "robot"
