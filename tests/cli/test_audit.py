"""`dovetail audit`: what was done stands there, and a hand in the database is found out."""

import csv
import io
import json
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from tests.cli.conftest import Cli


def tampered(cli: Cli, *statements: str) -> None:
    """As somebody with the file in hand would: the triggers first."""
    with sqlite3.connect(cli.home / "dovetail.sqlite") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    connection.close()


def test_a_sound_chain_is_verified(either_cli: Cli) -> None:
    either_cli.ok("demo")
    found = either_cli.ok("audit", "verify")
    assert found["ok"]
    assert {chain["name"] for chain in found["chains"]} == {"demo", "no tenant"}
    assert max(chain["events"] for chain in found["chains"]) > 5
    assert either_cli("audit", "verify", "--tenant", "demo").exit_code == 0
    assert either_cli("audit", "verify", "--all", "--tenant", "demo").exit_code == 2


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE audit_event SET actor_id = 'shell:nobody' WHERE action = 'credential.issued'", "edited"),
        ("DELETE FROM audit_event WHERE action = 'credential.issued'", "missing"),
        ("DELETE FROM audit_seal WHERE seq = 3", "gap"),
        ("UPDATE audit_seal SET seq = 1000 - seq WHERE seq IN (3, 4)", "broken"),
        ("DELETE FROM audit_seal WHERE seq = (SELECT max(seq) FROM audit_seal)", "cut"),
    ],
)
def test_an_edit_is_found(demo_cli: Cli, statement: str, kind: str) -> None:
    tampered(demo_cli, statement)
    result = demo_cli("audit", "verify", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert not found["ok"]
    assert kind in {fault["kind"] for chain in found["chains"] for fault in chain["faults"]}
    text = demo_cli("audit", "verify")
    assert text.exit_code == 1
    assert any(line.startswith("demo seq ") and kind in line for line in text.stdout.splitlines())


class _Webhook(BaseHTTPRequestHandler):
    got: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


def test_the_webhook_gets_the_anchors_of_the_command(either_cli: Cli) -> None:
    """What the command writes is known to the server, which would not send it any more."""
    either_cli.ok("demo")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Webhook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        either_cli.env["DOVETAIL_ANCHOR_URL"] = f"http://127.0.0.1:{server.server_address[1]}/anchors"
        written = either_cli.ok("audit", "anchor")["anchors"]
        server.shutdown()
    assert [(anchor["tenant"], anchor["seq"], anchor["mac"]) for anchor in written] == [
        (anchor["tenant"], anchor["seq"], anchor["mac"]) for anchor in _Webhook.got
    ]
    assert len(written) == 1
    _Webhook.got.clear()


def test_a_cut_tail_is_found_by_an_anchor(demo_cli: Cli, tmp_path: Path) -> None:
    """Also where the head was moved back with it, and where the anchors are a copy from elsewhere."""
    assert len(demo_cli.ok("audit", "anchor")["anchors"]) == 1
    assert demo_cli.ok("audit", "anchor")["anchors"] == []
    copy = tmp_path / "kept.ndjson"
    copy.write_bytes((demo_cli.home / "anchors.ndjson").read_bytes())
    last = "(SELECT max(seq) FROM audit_seal)"
    tampered(
        demo_cli,
        f"UPDATE audit_head SET seq = seq - 1, mac = (SELECT prev FROM audit_seal WHERE seq = {last})",
        f"DELETE FROM audit_event WHERE id = (SELECT event FROM audit_seal WHERE seq = {last})",
        f"DELETE FROM audit_seal WHERE seq = {last}",
    )
    assert demo_cli("audit", "verify").exit_code == 1
    (demo_cli.home / "anchors.ndjson").unlink()
    assert demo_cli("audit", "verify").exit_code == 0
    assert demo_cli("audit", "verify", "--anchors", copy).exit_code == 1


def test_a_chain_that_is_gone_whole_is_found(demo_cli: Cli) -> None:
    demo_cli.ok("audit", "anchor")
    tampered(demo_cli, *(f"DELETE FROM {table}" for table in ("audit_head", "audit_seal", "audit_event")))
    assert demo_cli("audit", "verify").exit_code == 1


def test_broken_anchors_are_told(demo_cli: Cli) -> None:
    (demo_cli.home / "anchors.ndjson").write_text("{\n", encoding="utf-8")
    assert demo_cli.error("audit", "verify")["code"] == "anchors_unreadable"


def test_csv_holds_no_formula(demo_cli: Cli, tmp_path: Path) -> None:
    """A cell that a spreadsheet would run begins with an apostrophe instead."""
    demo_cli.ok("tenants", "create", "two")
    name = '=HYPERLINK("http://evil.example")'
    demo_cli.ok("token", "issue", "--tenant", "demo", "--role", "viewer")
    denied = demo_cli.ok("installations", "create", name, "--tenant", "two")
    assert denied["installation"]["display_name"] == name
    tampered(
        demo_cli, "UPDATE audit_event SET actor_name = '=1+1', resource = '@SUM(A1)' WHERE action = 'tenant.created'"
    )
    out = tmp_path / "events.csv"
    count = demo_cli.ok("audit", "export", "--tenant", "two", "--format", "csv", "-o", out)["events"]
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert len(rows) == count
    created = next(row for row in rows if row["action"] == "tenant.created")
    assert (created["actor_name"], created["resource"]) == ("'=1+1", "'@SUM(A1)")
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "@", "-", "\t")]


def test_ndjson_is_one_event_a_line(demo_cli: Cli, tmp_path: Path) -> None:
    lines = demo_cli("audit", "export", "--tenant", "demo").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    document = demo_cli.ok("audit", "export")
    assert document["events"][: len(events)] == events
    assert document["events"][-1]["action"] == "audit.exported"
    assert demo_cli.ok("audit", "export", "--until", "2001-01-01") == {"events": []}
    assert demo_cli.error("audit", "export", "--format", "csv")["code"] == "no_json_of_csv"
    assert demo_cli.error("audit", "export", "-o", tmp_path / "no" / "where")["code"] == "cannot_write"
    assert demo_cli.error("audit", "export", "--since", "yesterday", exit_code=2)["code"] == "usage"


def test_list_and_explain(demo_cli: Cli) -> None:
    newest = demo_cli.ok("audit", "list", "--limit", "3")
    assert len(newest["events"]) == 3
    assert newest["more"]
    assert newest["events"][0]["seq"] > newest["events"][2]["seq"]
    issued = demo_cli.ok("audit", "list", "--action", "credential.issued")["events"]
    assert {event["surface"] for event in issued} == {"cli"}
    assert len(issued) == len({event["resource_id"] for event in issued}) == 3
    assert "dvt_" not in json.dumps(issued)
    assert demo_cli.error("audit", "explain", "req_nothing")["code"] == "not_found"
