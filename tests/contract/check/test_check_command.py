"""`dovetail contract check` in a checkout: edits and commits, exit codes, and what is said."""

import json
from collections.abc import Callable

import pytest

from tests.contract.check.checkouts import Checkout

pytestmark = pytest.mark.contract
SNAPSHOT = "rest/contracts/snapshots/integrations-v1.json"


def test_nothing_changed(checkout: Checkout) -> None:
    """The tree against its own commit keeps every rule."""
    done = checkout.dovetail("contract", "check", "--base-ref", "HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing blocks" in done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "described.py",
            "Visible publications of listed",
            "Publications of listed",
            "GET /publications: `description`",
        ),
        ("described.py", '"Health",', '"Healthy",', "GET /health: `summary`"),
        (
            "shapes.py",
            "cited_by_count: int\n",
            "cited_by_count: int | None\n",
            "schemas/Publication (of GET /publications)",
        ),
        ("routes.py", "get_verification]", "]", "/verify/{originId} is gone"),
    ],
)
def test_an_edit_of_a_frozen_source_is_told(checkout: Checkout, file: str, old: str, new: str, said: str) -> None:
    """A route, a schema, a description: one sentence says what moved, before anything is committed."""
    checkout.edit(f"rest/integrations_v1/{file}", old, new)
    done = checkout.dovetail("contract", "check", "--base-ref", "HEAD", "--format", "json")
    assert done.returncode == 1, done.stderr
    [entry] = json.loads(done.stdout)["entries"]
    assert entry["code"] == "FROZEN_CHANGED"
    assert said in entry["message"] and "put it back" in entry["message"]


def test_a_commit_in_between_is_seen(checkout: Checkout) -> None:
    """A frozen snapshot that moved and was put back again was moved: somebody may have shipped it."""
    base = checkout.git("rev-parse", "HEAD")
    checkout.edit(SNAPSHOT, "Health", "Healthy")
    moved = checkout.commit("Moves it")
    checkout.git("checkout", "-q", base, "--", SNAPSHOT)
    checkout.commit("Puts it back")
    done = checkout.dovetail("contract", "check", "--base-ref", base)
    assert done.returncode == 1
    assert "FROZEN_CHANGED" in done.stdout and moved[:12] in done.stdout


@pytest.mark.parametrize("reference", ["nowhere", "HEAD~1", "--all", "HEAD:schema.graphql", "", "0" * 40])
def test_a_base_that_cannot_be_read_is_never_a_pass(checkout: Checkout, reference: str) -> None:
    """Exit 2, and a sentence."""
    done = checkout.dovetail("contract", "check", f"--base-ref={reference}")
    assert done.returncode == 2, done.stdout
    assert "is no commit of this checkout" in done.stderr


def test_a_shallow_clone_says_what_to_do(checkout: Checkout, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Its past is cut off, which is told apart from a name that is wrong."""
    checkout.commit("The second")
    checkout.git("clone", "-q", "--depth", "1", f"file://{checkout.root}", str(tmp_path / "shallow"))
    done = Checkout(tmp_path / "shallow").dovetail("contract", "check", "--base-ref", "HEAD~1")
    assert done.returncode == 2
    assert "git fetch --unshallow" in done.stderr


def test_a_base_with_another_kind_of_registry_is_refused(checkout: Checkout) -> None:
    """A registry of the past is read as data; where it is none, the check does not guess."""
    registry = checkout.root / "rest/contracts/registry.py"
    good = registry.read_text()
    registry.write_text("APIS = load()\n")
    odd = checkout.commit("Odd")
    registry.unlink()
    none = checkout.commit("None")
    registry.write_text(good)
    checkout.commit("Back")
    for base, said in ((odd, "registry.py of the base"), (none, "has no rest/contracts/registry.py")):
        done = checkout.dovetail("contract", "check", "--base-ref", base)
        assert done.returncode == 2 and said in done.stderr


def test_without_git_or_outside_a_checkout(checkout: Checkout) -> None:
    """No past is no empty past."""
    (checkout.root / ".git").rename(checkout.root / "elsewhere")
    done = checkout.dovetail("contract", "check", "--base-ref", "HEAD")
    assert done.returncode == 2 and "no git checkout" in done.stderr
    assert checkout.dovetail("contract", "check").returncode == 2
    assert checkout.dovetail("contract", "check", "--no-base", "--base-ref", "HEAD").returncode == 2


def test_a_clone_of_one_commit_is_checked_as_far_as_it_goes(clone: Callable[..., Checkout]) -> None:
    """Without a base: the code against its files, and a line that says what was not done."""
    alone = clone("--depth", "1")
    done = alone.dovetail("contract", "check", "--no-base")
    assert done.returncode == 0 and "Without a base" in done.stdout
    alone.edit("rest/integrations_v1/described.py", '"Health",', '"Healthy",')
    assert alone.dovetail("contract", "check", "--no-base").returncode == 1


def test_the_schema_is_held_to_the_same_check(checkout: Checkout) -> None:
    """A removed field is ENDPOINT_REMOVED; a waiver lets it pass until its end."""
    # The base promises a field that the code does not have: as if it had just been taken away.
    now = (checkout.root / "schema.graphql").read_text()
    checkout.edit("schema.graphql", "type Query {", "type Query {\n  gone: Int\n")
    base = checkout.commit("With a field")
    (checkout.root / "schema.graphql").write_text(now)
    done = checkout.dovetail("contract", "check", "--base-ref", base, "--format", "json")
    assert done.returncode == 1
    [entry] = json.loads(done.stdout)["entries"]
    assert (entry["code"], entry["contract"]) == ("ENDPOINT_REMOVED", "control-plane")
    assert entry["finding"]["witness"]["value"] == "query { gone }"
    waiver = (
        f'[[waiver]]\nfingerprint = "{entry["fingerprint"]}"\nreason = "Nobody used it."\nowner = "us"\nends = {{}}\n'
    )
    file = checkout.root / "rest/contracts/waivers.toml"
    file.write_text(waiver.format("2999-01-01"))
    assert checkout.dovetail("contract", "check", "--base-ref", base).returncode == 0
    file.write_text(waiver.format("2020-01-01"))
    expired = checkout.dovetail("contract", "check", "--base-ref", base)
    assert expired.returncode == 1 and "WAIVER_EXPIRED" in expired.stdout and "ENDPOINT_REMOVED" in expired.stdout


def test_the_changelog_tells_a_change_of_the_checkout(checkout: Checkout) -> None:
    """Since a commit, since the newest tag where none is named, and never since one that cannot be read."""
    base = checkout.commit("The base")
    checkout.git("tag", "v0.9")
    checkout.edit("schema.graphql", "type Query {", "type Query {\n  later: Int\n")
    for words in (["--since", base], []):
        done = checkout.dovetail("contract", "changelog", "control-plane", *words)
        assert done.returncode == 0, done.stderr
        assert "## Added\n\n- Query.later is new." in done.stdout
    told = checkout.dovetail("contract", "changelog", "integrations", "--json")
    assert json.loads(told.stdout) == {"api": "integrations", "since": "v0.9", "begun": [], "changes": []}
    assert checkout.dovetail("contract", "changelog", "control-plane", "--since", "nowhere").returncode == 2
    assert checkout.dovetail("contract", "changelog", "nothing").returncode == 2
