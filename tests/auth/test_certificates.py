"""Client certificates: who may bring one, what it is, and which service it stands for."""

import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from app.auth.certificates import PRESENTED, ServiceCertificates, read_certificate
from app.auth.principal import NO_TENANT
from app.auth.proxies import TrustedProxies, behind_proxies
from app.clock import SECOND, SettableClock
from app.database import Statement
from app.errors import Unauthenticated
from app.settings import ServiceCertificate, SettingsError, load_settings
from tests.deploy.authority import DAY, NOW, Authority, Issued, name_of
from tests.graphql.clients import SocketPeer, StreamPeer
from tests.world import World, running

TENANT = UUID("0190b0c5-0000-7000-8000-00000000cafe")
CA = Authority()
BILLING = CA.client("billing")
MESH = CA.client("anything", uris=("spiffe://example.org/mesh",))
STRANGER = CA.client("stranger")
LATE = CA.client("billing", before=NOW - DAY / 2)
EARLY = CA.client("billing", after=NOW + DAY / 2)
HOMELESS = CA.client("homeless")
BOTH = CA.client("billing", uris=("spiffe://example.org/mesh",))
SERVICES: list[dict[str, Any]] = [
    {"subject": BILLING.subject, "tenant": str(TENANT), "name": "Billing", "roles": ["operator"]},
    {"subject": "spiffe://example.org/mesh", "tenant": str(TENANT), "name": "Mesh", "permissions": ["people.read"]},
    {"subject": HOMELESS.subject, "tenant": str(UUID(int=7)), "name": "Nowhere", "roles": ["admin"]},
]
VIEWER = {"query": "{ viewer { subject kind authn name tenantId scopes } }"}
PROXY = "10.1.2.3"
WATCH = "subscription { auditEvents { event { action } } }"
_EVENTS = Statement(
    "SELECT actor_id, rule, surface, outcome FROM audit_event WHERE action = {action} AND tenant = {tenant}"
)


class Front:
    """The application as the server runs it, asked from an address."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asgi = behind_proxies(world.app, world.app.settings)

    async def ask(self, *headers: tuple[str, str], peer: str = PROXY) -> httpx.Response:
        transport = httpx.ASGITransport(self.asgi, client=(peer, 4_321))
        async with httpx.AsyncClient(transport=transport, base_url="http://dovetail.test") as client:
            return await client.post("/graphql", json=VIEWER, headers=list(headers))

    async def history(self, action: str = "auth.invalid_certificate", tenant: UUID = NO_TENANT) -> list[Any]:
        await self.world.runtime.denials.flush(everything=True)
        rows = await self.world.runtime.database.fetch(_EVENTS, action=action, tenant=tenant)
        return [dict(row) for row in rows]


@pytest.fixture(scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    folder: Path = tmp_path_factory.mktemp("certificates")
    given: dict[str, Any] = {"trusted_proxies": ["10.1.0.0/16", "::1"], "service_certificates": SERVICES}
    async with running(f"sqlite:///{folder / 'db.sqlite'}", folder / "home", **given) as served:
        world = World(*served)
        world.tenant = TENANT
        yield Front(await world.open())


def cert(issued: Issued) -> tuple[str, str]:
    return "Client-Cert", issued.header


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


def message(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["message"])


async def test_a_service_by_its_subject(front: Front) -> None:
    """The certificate alone makes the principal: kind, tenant, name and scopes are those of the setting."""
    found = (await front.ask(cert(BILLING))).json()["data"]["viewer"]
    scopes = found.pop("scopes")
    assert "credentials.write" in scopes and "tenants.admin" not in scopes
    assert found == {
        "subject": "CN=billing,O=Example",
        "kind": "service",
        "authn": "certificate",
        "name": "Billing",
        "tenantId": str(TENANT),
    }


async def test_a_service_by_its_uri(front: Front) -> None:
    found = (await front.ask(cert(MESH), peer="::1")).json()["data"]["viewer"]
    assert (found["name"], found["scopes"]) == ("Mesh", ["people.read"])


@pytest.mark.parametrize("peer", ["10.2.0.1", "127.0.0.1", "203.0.113.9", "::2", "not an address"])
async def test_from_elsewhere_the_header_does_not_exist(front: Front, peer: str) -> None:
    """Whoever reaches the server past the proxy cannot say who they are, also not with made-up X-Forwarded-For."""
    answer = await front.ask(cert(BILLING), ("X-Forwarded-For", PROXY), peer=peer)
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert message(answer) == "This needs a bearer token."


async def test_the_peer_counts_and_not_what_it_forwards(tmp_path: Path) -> None:
    """X-Forwarded-For changes the client after the peer was looked at: a proxy's word holds for every client."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope.get("state", {}).get(PRESENTED), scope["headers"]))

    settings_ = load_settings({}, home=tmp_path, forwarded_allow_ips="10.1.2.3", trusted_proxies=["10.1.2.3"])
    asgi = behind_proxies(app, settings_)
    forwarded = (b"x-forwarded-for", b"203.0.113.9")
    for kind in ("http", "websocket"):
        headers = [(b"Client-Cert", b"x"), forwarded, (b"client-cert-chain", b"y")]
        await asgi({"type": kind, "client": (PROXY, 1), "headers": headers}, None, None)
        await asgi({"type": kind, "client": ("203.0.113.9", 1), "headers": list(headers)}, None, None)
    assert seen == [("203.0.113.9", (b"x",), [forwarded]), ("203.0.113.9", None, [forwarded])] * 2


async def test_an_ipv4_peer_of_an_ipv6_socket() -> None:
    """A socket on `::` shows 10.1.2.3 as ::ffff:10.1.2.3; the setting means the same machine."""
    assert TrustedProxies(None, ["10.1.2.3"])._is_trusted(("::ffff:10.1.2.3", 1))
    assert not TrustedProxies(None, ["10.1.2.3"])._is_trusted(None)


async def test_without_the_look_at_the_peer_there_is_no_certificate(front: Front) -> None:
    """Run by another server, without behind_proxies, the header is believed from nobody."""
    answer = await front.world.client.post("/graphql", json=VIEWER, headers=dict([cert(BILLING)]))
    assert answer.status_code == 401


async def test_a_token_goes_before_a_certificate(front: Front) -> None:
    """With both, the token says who asks; a token that is not valid is not rescued by the certificate."""
    token = front.world.token("viewer", user_id="ada")
    found = (await front.ask(("Authorization", f"Bearer {token}"), cert(BILLING))).json()["data"]["viewer"]
    assert (found["subject"], found["authn"]) == ("ada", "bearer")
    for wrong in ("Bearer nonsense", "Basic YTpi", ""):
        answer = await front.ask(("Authorization", wrong), cert(BILLING))
        assert answer.status_code == 401


MALFORMED = {
    "empty": "",
    "a colon": ":",
    "no bytes": "::",
    "no certificate": ":AA==:",
    "bare": BILLING.header.strip(":"),
    "unclosed": BILLING.header[:-1],
    "a parameter": f"{BILLING.header};a=1",
    "a list": f"{BILLING.header}, {BILLING.header}",
    "cut": f"{BILLING.header[:-9]}:",
    "url-safe": BILLING.header.replace("M", "-", 1),
    "a string": f'"{BILLING.header[1:-1]}"',
    "PEM": "-----BEGIN CERTIFICATE-----",
    "long": f":{'A' * 20_000}:",
    "trailing": f"{BILLING.header[:-1].rstrip('=')}AAAA:",
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_header_is_401(front: Front, value: str) -> None:
    """RFC 9440 section 2.1: one sf-binary with the DER of the certificate, and nothing else."""
    answer = await front.ask(("Client-Cert", value))
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert "Client-Cert" in message(answer)


async def test_two_headers_are_refused(front: Front) -> None:
    """Which of them the proxy made cannot be known."""
    answer = await front.ask(cert(BILLING), cert(STRANGER))
    assert (answer.status_code, message(answer)) == (401, "The request has more than one Client-Cert header.")


@pytest.mark.parametrize(
    ("issued", "rule", "says"),
    [
        (LATE, "validity", "has expired"),
        (EARLY, "validity", "not valid yet"),
        (STRANGER, "subject", "belongs to no service"),
        (HOMELESS, "tenant", "a tenant that this server does not have"),
        (BOTH, "ambiguous", "more than one service"),
    ],
    ids=["late", "early", "stranger", "homeless", "both"],
)
async def test_what_is_refused_stands_in_the_history(front: Front, issued: Issued, rule: str, says: str) -> None:
    """Also what the proxy let pass; a known service's refusal is in its tenant's history."""
    answer = await front.ask(cert(issued))
    assert answer.status_code == 401
    assert says in message(answer)
    tenant = TENANT if rule == "validity" else NO_TENANT
    found = [event for event in await front.history(tenant=tenant) if event["rule"] == rule]
    assert found and {(event["surface"], event["outcome"]) for event in found} == {("graphql", "deny")}
    assert {event["actor_id"] for event in found} == {issued.subject}


async def test_a_socket_by_certificate(front: Front) -> None:
    """The handshake carries the certificate; `connection_init` may be empty then."""
    peer = SocketPeer(lambda scope, *more: front.asgi(_from_proxy(scope, BILLING), *more))
    assert (await peer.heard())["type"] == "websocket.accept"
    peer.say(type="connection_init")
    assert await peer.said() == {"type": "connection_ack"}
    peer.say(type="subscribe", id="1", payload=VIEWER)
    assert (await peer.said())["payload"]["data"]["viewer"]["authn"] == "certificate"
    await peer.gone()


async def test_a_socket_without_or_with_an_unknown_one_is_closed(front: Front) -> None:
    for scoped in (lambda scope: scope, lambda scope: _from_proxy(scope, STRANGER)):
        peer = SocketPeer(lambda scope, *more, scoped=scoped: front.asgi(scoped(scope), *more))
        assert (await peer.heard())["type"] == "websocket.accept"
        peer.say(type="connection_init")
        assert await peer.closed() == 4403


async def test_a_stream_ends_with_its_certificate(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event asks again: what has expired hears no more."""
    runtime = front.world.runtime
    peer = StreamPeer(lambda scope, *more: front.asgi(_from_proxy(scope, BILLING), *more), WATCH)
    start = await peer.heard()
    assert start["status"] == 200
    await front.world.installation(verified=False)
    assert "installation.created" in await _event(peer)
    clock = SettableClock(runtime.clock.now_ms() + 3 * 86_400 * SECOND)
    monkeypatch.setattr(runtime._services, "_clock", clock)
    await front.world.installation(verified=False)
    assert "UNAUTHENTICATED" in await _event(peer)
    await peer.gone()


async def _event(peer: StreamPeer) -> str:
    while True:
        text = await peer.event()
        if "data" in text:
            return text


def _from_proxy(scope: Any, issued: Issued) -> Any:
    headers = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
    return dict(scope, client=(PROXY, 1), headers=[*headers, (b"client-cert", issued.header.encode())])


# --- the table of services -----------------------------------------------------------------------------


def services(*subjects: str, clock: SettableClock | None = None, **given: Any) -> ServiceCertificates:
    entries = [ServiceCertificate(subject=subject, tenant=TENANT, name=subject, **given) for subject in subjects]
    return ServiceCertificates(entries, clock or SettableClock(int(NOW.timestamp()) * SECOND))


def read(issued: Issued) -> Any:
    return read_certificate([issued.header.encode()])


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_both_key_kinds_are_read(kind: str) -> None:
    found = read(CA.client("x", kind, uris=("spiffe://a/b", "spiffe://a/c")))
    assert (found.subject, found.uris) == ("CN=x,O=Example", ("spiffe://a/b", "spiffe://a/c"))


def test_validity_holds_to_the_second() -> None:
    """Both named seconds are good (RFC 5280 section 4.1.2.5)."""
    issued, clock = CA.client("x", after=NOW, before=NOW + DAY), SettableClock(int(NOW.timestamp()) * SECOND)
    known = services(issued.subject, clock=clock)
    assert known.principal(read(issued)).authn == "certificate"
    clock.jump(86_400 * SECOND + 999)
    assert known.principal(read(issued))
    clock.jump(1)
    with pytest.raises(Unauthenticated, match="expired"):
        known.principal(read(issued))
    clock.jump(-86_400 * SECOND - 1_001)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        known.principal(read(issued))


@pytest.mark.parametrize(
    "near", ["CN=billing", "CN=Billing,O=Example", "CN=billing, O=Example", "O=Example,CN=billing"]
)
def test_a_subject_is_matched_exactly(near: str) -> None:
    with pytest.raises(Unauthenticated, match="no service"):
        services(near).principal(read(BILLING))


def test_a_uri_does_not_pass_for_a_subject_nor_a_subject_for_a_uri() -> None:
    """A CA that checks subjects may let anybody choose a URI."""
    with pytest.raises(Unauthenticated, match="no service"):
        services(BILLING.subject).principal(read(CA.client("x", uris=(BILLING.subject,))))
    with pytest.raises(Unauthenticated, match="no service"):
        services("spiffe://a/b").principal(read(CA.client("spiffe://a/b")))


@pytest.mark.parametrize("common", ["a,O=Example", "a+OU=b", 'a"b', "a\\,b", " a ", "#a", "ä\N{SNOWMAN}", "a=b;c<d>"])
def test_what_a_name_holds_cannot_become_structure(common: str) -> None:
    """RFC 4514 escapes: a common name with a comma is not two attributes."""
    found = read(CA.client(common))
    assert x509.Name.from_rfc4514_string(found.subject) == name_of(common)
    assert services(found.subject).principal(read(CA.client(common)))


def test_a_certificate_without_a_name_is_nobody() -> None:
    with pytest.raises(Unauthenticated, match="no service"):
        services("CN=x").principal(read(CA.client(x509.Name([]))))


def test_an_unusual_attribute_stands_by_its_number() -> None:
    serial = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, "17"), *name_of("x")])
    found = read(CA.client(serial))
    assert found.subject == "CN=x,O=Example,2.5.4.5=17"
    assert services(found.subject).principal(found)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.integers(0, len(BILLING.der) - 1).map(lambda at: _flipped(BILLING.der, at)))
def test_no_bytes_break_the_reader(der: bytes) -> None:
    """Whatever stands in the header is read or refused."""
    with contextlib.suppress(Unauthenticated):
        read_certificate([b":" + base64.b64encode(der) + b":"])


def _flipped(der: bytes, at: int) -> bytes:
    return der[:at] + bytes([der[at] ^ 0x55]) + der[at + 1 :]


# --- settings ----------------------------------------------------------------------------------------


def test_settings_are_read_from_json(tmp_path: Path) -> None:
    environ = {
        "DOVETAIL_SERVICE_CERTIFICATES": msgspec.json.encode(SERVICES).decode(),
        "DOVETAIL_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
    }
    found = load_settings(environ, home=tmp_path)
    assert found.service_certificates[0].tenant == TENANT
    assert found.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")


def test_settings_that_are_no_use_stop_the_start(tmp_path: Path) -> None:
    """A mistyped role would give a service nothing, and be looked for long."""
    with pytest.raises(SettingsError, match="more than once"):
        load_settings({}, home=tmp_path, service_certificates=[SERVICES[0], SERVICES[0]])
    with pytest.raises(SettingsError, match="neither an address nor a CIDR"):
        TrustedProxies(None, ["localhost"])
    with pytest.raises(SettingsError, match="neither a subject"):
        services("billing")
    with pytest.raises(SettingsError, match="unknown opertor"):
        services("CN=x", roles=("opertor",))
    with pytest.raises(SettingsError, match=r"unknown people\.red"):
        services("CN=x", permissions=("people.red",))


# --- the platform's REST surface ----------------------------------------------------------------------------


async def definitions(front: Front, *headers: tuple[str, str], method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(front.asgi, client=(PROXY, 4_321))
    async with httpx.AsyncClient(transport=transport, base_url="http://dovetail.test") as client:
        return await client.request(method, "/api/v1/integrations/definitions", headers=list(headers))


async def test_a_service_on_the_platform(front: Front) -> None:
    """Service to service with mutual TLS: the same principals, their own scopes, and the refusals of that surface."""
    assert (await definitions(front, cert(BILLING))).status_code == 200
    narrow = await definitions(front, cert(MESH))
    assert (narrow.status_code, narrow.json()["error"]["code"]) == (403, "FORBIDDEN")
    for headers in ((cert(STRANGER),), (("Client-Cert", "x"),), (cert(BILLING), ("Authorization", "Bearer x")), ()):
        refused = await definitions(front, *headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    denied = [row for row in await front.history() if row["surface"] == "rest"]
    assert denied and denied[0]["actor_id"] == STRANGER.subject
