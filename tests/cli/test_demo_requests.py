"""The saved requests of the console, each as it stands, against a demo that has just begun to serve."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app import base64url
from tests.cli.serving import served_demo
from tests.databases import fresh_url, required_redis_url  # noqa: F401 - a fixture

#: A busy machine answers later than in the five seconds that httpx waits by default.
get, post = partial(httpx.get, timeout=60), partial(httpx.post, timeout=60)
FOLDER = Path(__file__).parents[2] / "graphql" / "operations"
REQUESTS = sorted(path.stem for path in FOLDER.glob("*.graphql"))
#: What one may answer in its payload: nothing proves the demo's spare origin.
EXPECTED = {"VerifyOrigin": {"origin_unverified"}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and token of a demo that serves."""
    with served_demo(tmp_path_factory.mktemp("served") / "home") as demo:
        yield demo.base, demo.told["token"]


def read(name: str) -> tuple[str, dict[str, Any]]:
    text = (FOLDER / f"{name}.graphql").read_text()
    found = re.search(r"^# variables: (.*)$", text, re.MULTILINE)
    return text, json.loads(found[1]) if found else {}


def codes(value: Any) -> set[str]:
    """The codes of every refusal in a payload."""
    if isinstance(value, dict):
        own = {each["code"] for each in value.get("errors") or [] if isinstance(each, dict)}
        return own.union(*(codes(inner) for inner in value.values()))
    return set().union(*(codes(inner) for inner in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("name", [name for name in REQUESTS if not name.startswith("Watch")])
def test_it_runs_as_it_stands(served: tuple[str, str], name: str) -> None:
    base, token = served
    query, variables = read(name)
    answer = post(
        f"{base}/graphql", json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {token}"},
    ).json()  # fmt: skip
    assert "errors" not in answer, answer
    assert codes(answer["data"]) <= EXPECTED.get(name, set()), answer
    if name == "ExecuteIntegrationMethod":
        greetings = answer["data"]["executeIntegrationMethod"]["result"]
        assert [each["language"] for each in greetings] == ["pt", "en"]
    if name == "ListIntegrationDeliveries":
        (delivery,) = answer["data"]["integrationDeliveries"]["nodes"]
        assert (delivery["deliveryId"], delivery["payload"]["data"]["round"]) == ("msg_demo", 2)


def test_another_port_of_this_machine_is_out_of_reach(served: tuple[str, str]) -> None:
    """The demo calls itself by the name of the machine, and nothing else that listens there."""
    base, token = served
    headers = {"Authorization": f"Bearer {token}"}
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.1)
        address = f"http://localhost:{other.getsockname()[1]}"
        given = {"input": {"type": "generic.http", "name": "Neighbour", "config": {"baseUrl": address}}}
        create = read("CreateIntegrationInstance")[0]
        made = post(f"{base}/graphql", json={"query": create, "variables": given}, headers=headers)
        instance = made.json()["data"]["createIntegrationInstance"]["instance"]["id"]
        call = {"input": {"id": instance, "method": "get", "parameters": {"path": "greetings"}}}
        execute = read("ExecuteIntegrationMethod")[0]
        found = post(f"{base}/graphql", json={"query": execute, "variables": call}, headers=headers)
        errors = found.json()["data"]["executeIntegrationMethod"]["errors"]
        assert "not on the public Internet" in errors[0]["message"]
        with pytest.raises(TimeoutError):
            other.accept()


def test_a_newcomer_connects_with_oauth2(served: tuple[str, str]) -> None:
    """The saved requests lead to a page that asks, back to this server, and to a call in the name of who said yes."""
    base, token = served
    for word, status, code in (("deny", "PENDING_AUTHENTICATION", 502), ("Allow", "CONNECTED", 200)):
        page = authorization(base, token)
        back = get(link_of(page, word))
        assert back.status_code == code, back.text
        found = ask(base, token, "IntegrationConnection")["integrationInstance"]
        assert found["status"] == status
    assert account(base, token) == "Ada Lovelace"
    assert get(str(page.url).replace("127.0.0.1", "evil.example")).status_code == 400
    assert post(f"{base}/demo/upstream/login/token", data={"code": "x"}).status_code == 400


def test_what_the_demo_gives_out_is_good_once(served: tuple[str, str]) -> None:
    """A code, a refresh token; and one is not taken for the other."""
    base, token = served
    code = parse_qs(urlsplit(link_of(authorization(base, token), "Allow")).query)["code"][0]

    def asked(**form: str) -> httpx.Response:
        return post(f"{base}/demo/upstream/login/token", data={"client_id": "demo"} | form)

    for form in ({"refresh_token": code}, {"grant_type": "authorization_code", "code": code}, {"refresh_token": "x.é"}):
        assert asked(**form).json() == {"error": "invalid_grant"}
    verifier, landing = "v" * 43, f"{base}/api/v1/integrations/auth/oauth2/callback"
    challenge = base64url.encode(hashlib.sha256(verifier.encode()).digest())
    query = {"client_id": "demo", "redirect_uri": landing, "response_type": "code", "code_challenge": challenge}
    page = get(f"{base}/demo/upstream/login/authorize", params=query | {"code_challenge_method": "S256"})
    code = parse_qs(urlsplit(link_of(page, "Allow")).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": landing, "code_verifier": verifier}
    given = asked(**form).json()
    assert asked(**form).json() == {"error": "invalid_grant"}
    again = asked(refresh_token=given["refresh_token"])
    assert again.status_code == 200 and asked(refresh_token=given["refresh_token"]).status_code == 400
    for bearer, status in ((given["access_token"], 200), (given["refresh_token"], 401), ("é", 401)):
        headers = {"Authorization": f"Bearer {bearer}".encode()}
        assert get(f"{base}/demo/upstream/login/account", headers=headers).status_code == status


@pytest.mark.postgres
@pytest.mark.redis
def test_the_demo_of_several_workers_is_whole(tmp_path: Path, required_redis_url: str) -> None:  # noqa: F811
    """Each worker has the upstream, and takes what another gave out."""
    with fresh_url("postgres", tmp_path) as url:
        settings = {"DATABASE_URL": url, "REDIS_URL": required_redis_url}
        with served_demo(tmp_path / "home", "--workers", "2", **settings) as demo:
            base, token = demo.base, demo.told["token"]
            for _ in range(6):
                found = ask(base, token, "ExecuteIntegrationMethod")["executeIntegrationMethod"]
                assert found["errors"] == [] and len(found["result"]) == 2
                assert get(link_of(authorization(base, token), "Allow")).status_code == 200
                assert account(base, token) == "Ada Lovelace"


def ask(base: str, token: str, name: str, **changes: Any) -> Any:
    """The data of a saved request."""
    query, variables = read(name)
    sent = {"query": query, "variables": variables | changes}
    headers = {"Authorization": f"Bearer {token}"}
    return post(f"{base}/graphql", json=sent, headers=headers).json()["data"]


def authorization(base: str, token: str) -> httpx.Response:
    """The page that asks for consent, after the saved request for it."""
    landing = f"{base}/api/v1/integrations/auth/oauth2/callback"
    begun = ask(base, token, "StartIntegrationAuthorization", redirectUri=landing)["startIntegrationAuthorization"]
    assert begun["errors"] == []
    return get(begun["authorizationUrl"])


def link_of(page: httpx.Response, word: str) -> str:
    found = next(link for link, text in re.findall(r'href="([^"]+)">(\w+)<', page.text) if text == word)
    return str(found.replace("&amp;", "&"))


def account(base: str, token: str) -> Any:
    call = {"id": read("IntegrationConnection")[1]["id"], "method": "getAccount"}
    return ask(base, token, "ExecuteIntegrationMethod", input=call)["executeIntegrationMethod"]["result"]["name"]


@pytest.mark.parametrize("name", [name for name in REQUESTS if name.startswith("Watch")])
def test_a_subscription_begins(served: tuple[str, str], name: str) -> None:
    base, token = served
    query, variables = read(name)

    async def begin() -> dict[str, Any]:
        import websockets

        async with websockets.connect(
            base.replace("http", "ws", 1) + "/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        ) as link:
            await link.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            assert json.loads(await link.recv())["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            await link.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            try:
                first: dict[str, Any] = json.loads(await asyncio.wait_for(link.recv(), 1))
            except TimeoutError:
                return {"type": "quiet"}
            return first

    assert asyncio.run(begin())["type"] in ("next", "quiet")
