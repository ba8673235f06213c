"""Credentials that lie in a vault: read when they are needed, by the vault's own method, and never kept elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from app.ids import new_id
from models.integrations import IntegrationExecution
from services.integrations.execution.vaults import KEPT_SECONDS
from services.integrations.instances.status import integrations_topic
from services.paging import statement
from tests.runtime.platform import INSTANCES
from tests.runtime.upstreams import execute, json, method
from tests.runtime.vaults import INTEGRATIONS, TOKEN, both, referring, type_of
from tests.world import World

pytestmark = pytest.mark.runtime


async def test_a_call_carries_what_lies_in_the_vault(world: World) -> None:
    """One field of a secret in folders, by the vault's name; what is stored names its id."""
    async with both(world) as it:
        it.vault.secrets["ci/the forge"] = {"token": "from-the-vault-1"}
        made = await referring(it.platform, await type_of(it.platform, it.far.base),
                               "vault://Our%20vault/ci/the%20forge#token")  # fmt: skip
        reference = f"vault://{it.instance['id']}/ci/the%20forge#token"
        assert (made["credentialRef"], made["status"]) == (reference, "CONNECTED")
        await it.executed(made)
        assert it.sent == ["Bearer from-the-vault-1"] and it.vault.seen == ["ci/the forge"]
        # Kept for a moment: the next call asks the vault nothing.
        await it.executed(made)
        assert it.vault.seen == ["ci/the forge"]
        shown = await it.platform.ok("GET", f"{INSTANCES}/{made['id']}")
        assert shown["credentialRef"] == reference
        # The vault may be renamed, and the reference sent back as it was shown.
        await it.platform.ok("PUT", f"{INTEGRATIONS}/{it.instance['id']}", {"name": "Another name"})
        again = await it.platform.ok("PUT", f"{INTEGRATIONS}/{made['id']}", {"credentialRef": reference, "name": "F"})
        assert again["data"]["credentialRef"] == reference
        await it.executed(made)


async def test_the_fields_of_a_secret_are_the_secrets_by_name(world: World) -> None:
    async with both(world) as it:
        it.vault.secrets["db"] = {"username": "ada", "password": "pass-from-vault", "other": 7}
        kind = await type_of(it.platform, it.far.base, "basic")
        made = await referring(it.platform, kind, f"authref://vault/{it.instance['id']}/db")
        await it.executed(made)
        assert it.sent == ["Basic YWRhOnBhc3MtZnJvbS12YXVsdA=="]


async def test_a_secret_that_was_changed_is_read_again(world: World) -> None:
    """Where the other side refuses the one that was kept, at once; else after its time; a changed vault at once too."""
    async with both(world) as it:
        it.vault.secrets["a"] = {"token": "the-first-one"}
        made = await referring(it.platform, await type_of(it.platform, it.far.base), "vault://Our%20vault/a#token")

        async def choosy(request: web.Request) -> web.StreamResponse:
            good = request.headers["Authorization"] == f"Bearer {(it.vault.secrets['a'] or {})['token']}"
            return web.json_response({}, status=200 if good else 401)

        it.far.answer(choosy)
        await it.executed(made)
        it.vault.secrets["a"] = {"token": "the-second-one"}
        await it.executed(made)
        assert it.sent[1:] == ["Bearer the-first-one", "Bearer the-second-one"] and len(it.vault.seen) == 2
        kept = world.runtime.vaults._kept
        for key, (_, fields) in list(kept.items()):
            kept[key] = (world.runtime.clock.monotonic() - 0.001, fields)
        await it.executed(made)
        assert len(it.vault.seen) == 3
        assert all(until <= world.runtime.clock.monotonic() + KEPT_SECONDS for until, _ in kept.values())
        await it.platform.ok("PUT", f"{INTEGRATIONS}/{it.instance['id']}", {"config": {"baseUrl": it.vault.base,
                                                                                      "mount": "secret"}})  # fmt: skip
        await it.executed(made)
        assert len(it.vault.seen) == 4


async def test_those_who_ask_at_once_ask_once(world: World) -> None:
    async with both(world) as it:
        it.vault.secrets["a"], it.vault.pause = {"token": "for-all-of-them"}, 0.1
        made = await referring(it.platform, await type_of(it.platform, it.far.base), "vault://Our%20vault/a#token")
        await asyncio.gather(*(it.executed(made) for _ in range(5)))
        assert it.vault.seen == ["a"] and it.sent == ["Bearer for-all-of-them"] * 5


async def test_what_fails_names_the_reference_and_no_secret(world: World) -> None:
    """AUTH_ERROR, whatever went wrong at the vault; the instance stays as it is, and works once the vault does."""
    async with both(world) as it:
        it.vault.secrets["a"] = {"token": "secret-canary-42", "number": 7, "empty": None}
        it.vault.secrets["deleted"] = None
        kind = await type_of(it.platform, it.far.base)
        good = await referring(it.platform, kind, "vault://Our%20vault/a#token", "good")
        for reference, reason in (
            ("vault://Our%20vault/nothing#token", "answered with"),
            ("vault://Our%20vault/deleted#token", "has no secret there"),
            ("vault://Our%20vault/a#nothing", "has no field nothing"),
            ("vault://Our%20vault/a#number", "credentials.token: the value is not of type"),
            ("vault://Our%20vault/a#empty", "credentials.token: the value is not of type"),
        ):
            made = await referring(it.platform, kind, reference, f"I {new_id()}")
            error = await it.platform.refused(502, "AUTH_ERROR", "POST", execute(f"{INSTANCES}/{made['id']}"), {})
            assert made["credentialRef"] in error["message"] and reason in error["message"], error["message"]
            assert "canary" not in str(error) and error["details"]["credentialRef"] == made["credentialRef"]
            assert (await it.platform.ok("GET", f"{INSTANCES}/{made['id']}"))["status"] == "CONNECTED"
            tested = (await it.platform.ok("POST", f"{INTEGRATIONS}/{made['id']}/test"))["data"]
            assert tested["success"] is True  # No method to test with: it is only seen whether anybody answers.
        assert it.far.seen == [] or all("Authorization" not in request.headers for request in it.far.seen)
        world.runtime.vaults._kept.clear()
        it.vault.token = "another"
        error = await it.platform.refused(502, "AUTH_ERROR", "POST", execute(f"{INSTANCES}/{good['id']}"), {})
        assert error["details"]["cause"] == "integration_auth_failed" and TOKEN not in str(error)
        await it.platform.ok("PUT", f"{INTEGRATIONS}/{it.instance['id']}", {"enabled": False})
        error = await it.platform.refused(502, "AUTH_ERROR", "POST", execute(f"{INSTANCES}/{good['id']}"), {})
        assert "disabled" in error["message"]
        it.vault.token = TOKEN
        await it.platform.ok("PUT", f"{INTEGRATIONS}/{it.instance['id']}", {"enabled": True})
        await it.executed(good)


async def test_a_slow_vault_uses_the_time_of_the_call(world: World) -> None:
    async with both(world) as it:
        it.vault.secrets["a"], it.vault.pause = {"token": "too-late-to-use"}, 1.0
        kind = await type_of(it.platform, it.far.base, methods=[method(timeoutMs=150)])
        made = await referring(it.platform, kind, "vault://Our%20vault/a#token")
        await it.platform.refused(504, "TIMEOUT_ERROR", "POST", execute(f"{INSTANCES}/{made['id']}"), {})
        assert it.far.seen == []


async def test_the_circuit_and_the_limit_of_the_vault_apply(world: World) -> None:
    """A vault that keeps failing is left alone, and the calls are told so; what its limit says is not theirs."""
    async with both(world) as it:
        it.vault.secrets["a"] = {"token": "after-the-storm"}
        kind = await type_of(it.platform, it.far.base)
        made = await referring(it.platform, kind, "vault://Our%20vault/a#token")
        working, it.vault.base = it.vault.base, "http://127.0.0.1:1"
        vault, given = f"{INTEGRATIONS}/{it.instance['id']}", {"credentials": {"apiKey": TOKEN}}
        await it.platform.ok("PUT", vault, given | {"config": {"baseUrl": it.vault.base}})
        causes = []
        for _ in range(4):
            error = await it.platform.refused(502, "AUTH_ERROR", "POST", execute(f"{INSTANCES}/{made['id']}"), {})
            causes.append(error["details"]["cause"])
        assert causes[0] == "integration_error" and causes[-1] == "circuit_open"
        await it.platform.ok("PUT", vault, given | {"config": {"baseUrl": working}})
        # What was read of the vault is in its record, as any call of it is.
        async with asyncio.timeout(60):
            # A flush of the server's own may be on its way with them.
            while len(rows := await recorded(world, it.instance["id"])) < 4:
                await world.runtime.executions.flush()
        assert {row["method"] for row in rows} == {"readSecret"}


async def recorded(world: World, instance: str) -> list[dict[str, Any]]:
    table = IntegrationExecution
    return await table.of(world.tenant).select(table.method).where(table.instance == instance)


async def test_a_canary_of_the_vault_is_found_nowhere(world: World) -> None:
    """Neither what lies in the vault nor where in it: no table, event, log line or answer but the instance's own."""
    canary, place = f"CANARY-{new_id().hex}", f"place-{new_id().hex}"
    async with both(world) as it:
        it.vault.secrets[place] = {"token": canary}
        it.far.answer(json({"you said": f"Bearer {canary}"}), json({"error": canary}, 500))
        with capture_logs() as logs, world.runtime.bus.subscribe(integrations_topic(world.tenant)) as events:
            made = await referring(
                it.platform, await type_of(it.platform, it.far.base), f"vault://Our%20vault/{place}#token"
            )
            seen = [str(await it.executed(made))]
            seen.append(str(await it.platform.refused(502, "INTEGRATION_ERROR", "POST",
                                                      execute(f"{INSTANCES}/{made['id']}"), {})))  # fmt: skip
            await it.platform.ok("DELETE", f"{INTEGRATIONS}/{made['id']}", status=204)
            await asyncio.sleep(0)
            seen += [str(events._queue.get_nowait()) for _ in range(events._queue.qsize())]
        assert canary not in str(seen) and canary not in str(logs) and place not in str(seen) + str(logs)
    await world.runtime.executions.flush()
    await world.runtime.sealer.seal_all()
    for table in ("integration_instance", "integration_secret", "integration_execution", "audit_event"):
        rows = str([tuple(row) for row in await world.runtime.database.fetch(statement(f"SELECT * FROM {table}"))])
        assert canary not in rows and place not in rows, table


async def test_a_path_is_asked_for_as_it_is_written(world: World) -> None:
    """Percent-encoded once, wherever it has letters that a URL has not."""
    async with both(world) as it:
        path = "team ä/100%#1"
        it.vault.secrets[path] = {"a key#": "odd-path-secret"}
        reference = f"vault://Our%20vault/{quote(path)}#{quote('a key#', safe='')}"
        made = await referring(it.platform, await type_of(it.platform, it.far.base), reference)
        await it.executed(made)
        assert it.vault.seen == [path] and it.sent == ["Bearer odd-path-secret"]
