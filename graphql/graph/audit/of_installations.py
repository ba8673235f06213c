"""The history of each of many installations, read together."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec

from app.errors import NotFound
from graph.loaders import loader
from graph.request import GraphContext
from services.audit_groups import list_installation_events
from services.context import Context
from services.paging import KeysetPage, KeysetRequest


class _Asked(NamedTuple):
    installation: UUID
    request: bytes


async def _pages(context: Context, keys: list[_Asked]) -> Mapping[_Asked, KeysetPage]:
    """Pages of installations; one statement for all that are asked alike."""
    alike: dict[bytes, list[UUID]] = defaultdict(list)
    for key in keys:
        alike[key.request].append(key.installation)
    found: dict[_Asked, KeysetPage] = {}
    for request, installations in alike.items():
        asked = msgspec.json.decode(request, type=KeysetRequest)
        pages = await list_installation_events(context, installations, asked)
        found |= {_Asked(installation, request): page for installation, page in pages.items()}
    return found


_PAGES = loader(_pages)


async def events_of(graph: GraphContext, installation: UUID, request: KeysetRequest) -> KeysetPage:
    """A page of one installation's events, loaded together with its siblings'."""
    page = await _PAGES.load(graph, _Asked(installation, msgspec.json.encode(request)))
    if page is None:
        raise NotFound
    return page
