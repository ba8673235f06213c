"""`dovetail contract diff`: who was promised what, and how long a deprecation lasts, by option; Swagger 2.0."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli.root import dovetail
from tests.contract.law.builders import document

NAMED, RENAMED = document({"operationId": "a"}), document({"operationId": "b"})
OLD = {"swagger": "2.0", "info": {}, "paths": {"/a": {"get": {"responses": {"200": {"description": ""}}}}}}


@pytest.mark.parametrize(
    ("base", "revision", "options", "status"),
    [
        (NAMED, RENAMED, [], 0),
        (NAMED, RENAMED, ["--category", "sdk"], 1),
        (document(), document({"deprecated": True}), [], 0),
        (document(), document({"deprecated": True}), ["--notice-days", "30"], 1),
        (OLD, {**OLD, "basePath": "/v1"}, [], 0),
        (OLD, {**OLD, "paths": {}}, [], 1),
        ({**OLD, "swagger": "1.2"}, OLD, [], 2),
    ],
)
def test_exit_status(tmp_path: Path, base: Any, revision: Any, options: list[str], status: int) -> None:
    paths = [tmp_path / "base.json", tmp_path / "revision.json"]
    for path, each in zip(paths, (base, revision), strict=True):
        path.write_text(json.dumps(each))
    assert CliRunner().invoke(dovetail, ["contract", "diff", *map(str, paths), *options]).exit_code == status
