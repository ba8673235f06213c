"""The audit history through the control plane: listed, explained, verified, listened to."""

import asyncio
import itertools
import json

import pytest

from app.bus import Subscription
from graph.audit import stream
from graph.relay import to_global_id
from services.audit import list_audit_events
from services.context import Context
from tests.graphql.clients import StreamPeer
from tests.graphql.domain.test_installations import ask, gid
from tests.graphql.toys import until
from tests.world import World

PAGE = """query ($first: Int, $filter: AuditEventFilter, $direction: SortDirection! = ASC) {
  auditEvents(first: $first, filter: $filter, direction: $direction) { totalCount nodes {
    id seq at tenant kid attribution surface action resource resourceId outcome code rule expected seen before after
    repeats requestId prev mac actor { kind id name } installation { id } } } }"""
EXPLAIN = """query ($id: String!) { explainDecision(requestId: $id) {
  requestId rule expected seen code action at outcome operation actor { kind id } installation { id } } }"""


async def events(world, *permissions, **variables):
    await world.runtime.sealer.seal_all()
    answer = await ask(world, PAGE, *permissions, **{"first": 100, **variables})
    return answer["data"]["auditEvents"]["nodes"]


async def test_events_are_listed_with_all_that_they_say(world):
    """In the order of the chain, each bound to the one before it."""
    made = await world.installation()
    found = await events(world)
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert found[0]["prev"] == ""
    assert all(later["prev"] == earlier["mac"] for earlier, later in itertools.pairwise(found))
    created = next(event for event in found if event["action"] == "installation.created")
    assert created["after"]["display_name"] == "A site"
    assert created["before"] is None
    assert created["actor"] == {"kind": "OPERATOR", "id": "shell:test", "name": "test"}
    assert (created["surface"], created["outcome"], created["attribution"]) == ("CLI", "ALLOW", "VERIFIED")
    assert created["installation"] == {"id": gid(made)}
    assert created["tenant"] == to_global_id("Tenant", world.tenant)
    newest = await events(world, direction="DESC")
    assert [event["seq"] for event in newest] == [event["seq"] for event in reversed(found)]


async def test_each_filter_leaves_what_it_names(world):
    """One by one and together."""
    made, other = await world.installation(), await world.installation(verified=False)
    found = await events(world)
    of_made = [event for event in found if event["installation"] == {"id": gid(made)}]

    async def seqs(**wanted):
        return [event["seq"] for event in await events(world, filter=wanted)]

    assert await seqs(installation=gid(made)) == [event["seq"] for event in of_made]
    assert await seqs(action="installation.created", installation=gid(other)) == [found[-1]["seq"]]
    assert await seqs(requestId=found[-1]["requestId"]) == [found[-1]["seq"]]
    assert await seqs(actor="shell:test") == [event["seq"] for event in found]
    assert await seqs(outcome="DENY") == []
    middle = found[len(found) // 2]["at"]
    assert await seqs(until=middle) == [event["seq"] for event in found if event["at"] < middle]
    assert await seqs(since=middle) == [event["seq"] for event in found if event["at"] >= middle]
    wrong = await ask(world, PAGE, first=1, filter={"installation": "x"})
    assert wrong["errors"][0]["extensions"]["fields"][0]["field"] == "installation"


async def test_a_refusal_is_explained_by_its_request_id(world):
    """What the rule expected and saw, from this surface and from the contract's; of this tenant only."""
    denied = await world.graphql("{ verifyAudit { events } }", world.token(permissions=["people.read"], user_id="eve"))
    request_id = denied.json()["errors"][0]["extensions"]["requestId"]
    why = (await ask(world, EXPLAIN, id=request_id))["data"]["explainDecision"]
    assert why | {"at": ""} == {
        "requestId": request_id, "rule": "scope", "expected": "audit.read", "seen": "people.read",
        "code": "scope_denied", "action": "auth.scope_denied", "at": "", "outcome": "DENY",
        "operation": "verify_audit", "actor": {"kind": "USER", "id": "eve"}, "installation": None,
    }  # fmt: skip
    made = await world.installation()
    key = (await world.key(made["id"], ["works.read"])).secret
    refused = await world.get("/people", key)
    why = (await ask(world, EXPLAIN, id=refused.headers["x-request-id"]))["data"]["explainDecision"]
    assert (why["code"], why["installation"]) == ("installation_scope_denied", {"id": gid(made)})
    assert why["actor"] == {"kind": "INSTALLATION", "id": str(made["id"])}
    stranger = await World(world.app, world.client).open()
    for asking, wanted in ((stranger, request_id), (world, "req_nobody")):
        assert (await ask(asking, EXPLAIN, id=wanted))["data"]["explainDecision"] is None


async def test_a_decision_is_read_back_from_the_history(world):
    """Also when the process that refused is gone."""
    denied = await world.graphql("{ verifyAudit { events } }", world.token(permissions=["people.read"]))
    request_id = denied.json()["errors"][0]["extensions"]["requestId"]
    world.runtime.denials._decisions.pop(request_id)
    why = (await ask(world, EXPLAIN, id=request_id))["data"]["explainDecision"]
    assert (why["rule"], why["outcome"], why["actor"]["kind"]) == ("scope", "DENY", "USER")


async def test_the_chain_is_verified(world):
    """Every event of the tenant, and no fault."""
    await world.installation()
    query = "{ verifyAudit { events head intact faults { seq kind text } } }"
    report = (await ask(world, query))["data"]["verifyAudit"]
    found = await events(world)
    assert report == {"events": len(found), "head": found[-1]["mac"], "intact": True, "faults": []}


async def test_the_history_is_the_auditors(world):
    """Without the scope it is refused; another tenant's event is no node."""
    denied = await ask(world, PAGE, "installations.read", first=1)
    assert denied["errors"][0]["extensions"]["required"] == "audit.read"
    event = (await events(world))[0]
    node = "query ($id: ID!) { node(id: $id) { ... on AuditEvent { seq action } } }"
    found = (await ask(world, node, id=event["id"]))["data"]["node"]
    assert found == {"seq": 1, "action": "tenant.created"}
    assert (await ask(world, node, "installations.read", id=event["id"]))["data"]["node"] is None
    stranger = await World(world.app, world.client).open()
    assert (await ask(stranger, node, id=event["id"]))["data"]["node"] is None


# --- the stream ------------------------------------------------------------------------------------------


class Listener:
    """A stream of audit events over server-sent events."""

    def __init__(self, world, arguments="", *, token=None):
        head = f"auditEvents({arguments})" if arguments else "auditEvents"
        query = f"subscription {{ {head} {{ event {{ seq action actor {{ id }} }} lagged {{ dropped }} }} }}"
        self.peer = StreamPeer(world.app, query, token or world.token("auditor"))
        self.world = world

    async def started(self):
        assert (await self.peer.heard())["status"] == 200
        await until(lambda: self.world.runtime.bus.readers() > 0)
        return self

    async def next(self):
        text = await self.peer.event()
        assert text.startswith("event: next\ndata: "), text
        return json.loads(text.removeprefix("event: next\ndata: "))

    async def seqs(self, count):
        return [(await self.next())["data"]["auditEvents"]["event"]["seq"] for _ in range(count)]


async def test_a_stream_replays_what_is_sealed_and_goes_on_live(world):
    """From `since`, then as it happens: each seq once, in order."""
    await world.installation()
    before = len(await events(world))
    listener = await Listener(world, "since: 1").started()
    assert await listener.seqs(before - 1) == list(range(2, before + 1))
    await world.installation()
    after = len(await events(world))
    assert await listener.seqs(after - before) == list(range(before + 1, after + 1))
    await listener.peer.gone()
    assert world.runtime.bus.readers() == 0


async def test_without_since_only_what_comes_is_told(world):
    """And of that what passes the filter, of this tenant."""
    await world.installation()
    before = len(await events(world))
    listener = await Listener(world, 'filter: {action: "installation.disabled"}').started()
    stranger = await World(world.app, world.client).open()
    await stranger.installation()
    made = await world.installation()
    change = "mutation ($id: ID!) { disableInstallation(id: $id) { errors { code } } }"
    await ask(world, change, id=gid(made))
    told = (await listener.next())["data"]["auditEvents"]["event"]
    assert (told["action"], told["actor"]["id"]) == ("installation.disabled", "ada")
    assert told["seq"] > before
    await listener.peer.gone()


async def test_who_has_the_head_misses_nothing(world, monkeypatch):
    """Without `since` too: the head of the answer waits until "from now on" has been looked up."""
    may_look, looked = asyncio.Event(), stream._head

    async def slow(context):
        await may_look.wait()
        return await looked(context)

    monkeypatch.setattr(stream, "_head", slow)
    listener = Listener(world, 'filter: {action: "installation.created"}')
    head = asyncio.ensure_future(listener.peer.heard())
    await until(lambda: world.runtime.bus.readers() > 0)
    assert not head.done()
    may_look.set()
    assert (await head)["status"] == 200
    await world.installation()
    assert (await listener.next())["data"]["auditEvents"]["event"]["action"] == "installation.created"
    await listener.peer.gone()


async def test_a_listener_who_loses_the_scope_is_cut_off(world, monkeypatch):
    """Before the next event, not after it."""
    await world.runtime.sealer.seal_all()
    listener = await Listener(world).started()
    verify, weaker = world.runtime.verifier.verify, world.token(permissions=["people.read"])
    monkeypatch.setattr(world.runtime.verifier, "verify", lambda token: verify(weaker))
    await world.installation()
    refused = await listener.next()
    assert refused["errors"][0]["extensions"]["code"] == "SCOPE_DENIED"
    assert "data" not in refused
    assert await listener.peer.event() == "event: complete\ndata:\n\n"


async def test_without_the_scope_nothing_is_replayed(world):
    """The first answer is the refusal."""
    listener = Listener(world, "since: 0", token=world.token("viewer"))
    assert (await listener.peer.heard())["status"] == 200
    assert (await listener.next())["errors"][0]["extensions"]["code"] == "SCOPE_DENIED"


async def told(messages, count):
    found = []
    async with asyncio.timeout(60):
        while len(found) < count:
            message = await anext(messages)
            found.append(message["event"]["seq"] if "event" in message else message["lagged"]["dropped"])
    return found


async def test_what_is_sealed_during_the_replay_is_told_once(world, monkeypatch):
    """An event that is in the replay and on the bus as well comes once."""
    await events(world)

    async def slow(context: Context, request):
        await world.installation()
        await world.runtime.sealer.seal_all()
        monkeypatch.setattr(stream, "list_audit_events", list_audit_events)
        return await list_audit_events(context, request)

    monkeypatch.setattr(stream, "list_audit_events", slow)
    messages = stream.audit_messages(world.context(), 0, {})
    first = await anext(messages)
    count = len(await events(world))
    await world.installation()
    total = len(await events(world))
    assert total > count
    assert [first["event"]["seq"], *await told(messages, total - 1)] == list(range(1, total + 1))
    await messages.aclose()
    assert world.runtime.bus.readers() == 0


class Short(Subscription):
    """A queue of two events; the duty that tells where the chain ends may come at any moment, and takes no place."""

    def __init__(self):
        super().__init__(2)

    def offer(self, message):
        if message.get("type") != "head":
            super().offer(message)


async def test_a_slow_reader_is_told_and_misses_nothing(world, monkeypatch):
    """What left the queue is read from the history."""
    monkeypatch.setattr("app.bus.Subscription", Short)
    before = len(await events(world))
    messages = stream.audit_messages(world.context(), before - 1, {})
    assert await told(messages, 1) == [before]
    for _ in range(3):
        await world.installation()
    after = len(await events(world))
    lagged = await anext(messages)
    assert lagged["lagged"]["dropped"] == after - before - 2
    assert await told(messages, after - before) == list(range(before + 1, after + 1))
    await messages.aclose()


async def test_what_another_process_sealed_is_filled_in(world, monkeypatch):
    """A gap in the live events is read from the history before the stream goes on."""
    before = len(await events(world))
    messages = stream.audit_messages(world.context(), before - 1, {})
    assert await told(messages, 1) == [before]

    async def unheard(*_):
        return None

    monkeypatch.setattr(world.runtime.sealer, "_published", unheard)
    await world.installation()
    await events(world)
    monkeypatch.undo()
    await world.installation()
    after = len(await events(world))
    assert await told(messages, after - before) == list(range(before + 1, after + 1))
    await messages.aclose()


@pytest.mark.parametrize("since", [10**6, 2**63 - 1])
async def test_a_place_ahead_of_the_chain_is_waited_for(world, since):
    """Nothing up to it is told."""
    listener = await Listener(world, f"since: {since}").started()
    await world.installation()
    await events(world)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await listener.peer.from_app.get()
    await listener.peer.gone()
