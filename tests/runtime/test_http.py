"""HTTP itself: unknown paths, other methods, CORS, request ids, large bodies, and the roof around the surface."""

import re

import pytest

from services.installations import disable_installation
from tests.contract.answers import CONTRACT
from tests.runtime.surface import Surface
from tests.world import V1, World

pytestmark = pytest.mark.runtime
PATHS = ["/health", "/installation", "/people", "/publications", "/works", "/projects", "/verify/x"]


@pytest.mark.parametrize(
    "path", ["", "/", "/nope", "/people/1", "/verify", "/verify/a/b", "/schema", "/unserved", "/unserved/openapi.json",
             "/docs", "/%00", "/..%2f", "/people;x=1", "/PEOPLE", "/integrations/v1/people"],
)  # fmt: skip
async def test_unknown_paths(path: str, v1: Surface, world: World) -> None:
    """Below the prefix a path that leads nowhere is the contract's 404, with a key and without one."""
    for key in (None, await world.ready_key()):
        answer = await v1.get(path, key)
        assert answer.status_code == 404
        assert answer.json() == {"error": "Not found", "code": "not_found", "details": None}


async def test_a_neighbour_of_the_prefix_is_not_the_surface(world: World) -> None:
    """`/integrations/v10` is no path of v1: the roof answers in its own form."""
    answer = await world.client.get("/integrations/v10/people")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "HEAD"])
async def test_other_methods(path: str, method: str, v1: Surface, world: World) -> None:
    """Only GET and OPTIONS are served; the refusal names what is allowed."""
    answer = await v1.send(method, path, await world.ready_key())
    CONTRACT.check(answer)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, OPTIONS"
    assert method == "HEAD" or answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_other_methods_of_the_document(method: str, v1: Surface) -> None:
    """The document is read and nothing else; no key is asked for."""
    answer = await v1.send(method, "/openapi.json")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")
    CONTRACT.check(answer)


@pytest.mark.parametrize("path", [*PATHS, "/nope"])
async def test_options_without_an_origin(path: str, v1: Surface) -> None:
    """OPTIONS says what is allowed and opens nothing to a browser."""
    answer = await v1.send("OPTIONS", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, OPTIONS"
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_preflight_of_a_verified_origin(v1: Surface, world: World) -> None:
    """A browser on a verified origin of an active installation may send the key's header."""
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"])
    asked = {"Origin": origin["origin"], "Access_Control_Request_Method": "GET"}
    answer = await v1.send("OPTIONS", "/people", **asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin["origin"]
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert "X-API-Key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    await disable_installation(world.context(), installation["id"])
    answer = await v1.send("OPTIONS", "/people", **asked)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ["https://evil.example", "null", "*", "", "https://é.example", "x" * 5_000])
async def test_preflight_of_anybody_else(name: str, world: World) -> None:
    """No other origin is answered with a permission."""
    headers = [(b"Origin", name.encode("latin-1")), (b"Access-Control-Request-Method", b"GET")]
    answer = await world.client.request("OPTIONS", V1 + "/people", headers=headers)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_preflight_of_a_pending_origin(v1: Surface, world: World) -> None:
    """An origin without its proof is nobody yet."""
    installation = await world.installation()
    pending = await world.origin(installation["id"], verified=False)
    answer = await v1.send("OPTIONS", "/people", Origin=pending["origin"])
    assert "access-control-allow-origin" not in answer.headers


async def test_exposed_headers(v1: Surface, world: World) -> None:
    """A browser may read the limits, the request id and the end of a rotated key."""
    installation = await world.installation(verified=False)
    origin = await world.origin(installation["id"])
    key = str((await world.key(installation["id"])).secret)
    exposed = (await v1.get("/people", key, Origin=origin["origin"])).headers["access-control-expose-headers"]
    for name in ("X-Request-Id", "X-RateLimit-Remaining", "RateLimit", "Retry-After", "Deprecation", "Sunset"):
        assert name in exposed


@pytest.mark.parametrize("path", ["/health", "/people", "/nope", "/openapi.json"])
async def test_a_good_request_id_is_echoed(path: str, v1: Surface) -> None:
    """The caller's own id comes back once, so that its logs and ours meet."""
    answer = await v1.world.get(path, None, X_Request_Id="cron-2026.04_22-abc")
    assert answer.headers.get_list("x-request-id") == ["cron-2026.04_22-abc"]


@pytest.mark.parametrize(
    "given", ["", "short", "a b c d e f g h", "x" * 129, "<script>alert</script>", "éééééééééé", "a\tbbbbbbbbb"]
)
async def test_a_bad_request_id_is_replaced(given: str, world: World) -> None:
    """What could spoil a log line or a header is not echoed."""
    answer = await world.client.get(V1 + "/health", headers=[(b"X-Request-Id", given.encode("latin-1"))])
    assert re.fullmatch(r"req_[0-9a-f]{20}", answer.headers["x-request-id"])


async def test_every_answer_has_its_own_request_id(v1: Surface) -> None:
    """Ids are not used twice."""
    ids = {(await v1.get("/health")).headers["x-request-id"] for _ in range(50)}
    assert len(ids) == 50


async def test_a_large_body_is_refused_unread(v1: Surface, world: World) -> None:
    """A body over the limit is 413 by its length, in the contract's form, on any method."""
    for method in ("GET", "POST"):
        answer = await world.client.request(method, V1 + "/people", content=b"x" * 10_000_000)
        CONTRACT.check(answer)
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_a_small_body_on_get_is_not_minded(v1: Surface, world: World) -> None:
    """A client that sends a body with GET is served."""
    key = await world.ready_key()
    answer = await world.client.request("GET", V1 + "/people", content=b"{nonsense", headers={"X-API-Key": key})
    assert answer.status_code == 200


async def test_answers_are_json_in_utf8(v1: Surface, world: World) -> None:
    """The media type is `application/json`, whatever the client says that it accepts."""
    key = await world.ready_key()
    for accept in ("*/*", "text/html", "application/xml"):
        answer = await v1.get("/people", key, Accept=accept)
        assert answer.headers["content-type"] == "application/json"


async def test_a_trailing_slash_is_forgiven(v1: Surface, world: World) -> None:
    """`/people/` is `/people`: the list, not a redirect that would lose the key."""
    key = await world.ready_key()
    assert (await world.get("/people/", key)).json() == await v1.ok("/people", key)
