"""The saved operations of installations and their history run as they are saved."""

import json

import pytest

from graph.documents import Documents
from graph.manifest import load_manifest
from graph.schema import build_schema, core
from tests.graphql.clients import StreamPeer

DOMAINS = {"installations", "origins", "credentials", "audit", "usage"}
SAVED = [
    operation
    for operation in json.loads(load_manifest(Documents(core(build_schema()))).listing)
    if operation["domain"] in DOMAINS
]


@pytest.mark.parametrize("saved", SAVED, ids=lambda saved: saved["name"])
async def test_a_saved_operation_runs_as_it_is_saved(world, saved):
    """No error at the top; what needs an id of the caller's own says so in its payload."""
    await world.installation()
    await world.runtime.sealer.seal_all()
    token = world.token("admin")
    if saved["query"].find("\nsubscription ") >= 0:
        peer = StreamPeer(world.app, saved["query"], token)
        assert (await peer.heard())["status"] == 200
        first = await peer.event()
        await peer.gone()
        assert '"action":"tenant.created"' in first
        return
    headers = {"Authorization": f"Bearer {token}"}
    body = {"documentId": saved["documentId"], "variables": saved["variables"]}
    answer = (await world.client.post("/graphql", json=body, headers=headers)).json()
    assert "errors" not in answer
    if "(put in " in saved["title"]:
        refused = next(iter(answer["data"].values()))["errors"]
        assert [(error["code"], len(error["path"])) for error in refused] == [("validation_failed", 1)]


def test_each_task_has_its_operation():
    """What an operator does in a first hour."""
    assert {saved["name"] for saved in SAVED} >= {
        "ListInstallations", "CreateInstallation", "RegisterOrigin", "VerifyOrigin", "IssueCredential",
        "RotateCredential", "RevokeCredential", "AuditHistory", "WatchAudit", "ExplainDecision", "UsageByDay",
    }  # fmt: skip
