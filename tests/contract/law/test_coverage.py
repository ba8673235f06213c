"""Nothing in the specifications is forgotten; every rule is described, used and printed."""

import importlib
import json
from pathlib import Path

from services.contracts.openapi import RULES
from services.contracts.openapi.coverage import COVERAGE
from tests.contract.law.rules_table import PAGE, rendered

FIELDS = json.loads(Path(__file__).with_name("fields.json").read_text())
MODULES = Path(importlib.import_module("services.contracts.openapi").__file__ or "").parent


def test_every_field_is_handled_or_waived() -> None:
    listed = {f"{name}.{field}" for name, fields in FIELDS.items() for field in fields}
    assert listed == set(COVERAGE)


def test_what_handles_a_field_is_there_and_every_waiver_has_a_reason() -> None:
    for field, how in COVERAGE.items():
        kind, _, rest = how.partition(": ")
        assert rest, field
        assert kind == "waived" or (kind == "handled" and (MODULES / f"{rest}.py").is_file()), field


def test_every_rule_is_found_by_something_and_nothing_else_is() -> None:
    text = "".join(path.read_text() for path in MODULES.glob("*.py") if path.name != "rules.py")
    #: Named by a pattern in the code.
    patterned = {"webhook-added", "webhook-removed", "callback-added", "callback-removed", "schema-then", "schema-else"}
    assert {rule.id for rule in RULES if f'"{rule.id}"' not in text} == patterned
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_the_page_has_the_rules_as_they_are() -> None:
    assert rendered() in PAGE.read_text(), "run: python -m tests.contract.law.rules_table"
