"""`dovetail contract new-version` and `snapshot`: a version begins, freezes, and the next one begins."""

import json

import pytest

from tests.contract.check.checkouts import Checkout

pytestmark = pytest.mark.contract


def begin(checkout: Checkout) -> dict[str, object]:
    done = checkout.dovetail("contract", "new-version", "integrations", "--json")
    assert done.returncode == 0, done.stderr
    made: dict[str, object] = json.loads(done.stdout)
    return made


def test_two_versions_begin_one_after_the_other(checkout: Checkout) -> None:
    """Each begins as a copy that passes the check; the one before is frozen by it, and its snapshot stays as it was."""
    first = begin(checkout)
    model, version = str(first["model"]), str(first["version"])
    package, snapshot = f"rest/integrations_{version}", f"rest/contracts/snapshots/integrations-{version}.json"
    assert {f"{package}/routes.py", snapshot, "rest/contracts/registry.py"} <= set(first["files"])  # type: ignore[arg-type]
    check = checkout.dovetail("contract", "check", "--base-ref", "HEAD")
    assert check.returncode == 0, check.stdout
    document = json.loads((checkout.root / snapshot).read_text())
    assert document["servers"] == [{"url": f"/integrations/{version}"}]
    assert document["info"]["x-contract-rules"] == 1
    assert f"integrations_{model}" not in (checkout.root / package / "routes.py").read_text()
    base = checkout.commit("Begins")
    grown = checkout.root / package / "described.py"
    second = begin(checkout)
    assert (second["model"], second["froze"]) == (version, True)
    assert checkout.dovetail("contract", "check", "--base-ref", base).returncode == 0
    frozen = checkout.dovetail("contract", "snapshot", "--api", "integrations", "--version", version)
    assert frozen.returncode == 1 and "is frozen" in frozen.stderr
    grown.write_text(grown.read_text().replace('"Health"', '"Healthy"'))
    moved = checkout.dovetail("contract", "check", "--base-ref", base)
    assert moved.returncode == 1 and f"integrations {version} is frozen" in moved.stdout


def test_freezing_and_changing_at_once_is_refused(checkout: Checkout) -> None:
    """A version that was active at the base is frozen as the base has it."""
    version = str(begin(checkout)["version"])
    base = checkout.commit("Begins")
    path = f"rest/integrations_{version}/described.py"
    checkout.edit(path, '"Health"', '"Healthy"')
    assert checkout.dovetail("contract", "snapshot").returncode == 0
    assert checkout.dovetail("contract", "check", "--base-ref", base).returncode == 0
    begin(checkout)
    done = checkout.dovetail("contract", "check", "--base-ref", base)
    assert done.returncode == 1 and "FROZEN_CHANGED" in done.stdout


def test_an_active_version_may_grow_and_not_shrink(checkout: Checkout) -> None:
    """Stale until the snapshot is written; then an addition passes and a removed route is ENDPOINT_REMOVED."""
    version = str(begin(checkout)["version"])
    base = checkout.commit("Begins")
    checkout.edit(
        f"rest/integrations_{version}/shapes.py",
        "    publication_count:",
        "    extra: str | None\n    publication_count:",
    )
    stale = checkout.dovetail("contract", "check", "--base-ref", base)
    assert stale.returncode == 1 and "SNAPSHOT_STALE" in stale.stdout
    assert checkout.dovetail("contract", "snapshot", "--api", "integrations").returncode == 0
    grown = checkout.dovetail("contract", "check", "--base-ref", base, "--all")
    assert grown.returncode == 0, grown.stdout
    checkout.edit(f"rest/integrations_{version}/routes.py", "get_verification]", "]")
    checkout.dovetail("contract", "snapshot")
    shrunk = checkout.dovetail("contract", "check", "--base-ref", base)
    assert shrunk.returncode == 1 and "ENDPOINT_REMOVED" in shrunk.stdout


def test_what_is_there_already_is_not_overwritten(checkout: Checkout) -> None:
    """A package that somebody began by hand stays, and nothing else is written."""
    made = begin(checkout)
    checkout.git("checkout", "-q", "--", "rest/contracts/registry.py")
    before = checkout.git("status", "--short")
    done = checkout.dovetail("contract", "new-version", "integrations")
    assert done.returncode == 1 and f"rest/integrations_{made['version']} is there already" in done.stderr
    assert checkout.git("status", "--short") == before


@pytest.mark.parametrize("api", ["control-plane", "nothing"])
def test_an_api_without_versions_is_refused(checkout: Checkout, api: str) -> None:
    """The control plane grows for ever; an unknown name is a wrong call."""
    done = checkout.dovetail("contract", "new-version", api)
    assert done.returncode == 2 and "integrations" in done.stderr
