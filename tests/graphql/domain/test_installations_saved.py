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
#: The mutations whose saved variables name a row of the demo.
OF_THE_DEMO = {
    "DisableInstallation", "EnableInstallation", "IssueCredential", "RegisterOrigin",
    "RevokeCredential", "RotateCredential", "VerifyOrigin",
}  # fmt: skip


@pytest.mark.parametrize("saved", SAVED, ids=lambda saved: saved["name"])
async def test_a_saved_operation_runs_as_it_is_saved(world, saved):
    """No error at the top; where the demo is not, what names a row of it says in its payload that there is none."""
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
    told = next(iter(answer["data"].values()))
    refused = [error["code"] for error in told.get("errors", [])] if isinstance(told, dict) else []
    assert refused == (["not_found"] if saved["name"] in OF_THE_DEMO else [])


def test_each_task_has_its_operation():
    """What an operator does in a first hour."""
    assert {saved["name"] for saved in SAVED} >= {
        "ListInstallations", "CreateInstallation", "RegisterOrigin", "VerifyOrigin", "IssueCredential",
        "RotateCredential", "RevokeCredential", "AuditHistory", "WatchAudit", "ExplainDecision", "UsageByDay",
    }  # fmt: skip
