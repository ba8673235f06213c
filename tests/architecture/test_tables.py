"""Tables: a tenant's rows only through the tenant, and migrations that say what the models say."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest

from app.database.migrating import drift
from models.audit import AuditEvent, AuditHead, AuditPending, AuditSeal
from models.changes import ChangeHead
from models.operations import RecordingSpan
from models.piccolo_app import TABLES
from models.tenancy import Tenant, TenantTable, UnscopedAccess
from tests.architecture.code import ROOT
from tests.architecture.settings_table import PAGE, render

pytestmark = pytest.mark.architecture
TENANT_TABLES = [table for table in TABLES if issubclass(table, TenantTable)]


@pytest.mark.parametrize("method", ["select", "objects", "count", "exists", "update", "delete", "insert"])
@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.__name__)
def test_a_tenant_table_needs_its_tenant(table: type[TenantTable], method: str) -> None:
    """A query that forgot its tenant is an error at once and not a leak."""
    # Also a TypeError: a column may have the method's name, and hides it.
    with pytest.raises(TypeError, match=r"needs a tenant|not callable"):
        getattr(table, method)()


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.__name__)
def test_scoped_queries_name_their_tenant(table: type[TenantTable]) -> None:
    """Whatever is asked through `of`, the tenant is in its conditions."""
    tenant = uuid4()
    rows = table.of(tenant)
    for query in (rows.select(), rows.update({"id": uuid4()}), rows.delete()):
        assert str(tenant) in str(query)
    with pytest.raises(UnscopedAccess):
        table.across_tenants("")
    with pytest.raises(UnscopedAccess):
        table.across_tenants("a reason").insert({})


def test_every_other_table_is_known_to_be_without_a_tenant() -> None:
    """A new table belongs to a tenant unless it is one of these."""
    assert [table for table in TABLES if table not in TENANT_TABLES] == [
        Tenant, ChangeHead, AuditEvent, AuditSeal, AuditPending, AuditHead, RecordingSpan,
    ]  # fmt: skip


async def test_migrations_have_not_drifted() -> None:
    """The tables as the models say are the tables that the migrations make."""
    assert await drift() == []


def test_the_page_of_settings_is_the_code() -> None:
    """`python -m tests.architecture.settings_table` rewrites it."""
    assert PAGE.read_text(encoding="utf-8") == render()


def test_importing_the_roof_opens_nothing() -> None:
    """`import app.asgi` makes no file and opens no connection: a command's help must not create state."""
    code = "import app.asgi, pathlib, sys; sys.exit(1 if pathlib.Path('var').exists() else 0)"
    environ = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}"}
    folder = ROOT / "tests" / "data"
    found = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environ, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()
