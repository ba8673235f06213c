"""The states of definitions and instances, driven at random: only the steps of the tables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.clock import DAY
from app.errors import DomainError, InvalidTransition
from app.ids import new_id
from services.inputs import read_input
from services.integrations.definitions import lifecycle
from services.integrations.definitions.compiling import compile_definition
from services.integrations.definitions.model import Definition
from services.integrations.definitions.registry import create_integration_definition
from services.integrations.instances.status import STATUSES, status_after, status_of_new_config
from services.integrations.upkeep import delete_expired
from tests.runtime.platform import Platform
from tests.services.integrations.samples import forge
from tests.world import World

STEPS: dict[str, Any] = {
    "publish": lifecycle.publish_integration_definition,
    "deprecate": lifecycle.deprecate_integration_definition,
    "archive": lifecycle.archive_integration_definition,
}
ALLOWED = {
    ("DRAFT", "publish"): "PUBLISHED",
    ("PUBLISHED", "deprecate"): "DEPRECATED",
    ("PUBLISHED", "archive"): "ARCHIVED",
    ("DEPRECATED", "archive"): "ARCHIVED",
}
WALKS = [
    ["publish", "publish", "deprecate", "publish", "archive", "deprecate", "publish"],
    ["archive", "deprecate", "publish", "archive", "archive", "publish"],
    ["deprecate", "publish", "deprecate", "deprecate", "archive"],
]


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: ",".join(walk))
async def test_a_walk_follows_the_table(world: World, walk: list[str]) -> None:
    made = await create_integration_definition(world.context(), read_input(Definition, forge(name=str(new_id()))))
    status = "DRAFT"
    for step in walk:
        expected = ALLOWED.get((status, step))
        if expected is None:
            with pytest.raises(InvalidTransition):
                await STEPS[step](world.context(), made["id"])
        else:
            status = (await STEPS[step](world.context(), made["id"]))["status"]
            assert status == expected


async def test_steps_at_once(world: World) -> None:
    """Five that deprecate and five that archive at once: each step happens at most once, and the end is ARCHIVED."""
    made = await create_integration_definition(world.context(), read_input(Definition, forge(name=str(new_id()))))
    await STEPS["publish"](world.context(), made["id"])

    async def one(step: str) -> str | None:
        try:
            return str((await STEPS[step](world.context(), made["id"]))["status"])
        except DomainError:
            return None

    done = [found for found in await asyncio.gather(*map(one, ["deprecate", "archive"] * 5)) if found]
    assert done.count("ARCHIVED") == 1 and done.count("DEPRECATED") <= 1


# --- instances: the status is a function of what there is ------------------------------------------------

COMPILED = {
    kind: compile_definition(
        read_input(
            Definition,
            forge(
                authType=kind,
                verification=None,
                oauth2Config={"tokenUrl": "https://forge.example/t"}
                if kind in ("oauth2", "client_credentials")
                else None,
            ),
        )
    )
    for kind in ("none", "basic", "api_key", "bearer", "oauth2", "client_credentials", "jwt")
}
_NAMES = ["username", "password", "apiKey", "token", "clientId", "clientSecret", "privateKey"]
_CONFIGS = st.one_of(
    st.none(), st.just({}), st.just({"organization": "a"}), st.just({"organization": 1}), st.just({"b": 1})
)


@given(st.sampled_from(sorted(COMPILED)), _CONFIGS, st.sets(st.sampled_from(_NAMES)), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_status_says_what_is_missing(kind: str, config: Any, secrets: set[str], token: bool) -> None:
    status = status_after(COMPILED[kind], config, secrets, token)
    valid = config == {"organization": "a"}
    needed = {
        "none": True,
        "basic": {"username", "password"} <= secrets,
        "api_key": "apiKey" in secrets,
        "bearer": "token" in secrets,
        "oauth2": token,
        "client_credentials": {"clientId", "clientSecret"} <= secrets,
        "jwt": "privateKey" in secrets,
    }[kind]
    assert (status == "CONNECTED") == (valid and needed)
    assert (status == "PENDING_AUTHENTICATION") == (valid and not needed)
    assert (status == "PENDING_CONFIGURATION") == (config is None)


@given(
    st.sampled_from(STATUSES),
    st.sampled_from([None, "removed"]),
    st.sampled_from(["CONNECTED", "PENDING_AUTHENTICATION", "CONFIG_ERROR"]),
)
def test_a_configuration_alone_mends_no_credentials(current: str, error: str | None, followed: str) -> None:
    """Also not those that were removed, which an error tells of."""
    found = status_of_new_config({"status": current, "error": error}, followed)
    wrong = current in ("AUTH_ERROR", "DISCONNECTED") or (current == "PENDING_AUTHENTICATION" and error is not None)
    assert found == (current if wrong and followed != "CONFIG_ERROR" else followed)


async def test_kept_answers_run_out(world: World) -> None:
    """After a day a key is free again, before the duty has tidied up and after."""
    from models.integrations import IdempotencyRecord

    platform = Platform(world)
    for clearing in (False, True):
        name = str(new_id())
        assert (
            await platform.ask("POST", "/integrations/definitions", forge(name=name), Idempotency_Key="k")
        ).status_code == 201
        past = {"expires_at": world.runtime.clock.now_ms() - DAY}
        await IdempotencyRecord.of(world.tenant).update(past).where(IdempotencyRecord.key == "k")
        if clearing:
            # The duty may have been quicker; what is gone is seen below.
            await delete_expired(world.runtime.database, world.runtime.clock.now_ms())
    assert await IdempotencyRecord.of(world.tenant).count() == 0
