"""Built-in tokens: what they say, how long they hold, and every way in which they are none."""

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey

from app.auth.principal import Principal
from app.auth.signing import TokenRequest, issue_token
from app.auth.tokens import LEEWAY_SECONDS, LONGEST, BuiltInKeys, TokenVerifier
from app.clock import HOUR, SECOND, SettableClock
from app.errors import InvalidToken, Unauthenticated
from app.ids import new_id
from app.settings import OidcIssuer, Settings
from services.access.callers import bearer
from tests.auth.forging import claims_of, encoded, tampered, unsigned
from tests.world import World

DERANDOMIZED = settings(derandomize=True, max_examples=300, deadline=None)
TENANT = UUID("0190b0c5-0000-7000-8000-000000000001")
#: The key of RFC 8037 appendix A: always the same, so that the tests' names are.
KEY = OKPKey.import_key(
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "rfc8037",
        "use": "sig",
        "alg": "EdDSA",
    }
)
SETTINGS = Settings()


class Issuer:
    """An issuer and its verifier on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = SettableClock()
        self.verifier = TokenVerifier([BuiltInKeys(KEY, SETTINGS)], self.clock)

    @property
    def now(self) -> int:
        return self.clock.now_ms() // SECOND

    def issue(self, **given: Any) -> str:
        request = TokenRequest(**{"tenant": TENANT, "user_id": "ada", "ttl_seconds": 600} | given)
        return issue_token(KEY, SETTINGS, self.clock, request)

    def sign(self, *, without: str = "", header: Any = None, **claims: Any) -> str:
        """A token with these claims over the usual ones, signed by the server's own key."""
        said = claims_of(self.issue()) | claims
        said.pop(without, None)
        return jwt.encode({"alg": "EdDSA", "kid": KEY.kid} | (header or {}), said, KEY, algorithms=["EdDSA"])

    async def reason(self, token: str) -> str:
        with pytest.raises(InvalidToken) as refused:
            await self.verifier.verify(token)
        return refused.value.message


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


# --- what a token says -----------------------------------------------------------------------------------


async def test_a_token_comes_back_as_who_it_was_made_for(issuer: Issuer) -> None:
    """Tenant, user, roles, permissions and tier; and each token has an id of its own."""
    token = issuer.issue(roles=["approver"], permissions=["people.write"], tier="premium")
    found = await issuer.verifier.verify(token)
    assert (found.tenant, found.subject, found.kind, found.authn) == (TENANT, "ada", "user", "bearer")
    assert (found.roles, found.tier) == (("approver",), "premium")
    assert found.holds("promotions.approve") and found.holds("people.write") and not found.holds("tenants.admin")
    assert claims_of(token)["jti"] != claims_of(issuer.issue())["jti"]


async def test_the_names_of_issuer_and_audience_are_settings() -> None:
    """Two servers with the same key but other names do not take each other's tokens."""
    clock = SettableClock()
    named = Settings(token_issuer="https://a.example", token_audience="a")
    token = issue_token(KEY, named, clock, TokenRequest(tenant=TENANT, user_id="ada", ttl_seconds=60))
    assert await TokenVerifier([BuiltInKeys(KEY, named)], clock).verify(token)
    for other in (SETTINGS, Settings(token_issuer="https://a.example", token_audience="b")):
        with pytest.raises(InvalidToken):
            await TokenVerifier([BuiltInKeys(KEY, other)], clock).verify(token)


# --- how long it holds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("warm", [False, True])
@DERANDOMIZED
@given(ttl=st.integers(1, 90), waited=st.integers(0, 200_000))
async def test_a_token_holds_until_exp_and_the_leeway(warm: bool, ttl: int, waited: int) -> None:
    """To the second, and the same whether the token was seen before: what is remembered never outlives `exp`."""
    issuer = Issuer()
    token = issuer.issue(ttl_seconds=ttl)
    if warm:
        await issuer.verifier.verify(token)
    issuer.clock.advance(waited)
    if issuer.now < claims_of(token)["exp"] + LEEWAY_SECONDS:
        assert await issuer.verifier.verify(token)
    else:
        assert "expired" in await issuer.reason(token)


async def test_a_remembered_token_is_not_checked_again_within_30_seconds(issuer: Issuer) -> None:
    """The price of a signature is paid once in a while, not with each request."""
    token = issuer.issue()
    first = await issuer.verifier.verify(token)
    issuer.clock.advance(29 * SECOND)
    assert await issuer.verifier.verify(token) is first
    issuer.clock.advance(2 * SECOND)
    assert await issuer.verifier.verify(token) is not first


async def test_a_clock_that_jumps_ahead_ends_a_token_at_once(issuer: Issuer) -> None:
    """A laptop that slept: its monotonic clock stood still, and yet the token that it remembers is over."""
    token = issuer.issue(ttl_seconds=600)
    await issuer.verifier.verify(token)
    issuer.clock.jump(HOUR)
    assert "expired" in await issuer.reason(token)


async def test_a_clock_that_jumps_back_does_not_lengthen_what_is_remembered(issuer: Issuer) -> None:
    """The token counts as issued in the future, so it is refused as soon as it is looked at again."""
    token = issuer.issue(ttl_seconds=600)
    await issuer.verifier.verify(token)
    issuer.clock.jump(-HOUR)
    assert await issuer.verifier.verify(token)
    issuer.clock.advance(31 * SECOND)
    assert "future" in await issuer.reason(token)


@pytest.mark.parametrize(
    ("claim", "offset", "good"),
    [
        ("nbf", LEEWAY_SECONDS - 1, True),
        ("nbf", LEEWAY_SECONDS + 1, False),
        ("iat", LEEWAY_SECONDS - 1, True),
        ("iat", LEEWAY_SECONDS + 1, False),
        ("iat", -10_000_000, True),
        ("exp", -LEEWAY_SECONDS + 1, True),
        ("exp", -LEEWAY_SECONDS - 1, False),
    ],
)
async def test_clocks_may_differ_by_the_leeway(issuer: Issuer, claim: str, offset: int, good: bool) -> None:
    """30 seconds for `nbf`, `iat` and `exp` alike, and not one more."""
    token = issuer.sign(**{claim: issuer.now + offset})
    if good:
        assert await issuer.verifier.verify(token)
    else:
        await issuer.reason(token)


# --- claims that do not fit ----------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "tenant_id", "user_id"])
async def test_a_claim_that_is_needed_is_missed(issuer: Issuer, claim: str) -> None:
    """The message says which one, so that whoever runs the issuer can put it right."""
    reason = await issuer.reason(issuer.sign(without=claim))
    assert claim in reason or "issuer" in reason


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": []},
        {"aud": ["dovetail ", "DOVETAIL"]},
        {"aud": {"dovetail": 1}},
        {"aud": None},
        {"aud": 5},
        {"iss": "Dovetail"},
        {"iss": ["dovetail"]},
        {"iss": None},
        {"iss": {"a": 1}},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": None},
        {"exp": []},
        {"nbf": "soon"},
        {"iat": {}},
        {"tenant_id": ""},
        {"tenant_id": 5},
        {"tenant_id": [str(TENANT)]},
        {"user_id": ""},
        {"user_id": 0, "sub": ""},
        {"user_id": "a\x00b"},
        {"user_id": "line\nbreak"},
    ],
    ids=str,
)
async def test_claims_of_the_wrong_kind_are_refused(issuer: Issuer, claims: Any) -> None:
    """Signed by the right key, and yet each is refused with a sentence, never an unexpected exception."""
    await issuer.reason(issuer.sign(**claims))


@pytest.mark.parametrize("exp", [10**400, 1e300, 2**63, 1e15])
async def test_a_far_future_is_no_failure(issuer: Issuer, exp: Any) -> None:
    """A number that no clock reaches is either too large or good; it is remembered for 30 seconds at most."""
    token = issuer.sign(exp=exp)
    first = await issuer.verifier.verify(token)
    issuer.clock.advance(31 * SECOND)
    assert await issuer.verifier.verify(token) is not first


async def test_a_token_may_be_for_several(issuer: Issuer) -> None:
    """`aud` may be a list with this server in it (RFC 7519 section 4.1.3)."""
    assert await issuer.verifier.verify(issuer.sign(aud=["another", SETTINGS.token_audience]))


@DERANDOMIZED
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
                max_leaves=5,
            )
            for name in ("roles", "permissions", "tier", "kind", "name", "user_id", "sub", "tenant_id", "jti", "nbf")
        },
    )
)
async def test_whatever_a_trusted_issuer_says(claims: dict[str, Any]) -> None:
    """Either a principal of the right shape or a refusal; strange roles never give what the table does not."""
    issuer = Issuer()
    try:
        found = await issuer.verifier.verify(issuer.sign(**claims))
    except InvalidToken:
        return
    assert isinstance(found, Principal)
    assert found.tier in ("standard", "premium") and found.kind in ("user", "service")
    assert found.subject.isprintable() and (found.name is None or found.name.isprintable())
    assert all(isinstance(role, str) for role in found.roles)


# --- what is no token ------------------------------------------------------------------------------------------


async def test_a_token_has_its_length(issuer: Issuer) -> None:
    """8192 characters are read, one more is refused before anything is computed."""
    token = issuer.sign(pad="")
    longer = issuer.sign(pad="x" * ((LONGEST - len(token)) * 3 // 4 - 2))
    assert LONGEST - 8 <= len(longer) <= LONGEST
    assert await issuer.verifier.verify(longer)
    assert "longer" in await issuer.reason("x" * (LONGEST + 1))
    assert "longer" in await issuer.reason(issuer.sign(pad="x" * LONGEST))


GOOD = {"alg": "EdDSA", "kid": KEY.kid}
CLAIMS = {"iss": "dovetail", "aud": "dovetail", "exp": 9_999_999_999, "tenant_id": str(TENANT), "user_id": "ada"}


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d.e", "\x00.\x00.\x00", "é.é.é", "\udcff.\udcff.\udcff", "😀" * 9,
        unsigned(GOOD, b"[" * 6_000), unsigned(GOOD, b'{"a":' * 1_000), unsigned(b"[" * 6_000, {}),
        unsigned(GOOD, b'{"iss":"dovetail","exp":' + b"9" * 5_000 + b"}"), unsigned(GOOD, b'{"exp":1e999}'),
        unsigned(GOOD, b'{"exp":NaN}'), unsigned(GOOD, b"\xff"), unsigned(GOOD, []), unsigned(GOOD, "text"),
        unsigned([], CLAIMS), unsigned("x", CLAIMS), unsigned({}, CLAIMS), unsigned({"alg": None}, CLAIMS, "AA"),
        unsigned({"alg": ["EdDSA"]}, CLAIMS, "AA"), unsigned({"alg": {"EdDSA": 1}}, CLAIMS, "AA"),
        unsigned({"alg": "none"}, CLAIMS), unsigned({"alg": "HS256", "kid": KEY.kid}, CLAIMS, "AA"),
        unsigned(GOOD | {"kid": 5}, CLAIMS, "AA"), unsigned(GOOD | {"kid": ["x"]}, CLAIMS, "AA"),
        unsigned(GOOD | {"kid": "another"}, CLAIMS, "AA"), unsigned(GOOD | {"kid": "é😀"}, CLAIMS, "AA"),
        unsigned(GOOD | {"crit": ["x"], "x": 1}, CLAIMS, "AA"), unsigned(GOOD | {"crit": 7}, CLAIMS, "AA"),
        unsigned(GOOD | {"b64": False, "crit": ["b64"]}, CLAIMS, "AA"), unsigned(GOOD | {"zip": "DEF"}, CLAIMS, "AA"),
        unsigned(GOOD, CLAIMS, "!!"), unsigned(GOOD, CLAIMS, "A"), unsigned(GOOD, CLAIMS, encoded(bytes(64))),
    ],
)  # fmt: skip
async def test_what_is_no_token_is_refused(issuer: Issuer, token: str) -> None:
    """Hostile text is answered with a sentence, whatever it costs the parser; never with a failure of ours."""
    assert await issuer.reason(token)


@DERANDOMIZED
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode()), st.binary(max_size=80))
@example(b"[" * 5_000, b"")
@example(b'{"iss":"dovetail"}', bytes(64))
async def test_any_bytes_at_all_are_refused(payload: bytes, signature: bytes) -> None:
    """No payload and no signature that the key did not make."""
    issuer = Issuer()
    await issuer.reason(unsigned(GOOD, payload, encoded(signature)))
    await issuer.reason(unsigned(payload, CLAIMS, encoded(signature)))
    await issuer.reason(payload.decode("utf-8", "surrogateescape"))


BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@DERANDOMIZED
@given(place=st.floats(0, 1, exclude_max=True), shift=st.integers(1, 63))
async def test_any_one_changed_character_is_refused(place: float, shift: int) -> None:
    """In the header, the claims or the signature; but for the last of each, which has bits that nobody reads."""
    issuer = Issuer()
    token = issuer.issue(roles=["viewer"])
    read = [at for at, (one, after) in enumerate(pairwise(token)) if "." not in (one, after)]
    at = read[int(place * len(read))]
    other = BASE64URL[(BASE64URL.index(token[at]) + shift) % 64]
    await issuer.reason(token[:at] + other + token[at + 1 :])


async def test_another_key_does_not_sign(issuer: Issuer) -> None:
    """Another Ed25519 key, also under this key's id."""
    other = OKPKey.generate_key("Ed25519", auto_kid=True)
    claims = claims_of(issuer.issue())
    for kid in (other.kid, KEY.kid):
        await issuer.reason(jwt.encode({"alg": "EdDSA", "kid": kid}, claims, other, algorithms=["EdDSA"]))
    await issuer.reason(tampered(issuer.issue(), roles=["admin"]))


async def test_an_issuer_has_its_own_keys_and_algorithms() -> None:
    """A foreign key does not sign built-in tokens, although the server trusts it for its own issuer."""

    class Foreign(BuiltInKeys):
        def __init__(self, key: OKPKey) -> None:
            super().__init__(key, SETTINGS)
            self.issuer = OidcIssuer("https://foreign.example", "dovetail")

    foreign = OKPKey.generate_key("Ed25519", {"alg": "EdDSA"}, auto_kid=True)
    issuer = Issuer()
    verifier = TokenVerifier([BuiltInKeys(KEY, SETTINGS), Foreign(foreign)], issuer.clock)
    claims = claims_of(issuer.issue())
    own = jwt.encode({"alg": "EdDSA"}, claims | {"iss": "https://foreign.example"}, foreign, algorithms=["EdDSA"])
    assert await verifier.verify(own)
    with pytest.raises(InvalidToken):
        await verifier.verify(jwt.encode({"alg": "EdDSA", "kid": foreign.kid}, claims, foreign, algorithms=["EdDSA"]))


async def test_memory_is_bounded(issuer: Issuer) -> None:
    """However many good tokens come, only so many are remembered, and none that is refused."""
    for number in range(5):
        await issuer.reason(tampered(issuer.issue(), user_id=str(number)))
    assert len(issuer.verifier._verified) == 0
    found = await issuer.verifier.verify(issuer.issue())
    for number in range(5_000):
        issuer.verifier._remember(str(number).encode(), found, 1e15)
    assert len(issuer.verifier._verified) == 4_096


# --- the header --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "token", "Bearer\ttoken", "\u00a0"])
def test_without_a_bearer_header_nobody_is_named(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        bearer(header)


@pytest.mark.parametrize("header", ["Bearer x", "bearer x", "BEARER   x  "])
def test_the_scheme_is_read_in_any_case(header: str) -> None:
    """RFC 9110 section 11.1."""
    assert bearer(header) == "x"


@pytest.mark.parametrize(
    "value",
    [b"Bearer \xff\xfe", "Bearer é".encode(), b"Bearer " + b"[" * 7_000, b"Bearer a.b.c", b"Bearer " + b"x" * 20_000,
     b"Bearer " + unsigned(GOOD, b"[" * 6_000).encode(), b"Basic \xff", b"\xc3\x28"],
)  # fmt: skip
async def test_strange_headers_are_401_at_the_server(world: World, value: bytes) -> None:
    """Raw bytes of any kind in the Authorization header are the caller's fault, not a 500."""
    answer = await world.client.post(
        "/graphql", json={"query": "{ viewer { subject } }"}, headers=[(b"authorization", value)]
    )
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] in ("INVALID_TOKEN", "UNAUTHENTICATED")


async def test_a_tenant_that_is_not_here_is_refused(world: World) -> None:
    """A token of this server's own key for a tenant that it does not have."""
    answer = await world.graphql("{ viewer { subject } }", world.token("admin", tenant=new_id()))
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "INVALID_TOKEN")
