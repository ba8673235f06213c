"""What imports and sizes must look like; each test says why its rule is there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.code import ROOT, ROOTS, SURFACES, functions, imported, sources, tree
from tests.conftest import LONG_MODULES

pytestmark = pytest.mark.architecture
MOST_LINES, MOST_FUNCTION_LINES = 400, 50
#: Names that say nothing of what is inside, so that everything ends up there.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc"}
QUERY_METHODS = {"select", "insert", "objects"}


def test_the_floors_hold() -> None:
    """import-linter keeps the floors apart: a surface that reaches past a service skips its scope and its audit."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_source_root_is_no_package() -> None:
    """With an `__init__.py` our `graphql/` folder would shadow graphql-core wherever the root is on the path."""
    assert not (ROOT / "graphql" / "__init__.py").exists()
    import graphql

    assert "site-packages" in str(graphql.__file__)


def test_every_folder_of_tests_is_a_package() -> None:
    """Without `__init__.py` in each, `tests/graphql` would shadow graphql-core as well."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py") if "__pycache__" not in path.parts}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


@pytest.mark.parametrize("path", sources(*ROOTS, "tests"), ids=str)
def test_a_module_stays_small(path: Path) -> None:
    """At most 400 lines: beyond that nobody reads a module whole, and a folder of the same name reads better."""
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_modules_that_are_begun_first_are_there() -> None:
    """A name that is left behind would begin nothing first, and nobody would see it."""
    assert not [name for name in LONG_MODULES if not (ROOT / name).is_file()]


@pytest.mark.parametrize("path", sources(), ids=str)
def test_functions_stay_small(path: Path) -> None:
    """At most 50 lines: a longer function does more than its name says."""
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 > MOST_FUNCTION_LINES]
    assert long == []


def test_names_say_what_is_inside() -> None:
    """No module is called after nothing: what has no domain has no home, and that is worth a thought."""
    assert not [path for path in sources() if path.stem.strip("_") in EMPTY_NAMES]


@pytest.mark.parametrize("path", sources(*SURFACES), ids=str)
def test_surfaces_do_not_ask_the_database(path: Path) -> None:
    """A query in a surface has no scope check, no tenant and no audit event: those are the operation's."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert not methods & QUERY_METHODS
    assert not any(isinstance(call.func, ast.Name) and call.func.id == "Statement" for call in calls)
    assert not {name for name in imported(path) if name.split(".")[0] in ("models", "piccolo", "asyncpg", "sqlite3")}


@pytest.mark.parametrize("path", sources(), ids=str)
def test_nothing_prints(path: Path) -> None:
    """Output is a log line or a command's answer; a stray print breaks `--json` and reaches no log."""
    guarded = [
        node for top in tree(path).body if isinstance(top, ast.If) and "__name__" in ast.dump(top.test)
        for node in ast.walk(top)
    ]  # fmt: skip
    prints = [
        node for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]  # fmt: skip
    assert not [node.lineno for node in prints if node not in guarded]


def test_every_module_says_what_it_is() -> None:
    """A docstring at the top of each module with code in it, so that a folder can be read by its first lines."""
    assert not [path for path in sources() if tree(path).body and not ast.get_docstring(tree(path))]


def test_v1_shares_no_shape() -> None:
    """The frozen contract's shapes are its own: a model that it shared would move its answers."""
    for path in sources("rest/integrations_v1"):
        assert not [name for name in imported(path) if name.startswith(("models", "graph"))]
    shapes = imported(Path("rest/integrations_v1/shapes.py"))
    assert not [name for name in shapes if name.split(".")[0] in ("services", "app", "rest")]


def test_nobody_reads_the_wall_clock_past_the_clock() -> None:
    """Services take time from their context's clock, or a test of expiry would have to wait for it."""
    asked = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "time.monotonic"}
    found = []
    for path in sources("services", "rest"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name = f"{node.value.id}.{node.attr}"
                found += [f"{path}:{node.lineno} {name}"] if name in asked else []
    assert found == []
