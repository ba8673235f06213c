"""The rules of one method: its schemas, its request, what it makes of the answer, and its examples."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.integrations.definitions.expressions import compile_expression
from services.integrations.definitions.faults import Fault, Faults, joined
from services.integrations.definitions.model import CONFIG, Definition, Method, Request
from services.integrations.definitions.parts import Schema
from services.integrations.definitions.schemas import (
    compile_schema,
    property_names,
    schema_faults,
    sure_names,
    with_defaults,
)
from services.integrations.definitions.templates import (
    check_header,
    check_query_name,
    compile_path,
    compile_query,
    may_be_absent,
    path_variables,
    variables_of,
)

MOST_PARAMETERS = 200


def check_method(definition: Definition, method: Method, at: str, faults: Faults) -> None:
    """Put every fault of the method under its path, which begins with `at`."""
    before = len(faults.found)
    validators = {
        name: _schema(schema, f"{at}.{name}", faults)
        for name, schema in (("paramSchema", method.param_schema), ("resultSchema", method.result_schema))
    }
    if method.result_path is not None:
        with faults.at(f"{at}.resultPath"):
            compile_expression(method.result_path)
    elif method.result_from == "answer":
        faults.add(f"{at}.resultFrom", "answer needs resultPath: status and headers alone are no result")
    if method.request is not None:
        _request(definition, method, method.request, f"{at}.request", faults)
    _pagination(method, at, faults)
    if method.idempotency_header is not None:
        with faults.at(f"{at}.idempotencyHeader"):
            check_header(method.idempotency_header, "")
    # An example of a method that does not compile would only repeat its faults.
    if len(faults.found) == before:
        _examples(method, validators["paramSchema"], validators["resultSchema"], at, faults)


def _schema(schema: Schema | None, at: str, faults: Faults) -> Any:
    if schema is None:
        return None
    if at.endswith("paramSchema"):
        if schema.get("type", "object") != "object":
            faults.add(f"{at}.type", "must be object: parameters have names")
        if CONFIG in (property_names(schema) or ()):
            faults.add(f"{at}.properties.{CONFIG}", "is the name under which templates see the configuration")
    with faults.at(at):
        return compile_schema(schema)
    return None


def _request(definition: Definition, method: Method, request: Request, at: str, faults: Faults) -> None:
    known = _Known(definition, method)
    if request.path is not None:
        with faults.at(f"{at}.path"):
            compile_path(request.path)
            open_end = may_be_absent(request.path, method.verb)
            known.check([name for name in path_variables(request.path) if name not in open_end], sure=True)
            known.check(open_end)
    if len(request.query or ()) > MOST_PARAMETERS:
        faults.add(f"{at}.query", f"must have at most {MOST_PARAMETERS} parameters")
    for name, text in (request.query or {}).items():
        with faults.at(joined(at, "query", name)):
            check_query_name(name)
            compile_query(text)
            known.check(variables_of(text))
    for name, text in (request.headers or {}).items():
        with faults.at(joined(at, "headers", name)):
            check_header(name, text)
            known.check(variables_of(text))
    _body(method, request, at, faults)


class _Known:
    """The names that a method's templates may use."""

    def __init__(self, definition: Definition, method: Method) -> None:
        config = property_names(definition.config_schema)
        self._config = None if config is None else config | set(definition.default_config or ())
        self._params, self._sure = property_names(method.param_schema), sure_names(method.param_schema)

    def check(self, names: Iterable[str], *, sure: bool = False) -> None:
        """Raise Fault for a name that is not there, or, with `sure`, that may be missing from a call."""
        for name in names:
            head, _, rest = name.partition(".")
            if head == CONFIG:
                if not rest or (self._config is not None and rest.partition(".")[0] not in self._config):
                    raise Fault(f"{{{name}}} names no property of configSchema or defaultConfig")
            elif self._params is not None and head not in self._params:
                raise Fault(f"{{{name}}} names no property of paramSchema")
            elif sure and self._params is not None and head not in self._sure:
                raise Fault(f"{{{name}}} stands in the path, so that paramSchema must require it or give it a default")


def _body(method: Method, request: Request, at: str, faults: Faults) -> None:
    body = request.body
    if body is None:
        return
    if method.verb in ("GET", "HEAD"):
        faults.add(f"{at}.body", f"is not sent with {method.verb}")
    if body.template is not None:
        with faults.at(f"{at}.body.template"):
            compile_expression(body.template)
    if (body.document is not None) != (body.encoding == "graphql"):
        faults.add(f"{at}.body.document", "goes with the encoding graphql, and must be there with it")


def _pagination(method: Method, at: str, faults: Faults) -> None:
    given = method.pagination
    if given is None:
        return
    needed = {"cursor": (given.parameter, given.cursor), "page": (given.parameter,), "offset": (given.parameter,)}
    if None in needed.get(given.style, ()):
        rule = "needs parameter and cursor" if given.style == "cursor" else "needs parameter"
        faults.add(f"{at}.pagination", f"of style {given.style} {rule}")
    for name, text in (("items", given.items), ("cursor", given.cursor)):
        if text is not None:
            with faults.at(f"{at}.pagination.{name}"):
                compile_expression(text)


def _examples(method: Method, params: Any, result: Any, at: str, faults: Faults) -> None:
    """An example holds: its parameters fit, and its answer gives its result, which fits too."""
    for number, example in enumerate(method.examples or ()):
        path = f"{at}.examples.{number}"
        if params is not None:
            given = with_defaults(method.param_schema, example.params)
            faults.update(schema_faults(params, given, f"{path}.params"))
        if example.response.status >= 400:
            continue
        made: Any = example.response.body
        if method.result_from == "answer":
            made = example.response.seen
        if method.result_path is not None:
            with faults.at(f"{path}.response"):
                made = _searched(method.result_path, made)
        if example.result is not msgspec.UNSET and made != example.result:
            faults.add(f"{path}.result", "is not what resultPath makes of response")
        if result is not None:
            faults.update(schema_faults(result, made, f"{path}.result"))


def _searched(expression: str, value: Any) -> Any:
    try:
        return compile_expression(expression).search(value)
    except Exception as error:  # noqa: BLE001 - whatever the author's expression does to the author's example
        raise Fault(f"resultPath cannot be applied to it: {str(error).splitlines()[0]}") from None
