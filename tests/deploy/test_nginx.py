"""deploy/nginx.conf in the real nginx, before the real server: who gets through, as whom, and with what."""

import http.client
import json
import sqlite3
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.auth.credentials import new_key
from tests.deploy.authority import DAY, NOW, Authority, Issued
from tests.deploy.front import Front, dovetail, nginx_program

VIEWER = {"query": "{ viewer { subject kind authn name } }"}
SERVICE = {"subject": "CN=billing,O=Example", "kind": "service", "authn": "certificate", "name": "Billing"}


def asked(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/graphql", json=VIEWER, headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_without_a_certificate_there_is_no_principal(front: Front) -> None:
    with front.client() as client:
        answer = asked(client)
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_good_certificate_is_the_service(front: Front, kind: str) -> None:
    """RSA certificates have more lines of PEM than EC ones; both become one line of RFC 9440."""
    with front.client(front.clients.client("billing", kind)) as client:
        answer = asked(client)
        assert answer.json()["data"]["viewer"] == SERVICE


@pytest.mark.parametrize("uris", [1, 20, 60])
def test_certificates_of_many_lines(front: Front, uris: int) -> None:
    """Up to 60 lines of PEM are passed on; a longer one is passed on as none, and not in part."""
    names = [f"spiffe://example.org/a/long/path/to/a/workload/{number}" for number in range(uris)]
    issued = front.clients.client("billing", "rsa", uris=names)
    lines = -(-(len(issued.header) - 2) // 64)
    assert (lines > 60) is (uris == 60)
    with front.client(issued) as client:
        answer = asked(client)
        assert (answer.status_code == 200) is (lines <= 60), lines


def test_a_certificate_of_an_unknown_service_is_401_and_in_the_history(front: Front) -> None:
    with front.client(front.clients.client("stranger")) as client:
        answer = asked(client)
        assert answer.status_code == 401
        assert "no service" in answer.json()["errors"][0]["message"]
    assert "CN=stranger,O=Example" in _history(front, "auth.invalid_certificate")


@pytest.mark.parametrize(
    "issued",
    [
        lambda front: Authority("Clients CA").client("billing"),
        lambda front: front.clients.client("billing", before=NOW - DAY / 2),
        lambda front: front.clients.client("billing", after=NOW + DAY / 2),
        lambda front: front.clients.client("billing", usage=ExtendedKeyUsageOID.SERVER_AUTH),
    ],
    ids=["another CA", "expired", "not yet valid", "not for clients"],
)
def test_nginx_refuses_what_it_cannot_verify(front: Front, issued: Any) -> None:
    """Before the server hears of it, with 400."""
    with front.client(issued(front)) as client:
        answer = asked(client)
        assert answer.status_code == 400
        assert "SSL certificate error" in answer.text


def test_a_forged_header_is_dropped(front: Front) -> None:
    """Also in odd spellings, also twice, and also beside a real certificate."""
    forged = front.clients.client("billing").header
    with front.client() as client:
        for name in ("Client-Cert", "client-cert", "CLIENT-CERT", "Client_Cert"):
            assert asked(client, **{name: forged}).status_code == 401
        twice = client.post("/graphql", json=VIEWER, headers=[("Client-Cert", forged), ("Client-Cert", forged)])
        assert twice.status_code == 401
    with front.client(front.clients.client("stranger")) as client:
        assert asked(client, Client_Cert=forged, Client_Cert_Chain=forged).status_code == 401
    with front.client(front.clients.client("billing")) as client:
        assert asked(client, **{"Client-Cert": ":AA==:"}).json()["data"]["viewer"] == SERVICE


def _directly(front: Front, source: str, *headers: tuple[str, str]) -> int:
    """The status of a request to the server itself, from an address of this machine."""
    link = http.client.HTTPConnection("127.0.0.1", front.app, timeout=20, source_address=(source, 0))
    link.request("POST", "/graphql", json.dumps(VIEWER), dict([("Content-Type", "application/json"), *headers]))
    status = link.getresponse().status
    link.close()
    return status


def test_past_the_proxy_the_header_does_not_exist(front: Front) -> None:
    """From 127.0.0.2, which is no proxy, it is taken away, whatever the request says of its client."""
    forged = ("Client-Cert", front.clients.client("billing").header)
    assert _directly(front, "127.0.0.1", forged) == 200
    assert _directly(front, "127.0.0.2", forged) == 401
    assert _directly(front, "127.0.0.2", forged, ("X-Forwarded-For", "127.0.0.1")) == 401
    expired = front.clients.client("billing", before=NOW - DAY / 2).header
    assert _directly(front, "127.0.0.1", ("Client-Cert", expired)) == 401
    assert _directly(front, "127.0.0.1", forged, ("X-Forwarded-For", "203.0.113.9")) == 200


def test_a_token_goes_before_a_certificate(front: Front) -> None:
    token = dovetail(front.home, "token", "issue", "--role", "viewer", "--user", "ada")["token"]
    with front.client(front.clients.client("billing")) as client:
        assert asked(client, Authorization=f"Bearer {token}").json()["data"]["viewer"]["subject"] == "ada"
        assert asked(client, Authorization="Bearer nonsense").status_code == 401


# --- WebSockets and streams --------------------------------------------------------------------------


def _socket(front: Front, issued: Issued | None = None, origin: Any = None) -> ClientConnection:
    url, protocols = f"wss://localhost:{front.https}/graphql", [Subprotocol("graphql-transport-ws")]
    return connect(url, ssl=front.tls(issued), subprotocols=protocols, origin=origin, proxy=None)


def _said(socket_: ClientConnection) -> Any:
    return json.loads(socket_.recv(timeout=60))


def test_a_websocket_passes(front: Front) -> None:
    """The upgrade goes through, and the certificate of the handshake with it."""
    with _socket(front, front.clients.client("billing")) as link:
        link.send(json.dumps({"type": "connection_init"}))
        assert _said(link) == {"type": "connection_ack"}
        link.send(json.dumps({"type": "subscribe", "id": "1", "payload": VIEWER}))
        assert _said(link)["payload"]["data"]["viewer"] == SERVICE


def test_a_websocket_of_another_site_is_refused(front: Front) -> None:
    """A browser shows its certificate to whoever asks, so the page that asks must be ours; ours may have a port."""
    with _socket(front, front.clients.client("billing"), origin=front.url):
        pass
    with pytest.raises(InvalidStatus, match="403"):
        _socket(front, front.clients.client("billing"), origin="https://elsewhere.example")


def test_a_websocket_without_a_certificate_needs_a_token(front: Front) -> None:
    token = dovetail(front.home, "token", "issue", "--role", "viewer")["token"]
    with _socket(front) as link:
        link.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert _said(link) == {"type": "connection_ack"}
    with _socket(front) as link:
        link.send(json.dumps({"type": "connection_init"}))
        with pytest.raises(Exception, match="4403"):
            link.recv(timeout=60)


def test_events_of_a_stream_come_at_once(front: Front) -> None:
    """nginx does not hold back what belongs to a subscription."""
    query = {"query": "subscription { auditEvents(since: 0) { event { action } } }"}
    with (
        front.client(front.clients.client("billing")) as client,
        client.stream("POST", "/graphql", json=query, headers={"Accept": "text/event-stream"}) as answer,
    ):
        assert answer.status_code == 200
        started = time.monotonic()
        assert any("tenant.created" in line for line in answer.iter_lines())
        assert time.monotonic() - started < 20


# --- the rest of the configuration -------------------------------------------------------------------


def test_every_answer_asks_for_https(front: Front) -> None:
    with front.client() as client:
        for path in ("/health/live", "/nothing", "/metrics"):
            assert client.get(path).headers["strict-transport-security"] == "max-age=63072000"


def test_plain_http_is_sent_to_https(front: Front) -> None:
    answer = httpx.get(f"http://127.0.0.1:{front.http}/graphql?a=b", trust_env=False, timeout=60)
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://dovetail.example.org/graphql?a=b"


def test_metrics_are_not_for_everybody(front: Front) -> None:
    with front.client() as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/health/ready").json()["status"] == "ok"


def test_the_log_shows_no_token_of_a_webhook(front: Front) -> None:
    """Nor its query; other paths are logged as they are."""
    with front.client() as client:
        path = "/api/v1/integrations/webhooks/whk_hidden?x=1"
        assert client.post(path, content=b"{}").status_code == 401
        assert client.get("/health/live?shown=1").status_code == 200
    deadline = time.monotonic() + 60
    while "shown=1" not in (text := (front.folder / "access.log").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert text.count('"POST /api/v1/integrations/webhooks/***" ') == 1
    assert "whk_hidden" not in text


def test_a_large_body_ends_at_the_proxy(front: Front) -> None:
    with front.client() as client:
        answer = client.post("/graphql", content=b" " * 1_100_000, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert "nginx" in answer.text


def test_the_client_cannot_name_its_own_address(front: Front) -> None:
    """The history has the address that nginx saw, whatever the request claims."""
    with front.client() as client:
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            claimed = {"X-API-Key": new_key("live").text, header: "203.0.113.77"}
            assert client.get("/integrations/v1/people", headers=claimed).status_code == 401
    assert _history(front, "auth.invalid_credential") == {"127.0.0.1"}


def _history(front: Front, action: str) -> set[str]:
    """Who stands in the history as having tried it."""
    with closing(sqlite3.connect(front.home / "dovetail.sqlite")) as database:
        rows = database.execute("SELECT actor_id FROM audit_event WHERE action = ?", [action])
        return {row[0] for row in rows}


def test_connections_to_the_server_are_kept(front: Front) -> None:
    """Twenty requests take fewer connections than requests: an open one is used again."""
    with front.client() as client:
        for _ in range(20):
            assert client.get("/health/live").status_code == 200
        links = [line for line in _connections() if line[1] == front.app]
    assert 1 <= len(links) <= 8


def _connections() -> list[tuple[int, int]]:
    """The local and the remote port of each established IPv4 connection (state 01 of /proc/net/tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return [(int(row[1][-4:], 16), int(row[2][-4:], 16)) for row in rows if row[3] == "01"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_certificates_work_with_either_version(front: Front, version: ssl.TLSVersion) -> None:
    context = front.tls(front.clients.client("billing"))
    context.minimum_version = context.maximum_version = version
    with httpx.Client(verify=context, base_url=front.url, trust_env=False, timeout=60) as client:
        assert asked(client).json()["data"]["viewer"] == SERVICE


def test_a_missing_nginx_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A skip with its reason, and a failure where everything is required."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setenv("DOVETAIL_TEST_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="nginx is required"):
        nginx_program()
    monkeypatch.delenv("DOVETAIL_TEST_REQUIRE_ALL")
    with pytest.raises(pytest.skip.Exception, match="nginx was not found"):
        nginx_program()
