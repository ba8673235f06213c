"""The table of faults names each test that makes one, and no other."""

import re

from tests.docs.pages import DOCS, ROOT, text_of


def test_the_table_names_each_test_of_a_fault() -> None:
    rows = [line for line in text_of(DOCS / "operations" / "faults.md").splitlines() if line.startswith("| ")][1:]
    named = [name for row in rows for name in re.findall(r"`(test_\w+)`", row.rsplit("|", 2)[1])]
    assert sorted(named) == sorted(path.stem for path in (ROOT / "tests" / "resilience").glob("test_*.py"))


def test_each_row_says_what_a_reader_needs() -> None:
    """The fault, what is seen, what is lost and the test; only the time may be left out."""
    for line in text_of(DOCS / "operations" / "faults.md").splitlines():
        if line.startswith("| "):
            fault, seen, _until, lost, test = (cell.strip() for cell in line.strip("|").split(" |"))
            assert all((fault, seen, lost, test)), line
