"""Which migrations take something away that the release before still uses, and whether they say why they may.

Expand and contract: what a release stops to use is taken away by a later one. A migration that drops or renames a
column or table, narrows a type, forbids null where no default fills in, or deletes rows, therefore states
`DESTRUCTIVE = {"reason": "…", "unused_since": "1.4.0"}`: why, and the release in which writing stopped.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from app.database.waiting import FOLDER

#: In raw SQL, outside of quotes: what each pattern means.
_SQL = (
    (re.compile(r"\bdrop\s+table\b", re.I), "drops a table"),
    (re.compile(r"\bdrop\s+column\b", re.I), "drops a column"),
    (re.compile(r"\balter\s+table\s+\S+\s+drop\s+(?!constraint\b|default\b|not\b)", re.I), "drops a column"),
    (re.compile(r"\brename\s+(to|column)\b", re.I), "renames"),
    (re.compile(r"\balter\s+table\s+\S+\s+rename\b", re.I), "renames"),
    (re.compile(r"\bset\s+not\s+null\b", re.I), "forbids null"),
    (
        re.compile(r"\badd\s+column\b(?=.*\bnot\s+null\b)(?!.*\bdefault\b)", re.I | re.S),
        "forbids null without a default",
    ),
    (re.compile(r"\balter\s+(column\s+)?\S+\s+(set\s+data\s+)?type\b(?!\s+\w+\s+collate\b)", re.I), "changes a type"),
    (re.compile(r"^\s*delete\s+from\b", re.I), "deletes rows"),
    (re.compile(r"^\s*truncate\b", re.I), "deletes rows"),
    (re.compile(r"\bdrop\s+schema\b", re.I), "drops a schema"),
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_LEADING = re.compile(r"^(\s|--[^\n]*\n|/\*.*?\*/)*", re.S)
_CALLS = {
    "drop_table": "drops a table",
    "drop_column": "drops a column",
    "rename_table": "renames a table",
    "rename_column": "renames a column",
    "change_table_schema": "moves a table",
}
#: Types by how much they hold: to go to one further right loses nothing.
_WIDER = (("SmallInt", "Integer", "BigInt"), ("Varchar", "Text"), ("Real", "DoublePrecision"), ("JSON", "Text"))


class Finding(NamedTuple):
    """One destructive step."""

    file: str
    line: int
    statement: str
    what: str


class Unmarked(NamedTuple):
    """A migration that does not say what it must; `problem` is in words."""

    file: str
    problem: str
    findings: list[Finding]


def unmarked(folder: Path) -> list[Unmarked]:
    """The migration files that take something away and do not state reason and release; nothing is imported."""
    found = []
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        findings = sorted(set(_findings(path.name, tree)), key=lambda one: one.line)
        problem = _problem(tree) if findings else None
        if problem:
            found.append(Unmarked(path.name, problem, findings))
    return found


def _problem(tree: ast.Module) -> str | None:
    """What the mark lacks; None where it is complete."""
    mark = next((node.value for node in tree.body if _assigns(node, "DESTRUCTIVE")), None)  # type: ignore[attr-defined]
    if mark is None:
        return "it has no DESTRUCTIVE mark"
    try:
        value = ast.literal_eval(mark)
    except ValueError:
        return "DESTRUCTIVE is not a plain dict"
    if not isinstance(value, Mapping):
        return "DESTRUCTIVE is not a plain dict"
    for name in ("reason", "unused_since"):
        if not isinstance(value.get(name), str) or not value[name].strip():
            return f"DESTRUCTIVE has no {name!r}"
    if not re.fullmatch(r"\d+\.\d+\.\d+", value["unused_since"]):
        return "DESTRUCTIVE: 'unused_since' is a release, as in 1.4.0"
    return None


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)


def _findings(file: str, tree: ast.Module) -> Iterator[Finding]:
    passive, fresh = _passive(tree), _added_tables(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if what := _of_call(node, fresh):
                yield Finding(file, node.lineno, _shown(ast.unparse(node)), what)
        elif id(node) not in passive and (text := _text(node)) is not None:
            for part in text.split(";"):
                if what := _of_sql(part):
                    yield Finding(file, node.lineno, _shown(part), what)  # type: ignore[attr-defined]


def _passive(tree: ast.Module) -> set[int]:
    """Texts that are not run: docstrings, the constants at the top, and the pieces of f-strings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found |= {id(piece) for piece in ast.walk(node)} - {id(node)}
        elif isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            found.add(id(node.body[0].value))  # type: ignore[attr-defined]
    for node in tree.body:
        if any(_assigns(node, name) for name in ("ID", "VERSION", "DESCRIPTION", "DESTRUCTIVE")):
            found |= {id(piece) for piece in ast.walk(node)}
    return found


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values)
    return None


def _of_sql(statement: str) -> str | None:
    bare = _LEADING.sub("", re.sub(r"'(?:[^']|'')*'", "''", statement))
    return next((what for pattern, what in _SQL if pattern.search(bare)), None)


def _added_tables(tree: ast.Module) -> set[str]:
    """Class names of tables that the migration itself adds: they have no rows yet."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    added = [node.args[0] if node.args else _given(node).get("class_name") for node in calls if _is(node, "add_table")]
    return {str(name.value) for name in added if isinstance(name, ast.Constant)}


def _is(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == name


def _given(node: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}


def _of_call(node: ast.Call, fresh: set[str]) -> str | None:
    function = node.func
    if not isinstance(function, ast.Attribute):
        return None
    if function.attr == "delete" and (node.keywords or not node.args):
        return "deletes rows"
    if function.attr in _CALLS:
        return _CALLS[function.attr]
    given = _given(node)
    if function.attr == "add_column":
        table = given.get("table_class_name")
        is_fresh = isinstance(table, ast.Constant) and table.value in fresh
        return None if is_fresh else _of_added(_params(given.get("params")))
    return _of_altered(given) if function.attr == "alter_column" else None


def _params(node: ast.expr | None) -> dict[str, Any]:
    """The members of a dict of constants; what is no constant is kept as it is written."""
    if not isinstance(node, ast.Dict):
        return {}
    return {
        str(key.value): value.value if isinstance(value, ast.Constant) else value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
    }


def _of_added(params: dict[str, Any]) -> str | None:
    required = params.get("null") is False and params.get("default", ...) is None
    return "forbids null without a default" if required and not params.get("primary_key") else None


def _of_altered(given: dict[str, ast.expr]) -> str | None:
    new, old = _params(given.get("params")), _params(given.get("old_params"))
    if new.get("null") is False and old.get("null") is not False:
        return "forbids null"
    length, before = new.get("length"), old.get("length")
    if isinstance(length, int) and (before is None or length < before):
        return "narrows a type"
    kinds = [ast.unparse(given[name]) for name in ("old_column_class", "column_class") if name in given]
    return "narrows a type" if len(kinds) == 2 and not _widens(*kinds) else None


def _widens(old: str, new: str) -> bool:
    return old == new or any(old in row and new in row and row.index(old) <= row.index(new) for row in _WIDER)


def _shown(text: str) -> str:
    return " ".join(text.split())[:160]


def told(found: list[Unmarked]) -> str:
    """For a person: each file, what it lacks, and each statement."""
    lines = []
    for one in found:
        lines.append(f"{one.file}: {one.problem}.")
        lines += [f"  line {finding.line} {finding.what}: {finding.statement}" for finding in one.findings]
    return "\n".join(lines)


def main() -> int:
    found = unmarked(FOLDER)
    if found:
        sys.stdout.write(told(found) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
