"""`dovetail rollout check` against a real server, and against one whose answers are bent on their way."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from threading import Thread
from typing import Any, NamedTuple

import pytest

from rest.contracts.documents import snapshot
from tests.claims import free_port
from tests.cli.conftest import Cli
from tests.cli.serving import served


class Running(NamedTuple):
    url: str
    key: str
    cli: Cli


@pytest.fixture(scope="module")
def running(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("rollout") / "home"
    copytree(demo_home, home)
    # One budget for all checks of a module: it must not end in the midst of one.
    budget = {"DOVETAIL_RATE_LIMIT_PER_MINUTE": "6000", "DOVETAIL_RATE_LIMIT_BURST": "6000"}
    cli = Cli(home, DOVETAIL_LOG_LEVEL="error", **budget)
    with served(cli) as (port, _):
        yield Running(f"http://127.0.0.1:{port}", json.loads((home / "demo.json").read_bytes())["api_key"], cli)


class Sent(NamedTuple):
    """An answer on its way to the checker."""

    path: str
    status: int
    headers: dict[str, str]
    body: Any


Bend = Callable[[Sent], Sent]


@contextmanager
def bent(target: str, bend: Bend) -> Iterator[str]:
    """A server in front of the real one that bends its answers."""

    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            given = {name: value for name in ("X-API-Key", "If-None-Match") if (value := self.headers.get(name))}
            request = urllib.request.Request(target + self.path, headers=given, method=self.command)
            try:
                answer = urllib.request.urlopen(request, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            headers = {name.lower(): value for name, value in answer.headers.items()}
            found = bend(Sent(self.path, answer.status or 0, headers, json.loads(answer.read() or "null")))
            body = found.body if isinstance(found.body, bytes) else json.dumps(found.body).encode()
            body = b"" if found.status == 304 else body
            self.send_response(found.status)
            for name, value in found.headers.items():
                if name not in ("content-length", "date", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def check(running: Running, url: str | None = None, *options: Any, key: str | None = None) -> tuple[int, Any]:
    result = running.cli(
        "rollout", "check", "--base-url", url or running.url, "--api-key", key or running.key, "--json", *options
    )
    return result.exit_code, json.loads(result.stdout)


def short(found: Any) -> dict[str, str]:
    """What fell short, by check."""
    return {each["check"]: "; ".join(each["short"]) for each in found["checks"] if not each["ok"]}


def test_a_sound_server_passes(running: Running) -> None:
    code, found = check(running)
    assert (code, short(found), found["ok"]) == (0, {}, True)
    names = [each["check"] for each in found["checks"]]
    for path in ("/people", "/publications", "/works", "/projects", "/verify/{originId}"):
        assert f"GET {path} has its documented shape" in names


def test_a_person_reads_a_table(running: Running) -> None:
    """Also with the prefix at the end of the address, and the key on standard input."""
    address = f"{running.url}/integrations/v1/"
    result = running.cli("rollout", "check", "--base-url", address, "--api-key", "-", input=running.key + "\n")
    assert result.exit_code == 0, result.output
    assert "a wrong key is refused" in result.stdout
    assert "checks passed." in result.stdout
    assert running.key not in result.output


def test_a_missing_scope_is_a_documented_answer(running: Running) -> None:
    """A key that may read people alone: the other lists refuse it as documented, and that passes."""
    installation = running.cli.ok("installations", "list")["installations"][0]["id"]
    made = running.cli.ok("credentials", "issue", installation, "--label", "narrow", "--scope", "people.read")
    code, found = check(running, key=made["api_key"])
    assert (code, short(found)) == (0, {})


def test_a_key_that_opens_nothing_fails(running: Running) -> None:
    code, found = check(running, key="dvt_live_nonsense")
    failed = short(found)
    assert code == 1
    assert "401 invalid_installation_credential; expected 200" in failed["the given key opens its installation"]
    assert "not checked" in failed["GET /people has its documented shape"]


def _bend(path: str, change: Callable[[Sent], Sent]) -> Bend:
    return lambda sent: change(sent) if sent.path.split("?")[0] == f"/integrations/v1{path}" else sent


def _without(body: Any, *names: str) -> Any:
    return {name: value for name, value in body.items() if name not in names}


BENDS: dict[str, tuple[Bend, str, str]] = {
    "version": (
        _bend("/health", lambda sent: sent._replace(body=sent.body | {"version": "2020-01-01"})),
        "health answers with the contract's version",
        "says version 2020-01-01",
    ),
    "unhealthy": (
        _bend("/health", lambda sent: sent._replace(status=503, body={})),
        "health answers with the contract's version",
        "GET /health: 503; expected 200",
    ),
    "open": (
        _bend("/installation", lambda sent: sent._replace(status=200)),
        "no key is refused",
        "expected 401 missing_api_key",
    ),
    "other code": (
        _bend("/installation", lambda sent: sent._replace(body=sent.body | {"code": "unauthorized"})),
        "a wrong key is refused",
        "401 unauthorized; expected 401 invalid_installation_credential",
    ),
    "lost field": (
        _bend("/people", lambda s: s._replace(body=s.body | {"people": [{"name": 5}]}) if s.status == 200 else s),
        "GET /people has its documented shape",
        "$.people[0] has no biography",
    ),
    "no json": (
        _bend("/works", lambda s: s._replace(headers=s.headers | {"content-type": "text/html"}, body=b"<p>")),
        "GET /works has its documented shape",
        "text/html and not JSON",
    ),
    "lenient query": (
        _bend("/projects", lambda sent: sent._replace(status=200)),
        "GET /projects has its documented shape",
        "expected 400 invalid_query_parameters",
    ),
    "form of errors": (
        lambda sent: sent._replace(body=_without(sent.body, "details")) if sent.status == 404 else sent,
        "an unknown route is refused in the contract's form",
        "has no details",
    ),
    "no allow": (
        lambda sent: sent._replace(headers=_without(sent.headers, "allow")),
        "a wrong method is refused in the contract's form",
        "405 without Allow",
    ),
    "document": (
        _bend("/openapi.json", lambda sent: sent._replace(body=sent.body | {"info": {"version": "x"}})),
        "openapi.json is the shipped contract",
        "they differ in info",
    ),
    "limits": (
        lambda sent: sent._replace(headers=_without(sent.headers, "x-ratelimit-remaining", "ratelimit")),
        "rate limits are told",
        "x-ratelimit-remaining is absent and not a number",
    ),
    "one id": (
        lambda sent: sent._replace(headers=sent.headers | {"x-request-id": "same"}),
        "every answer has a request id",
        "the same X-Request-Id",
    ),
    "no id": (
        lambda sent: sent._replace(headers=_without(sent.headers, "x-request-id")),
        "every answer has a request id",
        "X-Request-Id is absent",
    ),
}


@pytest.mark.parametrize("name", BENDS)
def test_what_falls_short_is_named(running: Running, name: str) -> None:
    """Each fault is found by its own check, with what was seen and what was expected."""
    bend, failing, text = BENDS[name]
    with bent(running.url, bend) as url:
        code, found = check(running, url)
    assert code == 1
    assert text in short(found)[failing]


def _previous(tmp_path: Path, change: Callable[[Any], None]) -> Path:
    document = json.loads(snapshot("integrations", "v1"))
    change(document)
    path = tmp_path / "previous.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _more(document: Any) -> None:
    """A previous contract that promised more than this one."""
    document["paths"]["/former"] = document["paths"]["/people"]
    document["paths"]["/health"]["get"]["responses"]["418"] = document["paths"]["/people"]["get"]["responses"]["400"]
    schemas = document["components"]["schemas"]
    schemas["Person"]["properties"]["age"] = {"type": "integer"}
    schemas["Person"]["required"].append("age")
    schemas["ErrorBody"]["properties"]["code"]["enum"].append("teapot")
    document["paths"]["/people"]["get"]["parameters"].append({"name": "country", "in": "query"})


def test_the_previous_contract_must_hold(running: Running, tmp_path: Path) -> None:
    code, found = check(running, None, "--previous", _previous(tmp_path, _more))
    told = short(found)["the previous contract still holds"]
    assert code == 1
    for text in (
        "GET /former is gone",
        "GET /people has no parameter country",
        "GET /people 200 does not promise people[].age",
        "GET /health 418 is not documented any more",
        "the error code teapot is gone",
    ):
        assert text in told


def test_what_was_added_since_is_no_fault(running: Running, tmp_path: Path) -> None:
    def less(document: Any) -> None:
        del document["paths"]["/works"]
        document["components"]["schemas"]["Person"]["required"].remove("biography")

    assert check(running, None, "--previous", _previous(tmp_path, less))[0] == 0


def test_before_a_deploy_the_server_has_the_previous_contract(running: Running, tmp_path: Path) -> None:
    """Its health tells the former version then, and is held against that."""

    def older(document: Any) -> None:
        document["info"]["version"] = "2025-01-01"

    path = _previous(tmp_path, older)

    def bend(sent: Sent) -> Sent:
        if sent.path.endswith("/openapi.json"):
            return sent._replace(body=json.loads(path.read_bytes()))
        return sent._replace(body=sent.body | {"version": "2025-01-01"}) if sent.path.endswith("/health") else sent

    with bent(running.url, bend) as url:
        code, found = check(running, url, "--previous", path)
        assert (code, short(found), found["version"]) == (0, {}, "2025-01-01")
        assert check(running, url)[0] == 1


def test_wrong_words_are_told_in_a_sentence(cli: Cli, tmp_path: Path) -> None:
    given = ("rollout", "check", "--api-key", "x", "--base-url")
    assert cli.error(*given, f"http://127.0.0.1:{free_port()}")["code"] == "unreachable"
    for url in ("ftp://example.org", "example.org", "http://", "http://example.org:port", "http://h/?a=b"):
        assert cli.error(*given, url)["code"] == "base_url_invalid"
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    assert cli.error(*given, "http://h", "--previous", tmp_path / "list.json")["code"] == "not_a_snapshot"
    assert cli.error("rollout", "check", "--base-url", "http://h", "--api-key", "a\nb")["code"] == "key_invalid"
