"""The real server with its demo, as `make run` starts it: a process of its own on SQLite, ORCID answered locally."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.cli.orcid_server import orcid_server
from tests.cli.serving import served_demo


@dataclass
class Console:
    """A running server; `graphql` and `get` act beside the page, as another program would."""

    url: str
    token: str
    api_key: str

    async def graphql(self, query: str, **variables: Any) -> Any:
        """The data of an operation that must succeed."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60) as client:
            answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def get(self, path: str, key: str, origin: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            return await client.get(path, headers={"X-API-Key": key, "Origin": origin})


@contextmanager
def real_console(home: Path) -> Iterator[Console]:
    with orcid_server() as orcid, served_demo(home, ORCID_BASE_URL=orcid, EGRESS_ALLOW="127.0.0.1") as demo:
        yield Console(demo.base, demo.told["token"], demo.told["api_key"])
