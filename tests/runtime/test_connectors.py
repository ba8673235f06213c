"""Built-in definitions against the real thing: a container registry, and Prometheus."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.integrations.connectors.loading import load_built_ins
from tests.claims import free_port
from tests.databases import missing
from tests.runtime.platform import INSTANCES, Platform
from tests.world import World, running

pytestmark = pytest.mark.runtime
TYPES = "/integrations"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    """A server of its own, with the built-in definitions."""
    async with running(f"sqlite:///{tmp_path / 'own.sqlite'}", tmp_path, egress_allow=("127.0.0.1",)) as (app, client):
        world = await World(app, client).open()
        await load_built_ins(world.runtime.database)
        yield Platform(world)


@asynccontextmanager
async def served(program: str, ready: str, port: int, *arguments: str) -> AsyncIterator[str]:
    """The program, until its address answers; killed at the end."""
    found = shutil.which(program)
    if found is None:
        missing(program)
    assert found is not None
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(found, *arguments, stdout=null, stderr=null)
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(200):
                try:
                    if (await client.get(base + ready)).status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.returncode is None, f"{program} ended"
                await asyncio.sleep(0.05)
            else:
                pytest.fail(f"{program} does not answer")
        yield base
    finally:
        process.kill()
        await process.wait()


async def connected(platform: Platform, kind: str, base: str, **credentials: str) -> str:
    given = {"type": kind, "name": kind, "config": {"baseUrl": base}}
    made = await platform.ok("POST", TYPES, given | ({"credentials": credentials} if credentials else {}), 201)
    assert made["data"]["status"] == "CONNECTED"
    return str(made["data"]["id"])


async def call(platform: Platform, one: str, name: str, **parameters: Any) -> Any:
    path = f"{INSTANCES}/{one}/methods/{name}/execute"
    return (await platform.ok("POST", path, {"parameters": parameters}))["data"]


async def push(base: str, repository: str, tag: str) -> str:
    """An image of one empty layer; its digest."""
    blob = b"{}"
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(blob)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": part, "layers": [part]}).encode()
    async with httpx.AsyncClient(base_url=base) as client:
        begun = await client.post(f"/v2/{repository}/blobs/uploads/")
        await client.put(httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest}), content=blob)
        kind = {"Content-Type": MANIFEST}
        put = await client.put(f"/v2/{repository}/manifests/{tag}", content=manifest, headers=kind)
        assert put.status_code == 201, put.text
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


async def test_a_container_registry(platform: Platform, tmp_path: Path) -> None:
    port, config = free_port(), tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path / 'images'}}}, delete: {{enabled: true}}}}\n"
    )
    async with served("docker-registry", "/v2/", port, "serve", str(config)) as base:
        digest = await push(base, "web", "1.0")
        await push(base, "base", "3")
        one = await connected(platform, "registry.oci", base, username="a", password="not asked for")
        await call(platform, one, "ping")
        path = f"{INSTANCES}/{one}/methods/listRepositories/execute"
        assert (await call(platform, one, "listRepositories", n=10))["repositories"] == ["base", "web"]
        everything = await platform.ok("POST", path, {"parameters": {"n": 1}, "all": True})
        assert everything["data"] == ["base", "web"], "the link leads to the second page"
        assert await call(platform, one, "listTags", repository="web") == {"name": "web", "tags": ["1.0"]}
        assert (await call(platform, one, "getManifest", repository="web", reference="1.0"))["mediaType"] == MANIFEST
        await call(platform, one, "deleteManifest", repository="web", digest=digest)
        path = f"{INSTANCES}/{one}/methods/getManifest/execute"
        wanted = {"parameters": {"repository": "web", "reference": "1.0"}}
        error = await platform.refused(502, "INTEGRATION_ERROR", "POST", path, wanted)
        assert error["message"] == "manifest unknown"
        assert error["details"]["statusCode"] == 404


async def test_prometheus(platform: Platform, tmp_path: Path) -> None:
    port, config = free_port(), tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    arguments = (
        f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip
    async with served("prometheus", "/-/ready", port, *arguments) as base:
        one = await connected(platform, "metrics.prometheus", base)
        assert (await call(platform, one, "getBuildInfo"))["version"]
        found = await call(platform, one, "query", query="vector(42)")
        assert found["result"][0]["value"][1] == "42"
        found = await call(
            platform, one, "queryRange", query="vector(1)", start=1_700_000_000, end=1_700_000_060, step="30s"
        )
        assert len(found["result"][0]["values"]) == 3
        for _ in range(100):
            if await call(platform, one, "listLabelValues", label="job") == ["self"]:
                break
            await asyncio.sleep(0.1)
        assert await call(platform, one, "listSeries", match=["up"])
        assert "job" in await call(platform, one, "listLabels", match=["up", "process_open_fds"])
        targets = (await call(platform, one, "listTargets", state="active"))["activeTargets"]
        assert [target["scrapePool"] for target in targets] == ["self"]
        assert await call(platform, one, "listAlerts") == {"alerts": []}
        path = f"{INSTANCES}/{one}/methods/query/execute"
        error = await platform.refused(502, "INTEGRATION_ERROR", "POST", path, {"parameters": {"query": "up("}})
        assert "parse error" in error["message"]
