"""OpenAPI into definitions: three styles of large descriptions, and whatever a description can be damaged into."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ValidationFailed
from services.contracts.reading import read_path
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.compiling import compile_definition
from services.integrations.definitions.model import Definition, Method
from services.integrations.definitions.schemas import compile_schema
from services.integrations.importing.bundles import MOST_BYTES, MOST_BYTES_TOGETHER
from services.integrations.importing.converting import Choice, convert_document, lines_of
from services.integrations.importing.reports import Report

FOLDER = Path(__file__).parent / "descriptions"
STYLES = ("payments", "cluster", "fleet")


def described(name: str) -> dict[str, Any]:
    return read_path(FOLDER / f"{name}.yaml").openapi


def imported(document: dict[str, Any], **choice: Any) -> tuple[Definition, Report]:
    definition, report = convert_document(document, Choice(**choice))
    check_definition(definition)
    assert len(dict(compile_definition(definition).methods)) == len(definition.methods)
    assert report.operations == report.typed + report.partial + report.left_out
    assert len(definition.methods) == report.typed + report.partial
    return definition, report


def method(definition: Definition, name: str) -> Method:
    found = definition.method(name)
    assert found is not None, [each.name for each in definition.methods]
    return found


def fits(method: Method, body: Any) -> bool:
    return bool(compile_schema(method.result_schema or {}).is_valid(body))


def told(report: Report, operation: str) -> set[tuple[str, str]]:
    return {(each.effect, each.where) for each in report.findings if each.operation == operation}


def test_deep_objects_and_nested_forms() -> None:
    definition, report = imported(described("payments"))
    assert (report.typed, report.partial, report.left_out) == (3, 0, 1)
    listing = method(definition, "GetCharges")
    assert listing.request is not None
    assert listing.request.query == {
        "created[gt]": "{created_gt}", "created[gte]": "{created_gte}", "created[lt]": "{created_lt}",
        "created[lte]": "{created_lte}", "created": "{created}", "customer": "{customer}", "limit": "{limit}",
        "expand[]": "{expand*}", "metadata[*]": "{metadata*}",
    }  # fmt: skip
    making = method(definition, "PostCharges")
    assert making.request is not None
    assert making.request.body is not None
    assert (making.request.body.encoding, making.request.body.template) == ("form", "body")
    fields = (making.param_schema or {})["properties"]["body"]["properties"]
    assert set(fields) == {"amount", "currency", "expand[]", "card", "metadata"}
    assert "default" not in fields["currency"], "a default would be sent with every call"
    assert ("left_out", "servers") in told(report, "POST /v1/files")


def test_expandable_members_are_either_and_recursion_ends() -> None:
    charge = method(imported(described("payments"))[0], "PostCharges")
    inner = {"id": "ch_2", "amount": 1, "customer": None, "refunded": None, "status": None}
    for customer in ("cus_1", {"id": "cus_1", "charges": [inner]}, None):
        assert fits(charge, {"id": "ch_1", "amount": 5, "customer": customer, "refunded": inner, "later": 1})
    assert not fits(charge, {"id": "ch_1", "amount": 0}), "minimum 0, exclusive: true"
    assert not fits(charge, {"id": "ch_1", "amount": 1, "customer": {"charges": []}})


def test_anything_bodies_patches_and_other_verbs() -> None:
    definition, report = imported(described("cluster"))
    patch = method(definition, "patchCoreV1NamespacedPod")
    assert patch.request is not None
    assert (patch.request.headers or {})["Content-Type"] == "application/merge-patch+json"
    assert (patch.repeats, patch.effect) == ("none", "write")
    assert fits(patch, {"kind": "Pod", "spec": {"$ref": "x", "allOf": [{"type": "object"}]}})
    assert fits(patch, None), "202 has no body"
    assert method(definition, "delete.old.id.legacy").request.path == "/old/{id}"  # type: ignore[union-attr]
    assert definition.base_url is None
    assert (definition.config_schema or {})["required"] == ["baseUrl"]
    left = {each.operation: each.reason for each in report.findings if each.effect == "left_out"}
    assert set(left) == {
        "OPTIONS /api/v1/namespaces/{namespace}/pods/{name}", "/broken",
    }  # fmt: skip
    raw = method(definition, "put.raw").request
    assert raw is not None
    assert raw.body is not None
    assert raw.body.encoding == "raw"
    proxy = "GET /api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}"
    assert {("untyped", "parameters.header.Host"), ("untyped", "parameters.cookie.session")} <= told(report, proxy)


def test_many_files_links_and_servers_with_variables() -> None:
    definition, report = imported(described("fleet"))
    assert (definition.version, definition.auth_type) == ("2.0.0", "oauth2")
    assert (definition.base_url, definition.allowed_hosts) == (
        "https://eu.fleet.example/v2",
        ["eu.fleet.example", "us.fleet.example"],
    )
    listing = method(definition, "droplets_list")
    assert listing.request is not None
    assert (listing.request.query or {})["tag:names"] == "{tag_names}"
    assert listing.pagination is not None
    assert (listing.pagination.style, listing.pagination.size_parameter) == ("link", "per_page")
    assert len(listing.examples or ()) == 1
    message = method(definition, "CreateMessage")
    assert message.request is not None
    assert message.request.headers == {"Accept": "application/vnd.fleet.message+json"}
    pets = method(definition, "pets.create")
    checked = compile_schema(pets.param_schema or {})
    assert checked.is_valid({"body": {"kind": "dog"}}), "what is read only is not required of a request"
    assert not checked.is_valid({"body": {"kind": "cow"}})
    assert any(each.where.endswith("/Dog") and "(?=a)b" in each.reason for each in report.findings)


def test_operations_are_chosen() -> None:
    document = described("fleet")
    definition, report = imported(document, tags=["Droplets"], operations=["POST /pets"], name="Mine", version="3.1.4")
    assert [each.name for each in definition.methods] == ["droplets_list", "pets.create"]
    assert (definition.name, definition.version, report.operations) == ("Mine", "3.1.4", 2)
    with pytest.raises(ValidationFailed) as caught:
        convert_document(document, Choice(tags=["none"], operations=["nothing"]))
    assert set(caught.value.details or ()) == {"tags.none", "operations.nothing"}
    assert next(lines_of(report)) == "2 operations: 1 typed, 1 in part, 0 left out"


def _chained(schemas: int, operations: int) -> dict[str, Any]:
    """A description whose schemas all hang together, each with a long enumeration of its own."""
    made = {
        f"S{number}": {
            "type": "object",
            "properties": {
                "kind": {"enum": [f"value-{number}-{each}" for each in range(60)]},
                "next": {"$ref": f"#/components/schemas/S{(number * 7 + 1) % schemas}"},
                "other": {"$ref": f"#/components/schemas/S{(number * 3 + 2) % schemas}"},
            },
        }
        for number in range(schemas)
    }
    answer = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}}
    paths = {f"/p{number}": {"get": {"responses": answer}} for number in range(operations)}
    return {"openapi": "3.1.0", "info": {"title": "Chained", "version": "1"}, "paths": paths,
            "components": {"schemas": made}}  # fmt: skip


def test_a_definition_stays_bounded_when_everything_hangs_together() -> None:
    definition, report = imported(_chained(300, 500))
    sizes = [len(msgspec.json.encode(each.result_schema)) for each in definition.methods]
    assert max(sizes) <= MOST_BYTES * 2
    assert sum(sizes) <= MOST_BYTES_TOGETHER * 2
    assert report.partial == 500
    assert "can be any value" in report.findings[-1].reason
    first = definition.methods[0]
    assert not fits(first, {"kind": "other"}), "what is near is typed"


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.just(1e308), st.text(max_size=8), st.just([]), st.just({}),
    st.just({"$ref": "#"}), st.just({"$ref": "#/paths"}), st.just({"$ref": 7}), st.just({"$ref": "#/a/0/%zz"}),
    st.just({"allOf": [{"$ref": "#/components/schemas/charge"}]}), st.just([[], {}, None]), st.just("\ud800{"),
    st.just({"type": ["string", 3]}), st.just({"properties": []}), st.just("../../../etc/passwd"),
)  # fmt: skip


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    for key, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        found.append((value, key))
        if isinstance(inner, (dict, list)):
            _places(inner, found)
    return found


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_damage_breaks_an_import(style: str, data: st.DataObject) -> None:
    """Every operation is typed or reported, and what is made is a sound definition."""
    document = copy.deepcopy(_DOCUMENTS[style])
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(document, [])
        holder, key = places[data.draw(st.integers(0, len(places) - 1))]
        holder[key] = copy.deepcopy(data.draw(JUNK))
    definition, report = imported(document)
    json.dumps(msgspec.to_builtins((definition, report)))


_DOCUMENTS = {style: described(style) for style in STYLES}
