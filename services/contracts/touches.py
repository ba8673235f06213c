"""From a finding to the rows of the ledger that tell who may be hit by it."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from services.contracts.findings import Finding
from services.contracts.reading import ContractDocument
from services.usage.elements import request_elements

#: Whoever does not send the element is hit by these; by the first two, since the base does not have it, everybody.
_NEW = {"parameter-required-added", "body-added"}
_DEMANDED = {"parameter-required", "schema-required-added"}
_GONE = {"parameter-removed", "schema-property-removed", "operation-removed"}
_VALUES = "Which values are sent is not recorded."
_FIELDS = "Every caller is sent it; which fields a caller reads cannot be seen."
_HEADERS = "Which headers are sent is not recorded."
_CREDENTIALS = "Whether a caller's credential would still do is not recorded."
_PARTS = "What callers rely on here is not recorded."
_DIRECTIVES = "The use of directives is not recorded."
_INSTEAD = "It may have been reached through {}."
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Touch(NamedTuple):
    """Who used `element` of `operation` (None: of any) is hit for certain, or, with a `doubt`, may be.

    `how`: `exact`; `prefix`, elements that begin so; `without`, requests to the operation that did not send it.
    """

    operation: str | None
    element: str = ""
    doubt: str = ""
    how: Literal["exact", "prefix", "without"] = "exact"


class RestTouches:
    """Of findings against one base document."""

    def __init__(self, base: Mapping[str, Any]) -> None:
        self._known = request_elements(base)
        self._ids = {
            f"{method.upper()} {path}": str(item[method].get("operationId", ""))
            for path, item in base.get("paths", {}).items()
            if isinstance(item, dict)
            for method in _METHODS
            if isinstance(item.get(method), dict)
        }

    def of(self, finding: Finding) -> list[Touch] | None:
        """None where the ledger can say nothing of it."""
        titles = finding.operations or (finding.operation,)
        if titles == ("",):
            return [Touch(None, doubt="" if finding.rule in _GONE else _PARTS)]
        operations = [self._ids.get(title, "") for title in titles]
        return [self._of(finding, operation) for operation in operations] if all(operations) else None

    def _of(self, finding: Finding, operation: str) -> Touch:
        where = finding.where
        if where.startswith("response"):
            return Touch(operation, doubt=_FIELDS)
        if where.startswith("security"):
            return Touch(operation, doubt=_CREDENTIALS)
        if finding.rule in _NEW or (not where and finding.rule in _GONE):
            return Touch(operation)
        element = self._element(operation, where)
        if element is None:
            added = finding.rule in _DEMANDED
            doubt = _HEADERS if where.startswith(("parameters.header", "parameters.cookie")) else _PARTS
            return Touch(operation, doubt="" if added and where.startswith("request.body") else doubt)
        if finding.rule in _DEMANDED:
            return Touch(operation, element, how="without")
        exact = finding.rule in _GONE and element == where.replace("parameters.", "request.", 1)
        return Touch(operation, element, doubt="" if exact else _VALUES)

    def _element(self, operation: str, where: str) -> str | None:
        """The longest recorded element that a place lies in."""
        place = where.replace("parameters.query.", "request.query.", 1)
        known = [name for name in self._known.get(operation, ()) if _lies_in(place, name)]
        return max(known, key=len, default=None)


def _lies_in(place: str, name: str) -> bool:
    return place == name or (place.startswith(name) and place[len(name)] in ".[")


class GraphqlTouches:
    """Of findings against one base schema."""

    def __init__(self, sdl: str) -> None:
        # Its package is the whole law for GraphQL, which serving does not need.
        from services.contracts.sdl.leading import Leads

        self._leads = Leads(sdl)

    def of(self, finding: Finding) -> list[Touch] | None:
        where = finding.where
        if where.startswith("@"):
            return None
        if not where:
            return [Touch("", doubt=_PARTS)]
        if "." not in where:
            return self._of_type(where)
        if not self._leads.has(where):
            return self._of_added(where)
        certain = finding.rule.endswith(("-removed", "became-nullable")) or finding.rule == "field-type-changed"
        instead = [Touch("", name, _INSTEAD.format(name)) for name in self._leads.through_interfaces(where)]
        return [Touch("", where, "" if certain else _VALUES), *instead]

    def _of_type(self, name: str) -> list[Touch]:
        leading = [Touch("", each, _INSTEAD.format(each)) for each in self._leads.to_type(name)]
        return [Touch("", f"{name}.", how="prefix"), *leading]

    def _of_added(self, where: str) -> list[Touch]:
        """An argument that must be given from now on hits who uses its field, an input field who uses its type."""
        field, argument, _ = where.partition("(")
        return [Touch("", field)] if argument else self._of_type(where.partition(".")[0])


def touches_of(base: ContractDocument) -> RestTouches | GraphqlTouches:
    return RestTouches(base.openapi) if base.kind == "openapi" else GraphqlTouches(base.sdl)
