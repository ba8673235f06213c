"""What the parts of a definition have in common: how they are read, and the kinds of text in them."""

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

Schema: TypeAlias = dict[str, Any]
#: A JMESPath expression.
Expression: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2_000)]
#: Text with RFC 6570 variables: a parameter by its name, a value of the configuration as `_config.name`.
Template: TypeAlias = Annotated[str, Meta(max_length=2_000)]
HeaderName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class Part(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, rename="camel", frozen=True):
    """A part of a definition: unknown fields are refused, absent ones stay absent."""
