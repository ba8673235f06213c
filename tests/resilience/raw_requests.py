"""Requests as bytes: what no HTTP client of good manners would send, handed to the application as a server does."""

from __future__ import annotations

import random
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

PREFIX = "/integrations/v1"


class Raw(NamedTuple):
    """One request; `target` is path and query as they stand on the wire."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    address: str = "127.0.0.1"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def send(app: Any, request: Raw) -> Answer:
    """What the application answers; raises what it raises, for a server could only cut the connection."""
    path, _, query = request.target.partition(b"?")
    chunks = [request.body[i : i + 65_536] for i in range(0, len(request.body), 65_536)] or [b""]
    sent: list[Any] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": request.method, "path": unquote(path.decode("latin-1")), "raw_path": path, "query_string": query,
        "root_path": "", "headers": [(name.lower(), value) for name, value in request.headers],
        "client": (request.address, 50_000), "server": ("127.0.0.1", 8_000),
    }  # fmt: skip

    async def receive() -> Any:
        if not chunks:
            return {"type": "http.disconnect"}
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def answer(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, answer)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


NASTY = [
    "", " ", "0", "-1", "1", "2", "1e309", "-0", "NaN", "null", "true", "[]", "{}", "9" * 400, "0x10", "１", "\x00",
    "a\x00b", "'",
    '"', "';--", "' OR '1'='1", "1;DROP TABLE person", "%", "_", "!", "\\", "${jndi:ldap://x}", "{{7*7}}",
    "../../etc", "<script>", "\ud7ff", "🦀" * 60, "\u202e", "\ufeff", "é", "e\u0301", "ﬁ", "ß" * 200, "a" * 201,
    "a" * 5_000, "\r\nX: y", "last_fetched_at", "asc", "desc", "title", "2020", "100", "101", "9007199254740991",
    "9007199254740992", "\ud800", "\udfff",
]  # fmt: skip
NAMES = [
    "page", "per_page", "q", "sort", "dir", "publication_type", "publication_year", "min_cited_by", "work_type",
    "page[]", "page[$gt]", "PAGE", "__proto__", "", "\x00", "q\x00", "api_key", "X-API-Key",
]  # fmt: skip
PATHS = [
    "/people", "/publications", "/works", "/projects", "/installation", "/health", "/openapi.json", "/verify/x",
    "/verify/00000000-0000-0000-0000-000000000000", "/verify/%00", "/verify/%ff%fe", "/verify/" + "a" * 9_000, "", "/",
    "//", "/people/", "/people//", "/people/../works", "/%70eople", "/people%00", "/people;x", "/%2e%2e/%2e%2e",
    "/nope", "/people/" + "x/" * 500, "/\xff", "/%ff", "/%", "/%zz",
]  # fmt: skip
METHODS = ["GET"] * 30 + [
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "",
    "G\xc9T",
]
BODIES = [b"", b"{", b"[" * 5_000, b"\x00" * 100, b"\xff\xfe", b"a=1&b=2", b'{"a":' * 2_000 + b"1" + b"}" * 2_000]


class Attacker:
    """Makes requests from a seed; some carry a good key, so that they come past the gate."""

    def __init__(self, seed: int, keys: list[str], origin: str) -> None:
        self.random, self.keys, self.origin = random.Random(seed), keys, origin

    def request(self) -> Raw:
        r = self.random
        path = r.choice(PATHS[:8] if r.random() < 0.75 else PATHS)
        target = (PREFIX + path).encode("latin-1") + self._query()
        method = r.choice(METHODS)
        body = r.choice(BODIES) if r.random() < 0.1 else b""
        if r.random() < 0.002:
            body = b"x" * 10_000_000
        headers = self._headers()
        if body and r.random() < 0.5:
            headers.append((b"content-length", r.choice([b"-1", b"abc", b"9" * 50, str(len(body)).encode()])))
        return Raw(method, target, headers, body, f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}")

    def _query(self) -> bytes:
        r = self.random
        kind = r.random()
        if kind < 0.15:
            return b""
        if kind < 0.25:
            return b"?" + bytes(r.randrange(1, 256) for _ in range(r.randrange(1, 60))).replace(b"#", b"")
        names = [r.choice(NAMES[:9] if r.random() < 0.8 else NAMES) for _ in range(r.randrange(1, 6))]
        pairs = [(name, r.choice(NASTY)) for name in names]
        if r.random() < 0.05:
            pairs *= 200
        text = urlencode(pairs, errors="surrogatepass")
        if r.random() < 0.1:
            text = text.replace("%", r.choice(["%25", "%%", "%u00"]), 3)
        return b"?" + text.encode("latin-1")

    def _headers(self) -> list[tuple[bytes, bytes]]:
        r = self.random
        headers = [(b"host", b"dovetail.test")]
        kind = r.random()
        if kind < 0.7:
            headers.append((b"x-api-key", r.choice(self.keys).encode()))
        elif kind < 0.9:
            headers.append((b"x-api-key", self._bad_key()))
        if r.random() < 0.1:
            headers.append((b"origin", r.choice([self.origin.encode(), b"null", b"", b"\xff", b"https://x" * 900])))
        if r.random() < 0.1:
            headers.append((b"x-request-id", bytes(r.randrange(1, 256) for _ in range(r.randrange(200)))))
        if r.random() < 0.03:
            headers += [(f"x-flood-{n}".encode(), b"v" * 50) for n in range(500)]
        if r.random() < 0.05:
            names = [b"accept", b"content-type", b"cookie", b"authorization", b"range", b"if-none-match", b"expect"]
            headers += [
                (r.choice(names), r.choice([b"", b"\xff\xfe", b"*/*;q=x", b"bytes=0-", b"a=b; a", b"x" * 9_000]))
            ]
        if r.random() < 0.03:
            headers.append((b"x-api-key", r.choice(self.keys).encode()))
        return headers

    def _bad_key(self) -> bytes:
        r = self.random
        good = r.choice(self.keys).encode()
        cut = r.randrange(len(good))
        return r.choice([
            b"", b" ", b"x", good[:cut], good[:cut] + b"!" + good[cut + 1 :], good + good, good.upper(), b"\xff" * 40,
            good + b"\x00", b"'" + good, b"dvt_live_" + b"0" * 8 + b"_" + b"0" * 38, b"x" * 3_000,
        ])  # fmt: skip


def from_call(call: dict[str, Any], extra: list[tuple[bytes, bytes]]) -> Raw:
    """What schemathesis would send, as bytes."""
    url = urlsplit(call["url"])
    query = urlencode(call.get("params") or {}, doseq=True, errors="surrogatepass")
    target = url.path + (f"?{query}" if query else "")
    headers = [(name.lower().encode(), str(v).encode("latin-1", "replace")) for name, v in call["headers"].items()]
    return Raw(call["method"], target.encode("latin-1", "replace"), [*headers, *extra])
