"""Documents, parsed and checked once: a bounded memory of what is fit to run, and of what is not."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.errors import DomainError, QueryRefused, QueryTooComplex
from graph.coordinates import CoordinateReader, Coordinates
from graph.cost import CostPlanner, Measure, Plan
from graph.errors import refusal, without_values
from graph.limits import LIMITS, Limits, check_document

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
#: Each error may look for a similar name; a document with more faults than this is told of these.
_MOST_FAULTS = 5
#: What is remembered: documents, and tokens in all of them (a node of the syntax tree takes about 500 bytes).
_MOST_DOCUMENTS, _MOST_TOKENS = 1_000, 200_000


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a document; places are (line, column), from 1."""

    message: str
    places: tuple[tuple[int, int], ...] = ()


class DocumentRefused(Exception):
    """A document is not run. `error` says the code; each fault becomes an entry of `errors`."""

    def __init__(self, error: DomainError, faults: Sequence[Fault] = ()) -> None:
        super().__init__(error.message)
        self.error, self.faults = error, tuple(faults) or (Fault(error.message),)

    def entries(self, request_id: str) -> list[dict[str, Any]]:
        entries = []
        for fault in self.faults:
            entry = refusal(self.error, request_id) | {"message": fault.message}
            if fault.places:
                entry["locations"] = [{"line": line, "column": column} for line, column in fault.places]
            entries.append(entry)
        return entries


class Operation(msgspec.Struct, frozen=True):
    """One operation that is fit to run. `defaults` are the variables' own values, where they have one."""

    name: str | None
    kind: str
    document: DocumentNode
    plan: Plan
    measure: Measure
    defaults: Mapping[str, Any]
    introspects_only: bool
    coordinates: Coordinates
    row_plans: dict[Any, Any] = msgspec.field(default_factory=dict)

    def cost(self, variables: Mapping[str, Any]) -> int:
        return max(1, self.plan.cost({**self.defaults, **variables}))


class Document(msgspec.Struct, frozen=True):
    operations: tuple[Operation, ...]
    tokens: int

    def operation(self, name: str | None) -> Operation:
        """The operation to run. Raises DocumentRefused where the name does not pick one."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        for operation in self.operations:
            if operation.name == name and name is not None:
                return operation
        known = ", ".join(operation.name or "(unnamed)" for operation in self.operations)
        raise DocumentRefused(QueryRefused(f"operationName must name one of: {known}."))


def document_id(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


class Documents:
    """Texts in, documents out. `parsed` counts the texts that were not remembered."""

    def __init__(self, schema: GraphQLSchema, limits: Limits = LIMITS) -> None:
        self.schema, self.limits = schema, limits
        self._known: OrderedDict[str, Document | DocumentRefused] = OrderedDict()
        self._tokens = 0
        self.parsed = 0

    def prepare(self, text: str) -> Document:
        """Raises DocumentRefused for a text that is not fit to run, from memory where it was seen before."""
        known = self._known.get(text)
        if known is None:
            known = self._look_at(text)
        else:
            self._known.move_to_end(text)
        if isinstance(known, DocumentRefused):
            raise DocumentRefused(known.error, known.faults)
        return known

    def _look_at(self, text: str) -> Document | DocumentRefused:
        if len(text) > self.limits.characters:
            return DocumentRefused(QueryTooComplex(f"The document is over {self.limits.characters} characters long."))
        self.parsed += 1
        found: Document | DocumentRefused
        try:
            found = self._checked(text)
        except DocumentRefused as refused:
            found = DocumentRefused(refused.error, refused.faults)
        except (QueryRefused, QueryTooComplex) as error:
            found = DocumentRefused(type(error)(error.message))
        except RecursionError:
            found = DocumentRefused(QueryTooComplex("The document is nested too deeply."))
        self._remember(text, found)
        return found

    def _checked(self, text: str) -> Document:
        document = self._parsed(text)
        check_document(document, self.limits)
        errors = validate(self.schema, document, _RULES, max_errors=_MOST_FAULTS)
        if errors:
            raise DocumentRefused(QueryRefused(), [_fault(error) for error in errors[:_MOST_FAULTS]])
        planner, reader = CostPlanner(self.schema, document), CoordinateReader(self.schema, document)
        operations = tuple(
            _operation(definition, document, planner, reader)
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
        )
        if not operations:
            raise QueryRefused("The document has no operation.")
        return Document(operations, document.token_count)

    def _parsed(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self.limits.tokens)
        except GraphQLError as error:
            if "tokens" in error.message:
                raise QueryTooComplex(f"The document has more than {self.limits.tokens} tokens.") from None
            raise DocumentRefused(QueryRefused(), [_fault(error)]) from None

    def _remember(self, text: str, found: Document | DocumentRefused) -> None:
        self._known[text] = found
        self._tokens += _weight(found)
        while len(self._known) > _MOST_DOCUMENTS or self._tokens > _MOST_TOKENS:
            _, gone = self._known.popitem(last=False)
            self._tokens -= _weight(gone)

    def __len__(self) -> int:
        return len(self._known)


def _weight(found: Document | DocumentRefused) -> int:
    return found.tokens if isinstance(found, Document) else 100


def _fault(error: GraphQLError) -> Fault:
    return Fault(without_values(error.message), tuple((place.line, place.column) for place in error.locations or ()))


def _operation(
    node: OperationDefinitionNode, document: DocumentNode, planner: CostPlanner, reader: CoordinateReader
) -> Operation:
    plan, measure, introspects_only = planner.plan(node)
    return Operation(
        name=node.name.value if node.name else None,
        kind=node.operation.value,
        document=document,
        plan=plan,
        measure=measure,
        defaults=planner.defaults(node),
        introspects_only=introspects_only,
        coordinates=reader.read(node),
    )
