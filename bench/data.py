"""The rows that are measured on: one tenant, many people, 50 installations with 3 origins and 4 keys each."""

import random
import sys
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.auth.principal import shell_principal
from app.auth.signing import TokenRequest, issue_token
from app.database import Statement
from app.database.migrating import migrate
from app.ids import new_id, new_request_id
from app.settings import Settings
from services.context import Context
from services.credentials import NewCredential, issue_credential
from services.installations import NewInstallation, create_installation
from services.origins.proofs import Proof
from services.origins.registry import register_origin
from services.origins.upkeep import settle_proof
from services.people.listing import add_to_tallies
from services.people.names import search_text, sort_key
from services.people.orcid import check_digit
from services.runtime import Runtime
from services.tenants import create_tenant

GIVEN = ("Ada", "Béla", "Carlos", "Dagný", "Eiríkur", "Fatima", "Grażyna", "Hana", "Иван", "José", "Κώστας", "李")
FAMILY = (
    "Lovelace",
    "Bartók",
    "Silva",
    "Jónsdóttir",
    "Новак",
    "Ćurić",
    "Παπαδόπουλος",
    "山田",
    "O'Brien",
    "de la Cruz",
)
_ADD = Statement(
    "INSERT INTO person (id, tenant, orcid_id, name, biography, sort_name, search_text, last_fetched_at, sync_status, "
    "publication_count, visible, listed, created_at, updated_at) VALUES ({id}, {tenant}, {orcid_id}, {name}, "
    "{biography}, {sort_name}, {search_text}, {at}, 'complete', {count}, {yes}, {yes}, {at}, {at})"
)


class Prepared(NamedTuple):
    """What a measured client needs."""

    tenant: UUID
    key: str
    token: str


def orcid_number(number: int) -> str:
    digits = f"{number:015d}"
    text = digits + check_digit(digits)
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def person(number: int, chance: random.Random, tenant: UUID, at: int) -> dict[str, Any]:
    name: Any = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)} {number}"
    if number % 3 == 0:
        name = {"en": name, "pt": name, "fr": None}
    biography = {"en": "Works on " + "marine ecology and " * (number % 4)} if number % 2 else None
    orcid_id = orcid_number(number)
    return {
        "id": new_id(), "tenant": tenant, "orcid_id": orcid_id, "name": msgspec.json.encode(name).decode(),
        "biography": biography and msgspec.json.encode(biography).decode(), "sort_name": sort_key(name),
        "search_text": search_text(name, orcid_id), "at": at, "count": number % 50, "yes": True,
    }  # fmt: skip


async def add_people(runtime: Runtime, tenant: UUID, count: int) -> None:
    chance = random.Random(7)
    now = runtime.clock.now_ms()

    async def add(first: int, last: int) -> None:
        for number in range(first, last):
            await runtime.database.execute(_ADD, **person(number, chance, tenant, now))

    for first in range(0, count, 5_000):
        last = min(count, first + 5_000)
        await runtime.database.in_transaction(lambda first=first, last=last: add(first, last))  # type: ignore[misc]
    await runtime.database.in_transaction(lambda: add_to_tallies(runtime.database, tenant, {"people": count}))  # type: ignore[arg-type]


async def add_installations(context: Context, count: int) -> str:
    """Installations with origins and keys; the key of the first, whose limit is out of the way."""
    first = ""
    for number in range(count):
        asked = NewInstallation(
            display_name=f"Site {number:03d}", platform="wordpress", rate_limit_per_minute=9_000_000,
            rate_limit_burst=1_000_000,
        )  # fmt: skip
        made = await create_installation(context, asked)
        for place in range(3):
            origin = await register_origin(context, made["id"], f"https://s{number}-{place}.example.org")
            await settle_proof(context, origin, Proof(True, "found", "token", "token"))
        for place in range(4):
            request = NewCredential(label=f"Key {place}", scopes=["people.read", "publications.read"])
            issued = await issue_credential(context, made["id"], request)
            first = first or issued.secret
    return first


async def prepare(settings: Settings, people: int, installations: int = 50) -> Prepared:
    """Migrate and fill an empty database; prints what it does to standard error."""
    sys.stderr.write(f"preparing {people} people on {settings.database.partition(':')[0]} …\n")
    runtime = Runtime(settings)
    await migrate(runtime.database)
    await runtime.start()
    tenant = new_id()
    context = Context(runtime, shell_principal(tenant, "bench"), "cli", new_request_id())
    await create_tenant(context, f"bench-{tenant.hex[-6:]}", "Bench")
    await add_people(runtime, tenant, people)
    key = await add_installations(context, installations)
    await runtime.sealer.seal_all()
    request = TokenRequest(tenant=tenant, user_id="bench", roles=["admin"], ttl_seconds=86_400)
    token = issue_token(runtime.signing_key, settings, runtime.clock, request)
    if runtime.database.dialect == "postgres":
        for table in ("person", "installation", "origin", "credential"):
            await runtime.database.execute(Statement(f"ANALYZE {table}"))
    await runtime.stop()
    return Prepared(tenant, key, token)
