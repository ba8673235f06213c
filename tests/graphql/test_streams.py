"""Subscriptions over WebSocket and over server-sent events: how they begin, go on and end."""

import asyncio

import pytest

from graph import websockets
from tests.graphql import toys
from tests.graphql.clients import SocketPeer, StreamPeer, ask, server

MADE = "subscription { toyMade { name madeAt } }"
DATA = {"toyMade": {"name": "toy 1", "madeAt": "2025-11-02T02:20:00.001Z"}}


async def listening(app, runtime):
    await toys.until(lambda: runtime.bus.readers() > 0)


def parts():
    runtime = toys.runtime()
    return runtime, server(runtime)


async def test_a_socket_carries_queries_and_subscriptions():
    """init, ack, subscribe, next, complete; a query answers once."""
    runtime, app = parts()
    peer = await SocketPeer(app).ready()
    peer.say(type="ping")
    assert await peer.said() == {"type": "pong"}
    peer.say(type="pong")
    peer.say(type="subscribe", id="1", payload={"query": "{ viewer { subject } }"})
    answer = await peer.said()
    assert (answer["type"], answer["id"], answer["payload"]["data"]) == ("next", "1", {"viewer": {"subject": "writer"}})
    assert await peer.said() == {"type": "complete", "id": "1"}
    peer.say(type="subscribe", id="1", payload={"query": MADE})
    await listening(app, runtime)
    for _ in range(2):
        await runtime.bus.publish("toys", {"name": "bear"})
        assert (await peer.said())["payload"]["data"] == DATA
    peer.say(type="complete", id="1")
    await toys.until(lambda: runtime.bus.readers() == 0)
    await peer.gone()
    assert len(app.web_sockets) == 0


async def test_a_client_that_goes_away_ends_its_generators():
    """The generator's `finally` has run when the connection is done with, on both transports."""
    runtime, app = parts()
    socket = await SocketPeer(app).ready()
    socket.say(type="subscribe", id="1", payload={"query": MADE})
    await listening(app, runtime)
    await socket.gone()
    assert runtime.bus.readers() == 0
    stream = StreamPeer(app, MADE)
    await listening(app, runtime)
    await stream.gone()
    assert runtime.bus.readers() == 0
    assert len(app.event_streams) == 0


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer stranger"}}], 4403),
        ([{"type": "connection_init"}], 4403),
        ([{"type": "connection_init", "payload": {"Authorization": 5}}], 4403),
        ([{"type": "connection_init", "payload": [1]}], 4400),
        ([{"type": "subscribe", "id": "1", "payload": {"query": "{ a }"}}], 4401),
        ([{"type": "nonsense"}], 4400),
        ([{"type": "subscribe", "id": "1", "payload": {"query": "x" * 2_000}}], 1009),
    ],
)
async def test_sockets_that_are_closed_before_they_are_ready(messages, code):
    """Each fault has the protocol's close code."""
    peer = SocketPeer(server(max_body_bytes=1_024))
    await peer.heard()
    for message in messages:
        peer.say(**message)
    assert await peer.closed() == code


async def test_sockets_that_are_closed_later():
    """A second init, an id in use, a payload that is none."""
    for message, code in (
        ({"type": "connection_init"}, 4429),
        ({"type": "subscribe", "id": "1", "payload": {"query": MADE}}, 4409),
        ({"type": "subscribe", "payload": {"query": MADE}}, 4400),
        ({"type": "subscribe", "id": "2", "payload": {"query": 5}}, 4400),
        ({"type": "subscribe", "id": "2"}, 4400),
    ):
        runtime, app = parts()
        peer = await SocketPeer(app).ready()
        peer.say(type="subscribe", id="1", payload={"query": MADE})
        await listening(app, runtime)
        peer.say(**message)
        assert await peer.closed() == code
        assert runtime.bus.readers() == 0


async def test_a_socket_without_init_is_closed():
    """4408 after the time for it."""
    app = server()
    app.web_sockets.init_seconds = 0.02
    peer = SocketPeer(app)
    await peer.heard()
    assert await peer.closed() == 4408


async def test_sockets_of_other_sites_and_of_other_protocols_are_not_opened():
    """A foreign Origin is refused before the handshake; the page's own is not."""
    peer = SocketPeer(server(), origin="https://evil.test")
    assert (await peer.heard())["type"] == "websocket.close"
    assert (await SocketPeer(server(), origin="http://dovetail.test").heard())["type"] == "websocket.accept"
    other = SocketPeer(server(), protocols=["graphql-ws"])
    assert (await other.heard())["type"] == "websocket.accept"
    assert (await other.heard())["code"] == 4406


async def test_a_socket_carries_so_many_operations_and_no_more():
    """The one too many gets an error; the others go on."""
    runtime, app = parts()
    peer = await SocketPeer(app).ready()
    for number in range(51):
        peer.say(type="subscribe", id=str(number), payload={"query": MADE})
    answer = await peer.said()
    assert (answer["type"], answer["id"]) == ("error", "50")
    assert answer["payload"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    await toys.until(lambda: runtime.bus.readers() == 50)
    await peer.gone()
    assert runtime.bus.readers() == 0


@pytest.mark.parametrize("query", ["subscription { nothing }", "{", "subscription { toyMade { name } }"])
async def test_operations_that_cannot_start_are_errors_of_their_own(query):
    """The socket stays open; the scope is checked before the first event."""
    peer = await SocketPeer(server()).ready("reader")
    peer.say(type="subscribe", id="1", payload={"query": query})
    answer = await peer.said()
    assert (answer["type"], answer["id"]) == ("error", "1")
    assert answer["payload"][0]["extensions"]["code"] in ("QUERY_REFUSED", "SCOPE_DENIED")
    peer.say(type="ping")
    assert (await peer.said())["type"] == "pong"
    await peer.gone()


@pytest.mark.parametrize(("change", "code"), [("gone", "INVALID_TOKEN"), ("less", "SCOPE_DENIED")])
async def test_token_and_scope_are_checked_on_each_event(change, code):
    """What the caller may no longer see is not sent, and the stream ends."""
    runtime, app = parts()
    socket = await SocketPeer(app).ready()
    socket.say(type="subscribe", id="1", payload={"query": MADE})
    await listening(app, runtime)
    await runtime.bus.publish("toys", {"name": "bear"})
    assert (await socket.said())["type"] == "next"
    if change == "gone":
        del runtime.verifier.principals["writer"]
    else:
        runtime.verifier.principals["writer"] = toys.principal("writer")
    await runtime.bus.publish("toys", {"name": "bear"})
    answer = await socket.said()
    assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", code)
    assert runtime.bus.readers() == 0
    await socket.gone()


async def test_a_stream_that_breaks_is_masked():
    """On both transports; the generator has ended."""
    runtime, app = parts()
    socket = await SocketPeer(app).ready()
    socket.say(type="subscribe", id="1", payload={"query": MADE})
    stream = StreamPeer(app, MADE)
    await stream.heard()
    await toys.until(lambda: runtime.bus.readers() == 2)
    await runtime.bus.publish("toys", {"name": "boom"})
    answer = await socket.said()
    assert answer["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert "hunter2" not in str(answer)
    event = await stream.event()
    assert '"INTERNAL"' in event
    assert "hunter2" not in event
    assert await stream.event() == "event: complete\ndata:\n\n"
    assert runtime.bus.readers() == 0
    await socket.gone()


class Line(asyncio.Queue):
    """What the application says to a client; once it has gone, saying anything fails as it does in a server."""

    gone = False

    async def put(self, item):
        if self.gone:
            raise ConnectionError("the client has gone")
        await super().put(item)


async def test_a_client_that_goes_away_while_it_is_told_is_no_error(monkeypatch, caplog):
    """Nobody is left to be told, nothing is logged, and its generators end."""
    monkeypatch.setattr(asyncio, "Queue", Line)
    runtime, app = parts()
    socket = await SocketPeer(app).ready()
    socket.say(type="subscribe", id="1", payload={"query": MADE})
    await listening(app, runtime)
    socket.from_app.gone = True
    for _ in range(3):
        await runtime.bus.publish("toys", {"name": "bear"})
        await asyncio.sleep(0.01)
    await socket.gone()
    assert runtime.bus.readers() == 0
    assert len(app.web_sockets) == 0
    assert [record.message for record in caplog.records] == []


async def test_server_sent_events():
    """next for each event, comments in between, complete when the server stops."""
    runtime, app = parts()
    app.event_streams._keep_alive = 0.02
    peer = StreamPeer(app, MADE)
    start = await peer.heard()
    assert dict(start["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert b"x-ratelimit-limit" in dict(start["headers"])
    await listening(app, runtime)
    assert await peer.event() == ":\n\n"
    await runtime.bus.publish("toys", {"name": "bear"})
    while (event := await peer.event()) == ":\n\n":
        pass
    assert event.startswith('event: next\ndata: {"data":{"toyMade":{"name":"toy 1"')
    assert event.endswith("\n\n")
    await app.stop()
    while (event := await peer.event()) == ":\n\n":
        pass
    assert event == "event: complete\ndata:\n\n"
    await peer.task
    assert runtime.bus.readers() == 0


async def test_a_query_may_be_asked_as_events_too():
    """One next, then complete; what is refused before is an ordinary answer."""
    app = server()
    peer = StreamPeer(app, "{ viewer { subject } }")
    assert (await peer.heard())["status"] == 200
    assert '"subject":"writer"' in await peer.event()
    assert await peer.event() == "event: complete\ndata:\n\n"
    response = await ask(app, "{ nothing }", accept="text/event-stream")
    assert response.status_code == 400


async def test_a_server_that_stops_completes_every_subscription():
    """complete for each operation, then 1001."""
    runtime, app = parts()
    peer = await SocketPeer(app).ready()
    peer.say(type="subscribe", id="7", payload={"query": MADE})
    await listening(app, runtime)
    await app.stop()
    assert await peer.said() == {"type": "complete", "id": "7"}
    assert await peer.closed() == 1001
    assert runtime.bus.readers() == 0
    late = SocketPeer(app)
    assert (await late.heard())["type"] == "websocket.close"


async def test_who_does_not_read_holds_no_stop_up(monkeypatch):
    """Its socket is left to be cut; the others, and the event streams, are completed meanwhile."""
    monkeypatch.setattr(websockets, "LEAVE_SECONDS", 0.5)
    runtime, app = parts()
    deaf = await SocketPeer(app).ready()
    deaf.say(type="subscribe", id="1", payload={"query": MADE})
    await listening(app, runtime)
    # What is said to it from here on waits, as for a peer whose buffers are full.
    deaf.from_app._maxsize = 1
    deaf.from_app.put_nowait("unread")
    stream, peer = StreamPeer(app, MADE), await SocketPeer(app).ready()
    assert (await stream.heard())["status"] == 200
    await toys.until(lambda: runtime.bus.readers() == 2)
    stopping = asyncio.ensure_future(app.stop())
    assert await stream.event() == "event: complete\ndata:\n\n"
    assert await peer.closed() == 1001
    done, _ = await asyncio.wait([stopping], timeout=10)
    deaf.from_app._maxsize = 0
    await deaf.gone()
    assert done
