"""The saved requests of the console, each as it stands, against a demo that has just begun to serve."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.claims import free_port
from tests.cli.conftest import Cli

FOLDER = Path(__file__).parents[2] / "graphql" / "operations"
REQUESTS = sorted(path.stem for path in FOLDER.glob("*.graphql"))
#: What one may answer in its payload: nothing proves the demo's spare origin.
EXPECTED = {"VerifyOrigin": {"origin_unverified"}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and token of a demo that serves."""
    port, home = free_port(), tmp_path_factory.mktemp("served") / "home"
    cli = Cli(home, DOVETAIL_PORT=str(port), DOVETAIL_ORCID_BASE_URL="http://127.0.0.1:9", DOVETAIL_LOG_LEVEL="error")
    process = cli.start("serve", "--demo", "--json")
    try:
        assert process.stdout is not None
        told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        base = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                if httpx.get(f"{base}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        yield base, told["demo"]["token"]
    finally:
        process.terminate()
        process.wait(30)


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
    answer = httpx.post(
        f"{base}/graphql", json={"query": query, "variables": variables}, timeout=30,
        headers={"Authorization": f"Bearer {token}"},
    ).json()  # fmt: skip
    assert "errors" not in answer, answer
    assert codes(answer["data"]) <= EXPECTED.get(name, set()), answer
    if name == "ExecuteIntegrationMethod":
        greetings = answer["data"]["executeIntegrationMethod"]["result"]
        assert [each["language"] for each in greetings] == ["pt", "en"]


@pytest.mark.parametrize("name", [name for name in REQUESTS if name.startswith("Watch")])
def test_a_subscription_begins(served: tuple[str, str], name: str) -> None:
    base, token = served
    query, variables = read(name)

    async def begin() -> dict[str, Any]:
        import websockets

        async with websockets.connect(
            base.replace("http", "ws", 1) + "/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            try:
                first: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 1))
            except TimeoutError:
                return {"type": "quiet"}
            return first

    assert asyncio.run(begin())["type"] in ("next", "quiet")
