"""The real server with its demo, as `make run` starts it: a process of its own on SQLite, ORCID answered locally."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.claims import free_port
from tests.cli.conftest import Cli
from tests.cli.orcid_server import orcid_server


@dataclass
class Console:
    """A running server; `graphql` and `get` act beside the page, as another program would."""

    url: str
    token: str
    api_key: str

    async def graphql(self, query: str, **variables: Any) -> Any:
        """The data of an operation that must succeed."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers) as client:
            answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def get(self, path: str, key: str, origin: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url) as client:
            return await client.get(path, headers={"X-API-Key": key, "Origin": origin})


def _told(process: "subprocess.Popen[str]") -> Any:
    """The JSON document that the server prints once it listens."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            return json.loads("".join(lines))
    raise AssertionError(f"the server did not start: {process.communicate()}")


@contextmanager
def real_console(home: Path) -> Iterator[Console]:
    with orcid_server() as orcid:
        reach = {"DOVETAIL_ORCID_BASE_URL": orcid, "DOVETAIL_EGRESS_ALLOW": "127.0.0.1"}
        cli = Cli(home, DOVETAIL_LOG_LEVEL="error", **reach)
        process = cli.start("serve", "--demo", "--json", "--port", free_port())
        try:
            demo = _told(process)["demo"]
            yield Console(demo["base_url"], demo["token"], demo["api_key"])
        finally:
            process.terminate()
            process.communicate(timeout=30)
