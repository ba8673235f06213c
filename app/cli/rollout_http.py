"""Plain HTTP to the server that an operator names: no redirects, no proxies, answers of a bounded size."""

import http.client
import json
import ssl
import sys
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import click

from app.cli.failures import CommandFailed

ApiVersion = Literal["v1", "v2"]
_API = "/integrations/"
_VERSIONS = ("v1", "v2")
_SECONDS = 20
_MOST_BYTES = 32 * 1_048_576


class Answer(NamedTuple):
    """A whole answer; the names of headers are in lower case."""

    asked: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value, or None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def code(self) -> str | None:
        found = self.json()
        return found.get("code") if isinstance(found, dict) else None

    def described(self) -> str:
        """Like `GET /people: 429 installation_rate_limit_exceeded`."""
        return f"{self.asked}: {self.status} {self.code() or ''}".rstrip()


class Unreachable(Exception):
    """No whole answer came; the message says why."""


class Site:
    """One version of a server's consumer surface; every answer is kept until the command ends."""

    def __init__(self, base_url: str, version: ApiVersion = "v1") -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            text = f"{base_url!r} is no base URL; write it like https://api.example.org"
            raise CommandFailed("base_url_invalid", text, base_url=base_url)
        self._tls, self._host, self._port = parts.scheme == "https", parts.hostname, _port(base_url)
        path = parts.path.rstrip("/")
        for each in _VERSIONS:
            path = path.removesuffix(f"{_API}{each}")
        self.version, self._path = version, f"{path}{_API}{version}"
        self.answers: list[Answer] = []

    def ask(self, path: str, key: str | None = None, method: str = "GET", tag: str | None = None) -> Answer:
        """One request below the version's prefix; with a `tag` only what is not the same. Raises Unreachable."""
        headers = {"Accept": "application/json, application/problem+json"}
        headers |= ({} if key is None else {"X-API-Key": key}) | ({} if tag is None else {"If-None-Match": tag})
        link = self._connection()
        try:
            link.request(method, f"{self._path}{path}", headers=headers)
            found = link.getresponse()
            body = found.read(_MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{method} {path}: {error or type(error).__name__}") from error
        finally:
            link.close()
        if len(body) > _MOST_BYTES:
            raise Unreachable(f"{method} {path}: the answer is longer than {_MOST_BYTES} bytes")
        held = {name.lower(): value for name, value in found.getheaders()}
        answer = Answer(f"{method} {path}", found.status, held, body)
        self.answers.append(answer)
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=_SECONDS, context=context)


def _port(base_url: str) -> int | None:
    try:
        return urlsplit(base_url).port
    except ValueError as error:
        raise CommandFailed("base_url_invalid", f"{base_url!r} is no base URL: {error}", base_url=base_url) from error


def given_key(text: str) -> str:
    """The key of `--api-key`; `-` reads it from standard input, so that it stands in no list of processes."""
    key = (sys.stdin.readline() if text == "-" else text).strip()
    if not key or not key.isascii() or not key.isprintable():
        raise CommandFailed("key_invalid", "--api-key must be a key of printable ASCII characters, or - for stdin.")
    return key


def unreachable(error: Unreachable, base_url: str) -> CommandFailed:
    text = f"{base_url} does not answer: {error}. See that the server runs and that --base-url names it."
    return CommandFailed("unreachable", text, base_url=base_url)


site_option = click.option("--base-url", required=True, help="The server, like https://api.example.org.")
version_option = click.option(
    "--api-version", type=click.Choice(_VERSIONS), default="v1", show_default=True, help="Of /integrations."
)
key_option = click.option("--api-key", required=True, help="A key of an installation; - reads it from standard input.")
