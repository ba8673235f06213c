"""Requests made from a version's snapshot with a fixed seed: right ones and wrong ones for each operation."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS

SEED = 20_261_121
HOST = "http://dovetail.test"


def generated(api: str, version: str, examples: int) -> list[dict[str, Any]]:
    """As arguments of an HTTP client, at most `examples` of each kind for each operation."""
    calls: list[dict[str, Any]] = []
    document = schemathesis.openapi.from_dict(json.loads(snapshot(api, version)))
    base = f"{HOST}{APIS[api].prefix}/{version}"
    for found in document.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = found.ok().as_strategy(generation_mode=mode)

            @seed(SEED)
            @settings(
                max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(strategy)
            def collect(case: Any) -> None:
                calls.append(case.as_transport_kwargs(base_url=base))

            try:
                collect()
            except Unsatisfiable:
                continue  # nothing about it can be wrong
    return calls
