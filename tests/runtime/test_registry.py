"""The built-in definition for container registries, against a real one: open, with passwords, with tokens."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from tests.architecture.connectors_table import notes
from tests.runtime.platform import Platform
from tests.runtime.real_servers import TYPES, call, connected, discovered, execution, platform, refused
from tests.runtime.registries import (
    HTPASSWD,
    INDEX,
    MANIFEST,
    PASSWORD,
    SERVICE,
    USER,
    TokenServer,
    push,
    push_index,
    registry,
    token_server,
)

__all__ = ["platform"]
pytestmark = pytest.mark.runtime
OCI = "registry.oci"
ADA = {"username": USER, "password": PASSWORD}


async def test_an_open_registry(platform: Platform, tmp_path: Path) -> None:
    """Everything that the definition offers; nothing asks for the credentials, so nothing sees them."""
    async with registry(tmp_path) as base:
        digest = await push(base, "team/shop/web", "1.0")
        others = [await push(base, "team/shop/web", f"1.{number}") for number in range(1, 4)]
        await push(base, "base", "3")
        one = await connected(platform, OCI, base, credentials=ADA)
        await call(platform, one, "ping")
        assert (await call(platform, one, "listRepositories", n=10))["repositories"] == ["base", "team/shop/web"]
        asked = {"parameters": {"n": 1}, "all": True}
        everything = await platform.ok("POST", execution(one, "listRepositories"), asked)
        assert everything["data"] == ["base", "team/shop/web"], "the link leads to the second page"
        tags = await call(platform, one, "listTags", repository="team/shop/web")
        assert sorted(tags["tags"]) == ["1.0", "1.1", "1.2", "1.3"]
        assert await discovered(platform, one, "repositories", limit=1) == ["base", "team/shop/web"]
        assert await discovered(platform, one, "tags", parent="team/shop/web", limit=3) == tags["tags"], (
            "gives all at once"
        )
        found = await call(platform, one, "resolveDigest", repository="team/shop/web", reference="1.0")
        assert found == {"digest": digest, "mediaType": MANIFEST, "size": found["size"]} and found["size"] > 100
        for reference in ("1.0", digest):
            manifest = await call(platform, one, "getManifest", repository="team/shop/web", reference=reference)
            assert manifest["annotations"]["org.opencontainers.image.version"] == "1.0"
        index = await push_index(base, "team/shop/web", "all", others)
        found = await call(platform, one, "resolveDigest", repository="team/shop/web", reference="all")
        assert (found["digest"], found["mediaType"]) == (index, INDEX)
        whole = await call(platform, one, "getManifest", repository="team/shop/web", reference=index)
        assert [each["digest"] for each in whole["manifests"]] == others
        await call(platform, one, "deleteManifest", repository="team/shop/web", digest=digest)
        gone = {"repository": "team/shop/web", "reference": "1.0"}
        error = await refused(platform, one, "getManifest", 502, "INTEGRATION_ERROR", **gone)
        assert (error["message"], error["details"]["statusCode"]) == ("manifest unknown", 404)
        error = await refused(platform, one, "resolveDigest", 502, "INTEGRATION_ERROR", **gone)
        assert error["details"]["statusCode"] == 404
        for number, each in enumerate(others, 1):
            there = await call(platform, one, "resolveDigest", repository="team/shop/web", reference=f"1.{number}")
            assert there["digest"] == each


@pytest.mark.parametrize("name", ["a//b", "/a", "a/", "a/../b", "A", "a/./b", "a?x=1", "a%2fb", "a\n"])
async def test_a_name_that_is_no_repository(platform: Platform, name: str) -> None:
    one = await connected(platform, OCI, "http://127.0.0.1:9")
    error = await refused(platform, one, "listTags", 400, "VALIDATION_ERROR", repository=name)
    assert error["details"][0]["path"] == "parameters.repository"


async def test_a_registry_with_passwords(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    auth = f"{{htpasswd: {{realm: it, path: {tmp_path / 'htpasswd'}}}}}"
    async with registry(tmp_path, auth) as base:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        await push(base, "web", "1.0", Authorization=f"Basic {pair}")
        one = await connected(platform, OCI, base, credentials=ADA)
        for _ in range(2):
            assert await call(platform, one, "listTags", repository="web") == {"name": "web", "tags": ["1.0"]}
        for wrong in ({"credentials": ADA | {"password": "wrong-password"}}, {}):
            other = await connected(platform, OCI, base, **wrong)
            for _ in range(2):
                error = await refused(platform, other, "listTags", 502, "AUTH_ERROR", repository="web")
                assert error["message"] == "authentication required"


async def test_a_registry_with_tokens(platform: Platform, tmp_path: Path) -> None:
    """The challenge is answered with a token, which is kept for its scope and asked for once."""
    async with token_server() as tokens, registry(tmp_path, tokens.auth(tmp_path)) as base:
        await filled(base, tokens)
        one = await connected(platform, OCI, base, credentials=ADA)
        tested = (await platform.ok("POST", f"{TYPES}/{one}/test", {}))["data"]
        assert tested["success"] is True, tested
        assert await discovered(platform, one, "repositories", limit=1) == ["private/web", "public/web"]
        tokens.seen.clear()
        for _ in range(2):
            at_once = await asyncio.gather(
                *(call(platform, one, "listTags", repository="private/web") for _ in range(3))
            )  # fmt: skip
            assert all(tags["tags"] == ["1.0"] for tags in at_once)
        assert [request.query["scope"] for request in tokens.seen] == ["repository:private/web:pull"]
        assert tokens.seen[0].query["service"] == SERVICE
        manifest = await call(platform, one, "resolveDigest", repository="private/web", reference="1.0")
        assert len(tokens.seen) == 1, "another path, the same scope"
        await call(platform, one, "deleteManifest", repository="private/web", digest=manifest["digest"])
        assert [request.query["scope"] for request in tokens.seen[1:]] == ["repository:private/web:delete"]


async def filled(base: str, tokens: TokenServer) -> None:
    for repository in ("private/web", "public/web"):
        token = tokens.token([f"repository:{repository}:pull,push"])
        await push(base, repository, "1.0", Authorization=f"Bearer {token}")


async def test_what_is_public_is_for_anybody(platform: Platform, tmp_path: Path) -> None:
    async with token_server() as tokens, registry(tmp_path, tokens.auth(tmp_path)) as base:
        await filled(base, tokens)
        one = await connected(platform, OCI, base)
        assert (await call(platform, one, "listTags", repository="public/web"))["tags"] == ["1.0"]
        assert all("Authorization" not in request.headers for request in tokens.seen)
        error = await refused(platform, one, "listTags", 502, "AUTH_ERROR", repository="private/web")
        assert error["message"] == "authentication required"


async def test_tokens_that_are_refused_or_run_out(platform: Platform, tmp_path: Path) -> None:
    async with token_server() as tokens, registry(tmp_path, tokens.auth(tmp_path)) as base:
        await filled(base, tokens)
        wrong = await connected(platform, OCI, base, credentials=ADA | {"password": "wrong-password"})
        error = await refused(platform, wrong, "listTags", 502, "AUTH_ERROR", repository="private/web")
        assert "token server refuses the credentials" in error["message"] and "wrong-password" not in str(error)
        one = await connected(platform, OCI, base, credentials=ADA)
        asked = {"repository": "private/web"}
        for status, seen, code in ((503, 502, "INTEGRATION_ERROR"), (429, 429, "RATE_LIMIT_EXCEEDED")):
            tokens.status = status
            assert (await refused(platform, one, "listTags", seen, code, **asked))["canRetry"] is True
        tokens.status, tokens.expires_in = 200, 1
        two = await connected(platform, OCI, base, credentials=ADA)
        tokens.seen.clear()
        await call(platform, two, "listTags", **asked)
        await asyncio.sleep(0.55)
        await call(platform, two, "listTags", **asked)
        assert len(tokens.seen) == 2


async def test_credentials_go_to_no_host_that_is_not_named(platform: Platform, tmp_path: Path) -> None:
    """A registry may send anywhere for its tokens; what it names is asked where the integration names it too."""
    async with token_server() as tokens:
        elsewhere = tokens.realm.replace("127.0.0.1", "localhost")
        async with registry(tmp_path, tokens.auth(tmp_path, elsewhere)) as base:
            await filled(base, tokens)
            one = await connected(platform, OCI, base, credentials=ADA)
            error = await refused(platform, one, "listTags", 502, "AUTH_ERROR", repository="private/web")
            assert "localhost" in error["message"] and "realmHost" in error["message"]
            two = await connected(platform, OCI, base, credentials=ADA, config={"realmHost": "localhost"})
            assert tokens.seen == []
            assert (await call(platform, two, "listTags", repository="private/web"))["tags"] == ["1.0"]
            assert len(tokens.seen) == 1


@pytest.mark.parametrize("name", sorted(notes()))
async def test_the_connection_that_the_page_shows_is_made(platform: Platform, name: str) -> None:
    """By the name of its type, with what the page gives."""
    made = await platform.ok("POST", TYPES, notes()[name].connection(name), 201)
    assert made["data"]["status"] == "CONNECTED"
