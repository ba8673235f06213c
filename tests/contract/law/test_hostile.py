"""Documents that mean harm: every one is judged or refused, in time, and nothing else is raised."""

import copy
import json
import random
import time
from typing import Any

import pytest

from services.contracts.findings import Verdict
from services.contracts.openapi import compare
from services.contracts.reading import UnreadableDocument, parse, read_path
from tests.contract.law.builders import JSON, TODAY, compared, document, request
from tests.contract.law.test_objects import CHANGES

VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**70, "", "x", "#/", "#", [], {}, [1], [None], {"a": None}, {"$ref": 3},
    {"$ref": "#"}, {"$ref": "#/nowhere"}, [[]], {"type": ["object", 1]}, {"oneOf": [{"$ref": "#/x"}]},
]  # fmt: skip
KEYS = ["oneOf", "allOf", "not", "if", "items", "properties", "schema", "content", "parameters", "security", "servers",
        "enum", "required", "discriminator", "x-sunset", "deprecated", "x-stability-level", "pattern"]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    found, stack = [], [value]
    while stack:
        each = stack.pop()
        keys = each.keys() if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        for key in keys:
            found.append((each, key))
            stack.append(each[key])
    return found


@pytest.mark.parametrize("seed", range(40))
def test_any_node_may_be_anything(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        base = copy.deepcopy(chance.choice(CHANGES)[1])
        revision = copy.deepcopy(base)
        for _ in range(3):
            holder, key = chance.choice(places(revision))
            if isinstance(holder, dict) and chance.random() < 0.3:
                key = chance.choice(KEYS)
            holder[key] = copy.deepcopy(chance.choice(VALUES))
        for pair in ((base, revision), (revision, base), (revision, revision)):
            try:
                found = compare(*pair, today=TODAY)
            except UnreadableDocument:
                continue
            assert pair[0] is not pair[1] or found == []


def schemas(count: int, build: Any) -> dict[str, Any]:
    return {
        **request({"$ref": "#/components/schemas/S0"}),
        "components": {"schemas": {f"S{index}": build(index) for index in range(count)}},
    }


def ref(index: int) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/S{index}"}


@pytest.mark.parametrize("kind", ["oneOf", "anyOf", "allOf"])
def test_schemas_that_contain_each_other_come_to_an_end(kind: str) -> None:
    base = schemas(12, lambda one: {"title": str(one), kind: [ref(two) for two in range(12) if two != one]})
    revision = copy.deepcopy(base)
    revision["components"]["schemas"]["S5"]["properties"] = {"a": {"type": "string"}}
    compared(base, revision)
    assert compared(base, copy.deepcopy(base)) == []


def test_a_kind_that_extends_its_own_choice() -> None:
    """The usual way to write a discriminated union: the parent lists its children, who extend it."""

    def pets(kind: str) -> dict[str, Any]:
        cat = {"allOf": [ref(0), {"properties": {"meow": {"type": kind}}}]}
        dog = {"allOf": [ref(0), {"properties": {"bark": {"type": "string"}}}]}
        pet = {"properties": {"tag": {"type": "string"}}, "required": ["tag"], "oneOf": [ref(1), ref(2)]}
        return schemas(3, lambda index: [pet, cat, dog][index])

    (found,) = compared(pets("string"), pets("integer"))
    assert (found.rule, found.verdict) == ("schema-type", Verdict.BREAKING)


def test_circles_of_references_end() -> None:
    compared(schemas(3, lambda index: ref((index + 1) % 3)), schemas(1, lambda index: {"type": "string"}))
    compared(schemas(500, lambda index: {"allOf": [ref(index + 1)]}), schemas(1, lambda index: {}))


def test_a_reference_to_nowhere_is_unknown_only_where_it_came_or_went() -> None:
    lost = schemas(1, lambda index: {"properties": {"a": {"$ref": "https://elsewhere/a.json"}}})
    assert compared(lost, copy.deepcopy(lost)) == []
    found = compared(schemas(1, lambda index: {"properties": {"a": {"type": "string"}}}), lost)
    assert {each.verdict for each in found} >= {Verdict.UNKNOWN}


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"properties": {"a": deep}}
    with pytest.raises(UnreadableDocument, match="deeper"):
        compare(request(deep), document(), today=TODAY)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "deeper"),
        ("- " * 100_000, "deeper"),
        ("? " * 1000, "key must be text"),
        ("a: 1\na: 2", "twice"),
        ("a: [1", "did not find"),
        ("a: *b", "no value is named"),
        ("a: .nan", "no such number"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("".join(f"{chr(98 + n)}: &{chr(98 + n)} [{('*' + chr(97 + n) + ',') * 12}]\n" for n in range(0, 9)).replace(
            "*a,", "x,"), "too large"),
    ],
    ids=range(9),
)  # fmt: skip
def test_yaml_that_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        parse(text.encode(), "a.yaml")


@pytest.mark.parametrize("text", ["{", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000, "\xff"])
def test_json_that_is_refused(text: str) -> None:
    with pytest.raises(UnreadableDocument):
        parse(text.encode("latin-1"), "a.json")


def test_lone_surrogates_become_the_text_of_their_escapes() -> None:
    pair = '{"a": "\\ud83d\\ude00", "\\uD800": ["\\udc00"]}'
    for name in ("a.json", "a.yaml"):
        assert parse(pair.encode(), name) == {"a": "\U0001f600", "\\ud800": ["\\udc00"]}


def test_yaml_by_the_core_schema() -> None:
    text = b"200: 2020-01-01\nyes: no\non: 0o17\nx: 0x1F\ns: '1'\nn: ~\nm: &m {a: 1}\nk: {<<: *m, a: 2, b: 1e3}"
    assert parse(text, "a.yml") == {
        "200": "2020-01-01", "yes": "no", "on": 15, "x": 31, "s": "1", "n": None, "m": {"a": 1},
        "k": {"a": 2, "b": 1000.0},
    }  # fmt: skip


def test_files_beside_the_document_are_taken_in_and_no_others(tmp_path: Any) -> None:
    (tmp_path / "secret.yaml").write_text("type: string")
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "parts.yaml").write_text("A: {type: object, properties: {b: {$ref: '#/B'}}}\nB: {type: string}")
    main = folder / "openapi.yaml"
    text = request({"anyOf": [{"$ref": "parts.yaml#/A"}, {"$ref": "../secret.yaml"}]})
    main.write_text(json.dumps(text))
    read = read_path(main).openapi
    inline = request({"type": "object", "properties": {"b": {"type": "string"}}})
    options = read["paths"]["/things"]["post"]["requestBody"]["content"][JSON]["schema"]["anyOf"]
    assert options[1] == {"$ref": "../secret.yaml"}
    read["paths"]["/things"]["post"]["requestBody"]["content"][JSON]["schema"] = options[0]
    assert compared(read, inline) == []


#: Alternatives that every schema of a dense document has besides, and the first one alone.
More = tuple[list[Any], list[Any]]
NO_MORE: More = ([], [])
Z = {"type": "object", "required": ["z"], "properties": {"z": {"type": "integer"}}}


def _of_all(kinds: int, more: More) -> Any:
    """Schemas each of which may be any of the others, with nothing of its own between them."""
    return {
        f"S{own}": {
            "anyOf": [
                *({"$ref": f"#/components/schemas/S{each}"} for each in range(kinds) if each != own),
                *({"const": own}, *more[0], *(more[1] if own == 0 else ())),
            ]
        }
        for own in range(kinds)
    }


def _of_objects(kinds: int, more: More) -> Any:
    """The same, with an object between."""

    def kind(own: int, other: int) -> Any:
        inside = {"p": {"$ref": f"#/components/schemas/S{other}"}, "k": {"const": f"{own}-{other}"}}
        return {"type": "object", "properties": inside}

    return {f"S{own}": {"anyOf": [*(kind(own, other) for other in range(kinds)), *more[0]]} for own in range(kinds)}


def _asked(place: str, schemas: Any) -> Any:
    """A document whose one request takes the first of the schemas."""
    reference = {"$ref": "#/components/schemas/S0"}
    operation: Any = {"responses": {"200": {"description": "ok"}}}
    if place == "body":
        operation["requestBody"] = {"content": {JSON: {"schema": reference}}}
    else:
        operation["parameters"] = [{"name": "q", "in": "query", "schema": reference}]
    found = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"post": operation}}}
    return copy.deepcopy(found | {"components": {"schemas": schemas}})


@pytest.mark.parametrize(("schemas", "more"), [(_of_all, ([], [{"const": "z"}])), (_of_objects, ([Z], []))])
@pytest.mark.parametrize("place", ["body", "parameter"])
def test_dense_alternatives_come_to_an_end(schemas: Any, more: More, place: str) -> None:
    """Forty that each lead to forty: soon said to be unknown, and never taken for harmless."""
    began = time.process_time()
    found = compare(_asked(place, schemas(40, NO_MORE)), _asked(place, schemas(40, more)), today=TODAY)
    assert time.process_time() - began < 6
    assert {(each.rule, each.verdict) for each in found} == {("schema-too-dense", Verdict.UNKNOWN)}


@pytest.mark.parametrize("more", [[Z], [{"type": "string"}]])
@pytest.mark.parametrize("at", [0, 1])
def test_a_schema_that_is_its_own_alternative(more: list[Any], at: int) -> None:
    """It takes what its other alternatives take, and so what comes and goes beside it is told."""

    def schemas(*others: Any) -> Any:
        listed: list[Any] = [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}, *others]
        return {"S0": {"anyOf": [*listed[:at], {"$ref": "#/components/schemas/S0"}, *listed[at:]]}}

    documents = _asked("body", schemas()), _asked("body", schemas(*more))
    assert {each.verdict for each in compare(*documents, today=TODAY)} == {Verdict.NOTICE}
    assert Verdict.BREAKING in {each.verdict for each in compare(*reversed(documents), today=TODAY)}


@pytest.mark.parametrize("place", ["query", "header", "cookie"])
@pytest.mark.parametrize("before", [True, {}, {"type": "string"}, {"type": "array", "items": {"type": "integer"}}])
def test_a_parameter_that_takes_nothing_any_more(place: str, before: Any) -> None:
    """`false` in the place of any schema, or of none."""
    both = [
        {
            "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
            "paths": {"/x": {"get": {
                "parameters": [{"name": "q", "in": place, "schema": schema}],
                "responses": {"200": {"description": "ok"}},
            }}},
        }
        for schema in (before, False)
    ]  # fmt: skip
    assert [(each.rule, each.verdict) for each in compare(*both, today=TODAY)] == [("schema-never", Verdict.BREAKING)]
