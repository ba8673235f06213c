"""The documents of the contracts: made from the routes, written as snapshots, served from the snapshot."""

import json
from pathlib import Path
from typing import Any

from rest.contracts.registry import APIS
from services.usage.elements import RequestElements

SNAPSHOTS = Path(__file__).resolve().parent / "snapshots"


def document(api: str, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document as the routes of this code say it."""
    if (api, version) != ("integrations", "v1"):
        raise KeyError(f"there is no contract {api} {version}")
    from rest.integrations_v1.surface import build_app

    tidied: dict[str, Any] = _tidied(build_app(None).openapi_schema.to_schema())
    return tidied


def render(found: dict[str, Any]) -> str:
    """The snapshot's text: sorted keys, two spaces, a newline at the end."""
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def snapshot_path(api: str, version: str) -> Path:
    return SNAPSHOTS / f"{api}-{version}.json"


def snapshot(api: str, version: str) -> bytes:
    return snapshot_path(api, version).read_bytes()


def learn_contracts(elements: RequestElements) -> None:
    """Tell the ledger of uses which parameters and members the operations of every version have."""
    for name, api in APIS.items():
        for version in (*api.frozen, *([api.active] if api.active else [])):
            elements.learn(f"{name}/{version}", json.loads(snapshot(name, version)))


def _tidied(value: Any) -> Any:
    """Integral floats as integers: a bound on an integer is one."""
    if isinstance(value, dict):
        return {key: _tidied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
