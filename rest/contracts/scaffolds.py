"""The next version of an API, begun as a copy of the last: its package, its registry entry, its snapshot, its tests."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from rest.contracts.registry_invariants import faults_of
from rest.contracts.registry_texts import render
from rest.contracts.versions import Api
from services.contracts.findings import RULE_SET


class CannotBegin(Exception):
    """The next version cannot begin; the sentence says why. Nothing was written."""


class Begun(NamedTuple):
    """What was made; `files` are below the checkout."""

    api: str
    version: str
    model: str
    froze: bool
    files: list[str]


def begin_version(root: Path, api: str, apis: Mapping[str, Api], today: date) -> Begun:
    """Freeze the active version, where there is one, and begin the next. Raises `CannotBegin`."""
    before = apis[api]
    if not before.names:
        raise CannotBegin(f"{api} has no version yet: write the first one by hand and name it in the registry.")
    model = before.names[-1]
    version = f"v{int(model[1:]) + 1}"
    after = _registry(before, api, model, version)
    registry = dict(apis) | {api: after}
    if faults := faults_of(registry):
        raise CannotBegin(" ".join(faults))
    source, target = (root / _folder(each.package) for each in (before.versions[model], after.versions[version]))
    test = root / "tests" / "contract" / f"test_{target.name}.py"
    for path in (target, test):
        if path.exists():
            raise CannotBegin(f"{path.relative_to(root)} is there already: take it away, or name it in the registry.")
    files = [*_copy(source, target, (model, version), today), test, root / "rest/contracts/registry.py"]
    test.write_text(_test_text(api, version))
    files[-1].write_text(render(registry))
    files.append(_snapshot(root, api, version, after.versions[version].snapshot))
    return Begun(api, version, model, bool(before.active), [str(path.relative_to(root)) for path in files])


def _folder(package: str) -> str:
    return package.replace(".", "/")


def _registry(before: Api, api: str, model: str, version: str) -> Api:
    """The API with the model frozen and the next version active."""
    said = before.versions[model]
    begun = said._replace(
        package=_renamed(said.package, model, version),
        router=_renamed(said.router, model, version),
        surface=_renamed(said.surface, model, version),
        errors=_renamed(said.errors, model, version),
        snapshot=f"{api}-{version}.json",
        rules=RULE_SET,
        stamped=True,
    )
    return before._replace(frozen=before.names, active=version, versions=before.versions | {version: begun})


def _renamed(text: str, model: str, version: str) -> str:
    """`integrations_v1`, `/integrations/v1`, `IntegrationsV1` as the next version has them."""
    text = re.sub(rf"(?<=[_/]){model}(?![\w-])", version, text)
    return re.sub(rf"(?<=[a-z]){model.upper()}(?![\w])", version.upper(), text)


def _copy(source: Path, target: Path, names: tuple[str, str], today: date) -> list[Path]:
    target.mkdir()
    made = []
    for path in sorted(source.glob("*.py")):
        text = _renamed(path.read_text(encoding="utf-8"), *names)
        # The revision is a day; a version that only begins is of today.
        text = re.sub(r'(?m)^REVISION = "[^"]*"', f'REVISION = "{today.isoformat()}"', text)
        made.append(target / path.name)
        made[-1].write_text(text, encoding="utf-8")
    return made


def _snapshot(root: Path, api: str, version: str, name: str) -> Path:
    """Made by another process: this one has the registry of before."""
    path = root / "rest/contracts/snapshots" / name
    code = "import sys; from rest.contracts.documents import *; sys.stdout.write(render(document(*sys.argv[1:])))"
    environ = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'graphql'}"}
    command = [sys.executable, "-c", code, api, version]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotBegin(
            f"The routes of {api} {version} make no document: {done.stderr.decode(errors='replace')[-800:]}"
        )
    path.write_bytes(done.stdout)
    return path


def _test_text(api: str, version: str) -> str:
    return f'''"""What {api} {version} promises beyond what holds for every version; see test_registry.py for that."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from rest.contracts.documents import snapshot

pytestmark = pytest.mark.contract
DOCUMENT = json.loads(snapshot("{api}", "{version}"))


def test_the_document_is_valid_openapi() -> None:
    """The snapshot is OpenAPI 3.1 by the specification's own schema."""
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_document_is_of_this_version() -> None:
    """Its server is the version's prefix, and every operation says what it does."""
    assert [server["url"].rsplit("/", 1)[1] for server in DOCUMENT["servers"]] == ["{version}"]
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert operations and all(operation["summary"] and operation["description"] for operation in operations)
'''
