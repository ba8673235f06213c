"""`dovetail simulate`: what a consumer's site would lose with this server."""

from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from app.cli.options import json_option
from app.cli.output import emit_rows, print_json, wants_json
from app.cli.rollout_http import (
    ApiVersion,
    Site,
    Unreachable,
    given_key,
    key_option,
    site_option,
    unreachable,
    version_option,
)

if TYPE_CHECKING:
    from app.cli.simulate_walks import Consumer, Walk

COLUMNS = ("list", "consumer", "rows", "dropped", "requests", "refusals", "waited_seconds", "stopped")
FEED_COLUMNS = (*COLUMNS[:-1], "tombstones", "full_syncs", "not_modified", "stopped")


class Statuses(click.ParamType[tuple[int, ...]]):
    """`429,503` as numbers."""

    name = "statuses"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        if not all(part.isdigit() and 400 <= int(part[:4]) <= 599 for part in parts):
            self.fail(f"{value!r} is no list of refusals; write it like 429,503", param, ctx)
        return tuple(int(part) for part in parts)


@click.group()
def simulate() -> None:
    """Play a consumer against a running server."""


@simulate.command()
@site_option
@key_option
@version_option
@click.option(
    "--updated-since",
    "since",
    type=click.IntRange(0, 2**53 - 1),
    metavar="MS",
    help="With v2: begin with what changed since; the next_updated_since of an earlier sync.",
)
@click.option("--inject", type=Statuses(), default=(), metavar="429,503", help="Make up such refusals on the way.")
@click.option(
    "--share", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Of how many pages, with --inject."
)
@click.option("--page", "pages", type=click.IntRange(min=1), multiple=True, help="Of which page; instead of --share.")
@click.option("--seed", default=0, show_default=True, help="Another number, other pages of --share.")
@click.option("--per-page", type=click.IntRange(1, 100), default=100, show_default=True)
@json_option
def consumer(
    base_url: str, api_key: str, api_version: ApiVersion, per_page: int, inject: tuple[int, ...], **chosen: Any
) -> None:
    """Walk the lists like a plugin that stops at the first refusal and hides whom it did not see.

    Beside it walks a consumer that waits for Retry-After. Injected refusals are made up here; the server is
    not changed. With v2 both walk by cursors and then ask for what changed; the careful one begins anew at 410.
    Exit 1 where rows are dropped or a list is not read to its end: by the plugin, or with --inject by the careful one.
    """
    from app.cli.simulate_walks import Consumer, Faults

    faults = Faults(inject, chosen["share"], chosen["pages"], chosen["seed"])
    if chosen["since"] is not None and api_version == "v1":
        raise click.UsageError("--updated-since is of v2; v1 has no increments. Add --api-version v2.")
    walking = Consumer(Site(base_url, api_version), given_key(api_key), per_page, faults)
    _greet(walking, base_url)
    rows = _walk_all(walking) if api_version == "v1" else _sync_all(walking, chosen["since"])
    judged = "careful" if inject else "naive"
    lost = any(row["dropped"] or row["stopped"] for row in rows if row["consumer"] == judged)
    _emit(rows, inject, COLUMNS if api_version == "v1" else FEED_COLUMNS)
    if lost:
        raise Exit(1)


def _greet(walking: "Consumer", base_url: str) -> None:
    """A server that is not there, or a key that opens nothing, is no walk."""
    from app.cli.failures import CommandFailed

    try:
        answer = walking.site.ask("/installation", walking.key)
    except Unreachable as error:
        raise unreachable(error, base_url) from error
    if answer.status in (401, 403, 404):
        text = f"The key does not open its installation: {answer.described()}. `dovetail rollout check` tells more."
        raise CommandFailed("key_refused", text, status=answer.status, code_seen=answer.code())


def _walk_all(walking: "Consumer") -> list[dict[str, Any]]:
    """A row for each list and consumer. The naive one goes first, on the budget that a plugin would find."""
    from app.cli.simulate_walks import LISTS, walk_carefully, walk_naively

    rows = []
    for name in LISTS:
        naive, careful = walk_naively(walking, name), walk_carefully(walking, name)
        if not careful.shut_out:
            rows += [_row(name, "naive", naive, careful), _row(name, "careful", careful, naive)]
    return rows


def _sync_all(walking: "Consumer", since: int | None) -> list[dict[str, Any]]:
    from app.cli.simulate_feeds import FEEDS, Sync, sync_carefully, sync_naively

    def row(who: str, sync: Sync, other: Sync) -> dict[str, Any]:
        told = {"tombstones": sync.tombstones, "full_syncs": sync.full_syncs, "not_modified": sync.not_modified}
        return _row(sync.name, who, sync, other) | told

    rows = []
    for name in FEEDS:
        naive, careful = sync_naively(walking, name, since), sync_carefully(walking, name, since)
        if not careful.shut_out:
            rows += [row("naive", naive, careful), row("careful", careful, naive)]
    return rows


def _row(name: str, who: str, walk: "Walk", other: "Walk") -> dict[str, Any]:
    # A row that was added or removed between the walks was not dropped by anybody.
    most = max(len(walk.seen | other.seen), other.total, walk.total) if walk.stopped else len(walk.seen)
    return {
        "list": name,
        "consumer": who,
        "rows": len(walk.seen),
        "dropped": most - len(walk.seen),
        "requests": walk.requests,
        "refusals": walk.refusals,
        "waited_seconds": walk.waited,
        "stopped": walk.stopped,
    }


def _emit(rows: list[dict[str, Any]], inject: tuple[int, ...], columns: tuple[str, ...]) -> None:
    lost = {who: sum(row["dropped"] for row in rows if row["consumer"] == who) for who in ("naive", "careful")}
    if wants_json():
        print_json({"injected": list(inject), "dropped": lost, "walks": rows})
        return
    emit_rows("walks", [row | {"stopped": _stopped(row["stopped"])} for row in rows], columns)
    click.echo(f"\nA naive consumer would have dropped {lost['naive']} rows, a careful one {lost['careful']}.")


def _stopped(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    made = " (injected)" if found["injected"] else ""
    return f"page {found['page']}: {found['status'] or 'no answer'} {found['code'] or ''}".rstrip() + made
