"""One nginx and one server for the whole module of tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.claims import free_port
from tests.deploy.authority import Authority
from tests.deploy.front import Front, dovetail, nginx, serving


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A server with one tenant and one service, `CN=billing,O=Example`, that believes 127.0.0.1 alone."""
    home: Path = tmp_path_factory.mktemp("served") / "home"
    dovetail(home, "migrate")
    tenant = dovetail(home, "tenants", "create", "acme", "--name", "Acme")["tenant"]["id"]
    service = {"subject": "CN=billing,O=Example", "tenant": tenant, "name": "Billing", "roles": ["auditor"]}
    clients, servers = Authority("Clients CA"), Authority("Servers CA")
    https, http, app = free_port(), free_port(), free_port()
    given = {"trusted_proxies": "127.0.0.1", "service_certificates": json.dumps([service])}
    parties = (servers.server(), servers.issued, clients.issued)
    with nginx(https, http, app, *parties) as folder, serving(home, app, **given):
        yield Front(folder, https, http, app, clients, home)
