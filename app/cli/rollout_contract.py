"""A contract's document as the rollout check reads it: its operations, their answers, its error codes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from app.cli.failures import CommandFailed
from app.cli.rollout_schema import Schema, resolved


class Operation(NamedTuple):
    """One operation; `scope` is None where a key is enough, and `open` where none is needed."""

    method: str
    path: str
    open: bool
    scope: str | None
    answers: Mapping[str, Schema]
    parameters: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"


class Contract:
    """An OpenAPI document of the consumer surface."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.version: str = document["info"]["version"]
        self.operations = tuple(_operations(document))

    @property
    def problems(self) -> bool:
        """Whether refusals are problem documents (RFC 9457), as from v2 on."""
        return "Problem" in self.document["components"]["schemas"]

    @property
    def error_media(self) -> str:
        return "application/problem+json" if self.problems else "application/json"

    def error_schema(self) -> Schema:
        found: Schema = self.document["components"]["schemas"]["Problem" if self.problems else "ErrorBody"]
        return found

    def codes(self) -> frozenset[str]:
        return frozenset(resolved(self.error_schema()["properties"]["code"], self.document)["enum"])

    def answer(self, method: str, path: str, status: int = 200) -> Schema:
        """The schema of an answer; KeyError where the contract has none."""
        for operation in self.operations:
            if (operation.method, operation.path) == (method, path):
                return operation.answers[str(status)]
        raise KeyError(path)


def _operations(document: Any) -> Iterator[Operation]:
    for path, methods in sorted(document["paths"].items()):
        for method, found in sorted(methods.items()):
            demanded = [demand["ApiKey"] for demand in found.get("security") or () if "ApiKey" in demand]
            answers = {
                status: content["schema"]
                for status, answer in found["responses"].items()
                for content in answer.get("content", {}).values()
            }
            parameters = frozenset(parameter["name"] for parameter in found.get("parameters", ()))
            scope = demanded[0][0] if demanded and demanded[0] else None
            yield Operation(method, path, not demanded, scope, answers, parameters)


def packaged_contract(version: str) -> Contract:
    """The contract that this software was shipped with."""
    from rest.contracts.documents import snapshot

    return Contract(json.loads(snapshot("integrations", version)))


def contract_of(path: Path) -> Contract:
    """The contract in a file, such as `dovetail openapi --out` writes."""
    try:
        return Contract(json.loads(path.read_bytes()))
    except OSError as error:
        raise CommandFailed("cannot_read", f"Cannot read {path}: {error.strerror}.", file=str(path)) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        text = f"{path} is no OpenAPI document of /integrations; `dovetail openapi --out FILE` writes one."
        raise CommandFailed("not_a_snapshot", text, file=str(path)) from error


def broken_promises(previous: Contract, served: Contract) -> Iterator[str]:
    """What a consumer of the previous contract may rely on and the served one does not say any more."""
    now = {operation.name: operation for operation in served.operations}
    for was in previous.operations:
        if was.name not in now:
            yield f"{was.name} is gone"
            continue
        yield from (f"{was.name} has no parameter {name}" for name in sorted(was.parameters - now[was.name].parameters))
        for status, schema in was.answers.items():
            yield from _lost_answer(f"{was.name} {status}", schema, previous, now[was.name].answers.get(status), served)
    yield from (f"the error code {code} is gone" for code in sorted(previous.codes() - served.codes()))


def _lost_answer(name: str, was: Schema, previous: Contract, now: Schema | None, served: Contract) -> Iterator[str]:
    if now is None:
        yield f"{name} is not documented any more"
        return
    lost = set(required_fields(was, previous)) - set(required_fields(now, served))
    yield from (f"{name} does not promise {field}" for field in sorted(lost))


def required_fields(schema: Schema, contract: Contract, at: str = "", within: tuple[int, ...] = ()) -> Iterator[str]:
    """The places that an answer must have, like `people[].orcid_id`, through all its forms."""
    schema = resolved(schema, contract.document)
    if id(schema) in within:
        return
    within = (*within, id(schema))
    for name in schema.get("required", ()):
        yield f"{at}{name}"
    for name, part in schema.get("properties", {}).items():
        yield from required_fields(part, contract, f"{at}{name}.", within)
    if "items" in schema:
        yield from required_fields(schema["items"], contract, f"{at.removesuffix('.')}[].", within)
    for part in schema.get("oneOf", ()):
        yield from required_fields(part, contract, at, within)
