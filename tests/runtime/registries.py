"""Debian's container registry in its three ways to authenticate, and a token server that it trusts."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey

from app.ids import new_id
from tests.claims import free_port
from tests.deploy.authority import Authority
from tests.egress.servers import serving
from tests.runtime.real_servers import served

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SERVICE, ISSUER = "registry.example", "the token server"
USER, PASSWORD = "ada", "right-password"
#: bcrypt of PASSWORD, as htpasswd -B writes it.
HTPASSWD = f"{USER}:$2b$04$KNLS0KLeneGYlvolrBr6geomVt8OvpkszapzqVTEPigTuGK01Z2kS\n"


@asynccontextmanager
async def registry(folder: Path, auth: str = "") -> AsyncIterator[str]:
    """Where it is served; `auth` is YAML of its section of that name."""
    port, config = free_port(), folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'images'}}}, delete: {{enabled: true}}}}\n"
        + (f"auth: {auth}\n" if auth else "")
    )
    async with served("docker-registry", "/", port, "serve", str(config)) as base:
        yield base


class TokenServer:
    """Gives signed tokens, by the specification of CNCF Distribution; `seen` are the requests it had.

    Whoever proves USER gets what is asked for, and anybody gets to pull from below `public/`.
    """

    def __init__(self) -> None:
        # Its own certificate is what the registry trusts, and what its tokens carry.
        self._issued = Authority(ISSUER).issued
        self.seen: list[web.Request] = []
        self.status, self.expires_in = 200, 300
        self.realm = ""

    def auth(self, folder: Path, realm: str | None = None) -> str:
        """The registry's section that sends to this server."""
        bundle, key = self._issued.write(folder, "tokens")
        self._key = ECKey.import_key(Path(key).read_text())
        told = {"realm": realm or self.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": bundle}
        return json.dumps({"token": told})

    def token(self, scopes: list[str], *, anonymous: bool = False) -> str:
        """A token for as much of the scopes as may be."""
        wanted = [dict(zip(("type", "name", "actions"), scope.split(":"), strict=True)) for scope in scopes]
        access = [
            each | {"actions": ["pull"] if anonymous else each["actions"].split(",")}
            for each in wanted
            if not anonymous or each["name"].startswith("public/")
        ]
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": "" if anonymous else USER, "aud": SERVICE, "iat": now, "nbf": now - 5,
            "exp": now + 300, "jti": str(new_id()), "access": access,
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "JWT", "x5c": [base64.b64encode(self._issued.der).decode()]}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if self.status != 200:
            return web.json_response({"details": "no"}, status=self.status, headers={"Retry-After": "7"})
        given = request.headers.get("Authorization")
        right = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if request.query.get("service") != SERVICE or given not in (None, right):
            return web.json_response({"details": "incorrect username or password"}, status=401)
        token = self.token(request.query.getall("scope", []), anonymous=given is None)
        return web.json_response({"token": token, "expires_in": self.expires_in})


@asynccontextmanager
async def token_server() -> AsyncIterator[TokenServer]:
    server = TokenServer()
    async with serving({"/token": server.answer}) as base:
        server.realm = f"{base}/token"
        yield server


async def push(base: str, repository: str, tag: str, **headers: str) -> str:
    """An image of one empty layer, different for each tag; its digest."""
    blob = b"{}"
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(blob)}
    image: dict[str, Any] = {"schemaVersion": 2, "mediaType": MANIFEST, "config": part, "layers": [part]}
    manifest = json.dumps(image | {"annotations": {"org.opencontainers.image.version": tag}}).encode()
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
        begun = await client.post(f"/v2/{repository}/blobs/uploads/")
        await client.put(httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest}), content=blob)
    return await _put(base, repository, tag, manifest, MANIFEST, headers)


async def push_index(base: str, repository: str, tag: str, digests: list[str]) -> str:
    """An index over images that are there; its digest."""
    parts = [{"mediaType": MANIFEST, "digest": digest, "size": 1} for digest in digests]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": parts}).encode()
    return await _put(base, repository, tag, index, INDEX, {})


async def _put(base: str, repository: str, tag: str, manifest: bytes, kind: str, headers: dict[str, str]) -> str:
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
        given = {"Content-Type": kind}
        put = await client.put(f"/v2/{repository}/manifests/{tag}", content=manifest, headers=given)
        assert put.status_code == 201, put.text
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"
