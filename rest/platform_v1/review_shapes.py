"""Shapes of the answers of reviews: what the document says of them."""

from typing import Literal

import msgspec

Bump = Literal["none", "patch", "minor", "major"]


class _Shape(msgspec.Struct, rename="camel"):
    pass


class LintItem(_Shape, kw_only=True):
    """`rule` is stable; `path` is where, as in a refusal."""

    severity: Literal["error", "warning"]
    rule: str
    path: str
    message: str


class LintAnswer(_Shape, kw_only=True):
    """Errors first, at most 1,000 of all; `errors` and `warnings` are how many there are."""

    items: list[LintItem]
    errors: int
    warnings: int


class ExampleItem(_Shape, kw_only=True):
    """One example: the request that it makes, the `code` of the error that its answer is, and what is wrong."""

    method: str
    example: int
    request: str | None
    code: str | None
    fault: str | None


class ExamplesAnswer(_Shape, kw_only=True):
    """What does not hold first, at most 1,000 of all; `held` and `failed` are how many there are."""

    items: list[ExampleItem]
    held: int
    failed: int


class DiffItem(_Shape, kw_only=True):
    """`method` is empty for the definition itself."""

    verdict: Literal["breaking", "unknown", "notice"]
    rule: str
    method: str
    where: str
    message: str


class DiffAnswer(_Shape, kw_only=True):
    """The most severe first, at most 1,000 of `total`. `needed` is the least step of the version for these differences,
    `made` the one that was taken, and `honest` whether that is enough."""

    items: list[DiffItem]
    total: int
    needed: Bump
    made: Bump
    honest: bool
