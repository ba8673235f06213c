"""Every rule of the GraphQL law, as data: direction and effect decide, and where they do not, the help says why.

A document is what a client sends: taking from what may be selected or given narrows the request. An answer is what
it receives: a null where none was promised widens the response.
"""

from typing import NamedTuple

from services.contracts.findings import Category, Direction, Effect, Verdict

_BREAKING, _NOTICE, _UNKNOWN = Verdict.BREAKING, Verdict.NOTICE, Verdict.UNKNOWN
_WIRE, _SDK = Category.WIRE, Category.SDK
_REQUEST, _RESPONSE, _CONTRACT = Direction.REQUEST, Direction.RESPONSE, Direction.CONTRACT
_NONE, _WIDENS, _NARROWS, _OTHER = Effect.NONE, Effect.WIDENS, Effect.NARROWS, Effect.INCOMPARABLE


class Rule(NamedTuple):
    """`core` is the name that graphql-core gives the same change; None where it sees nothing."""

    name: str
    verdict: Verdict
    category: Category
    direction: Direction
    effect: Effect
    core: str | None
    help: str


_ALL = [
    Rule("type-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "TYPE_REMOVED",
         "A type is gone: fragments on it and variables of it are not valid any more."),
    Rule("standard-scalar-unused", _NOTICE, _SDK, _CONTRACT, _NONE, "TYPE_REMOVED",
         "A built-in scalar is not referenced any more; what referenced it has its own finding."),
    Rule("type-added", _NOTICE, _SDK, _CONTRACT, _NONE, "TYPE_ADDED", "A type is new."),
    Rule("type-kind-changed", _BREAKING, _WIRE, _REQUEST, _OTHER, "TYPE_CHANGED_KIND",
         "A type became another kind of type (object, interface, union, enum, input, scalar)."),
    Rule("root-type-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, None,
         "Queries, mutations or subscriptions are not served any more. graphql-core sees nothing."),
    Rule("root-type-changed", _BREAKING, _WIRE, _REQUEST, _OTHER, None,
         "Another type is the root of queries, mutations or subscriptions: fragments on the former one are not valid."),
    Rule("root-type-added", _NOTICE, _SDK, _REQUEST, _WIDENS, None, "A kind of operation is served that was not."),
    Rule("field-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "FIELD_REMOVED",
         "A field is gone. Deprecate it with a sunset, wait until that is past, then remove it."),
    Rule("field-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "FIELD_ADDED", "A field is new."),
    Rule("field-type-changed", _BREAKING, _WIRE, _RESPONSE, _OTHER, "FIELD_CHANGED_KIND",
         "A field answers with another type."),
    Rule("field-became-nullable", _BREAKING, _WIRE, _RESPONSE, _WIDENS, "FIELD_CHANGED_KIND",
         "A field that never was null may be null."),
    Rule("field-became-non-null", _NOTICE, _SDK, _RESPONSE, _NARROWS, "FIELD_CHANGED_KIND_SAFE",
         "A field promises more than before: it is never null."),
    Rule("argument-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "ARG_REMOVED", "An argument is gone."),
    Rule("required-argument-added", _BREAKING, _WIRE, _REQUEST, _NARROWS, "REQUIRED_ARG_ADDED",
         "An argument without a default must be given: documents that leave it out are not valid."),
    Rule("optional-argument-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "OPTIONAL_ARG_ADDED",
         "An argument may be given that could not."),
    Rule("argument-became-required", _BREAKING, _WIRE, _REQUEST, _NARROWS, "ARG_DEFAULT_VALUE_CHANGE",
         "A non-null argument lost its default: documents that leave it out are not valid. graphql-core calls it a "
         "changed default."),
    Rule("argument-type-changed", _BREAKING, _WIRE, _REQUEST, _OTHER, "ARG_CHANGED_KIND",
         "An argument takes another type, or does not take null any more."),
    Rule("argument-type-widened", _NOTICE, _SDK, _REQUEST, _WIDENS, "ARG_CHANGED_KIND_SAFE",
         "An argument takes null, where it did not."),
    Rule("argument-default-changed", _NOTICE, _WIRE, _REQUEST, _NONE, "ARG_DEFAULT_VALUE_CHANGE",
         "The value of an argument that is left out is another: every document stays valid, what it asks for moves."),
    Rule("argument-default-added", _NOTICE, _WIRE, _REQUEST, _NONE, "ARG_DEFAULT_VALUE_ADDED",
         "An argument that is left out has a value now."),
    Rule("input-field-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "FIELD_REMOVED", "An input field is gone."),
    Rule("required-input-field-added", _BREAKING, _WIRE, _REQUEST, _NARROWS, "REQUIRED_INPUT_FIELD_ADDED",
         "An input field without a default must be given."),
    Rule("optional-input-field-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "OPTIONAL_INPUT_FIELD_ADDED",
         "An input field may be given that could not."),
    Rule("input-field-became-required", _BREAKING, _WIRE, _REQUEST, _NARROWS, "INPUT_FIELD_DEFAULT_VALUE_CHANGE",
         "A non-null input field lost its default. graphql-core calls it a changed default."),
    Rule("input-field-type-changed", _BREAKING, _WIRE, _REQUEST, _OTHER, "FIELD_CHANGED_KIND",
         "An input field takes another type, or does not take null any more."),
    Rule("input-field-type-widened", _NOTICE, _SDK, _REQUEST, _WIDENS, "FIELD_CHANGED_KIND_SAFE",
         "An input field takes null, where it did not."),
    Rule("input-field-default-changed", _NOTICE, _WIRE, _REQUEST, _NONE, "INPUT_FIELD_DEFAULT_VALUE_CHANGE",
         "The value of an input field that is left out is another."),
    Rule("input-field-default-added", _NOTICE, _WIRE, _REQUEST, _NONE, "INPUT_FIELD_DEFAULT_VALUE_ADDED",
         "An input field that is left out has a value now."),
    Rule("enum-value-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "VALUE_REMOVED_FROM_ENUM",
         "An enum value is gone: documents that give it are not valid, and generated clients name it."),
    Rule("enum-value-added", _NOTICE, _WIRE, _RESPONSE, _WIDENS, "VALUE_ADDED_TO_ENUM",
         "A client may receive a value that it does not know. GraphQL asks clients to expect that, so it does not "
         "block."),
    Rule("union-member-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "TYPE_REMOVED_FROM_UNION",
         "A fragment on the member is not valid in the union any more."),
    Rule("union-member-added", _NOTICE, _WIRE, _RESPONSE, _WIDENS, "TYPE_ADDED_TO_UNION",
         "A client may receive an object of a type that it does not know."),
    Rule("interface-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "IMPLEMENTED_INTERFACE_REMOVED",
         "The type is not among those that the interface stands for any more."),
    Rule("interface-added", _NOTICE, _WIRE, _RESPONSE, _WIDENS, "IMPLEMENTED_INTERFACE_ADDED",
         "Where the interface is answered, a client may receive an object of this type."),
    Rule("directive-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "DIRECTIVE_REMOVED", "A directive is gone."),
    Rule("directive-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "DIRECTIVE_ADDED", "A directive is new."),
    Rule("directive-location-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "DIRECTIVE_LOCATION_REMOVED",
         "A directive may not stand where it could."),
    Rule("directive-location-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "DIRECTIVE_LOCATION_ADDED",
         "A directive may stand where it could not."),
    Rule("directive-repeatable-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "DIRECTIVE_REPEATABLE_REMOVED",
         "Documents that give the directive twice in one place are not valid."),
    Rule("directive-repeatable-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "DIRECTIVE_REPEATABLE_ADDED",
         "A directive may stand twice in one place."),
    Rule("directive-argument-removed", _BREAKING, _WIRE, _REQUEST, _NARROWS, "DIRECTIVE_ARG_REMOVED",
         "An argument of a directive is gone."),
    Rule("required-directive-argument-added", _BREAKING, _WIRE, _REQUEST, _NARROWS, "REQUIRED_DIRECTIVE_ARG_ADDED",
         "An argument of a directive must be given."),
    Rule("optional-directive-argument-added", _NOTICE, _SDK, _REQUEST, _WIDENS, "OPTIONAL_DIRECTIVE_ARG_ADDED",
         "A directive takes an argument that it did not."),
    Rule("directive-usage-added", _NOTICE, _SDK, _CONTRACT, _NONE, None,
         "A directive of the schema's own stands on an element; what it means is said by its description."),
    Rule("directive-usage-removed", _NOTICE, _SDK, _CONTRACT, _NONE, None,
         "A directive of the schema's own does not stand on an element any more."),
    Rule("scope-required", _BREAKING, _WIRE, _REQUEST, _NARROWS, None,
         "@requires asks for a scope that was not needed: tokens without it are refused."),
    Rule("scope-not-required", _NOTICE, _WIRE, _REQUEST, _WIDENS, None, "@requires asks for less than before."),
    Rule("one-of-added", _BREAKING, _WIRE, _REQUEST, _NARROWS, None,
         "Exactly one field of the input must be given, and not null. graphql-core sees nothing."),
    Rule("one-of-removed", _NOTICE, _SDK, _REQUEST, _WIDENS, None, "Any number of the input's fields may be given."),
    Rule("one-of-elsewhere", _UNKNOWN, _WIRE, _CONTRACT, Effect.UNKNOWN, None,
         "@oneOf is specified for input objects alone; elsewhere its effect is not known, so it blocks."),
    Rule("specified-by-changed", _UNKNOWN, _WIRE, _CONTRACT, Effect.UNKNOWN, None,
         "A scalar follows another specification. Whether it takes and gives the same values is not in the schema."),
    Rule("specified-by-added", _NOTICE, _SDK, _CONTRACT, _NONE, None, "A scalar says which specification it follows."),
    Rule("specified-by-removed", _NOTICE, _SDK, _CONTRACT, _NONE, None,
         "A scalar does not say any more which specification it follows."),
    Rule("deprecation-added", _NOTICE, _SDK, _CONTRACT, _NONE, None, "An element is deprecated."),
    Rule("deprecation-removed", _NOTICE, _SDK, _CONTRACT, _NONE, None, "An element is not deprecated any more."),
    Rule("deprecation-reason-changed", _NOTICE, _SDK, _CONTRACT, _NONE, None, "A deprecation says something else."),
    Rule("sunset-brought-forward", _BREAKING, _WIRE, _CONTRACT, _NARROWS, None,
         "A sunset moved to an earlier day: those who planned by the former one are left without."),
    Rule("description-changed", _NOTICE, _SDK, _CONTRACT, _NONE, "DESCRIPTION_CHANGED", "A description is another."),
    Rule("unclassified", _UNKNOWN, _WIRE, _CONTRACT, Effect.UNKNOWN, None,
         "graphql-core calls a change breaking for which this law has no finding. It blocks until a rule judges it."),
]  # fmt: skip
RULES = {rule.name: rule for rule in _ALL}
