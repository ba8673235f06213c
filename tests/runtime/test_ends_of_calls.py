"""How a call that changes something ended is written with its audit event: both or neither, and the event once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from models.audit import AuditEvent
from models.integrations import IntegrationExecution
from services.context import Context
from services.integrations.execution.recording import _write_end
from tests.runtime.platform import Platform
from tests.runtime.upstreams import connected, execute, json, method, upstream
from tests.world import World

pytestmark = pytest.mark.runtime

SENDS = method("send", request={"method": "POST", "path": "/messages", "body": {}})


async def events(world: World) -> list[dict[str, Any]]:
    told = (AuditEvent.tenant == world.tenant) & (AuditEvent.action == "integration_method.executed")
    return await AuditEvent.select().where(told).order_by(AuditEvent.at)


async def executed(world: World) -> dict[str, Any]:
    """The row of a call that went well; its event is written."""
    platform = Platform(world)
    async with upstream() as far:
        far.answer(json({}, 201))
        one = await connected(platform, far.base, SENDS)
        assert (await platform.ask("POST", execute(one, "send"), {"parameters": {}})).status_code == 200
    (row,) = await IntegrationExecution.of(world.tenant).select()
    assert row["outcome"] == "success" and len(await events(world)) == 1
    return dict(row)


def own(row: dict[str, Any]) -> Any:
    return IntegrationExecution.id == row["id"]


async def test_an_end_that_was_written_is_not_told_again(world: World) -> None:
    """As after a commit whose answer was lost."""
    row = await executed(world)
    await _write_end(world.context(), row["id"], row | {"outcome": "failed", "code": "integration_failed"})
    (now,) = await IntegrationExecution.of(world.tenant).select()
    assert now["outcome"] == "success" and len(await events(world)) == 1


@pytest.mark.parametrize("before", ["running", "unknown"])
async def test_who_comes_back_late_knows_how_it_ended(world: World, before: str) -> None:
    """A row that runs, or was given up, is ended, with an event."""
    row = await executed(world)
    await IntegrationExecution.of(world.tenant).update({IntegrationExecution.outcome: before}).where(own(row))
    await _write_end(world.context(), row["id"], row | {"outcome": "failed", "code": "integration_failed"})
    (now,) = await IntegrationExecution.of(world.tenant).select()
    assert (now["outcome"], now["code"]) == ("failed", "integration_failed")
    assert [event["outcome"] for event in await events(world)] == ["allow", "error"]


async def test_of_an_instance_that_is_gone_the_event_remains(world: World) -> None:
    """The row went with its instance."""
    row = await executed(world)
    await IntegrationExecution.of(world.tenant).delete().where(own(row))
    await _write_end(world.context(), row["id"], row)
    assert len(await events(world)) == 2


async def test_an_end_without_its_event_is_not_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that cannot be inserted leaves the row as it was."""
    row = await executed(world)
    await IntegrationExecution.of(world.tenant).update({IntegrationExecution.outcome: "running"}).where(own(row))
    (first,) = await events(world)
    entry = Context.entry

    def clashing(self: Context, *given: Any) -> Any:
        return msgspec.structs.replace(entry(self, *given), id=first["id"])

    monkeypatch.setattr(Context, "entry", clashing)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await _write_end(world.context(), row["id"], row)
    (now,) = await IntegrationExecution.of(world.tenant).select()
    assert now["outcome"] == "running" and len(await events(world)) == 1


async def test_the_end_is_one_round_trip_on_postgresql(world: World) -> None:
    """One statement is one transaction; SQLite has no such statement, and no trip to save."""
    row = await executed(world)
    await IntegrationExecution.of(world.tenant).update({IntegrationExecution.outcome: "running"}).where(own(row))
    context = world.context()
    with world.runtime.database.count_statements() as counted:
        await _write_end(context, row["id"], row)
    assert counted.count == (1 if world.runtime.database.dialect == "postgres" else 3)
    assert len(await events(world)) == 2
