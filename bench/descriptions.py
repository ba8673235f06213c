"""Imports every OpenAPI description below a folder: CPU seconds, what became of each operation, and wrong requests.

Of each description some operations are called on paper: values are made from the description's own schemas, the
method's request is built from them, and it is compared with what the description demands. `bench.described_requests`
reads the description by itself, so that a fault of the import is not repeated here.
"""

import argparse
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

from bench.described_requests import Checker
from services.contracts.reading import UnreadableDocument, read_path
from services.integrations.importing.converting import Choice
from services.integrations.importing.reading import converted_document

SUFFIXES = (".json", ".yaml", ".yml")


class Row(NamedTuple):
    """One description: `wrong` are the requests that the description does not allow."""

    path: Path
    seconds: float
    told: str
    compared: int
    wrong: list[str]


def measured(path: Path, sample: int) -> Row:
    started = time.process_time()
    try:
        document = read_path(path)
        definition, report = converted_document(document, Choice())
    except (UnreadableDocument, ValueError) as error:
        return Row(path, time.process_time() - started, f"refused: {error} {getattr(error, 'details', '')}", 0, [])
    seconds = time.process_time() - started
    told = f"{report.operations} operations: {report.typed}/{report.partial}/{report.left_out}"
    checker = Checker(document.openapi, definition, report)
    labels = sorted(checker.methods)
    chosen = random.Random(7).sample(labels, min(sample, len(labels)))
    wrong = [f"{label}: {fault}" for label in chosen for fault in checker.faults(label)]
    return Row(path, seconds, told, len(chosen), wrong)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.descriptions", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="descriptions, or folders of them")
    parser.add_argument("--sample", type=int, default=30, help="operations of each that are called on paper")
    parser.add_argument("--slow", type=float, default=10.0, help="CPU seconds that are too many")
    given = parser.parse_args()
    faults = 0
    for path in _files(given.paths):
        row = measured(path, given.sample)
        faults += len(row.wrong) + (row.seconds > given.slow)
        sys.stdout.write(f"{row.seconds:7.2f} s  {row.path}: {row.told}, {row.compared} compared\n")
        sys.stdout.writelines(f"           {each}\n" for each in row.wrong)
        sys.stdout.flush()
    return 1 if faults else 0


def _files(paths: list[Path]) -> list[Path]:
    return [
        file for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.suffix in SUFFIXES and file.is_file()
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
