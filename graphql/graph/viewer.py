"""Who asks, and which server answers."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import strawberry

from graph.request import Info
from graph.rows import column, field
from graph.scalars import DateTime


@strawberry.type(description="The caller, as the bearer token says.")
class Viewer:
    subject: str = column(description="The caller's id at the issuer of the token.")
    kind: str = column(description="`user`, `service`, `installation`, `agent` or `operator`.")
    tenant_id: str = column(key="tenant", convert=str, description="The tenant that everything is read in.")
    name: str | None = column(description="A name to show, where the token has one.")
    roles: list[str] = column(description="The roles that the token names.")
    scopes: list[str] = column(convert=sorted, description="The scopes that the token carries, sorted.")
    authn: str = column(description="How the caller was authenticated.")
    tier: str = column(description="`standard` or `premium`; decides the cost budget.")


@strawberry.type(description="The server that answers.")
class ServerInfo:
    version: str = column(description="The version of this software.")
    time: DateTime = column(description="The server's clock.")
    documents: str = column(description="`any`, or `trusted` where only the saved operations run.")
    cost_limit: int = column(description="The most that one operation may cost.")
    cost_per_minute: int = column(description="What a token of the standard tier may use a minute.")


def _version() -> str:
    try:
        return version("dovetail")
    except PackageNotFoundError:
        return "unknown"


VERSION = _version()


@strawberry.type
class ViewerQuery:
    @field("The caller.", Viewer)
    def viewer(self, info: Info) -> Any:
        return info.context.viewer

    @field("The server that answers.", ServerInfo)
    def server_info(self, info: Info) -> Any:
        settings = info.context.runtime.settings
        return {
            "version": VERSION,
            "time": info.context.context.now,
            "documents": settings.graphql_documents,
            "cost_limit": 1_000,
            "cost_per_minute": settings.graphql_cost_per_minute,
        }
