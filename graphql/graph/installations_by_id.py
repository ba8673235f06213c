"""Installations by their ids, for everything that belongs to one; apart, so that no module waits for another."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from graph.loaders import RowLoader
from services.context import Context
from services.installations.reading import get_installations

if TYPE_CHECKING:
    from graph.installations.types import Installation

InstallationType: TypeAlias = Annotated["Installation", strawberry.lazy("graph.installations.types")]


async def find_installations(context: Context, ids: list[UUID]) -> Mapping[UUID, Any]:
    """The tenant's installations among these ids."""
    return {row["id"]: row for row in await get_installations(context, ids)}


INSTALLATIONS = RowLoader(get_installations, "id", many=False)
