"""What the registry says of an API and of one version of it; places are `module:name`."""

from typing import NamedTuple


class Version(NamedTuple):
    """Where a version lives.

    `router` builds the routes, without a runtime only for the document. `surface` is the ASGI application below the
    prefix, made from a runtime and the snapshot. `errors` makes the body of a refusal, in `media`. `rules` is the rule
    set that its snapshot was last judged under; `stamped` says whether the snapshot carries it itself.
    """

    package: str
    router: str
    surface: str
    errors: str
    media: str
    snapshot: str
    rules: int
    stamped: bool = True


class Api(NamedTuple):
    """`frozen` versions never change again; `active` may only grow.

    An API with a `schema` has no versions: it grows for ever, and what goes was deprecated until its sunset.
    """

    prefix: str
    frozen: tuple[str, ...] = ()
    active: str | None = None
    versions: dict[str, Version] = {}
    schema: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The frozen versions, then the active one."""
        return (*self.frozen, *((self.active,) if self.active else ()))
