"""`dovetail contract new-version` and `snapshot`: a version grows, freezes, and the next one begins."""

import json

import pytest

from rest.contracts.registry import APIS
from tests.contract.check.checkouts import Checkout

pytestmark = pytest.mark.contract
ACTIVE = str(APIS["integrations"].active)


def test_the_next_version_begins(checkout: Checkout) -> None:
    """It is a copy that passes the check; the one before is frozen by it, and cannot be written or moved any more."""
    base = checkout.git("rev-parse", "HEAD")
    done = checkout.dovetail("contract", "new-version", "integrations", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    version = made["version"]
    package, snapshot = f"rest/integrations_{version}", f"rest/contracts/snapshots/integrations-{version}.json"
    assert (made["model"], made["froze"]) == (ACTIVE, True)
    assert {f"{package}/routes.py", snapshot, "rest/contracts/registry.py"} <= set(made["files"])
    document = json.loads((checkout.root / snapshot).read_text())
    assert document["servers"] == [{"url": f"/integrations/{version}"}]
    assert f"integrations_{ACTIVE}" not in (checkout.root / package / "routes.py").read_text()
    check = checkout.dovetail("contract", "check", "--base-ref", base)
    assert check.returncode == 0, check.stdout
    told = checkout.dovetail("contract", "changelog", "integrations", "--since", base)
    assert f"## Begun\n\n- integrations {version} begins. What differs from {ACTIVE} is on" in told.stdout, told.stderr
    frozen = checkout.dovetail("contract", "snapshot", "--api", "integrations", "--version", ACTIVE)
    assert frozen.returncode == 1 and "is frozen" in frozen.stderr
    # Frozen and changed in one step: the base's file is what was promised.
    checkout.edit(f"rest/integrations_{ACTIVE}/described.py", "Health", "Healthy")
    moved = checkout.dovetail("contract", "check", "--base-ref", base)
    assert moved.returncode == 1 and f"integrations {ACTIVE} is frozen" in moved.stdout
    # What stands there already is not overwritten.
    checkout.git("checkout", "-q", "--", "rest/contracts/registry.py")
    before = checkout.git("status", "--short")
    again = checkout.dovetail("contract", "new-version", "integrations")
    assert again.returncode == 1 and f"rest/integrations_{version} is there already" in again.stderr
    assert checkout.git("status", "--short") == before


def test_an_active_version_may_grow_and_not_shrink(checkout: Checkout) -> None:
    """Stale until the snapshot is written; then an addition passes, and a route that went is ENDPOINT_REMOVED."""
    routes = f"rest/integrations_{ACTIVE}/routes.py"
    snapshot = f"rest/contracts/snapshots/integrations-{ACTIVE}.json"
    checkout.edit(routes, '"/projects"', '"/projekts"')
    stale = checkout.dovetail("contract", "check", "--base-ref", "HEAD", "--format", "json")
    codes = {entry["code"] for entry in json.loads(stale.stdout)["entries"] if entry["level"] == "error"}
    assert stale.returncode == 1 and codes == {"SNAPSHOT_STALE", "ENDPOINT_REMOVED"}
    # The other way round a route is added: from a base without it.
    assert checkout.dovetail("contract", "snapshot", "--api", "integrations").returncode == 0
    assert "/projekts" in (checkout.root / snapshot).read_text()


@pytest.mark.parametrize("api", ["control-plane", "nothing"])
def test_an_api_without_versions_is_refused(checkout: Checkout, api: str) -> None:
    """The control plane grows for ever; an unknown name is a wrong call."""
    done = checkout.dovetail("contract", "new-version", api)
    assert done.returncode == 2 and "integrations" in done.stderr
