"""The built-in definition for Prometheus, against a real one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.claims import free_port
from tests.runtime.platform import Platform
from tests.runtime.real_servers import call, connected, discovered, platform, refused, served
from tests.runtime.registries import HTPASSWD, PASSWORD, USER

__all__ = ["platform"]
pytestmark = pytest.mark.runtime
KIND = "metrics.prometheus"


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
        one = await connected(platform, KIND, base)
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
        assert await call(platform, one, "listRules", type="alert") == {"groups": []}
        assert "up" in await discovered(platform, one, "metrics", limit=500)
        assert await discovered(platform, one, "targets") == [f"{base}/metrics"]
        error = await refused(platform, one, "query", 502, "INTEGRATION_ERROR", query="up(")
        assert "parse error" in error["message"]


async def test_a_prometheus_with_a_password(platform: Platform, tmp_path: Path) -> None:
    """It asks for the credentials by 401, and what it does not ask for is not sent."""
    port, config, web = free_port(), tmp_path / "prometheus.yml", tmp_path / "web.yml"
    config.write_text("{}")
    web.write_text(f"basic_auth_users: {{{HTPASSWD.strip().replace(':', ': ', 1)}}}")
    arguments = (
        f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
        f"--web.config.file={web}",
    )  # fmt: skip
    async with served("prometheus", "/-/ready", port, *arguments, status=401) as base:
        one = await connected(platform, KIND, base, credentials={"username": USER, "password": PASSWORD})
        assert (await call(platform, one, "getBuildInfo"))["version"]
        for wrong in ({"credentials": {"username": USER, "password": "wrong-password"}}, {}):
            other = await connected(platform, KIND, base, **wrong)
            await refused(platform, other, "getBuildInfo", 502, "AUTH_ERROR")
