"""JMESPath expressions, compiled; one that could make much more of its input than the input itself is refused."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, TypeAlias, cast

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from services.integrations.definitions.faults import Fault

LONGEST_EXPRESSION = 2_000
#: How many times as large as its input a result can be at most, beside constants.
MOST_AMPLIFICATION = 64
_LITERAL_BYTES = 64

Node: TypeAlias = Mapping[str, Any]


def compile_expression(text: str) -> Any:
    """The compiled expression; `.search(value)` applies it. Raises Fault."""
    if len(text) > LONGEST_EXPRESSION:
        raise Fault(f"must be at most {LONGEST_EXPRESSION} characters")
    try:
        compiled = jmespath.compile(text)
        factor = _amplification(cast(Node, compiled.parsed))
    except JMESPathError as error:
        raise Fault(f"is no JMESPath expression: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Fault("nests too deep") from None
    if factor > MOST_AMPLIFICATION:
        raise Fault(f"could make a result {MOST_AMPLIFICATION} times as large as its input; select less, or once")
    return compiled


def reads(text: str, name: str) -> bool:
    """Whether a valid expression looks at a field of this name."""
    return _reads(cast(Node, jmespath.compile(text).parsed), name)


def _reads(node: Node, name: str) -> bool:
    if node["type"] == "field" and node["value"] == name:
        return True
    return any(_reads(child, name) for child in node.get("children", ()) if isinstance(child, dict))


def _amplification(node: Node) -> int:
    """A bound for size of result by size of input: each multiselect adds up, each step multiplies."""
    inner = [_amplification(child) for child in node.get("children", ()) if isinstance(child, dict)]
    return max(1, _FACTORS.get(node["type"], _sum)(node, inner))


def _sum(_: Node, inner: list[int]) -> int:
    return sum(inner)


def _product(_: Node, inner: list[int]) -> int:
    return prod(inner)


def _function(node: Node, inner: list[int]) -> int:
    name = node["value"]
    if name not in Functions.FUNCTION_TABLE:
        raise Fault(f"calls {name}(), which JMESPath does not have")
    if name == "join" and node["children"] and node["children"][0]["type"] != "literal":
        # The text between n items is repeated n times: were it data too, the result would grow as the square.
        raise Fault("the first argument of join() must be a literal")
    if name == "map":
        return prod(inner)
    # A text within a text has its quotes escaped once more.
    return 2 * sum(inner) if name == "to_string" else sum(inner)


_FACTORS: dict[str, Callable[[Node, list[int]], int]] = {
    "literal": lambda node, _: 1 + len(msgspec.json.encode(node["value"])) // _LITERAL_BYTES,
    "subexpression": _product,
    "index_expression": _product,
    "pipe": _product,
    "projection": _product,
    "value_projection": _product,
    # The condition selects, and adds nothing.
    "filter_projection": lambda _, inner: prod(inner[:2]),
    "or_expression": lambda _, inner: max(inner),
    "and_expression": lambda _, inner: max(inner),
    "not_expression": lambda _, __: 1,
    "comparator": lambda _, __: 1,
    "function_expression": _function,
}
