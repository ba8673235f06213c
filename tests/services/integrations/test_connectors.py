"""The built-in definitions: sound, unchanged under their version, with examples; their rows written once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from app.database import Database, bind
from app.database.migrating import migrate
from models.integrations import IntegrationDefinition
from services.integrations.connectors.files import built_in_definitions, digest, folder
from services.integrations.connectors.loading import built_in_id, load_built_ins
from services.integrations.definitions.columns import definition_of
from services.integrations.definitions.model import Definition
from tests.architecture.connectors_table import PAGE, page
from tests.databases import database, database_url

__all__ = ["database", "database_url"]
DEFINITIONS = {definition.name: definition for definition in built_in_definitions()}
NAMES = {
    "scm.github", "scm.gitlab", "scm.gitea", "registry.oci", "notification.slack", "notification.webhook",
    "metrics.prometheus", "vault.hashicorp", "research.orcid", "generic.http", "generic.webhook", "scm.github-webhook",
    "notification.slack-events",
}  # fmt: skip
#: name@version → digest, of everything that was ever released.
RELEASED = Path(__file__).with_name("connectors.json")


def test_they_are_all_there() -> None:
    assert set(DEFINITIONS) == NAMES
    assert {path.stem for path in folder().glob("*")} == NAMES, "files are called after their definitions"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_says_what_a_user_needs(name: str) -> None:
    """Every method has examples, limits and bounds; a call can be tried; errors have rules. Every event is typed."""
    found = DEFINITIONS[name]
    assert found.description
    calls = found.webhook is None
    assert (found.verification is not None) == bool(found.error_rules) == calls
    assert (found.secrets_schema is None) == (found.auth_type == "none" and calls)
    for event in (found.webhook and found.webhook.events) or ():
        assert event.description and event.payload_schema and event.examples, event.name
    for method in found.methods:
        assert method.examples, method.name
        assert method.description, method.name
        assert method.rate_limits is not None, method.name
        assert method.timeout_ms is not None, method.name
        assert method.param_schema is not None, method.name


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_was_released_does_not_change(name: str) -> None:
    """New behaviour is a new version: raise `version`, and add its digest here."""
    found = DEFINITIONS[name]
    released = json.loads(RELEASED.read_text())
    assert released[f"{name}@{found.version}"] == digest(found)


@pytest.fixture
async def migrated(database: Database) -> Database:
    await migrate(database)
    bind(database, [IntegrationDefinition])
    return database


async def test_rows_are_written_once(migrated: Database) -> None:
    first, second = await asyncio.gather(load_built_ins(migrated), load_built_ins(migrated))
    assert sorted(first + second) == sorted(f"{name} {each.version}" for name, each in DEFINITIONS.items())
    rows = await IntegrationDefinition.across_tenants("a test").select()
    assert len(rows) == len(NAMES)
    for row in rows:
        assert (row["tenant"], row["status"]) == (None, "PUBLISHED")
        assert row["id"] == built_in_id(row["name"], row["semver"])
        found: Definition = definition_of(row)
        assert digest(found) == digest(DEFINITIONS[row["name"]])


async def test_a_row_outlives_a_changed_file(migrated: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await load_built_ins(migrated)
    version = DEFINITIONS["generic.http"].version
    changed = [Definition(name="generic.http", version=version, type="http", auth_type="none")]
    monkeypatch.setattr("services.integrations.connectors.loading.built_in_definitions", lambda: iter(changed))
    assert await load_built_ins(migrated) == []
    table = IntegrationDefinition
    row = await table.across_tenants("a test").one(*table.all_columns(), where=table.name == "generic.http")
    assert row is not None
    assert digest(definition_of(row)) == digest(DEFINITIONS["generic.http"])


async def test_an_older_version_is_deprecated(migrated: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its instances keep it; what is connected by name is the newer one. A server that is older takes nothing back."""
    newer = DEFINITIONS["scm.gitea"]
    versions = ("0.9.0", newer.version, "0.10.0")
    for version in versions:
        one = msgspec.structs.replace(newer, version=version)
        monkeypatch.setattr(
            "services.integrations.connectors.loading.built_in_definitions", lambda one=one: iter([one])
        )
        assert await load_built_ins(migrated) == [f"scm.gitea {version}"]
    table = IntegrationDefinition
    rows = await table.across_tenants("a test").select(table.semver, table.status)
    found = {row["semver"]: row["status"] for row in rows}
    assert found == {"0.9.0": "DEPRECATED", newer.version: "PUBLISHED", "0.10.0": "PUBLISHED"}


def test_the_page_is_made_from_the_data() -> None:
    assert PAGE.read_text() == page(), "python -m tests.architecture.connectors_table"
