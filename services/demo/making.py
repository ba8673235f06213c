"""Making the demo; a second time finds everything there and changes nothing."""

import contextlib
from typing import Any

import msgspec

from app.auth.principal import shell_principal
from app.auth.signing import TokenRequest, issue_token
from app.errors import Conflict, NotFound
from app.ids import new_id, new_request_id
from app.settings import Settings
from services.context import Context
from services.demo.connecting import add_login
from services.demo.integrations import add_greetings, add_integration
from services.demo.keys import demo_key
from services.demo.people import add_people, add_projects
from services.demo.site import add_spare_sites, demo_installation
from services.demo.upstream import HOST
from services.demo.webhooks import add_incoming
from services.integrations.connectors.loading import load_built_ins
from services.runtime import Runtime
from services.tenants import create_tenant, find_tenant

SLUG, NAME, USER = "demo", "Demo", "demo"
_LOOPBACK = "127.0.0.1/32"


class Demo(msgspec.Struct, frozen=True):
    """How to use the demo; `tenant` is the tenant's id."""

    base_url: str
    api_key: str
    token: str
    tenant: str
    installation_id: str


def demo_settings(settings: Settings) -> Settings:
    """The same settings, with this machine within reach: the demo's origin is proved here."""
    return msgspec.structs.replace(settings, egress_allow=(*settings.egress_allow, _LOOPBACK))


def serving_settings(settings: Settings) -> Settings:
    """The same settings, with the demo's upstream within reach: by the name of this machine, at the server's port."""
    return msgspec.structs.replace(settings, egress_allow=(*settings.egress_allow, f"{HOST}:{settings.port}"))


async def make_demo(runtime: Runtime, caller: str) -> Demo:
    """The demo tenant with an installation, its key, people, projects and an integration.

    The runtime is started, has been made from `demo_settings`, and its database is migrated.
    """
    tenant = await _demo_tenant(runtime, caller)
    context = _context(runtime, tenant["id"], caller)
    installation = await demo_installation(context)
    key = await demo_key(context, installation)
    await add_people(context)
    await add_projects(context)
    await add_spare_sites(context)
    await add_integration(context)
    await load_built_ins(runtime.database, runtime.clock)
    await add_greetings(context)
    await add_incoming(context)
    await add_login(context)
    ttl = runtime.settings.token_ttl_seconds
    request = TokenRequest(tenant=context.tenant, user_id=USER, roles=["admin"], ttl_seconds=ttl)
    token = issue_token(runtime.signing_key, runtime.settings, runtime.clock, request)
    return Demo(runtime.settings.url, key, token, str(context.tenant), str(installation))


def _context(runtime: Runtime, tenant: Any, caller: str) -> Context:
    return Context(runtime, shell_principal(tenant, caller), "cli", new_request_id())


async def _demo_tenant(runtime: Runtime, caller: str) -> dict[str, Any]:
    with contextlib.suppress(NotFound):
        return await find_tenant(runtime.database, SLUG)
    try:
        return await create_tenant(_context(runtime, new_id(), caller), SLUG, NAME)
    except Conflict:
        # Another demo began at the same moment.
        return await find_tenant(runtime.database, SLUG)
