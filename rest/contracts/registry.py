"""Every public API with its versions, as data."""

from typing import NamedTuple


class Api(NamedTuple):
    """`frozen` versions never change again; `active` may only grow."""

    prefix: str
    frozen: tuple[str, ...]
    active: str | None


APIS = {"integrations": Api("/integrations", ("v1",), None)}
