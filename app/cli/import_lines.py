"""The lines of an import file: an ORCID iD, a whole record as JSON, or neither, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from app.cli.failures import CommandFailed
from app.errors import ValidationFailed

if TYPE_CHECKING:
    from services.people.records import FullRecord

LONGEST_LINE = 20_000_000
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Line(NamedTuple):
    """One line. At most one of `orcid_id`, `record` and `bad` is set; none of them for a blank or a comment."""

    number: int
    size: int
    orcid_id: str | None = None
    record: FullRecord | None = None
    bad: str | None = None


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Every line with its number from 1. Raises CommandFailed where the whole file cannot be one."""
    for number, (raw, size) in enumerate(_raw_lines(file), start=1):
        if number == 1:
            if raw is not None and raw.startswith(_UTF16):
                raise CommandFailed("wrong_encoding", "The file is UTF-16; save it as UTF-8 and import it again.")
            raw = None if raw is None else raw.removeprefix(_BOM)
        yield _read(number, size, raw)


def _raw_lines(file: BinaryIO) -> Iterator[tuple[bytes | None, int]]:
    """The bytes of each line and its size; None for one that is too long, which is not kept in memory."""
    while raw := file.readline(LONGEST_LINE + 2):
        size = len(raw)
        whole = raw.endswith(b"\n") or size < LONGEST_LINE + 2
        while not whole and (more := file.readline(LONGEST_LINE)):
            size, whole = size + len(more), more.endswith(b"\n")
        yield (raw if size <= LONGEST_LINE + 2 and len(raw.rstrip(b"\r\n")) <= LONGEST_LINE else None), size


def _read(number: int, size: int, raw: bytes | None) -> Line:
    if raw is None:
        return Line(number, size, bad=f"is longer than {LONGEST_LINE // 1_000_000} MB")
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        return Line(number, size, bad=f"is not valid UTF-8 (byte {error.start + 1})")
    if not text or text.startswith("#"):
        return Line(number, size)
    if text[0] in "{[":
        return _record(number, size, text)
    return _orcid(number, size, text)


def _orcid(number: int, size: int, text: str) -> Line:
    from services.people.orcid import parse_orcid

    try:
        return Line(number, size, orcid_id=parse_orcid(text.partition(" #")[0]))
    except ValidationFailed as error:
        return Line(number, size, bad=f"the ORCID iD {(error.details or {}).get('orcid_id', error.message)}")


def _record(number: int, size: int, text: str) -> Line:
    import msgspec

    from services.people.records import RecordUnreadable, read_record

    if text.startswith("["):
        return Line(number, size, bad="is a JSON list; write one record a line")
    try:
        return Line(number, size, record=read_record(msgspec.json.decode(text)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Line(number, size, bad=f"is not valid JSON: {error}")
    except RecursionError:
        return Line(number, size, bad="is JSON nested too deeply")
    except RecordUnreadable as error:
        return Line(number, size, bad=str(error))
