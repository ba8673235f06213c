"""What reviews are asked and what they say; reading this loads nothing that a review needs."""

import datetime as dt
from typing import Any, Literal, TypeAlias

import msgspec

Bump: TypeAlias = Literal["none", "patch", "minor", "major"]
#: An answer tells so many; the counts are of all.
MOST_TOLD = 1_000


class ReviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a definition; `against` those of the one that its users have now."""

    kind: Literal["lint", "test", "diff"]
    definition: dict[str, Any]
    against: dict[str, Any] | None = None
    today: dt.date | None = None


class Lint(msgspec.Struct, frozen=True):
    """`rule` is stable; `path` is where, as in a refusal."""

    severity: Literal["error", "warning"]
    rule: str
    path: str
    message: str


class Rehearsal(msgspec.Struct, frozen=True, rename="camel"):
    """One example: the request that it makes, the `code` of the error that the answer is, and what is wrong.

    `method` is `webhook NAME` for an example of an event.
    """

    method: str
    example: int
    request: str | None
    code: str | None
    fault: str | None


class Difference(msgspec.Struct, frozen=True):
    """`method` is empty for the definition itself; `verdict` as the law has it: breaking, unknown, notice."""

    verdict: str
    rule: str
    method: str
    where: str
    message: str


class LintReport(msgspec.Struct, frozen=True):
    """Errors first. The first thousand; `errors` and `warnings` are how many there are."""

    items: list[Lint]
    errors: int
    warnings: int


class ExamplesReport(msgspec.Struct, frozen=True):
    """What does not hold first. The first thousand; `held` and `failed` are how many there are."""

    items: list[Rehearsal]
    held: int
    failed: int


class DiffReport(msgspec.Struct, frozen=True):
    """The most severe first. The first thousand of `total`; `needed` is the least step of the version for them, `made`
    the one that was taken, and `honest` whether that is enough."""

    items: list[Difference]
    total: int
    needed: Bump
    made: Bump
    honest: bool
