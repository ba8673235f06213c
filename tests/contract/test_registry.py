"""The registry: data that holds together, and that the server, the documents and the snapshots agree with."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rest.contracts.documents import RULES_MEMBER, SNAPSHOTS, document, render, resolve, snapshot, snapshot_path
from rest.contracts.registry import APIS
from rest.contracts.registry_invariants import faults_of
from rest.contracts.registry_texts import parse
from rest.contracts.registry_texts import render as render_registry
from rest.contracts.versions import Api, Version
from services.contracts.findings import RULE_SET
from services.contracts.reading import UnreadableDocument
from tests.world import World

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[2]
VERSIONS = [(name, version) for name, api in APIS.items() for version in api.names]
MAKE = "import sys; from rest.contracts.documents import *; sys.stdout.write(render(document(*sys.argv[1:])))"


def test_the_registry_holds_together() -> None:
    """Names, contiguity, active and frozen apart, nothing shared; and the three APIs that there are are known."""
    assert faults_of(APIS) == []
    assert {"integrations", "control-plane"} <= set(APIS)
    assert (ROOT / str(APIS["control-plane"].schema)).is_file()


def _version(name: str = "v1", **given: Any) -> Version:
    made = Version(f"p.{name}", "r:b", f"s.{name}:S", "e:b", "application/json", f"{name}.json", 1)
    return made._replace(**given)


@pytest.mark.parametrize(
    ("api", "said"),
    [
        (Api("/a", ("v01",), None, {"v01": _version()}), "is no version"),
        (Api("/a", ("1",), None, {"1": _version()}), "is no version"),
        (Api("/a", ("v2",), None, {"v2": _version()}), "gap or begin late"),
        (Api("/a", ("v1",), "v3", {"v1": _version(), "v3": _version("v3")}), "gap or begin late"),
        (Api("/a", ("v1",), "v1", {"v1": _version()}), "active and frozen"),
        (Api("/a", ("v2",), "v1", {"v1": _version(), "v2": _version("v2")}), "is later"),
        (Api("/a", ("v1",), None, {}), "each frozen or active version"),
        (Api("/a", (), None, {"v1": _version()}), "each frozen or active version"),
        (Api("/a", ("v1",), "v2", {"v1": _version(), "v2": _version("v2", snapshot="v1.json")}), "the same snapshot"),
        (Api("/a", ("v1",), None, {"v1": _version()}, "a.graphql"), "one of the two"),
    ],
)
def test_a_registry_that_does_not_hold_together_is_told(api: Api, said: str) -> None:
    """Each invariant has its sentence."""
    assert any(said in fault for fault in faults_of({"a": api}))


def test_the_module_is_what_the_command_would_write() -> None:
    """`new-version` writes the registry anew, so nothing may stand in it that this would lose."""
    text = Path(importlib.import_module("rest.contracts.registry").__file__ or "").read_text()
    assert render_registry(APIS) == text
    assert parse(text) == APIS


@pytest.mark.parametrize(
    "text", ["", "APIS = 1", "APIS = {'a': open('x')}", "APIS = {'a': Api(nothing=1)}", "APIS = {", "APIS = {'a': 1}",
             "APIS = {**other}", "x = 1", "APIS = {'a': Api(prefix=exit())}"],
)  # fmt: skip
def test_a_registry_of_the_past_is_read_and_never_run(text: str) -> None:
    """What is no literal is refused: the base of a check may be anybody's commit."""
    with pytest.raises(UnreadableDocument):
        parse(text)


def test_the_first_form_of_the_registry_is_read() -> None:
    """Bases from before the registry had places can still be checked against."""
    assert parse('APIS = {"integrations": Api("/integrations", ("v1",), None)}')["integrations"].frozen == ("v1",)


def test_no_snapshot_is_an_orphan() -> None:
    """The registry names exactly the documents that are committed."""
    assert {snapshot_path(*each) for each in VERSIONS} == set(SNAPSHOTS.glob("*"))


@pytest.mark.parametrize(("api", "version"), VERSIONS)
def test_every_version_has_its_package_and_its_snapshot(api: str, version: str) -> None:
    """Places are where the registry says; the snapshot is what the routes say, byte for byte."""
    said = APIS[api].versions[version]
    package = importlib.import_module(said.package)
    assert f"{APIS[api].prefix}/{version}" == package.PREFIX
    assert all(resolve(place).__module__.startswith("rest.") for place in (said.router, said.surface, said.errors))
    assert render(document(api, version)).encode() == snapshot(api, version)


@pytest.mark.parametrize(("api", "version"), VERSIONS)
async def test_every_version_is_mounted_and_its_routes_are_its_documents_paths(
    world: World, api: str, version: str
) -> None:
    """The server answers with the snapshot below the prefix; no route is undocumented, no path is missing."""
    prefix = f"{APIS[api].prefix}/{version}"
    answer = await world.client.get(f"{prefix}/openapi.json")
    assert answer.content == snapshot(api, version)
    found = json.loads(answer.content)
    app = resolve(APIS[api].versions[version].router)(world.runtime)
    # Litestar writes a parameter's type into the path, `{originId:str}`; a document has its name alone.
    served = {
        (re.sub(r":\w+}", "}", route.path_format), method.lower())
        for route in app.routes
        for method in route.methods
        if method != "OPTIONS"
    }
    assert served == {(path, method) for path, methods in found["paths"].items() for method in methods}


@pytest.mark.parametrize(("api", "version"), VERSIONS)
def test_two_processes_write_the_same_bytes(api: str, version: str) -> None:
    """No order of a set or a dictionary finds its way into the document."""
    made = []
    for seed in ("0", "4711"):
        environ = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'graphql'}"}
        command = [sys.executable, "-c", MAKE, api, version]
        made.append(subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=True).stdout)
    assert made[0] == made[1] == snapshot(api, version)


@pytest.mark.parametrize(("api", "version"), VERSIONS)
def test_the_text_of_a_snapshot(api: str, version: str) -> None:
    """Sorted keys, two spaces, a newline at the end; the rules that it was judged under; its own components alone."""
    text = snapshot(api, version).decode()
    found = json.loads(text)
    assert text == json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    said = APIS[api].versions[version]
    assert found["info"].get(RULES_MEMBER) == (said.rules if said.stamped else None)
    for kind, items in found["components"].items():
        for name in items if kind != "securitySchemes" else ():
            assert f'"#/components/{kind}/{name}"' in text


def test_an_active_version_is_judged_under_the_rules_of_today() -> None:
    """A frozen one keeps the rules of the day on which it froze."""
    active = [APIS[api].versions[version] for api, version in VERSIONS if APIS[api].active == version]
    assert all(said.rules == RULE_SET and said.stamped for said in active)


@pytest.mark.parametrize(("api", "version"), VERSIONS)
def test_operation_ids_are_set_by_hand(api: str, version: str) -> None:
    """Every route names its own: a client generator calls its methods by them, and no rename here may move one."""
    routes = resolve(f"{APIS[api].versions[version].package}.routes:ROUTES")
    ids = [str(route.operation_id or "") for route in routes]
    assert all(ids) and len(ids) == len(set(ids))
