"""The documents of the contracts: made from the routes, written as snapshots, served from the snapshot."""

import json
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from rest.contracts.registry import APIS
from rest.contracts.versions import Version
from services.contracts.catalogue import Catalogue, Served
from services.usage.elements import RequestElements

SNAPSHOTS = Path(__file__).resolve().parent / "snapshots"
#: Members that may differ from one run to the next, wherever they stand.
VOLATILE = frozenset({"x-generated-at", "x-generator", "x-build"})
#: Where a stamped snapshot says which rules it was last judged under.
RULES_MEMBER = "x-contract-rules"
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def version_of(api: str, version: str) -> Version:
    """What the registry says of a version. Raises KeyError."""
    found = APIS[api].versions.get(version) if api in APIS else None
    if found is None:
        raise KeyError(f"there is no contract {api} {version}")
    return found


def resolve(place: str) -> Any:
    """What `module:name` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def document(api: str, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document as the routes of this code say it."""
    said = version_of(api, version)
    found: dict[str, Any] = _tidied(resolve(said.router)(None).openapi_schema.to_schema())
    if said.stamped:
        found["info"][RULES_MEMBER] = said.rules
    return _reachable(found)


def render(found: dict[str, Any]) -> str:
    """The snapshot's text: sorted keys, two spaces, a newline at the end."""
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def snapshot_path(api: str, version: str) -> Path:
    return SNAPSHOTS / version_of(api, version).snapshot


def snapshot(api: str, version: str) -> bytes:
    return snapshot_path(api, version).read_bytes()


def learn_contracts(elements: RequestElements, catalogue: Catalogue, sdl: Callable[[], str]) -> None:
    """Tell the services which contracts there are: the ledger of uses by their elements, the catalogue by name."""
    for name, api in APIS.items():
        if api.schema is not None:
            catalogue.add(Served(name, "", api.prefix, "graphql", lambda: sdl().encode()))
        for version in api.names:
            elements.learn(f"{name}/{version}", msgspec.json.decode(snapshot(name, version)))
            catalogue.add(Served(name, version, f"{api.prefix}/{version}", "json", partial(snapshot, name, version)))


def _tidied(value: Any) -> Any:
    """Integral floats as integers, for a bound on an integer is one; and nothing that moves by itself."""
    if isinstance(value, dict):
        return {key: _tidied(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _reachable(found: dict[str, Any]) -> dict[str, Any]:
    """The document with only those components that its paths lead to; security schemes are named, not referred to."""
    components: dict[str, Any] = found.get("components", {})
    waiting, seen = _references(found["paths"]), set()
    while waiting:
        kind, name = waiting.pop()
        if (kind, name) not in seen:
            seen.add((kind, name))
            waiting |= _references(components.get(kind, {}).get(name))
    named = _schemes(found)
    kept = {
        kind: {
            name: item
            for name, item in items.items()
            if (kind, name) in seen or (kind == "securitySchemes" and name in named)
        }
        for kind, items in components.items()
    }
    return found | {"components": {kind: items for kind, items in kept.items() if items}}


def _references(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, dict):
        inside = [_references(item) for item in value.values()]
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith("#/components/"):
            kind, name = target.removeprefix("#/components/").split("/", 1)
            inside.append({(kind, name.replace("~1", "/").replace("~0", "~"))})
        return set().union(*inside)
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def _schemes(found: dict[str, Any]) -> set[str]:
    operations = [item for path in found["paths"].values() for method, item in path.items() if method in _METHODS]
    required = [*found.get("security", []), *(each for item in operations for each in item.get("security") or [])]
    return {name for each in required for name in each}
