"""Deliveries, stored: each once, however often it is sent, and however many of it come at the same moment."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.auth.encryption import Place
from app.clock import DAY
from app.database import Row, Statement
from app.errors import Unavailable
from app.ids import new_id
from services.context import Context
from services.integrations.instances.status import integrations_topic
from services.integrations.signing.verifying import Held
from services.integrations.webhooks.payloads import Said

TABLE = "integration_delivery"
RECEIVED, REJECTED = "integration.webhook.received", "integration.webhook.rejected"
_LONGEST_ERROR = 2_000
_COLUMNS = (
    "id", "tenant", "instance", "digest", "delivery_id", "event_type", "status", "error", "scheme", "signed_at",
    "headers", "payload", "key_id", "size_bytes", "request_id", "received_at", "payload_expires_at", "expires_at",
)  # fmt: skip
# By either name: what was signed, or what the sender calls it.
_INSERT = Statement(
    f"INSERT INTO {TABLE} ({', '.join(_COLUMNS)}) VALUES ({', '.join(f'{{{name}}}' for name in _COLUMNS)}) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)
_KNOWN = Statement(
    f"SELECT id, digest, delivery_id FROM {TABLE} WHERE instance = {{instance}} AND digest = {{digest}} UNION ALL "  # noqa: S608
    f"SELECT id, digest, delivery_id FROM {TABLE} WHERE instance = {{instance}} AND delivery_id = {{delivery_id}}"
)


class Taken(NamedTuple):
    """A delivery that is there now; `duplicate` where it was before, `replayed` where it came under another id."""

    id: UUID
    duplicate: bool
    replayed: bool
    faults: Mapping[str, str]


async def store(
    context: Context, instance: UUID, held: Held, said: Said, headers: Mapping[str, str], body: bytes
) -> Taken:
    """Keep a delivery and tell of it, in one transaction; the one that is there where it is known."""
    row = _row(context, instance, held, said, headers, body)

    async def write() -> Row | None:
        if not await context.database.execute(_INSERT, **row):
            names = {name: row[name] for name in ("instance", "digest", "delivery_id")}
            known = await context.database.fetch(_KNOWN, **names)
            if not known:  # it ran out between the two statements
                raise Unavailable
            return known[0]
        _tell(context, row)
        return None

    known = await context.write(write)
    if known is None:
        return Taken(row["id"], False, False, said.faults)
    named = said.delivery_id is not None and known["delivery_id"] not in (None, said.delivery_id)
    return Taken(known["id"], True, named, said.faults)


def _row(
    context: Context, instance: UUID, held: Held, said: Said, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    settings, now, row_id = context.runtime.settings, context.now, new_id()
    sealed = context.runtime.encryption.seal(body.decode(), Place(TABLE, row_id, "payload"))
    payload_until = now + settings.delivery_days * DAY
    # Without a signed timestamp an old one is as good as a new one: it has to be known for longer.
    known_until = payload_until if held.signed_at is not None else now + settings.delivery_replay_days * DAY
    error = _printable("; ".join(f"{path}: {rule}" for path, rule in said.faults.items()))
    return {
        "id": row_id, "tenant": context.tenant, "instance": instance, "digest": held.digest,
        "delivery_id": said.delivery_id, "event_type": said.event_type,
        "status": "rejected" if said.faults else "accepted", "error": error[:_LONGEST_ERROR] or None,
        "scheme": held.scheme, "signed_at": held.signed_at, "headers": msgspec.json.encode(headers).decode(),
        "payload": sealed.text, "key_id": sealed.key_id, "size_bytes": len(body), "request_id": context.request_id,
        "received_at": now, "payload_expires_at": payload_until, "expires_at": max(known_until, payload_until),
    }  # fmt: skip


def _printable(text: str) -> str:
    """Paths hold names that the sender chose, and a database refuses some characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _tell(context: Context, row: Mapping[str, Any]) -> None:
    """The audit event, and what listeners are told once it is committed: everything but the payload."""
    rejected = row["status"] == "rejected"
    names = ("event_type", "delivery_id", "status", "scheme", "size_bytes", "digest")
    context.note(
        "integration_delivery",
        row["id"],
        action="integration_webhook.rejected" if rejected else None,
        after={name: row[name] for name in names} | {"instance": str(row["instance"])},
        outcome="deny" if rejected else "allow",
    )
    names = ("event_type", "delivery_id", "status", "error", "size_bytes", "request_id")
    message = {
        "type": REJECTED if rejected else RECEIVED,
        "instance": str(row["instance"]),
        "delivery": str(row["id"]),
        "at": row["received_at"],
        **{name: row[name] for name in names},
    }
    runtime, topic = context.runtime, integrations_topic(context.tenant)
    context.after_commit(lambda: runtime.announce(topic, message))
