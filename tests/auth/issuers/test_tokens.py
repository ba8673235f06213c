"""Tokens of a foreign issuer, the certified `oidc-provider`, at /graphql of the whole application."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey, RSAKey

from app.auth.scopes import ROLES
from app.ids import new_id
from tests.auth.clocks import ShiftedClock
from tests.auth.forging import claims_of, tampered, unsigned, with_hmac
from tests.auth.issuers.asking import VIEWER, refusal, viewer
from tests.auth.provider import DISCOVERY, JWKS, Provider
from tests.world import World, running

pytestmark = pytest.mark.node


# --- let in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_real_token_lets_in(world: World, issuer: Provider, algorithm: str) -> None:
    """Everything about the caller comes from the token's claims, whichever algorithm signed it."""
    claims = {"user_id": "ada", "tenant_id": str(world.tenant), "roles": ["viewer"], "name": "Ada"}
    token = await issuer.token(algorithm=algorithm, **claims)
    found = await viewer(world, token)
    assert found["scopes"] == sorted(str(scope) for scope in ROLES["viewer"])
    del found["scopes"]
    assert found == {
        "subject": "ada",
        "tenantId": str(world.tenant),
        "roles": ["viewer"],
        "tier": "standard",
        "kind": "user",
        "name": "Ada",
        "authn": "bearer",
    }


async def test_the_settings_name_the_issuer(issuer: Provider, tmp_path: Path) -> None:
    """What `oidc_issuers` says is trusted by the application as it is composed, on the machine's own clock."""
    trusted = [{"issuer": issuer.url, "audience": "dovetail", "roles_claim": "groups", "subject_claim": "email"}]
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    async with running(url, tmp_path, oidc_issuers=trusted, egress_allow=["127.0.0.1"]) as (app, client):
        world = await World(app, client).open()
        claims = {
            "tenant_id": str(world.tenant),
            "groups": ["approver"],
            "email": "ada@example.org",
            "roles": ["admin"],
        }
        found = await viewer(world, await issuer.token(**claims))
    assert (found["subject"], found["roles"]) == ("ada@example.org", ["approver"])


@pytest.mark.parametrize("permissions", [["people.read", "audit.read"], "people.read audit.read"])
async def test_permissions_are_a_list_or_words(world: World, issuer: Provider, permissions: Any) -> None:
    """Single scopes come as a JSON list or as words in one text, as `scope` does (RFC 8693 section 4.2)."""
    found = await viewer(world, await issuer.token(tenant_id=str(world.tenant), permissions=permissions))
    assert found["scopes"] == ["audit.read", "people.read"]


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": ["king", "ADMIN", "viewer ", "*", "", None, 5, ["viewer"]]},
        {"roles": {"viewer": True}},
        {"roles": 7},
        {"permissions": ["*", "people.*", "people.fly", "PEOPLE.READ", {"a": 1}]},
        {"permissions": {"people.read": True}},
        {"scope": "people.read", "scopes": ["people.read"], "role": "admin"},
        {},
    ],
)
async def test_what_the_table_does_not_know_gives_nothing(world: World, issuer: Provider, claims: Any) -> None:
    """Unknown names and strange shapes are no error and no right; the caller is in, with nothing in hand."""
    token = await issuer.token(tenant_id=str(world.tenant), **claims)
    assert (await viewer(world, token))["scopes"] == []
    answer = await world.graphql("{ people(first: 1) { totalCount } }", token)
    assert answer.json()["errors"][0]["extensions"]["code"] == "SCOPE_DENIED"


async def test_the_tier_decides_the_budget(world: World, issuer: Provider) -> None:
    """`premium` has five times the budget; any other word is the standard tier."""
    limits = {}
    for tier in ("standard", "premium", "PREMIUM", "gold"):
        token = await issuer.token(tenant_id=str(world.tenant), user_id=tier, tier=tier)
        answer = await world.graphql(VIEWER, token)
        limits[tier] = int(answer.headers["x-ratelimit-limit"])
        assert answer.json()["data"]["viewer"]["tier"] == ("premium" if tier == "premium" else "standard")
    assert limits["premium"] == 5 * limits["standard"]
    assert limits["gold"] == limits["PREMIUM"] == limits["standard"]


async def test_a_program_is_named_by_sub(world: World, issuer: Provider) -> None:
    """Without a user claim the token's own subject acts: here the client that has no user."""
    found = await viewer(world, await issuer.token(tenant_id=str(world.tenant), kind="service"))
    assert (found["subject"], found["kind"]) == ("robot", "service")


# --- refused -----------------------------------------------------------------------------------------


async def test_another_audience_is_refused(world: World, issuer: Provider) -> None:
    """A token for another service of the same issuer is not one for this server."""
    assert "aud" in await refusal(world, await issuer.token(audience="elsewhere", tenant_id=str(world.tenant)))


async def test_an_expired_token_is_refused(world: World, issuer: Provider, clock: ShiftedClock) -> None:
    """Past `exp` and the leeway, also when the very same token was good a moment before."""
    token = await issuer.token(ttl=60, tenant_id=str(world.tenant))
    await viewer(world, token)
    clock.advance(85)
    await viewer(world, token)
    clock.advance(10)
    assert "expired" in await refusal(world, token)


async def test_an_issuer_that_is_not_trusted_is_refused(world: World, issuer: Provider, other_issuer: Provider) -> None:
    """It is not even asked for its keys; and its key does not sign for the issuer that is trusted."""
    token = await other_issuer.token(tenant_id=str(world.tenant), roles=["admin"])
    assert "no issuer that this server trusts" in await refusal(world, token)
    assert await other_issuer.seen(JWKS) == await other_issuer.seen(DISCOVERY) == 0
    forged = claims_of(token) | {"iss": issuer.url}
    for kid in (other_issuer.key("RS256").kid, issuer.key("RS256").kid):
        await refusal(world, jwt.encode({"alg": "RS256", "kid": kid}, forged, other_issuer.key("RS256")))


async def test_no_algorithm_is_refused(world: World, issuer: Provider) -> None:
    """`alg: none` in every spelling, with and without a signature (RFC 8725 section 2.1)."""
    token = await issuer.token(tenant_id=str(world.tenant))
    kid, signature = issuer.key("RS256").kid, token.split(".")[2]
    for name in ("none", "None", "NONE", "nOnE", ""):
        for end in ("", signature):
            await refusal(world, unsigned({"alg": name, "kid": kid}, claims_of(token), end))


async def test_a_public_key_is_no_shared_secret(world: World, issuer: Provider) -> None:
    """HS256 with the published RSA key as its secret is refused, in whichever form the key is taken."""
    key = issuer.key("RS256")
    claims = claims_of(await issuer.token(tenant_id=str(world.tenant), roles=["viewer"])) | {"roles": ["admin"]}
    forms = [key.as_pem(private=False), key.as_der(private=False), json.dumps(key.as_dict(private=False)).encode()]
    for secret in [*forms, forms[0].strip(), b""]:
        for algorithm in ("HS256", "RS256"):
            await refusal(world, with_hmac({"alg": algorithm, "kid": key.kid}, claims, secret))


async def test_a_key_serves_its_own_algorithm_only(world: World, issuer: Provider) -> None:
    """A key published for RS256 does not verify PS256, and no other key verifies in its name."""
    claims = claims_of(await issuer.token(tenant_id=str(world.tenant)))
    key = RSAKey.import_key({**issuer.key("RS256").as_dict(private=True), "alg": "PS256"})
    await refusal(world, jwt.encode({"alg": "PS256", "kid": key.kid}, claims, key, algorithms=["PS256"]))
    crossed = {"alg": "EdDSA", "kid": issuer.key("ES256").kid}
    await refusal(world, jwt.encode(crossed, claims, issuer.key("EdDSA"), algorithms=["EdDSA"]))


async def test_a_key_in_the_token_is_not_believed(world: World, issuer: Provider) -> None:
    """`jwk`, `jku` and `x5u` in the header are what the sender says, so they are not looked at."""
    own = OKPKey.generate_key("Ed25519", {"alg": "EdDSA"}, auto_kid=True)
    claims = claims_of(await issuer.token(tenant_id=str(world.tenant)))
    before = await issuer.seen("/mine")
    for more in ({"jwk": own.as_dict(private=False)}, {"jku": f"{issuer.url}/mine"}, {"x5u": f"{issuer.url}/mine"}):
        header = {"alg": "EdDSA", "kid": own.kid, **more}
        await refusal(world, jwt.encode(header, claims, own, algorithms=["EdDSA"]))
    assert await issuer.seen("/mine") == before


async def test_a_changed_token_is_refused(world: World, issuer: Provider) -> None:
    """Other claims, another header or another signature around a good token."""
    token = await issuer.token(tenant_id=str(world.tenant), roles=["viewer"])
    await viewer(world, token)
    await refusal(world, tampered(token, roles=["admin"]))
    await refusal(world, tampered(token, tenant_id=str(new_id())))
    header, payload, signature = token.split(".")
    await refusal(world, f"{header}.{payload}.{signature[:-4]}AAAA")
    await refusal(world, f"{header}.{payload}.")
    another = (await issuer.token(tenant_id=str(world.tenant))).split(".")[2]
    await refusal(world, f"{header}.{payload}.{another}")


@pytest.mark.parametrize("claims", [{}, {"tenant_id": None}, {"tenant_id": "acme"}, {"tenant_id": ["x"]}])
async def test_a_token_without_a_tenant_is_refused(world: World, issuer: Provider, claims: Any) -> None:
    """The tenant comes from the token alone; where it names none, there is none to act in."""
    assert "tenant_id" in await refusal(world, await issuer.token(roles=["admin"], **claims))


async def test_a_tenant_of_another_server_is_refused(world: World, issuer: Provider) -> None:
    """A well-formed tenant that this server does not have is named as the cause; nil is no tenant either."""
    for tenant in (str(new_id()), "00000000-0000-0000-0000-000000000000"):
        assert "does not have" in await refusal(world, await issuer.token(tenant_id=tenant, roles=["admin"]))


@pytest.mark.parametrize("user", ["a\x00b", "a\nb", "\u202egro.elpmaxe", 5, ["ada"], {"id": 1}])
async def test_a_user_that_cannot_be_written_down_is_refused(world: World, issuer: Provider, user: Any) -> None:
    """The subject goes into the audit history: it is a text without control characters."""
    assert "user_id" in await refusal(world, await issuer.token(tenant_id=str(world.tenant), user_id=user))
