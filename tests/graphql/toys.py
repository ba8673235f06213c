"""A toy domain over a toy runtime, so that the surface is tested without a database."""

import asyncio
import functools
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.auth.principal import Principal
from app.auth.scopes import Scope
from app.bus import MemoryBus
from app.clock import SettableClock
from app.errors import Conflict, InvalidToken, NotFound, Unavailable, ValidationFailed
from app.settings import Settings
from graph.connections import After, Before, Connection, First, Last, Page, page_request
from graph.loaders import loader
from graph.problems import Problem
from graph.relay import Node, from_global_id, id_column, one_by_one, register_node
from graph.request import Info
from graph.requires import mutation_field, operation_field, subscription_field
from graph.rows import column, field, json_text
from graph.scalars import JSON, BigInt, DateTime
from graph.schema import ROOT, Part, assemble
from services.context import Context
from services.limits import Limiter
from services.operations import Operation, check_scope
from services.paging import KeysetPage, KeysetRequest, Listing, Sort
from services.usage.ledger import UsageLedger

TENANT, STRANGER = UUID(int=1), UUID(int=2)
SECRET = "postgres://dovetail:hunter2@10.0.0.7/db"
TOY = UUID(int=77)
LISTING = Listing("toy", "*", {"name": Sort("name")}, "name", {})


def fake_operation(scope: Scope | None, summary: str) -> Callable[[Any], Any]:
    """An operation that is not in the real table, where the parity tests would look for its REST route."""

    def declare(function: Any) -> Any:
        declared = Operation(function.__name__, "toys", scope, None, False, (), summary)

        @functools.wraps(function)
        async def run(context: Context, *args: Any, **kwargs: Any) -> Any:
            await check_scope(context, declared)
            return await function(context, *args, **kwargs)

        run.operation = declared  # type: ignore[attr-defined]
        return run

    return declare


def rows(count: int, start: int = 1) -> list[sqlite3.Row]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("CREATE TABLE toy (id, name, made_at, size, tags, _sort)")
    for number in range(start, start + count):
        values = (UUID(int=number).hex, f"toy {number}", 1_762_050_000_000 + number, number, '{"soft":true}', "x")
        connection.execute("INSERT INTO toy VALUES (?, ?, ?, ?, ?, ?)", values)
    return connection.execute("SELECT * FROM toy").fetchall()


@fake_operation(Scope.PEOPLE_READ, "List toys.")
async def list_toys(context: Context, request: KeysetRequest) -> KeysetPage:
    size = request.first or request.last or 1
    return KeysetPage(rows(size), True, False, LISTING.sorts["name"], [], LISTING)


@fake_operation(Scope.PEOPLE_READ, "One toy.")
async def get_toy(context: Context, toy_id: UUID) -> Any:
    if toy_id != TOY:
        raise NotFound
    return rows(1, TOY.int)[0]


@fake_operation(Scope.PEOPLE_WRITE, "Make a toy.")
async def make_toy(context: Context, name: str) -> Any:
    if name == "taken":
        raise Conflict("A toy of this name is there already.", name=name)
    if name == "away":
        raise Unavailable
    if name == "broken":
        raise RuntimeError(SECRET)
    if not name:
        raise ValidationFailed({"name": "must not be empty"})
    return rows(1)[0]


@fake_operation(Scope.AUDIT_READ, "Hear of every toy.")
async def hear_toys(context: Context) -> None: ...


BATCHES: list[list[str]] = []


@loader
async def parts_of_toys(context: Context, keys: list[str]) -> Mapping[str, list[dict[str, Any]]]:
    BATCHES.append(keys)
    if len(keys) == 13:
        raise RuntimeError(SECRET)
    return {key: [{"label": f"part of {str(key)[-2:]}"}] for key in keys}


@strawberry.type(description="A part.")
class ToyPart:
    label: str = column(description="What it is.")


@strawberry.type(description="A toy.")
class Toy(Node):
    id: strawberry.ID = id_column("Toy")
    name: str = column(description="Its name.")
    made_at: DateTime = column(description="When it was made.")
    size: int = column(description="Its size in cm.")
    tags: JSON = column(convert=json_text, description="Free tags.")

    @field("Its parts.", list[ToyPart])
    def parts(root: strawberry.Parent[Any], info: Info) -> Awaitable[Any]:
        return parts_of_toys.load(info.context, root["id"])


@strawberry.type(description="The answer to makeToy.")
class MakeToyPayload:
    toy: Toy | None = column(description="The toy that was made.")
    errors: list[Problem] = column(description="Why none was made.")


Id = Annotated[strawberry.ID, strawberry.argument(description="A toy.")]
Near = Annotated[strawberry.ID | None, strawberry.argument(description="Another toy.")]
Name = Annotated[str, strawberry.argument(description="A name.")]


@strawberry.type
class ToyQuery:
    @operation_field(list_toys, Connection[Toy] | None)
    async def toys(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Any:
        return Page(await list_toys(info.context.context, page_request(first, last, after, before)))

    @operation_field(get_toy, Toy | None, absent=True)
    async def toy(self, info: Info, id: Id) -> Any:
        return await get_toy(info.context.context, from_global_id(str(id), "Toy"))

    @field("Fails unexpectedly.")
    async def broken(self) -> str | None:
        raise RuntimeError(SECRET)

    @field("Gives a value that does not fit.", int | None)
    def misfit(self) -> Any:
        return SECRET

    @field("Says what it was told.")
    def echo(self, number: Annotated[BigInt | None, strawberry.argument(description="64 bits.")] = None) -> BigInt:
        return number or BigInt(0)

    @field("Says what it was told.")
    def say(self, text: Name = "") -> str:
        return text


@strawberry.type
class ToyMutation:
    @mutation_field(make_toy, MakeToyPayload, "toy")
    async def make_toy(self, info: Info, name: Name, near: Near = None) -> Any:
        if near is not None:
            from_global_id(str(near), "Toy", "near")
        return await make_toy(info.context.context, name)


@strawberry.type
class ToySubscription:
    @subscription_field(hear_toys, Toy)
    async def toy_made(self, info: Info) -> AsyncGenerator[Any, None]:
        runtime = info.context.runtime
        with runtime.bus.subscribe("toys") as subscription:
            info.context.listening.set()
            async for message in subscription.messages():
                if message["name"] == "boom":
                    raise RuntimeError(SECRET)
                yield rows(1)[0]


register_node("Toy", one_by_one(get_toy))
PART = Part(ToyQuery, ToyMutation, ToySubscription)


@functools.cache
def toy_schema() -> strawberry.Schema:
    return assemble([*ROOT, PART])


class Denials:
    def __init__(self) -> None:
        self.recorded: list[Any] = []

    async def record(self, entry: Any) -> None:
        self.recorded.append(entry)


class Verifier:
    """Tokens are their own principals; a test may take one away or change it."""

    def __init__(self) -> None:
        self.principals = {
            "reader": principal("reader", Scope.PEOPLE_READ),
            "writer": principal("writer", Scope.PEOPLE_READ, Scope.PEOPLE_WRITE, Scope.AUDIT_READ),
            "admin": principal("admin", *Scope),
            "premium": principal("premium", Scope.PEOPLE_READ, tier="premium"),
            "nobody": principal("nobody"),
        }

    async def verify(self, token: str) -> Principal:
        if token == "away":
            raise Unavailable
        if token not in self.principals:
            raise InvalidToken
        return self.principals[token]


def principal(subject: str, *scopes: Scope, tier: Any = "standard") -> Principal:
    held = frozenset(str(scope) for scope in scopes)
    return Principal(tenant=TENANT, subject=subject, kind="user", scopes=held, authn="bearer", tier=tier)


class Database:
    def __init__(self) -> None:
        self.counts = 0

    async def fetch(self, statement: Any, **params: Any) -> list[dict[str, int]]:
        self.counts += 1
        return [{"total": 1234}]


def runtime(**settings: Any) -> Any:
    verifier = Verifier()
    return SimpleNamespace(
        settings=Settings(**settings),
        clock=(clock := SettableClock()),
        usage=UsageLedger(database := Database(), clock),
        verifier=verifier,
        authenticate=verifier.verify,
        limiter=Limiter(),
        bus=MemoryBus(),
        denials=Denials(),
        database=database,
    )


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another task does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.005)
