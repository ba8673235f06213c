"""Something to call: a few greetings as JSON, served beside the demo and nowhere else."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from app.answers import send_answer
from services.demo.login import Login, Reply, answer_login, headers_of

HOST, PATH = "localhost", "/demo/upstream"
_GREETINGS = [{"id": 1, "language": "pt", "text": "Olá"}, {"id": 2, "language": "en", "text": "Hello"}]
App = Callable[[Any, Any, Any], Awaitable[None]]


def answer(method: str, path: str) -> tuple[int, Any]:
    """Status and JSON of a request below PATH."""
    if path == "/health":
        return 200, {"status": "ok"}
    if path == "/greetings":
        return (200, _GREETINGS) if method == "GET" else (201, {"id": 3}) if method == "POST" else (405, _told(405))
    found = next((each for each in _GREETINGS if path == f"/greetings/{each['id']}"), None)
    return (404, _told(404)) if found is None else (200, found)


def _told(status: int) -> dict[str, str]:
    return {"message": {404: "There is no such greeting.", 405: "Greetings are read and added."}[status]}


def with_upstream(app: App, key: bytes) -> App:
    """The application, with the upstream below PATH, and an authorization server below its `/login`.

    `key` is that of what the latter gives out: 32 random bytes, the same in each process of a server.
    """
    login = Login(key)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{PATH}/"):
            await app(scope, receive, send)
            return
        path = scope["path"].removeprefix(PATH)
        if path.startswith("/login/"):
            reply = await answer_login(login, scope, receive, path)
        else:
            status, value = answer(scope["method"], path)
            reply = Reply(status, "application/json", msgspec.json.encode(value))
        await send_answer(send, reply.status, headers_of(reply), reply.body)

    return serve
