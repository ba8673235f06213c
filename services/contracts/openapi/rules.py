# ruff: noqa: E501 - one rule, one line
"""The rules as data: what each finding is called, which part of a document it is about, and why it matters.

A rule says nothing of breaking: that follows from the effect and the direction. `decides` tells how.
"""

from typing import Literal

import msgspec

from services.contracts.findings import Category

Decides = Literal["values", "contract", "notice"]

_WIRE, _SDK = Category.WIRE, Category.SDK


class Rule(msgspec.Struct, frozen=True):
    """`decides`: `values`, by direction and effect; `contract`, a promise that only one side can break; `notice`."""

    id: str
    area: str
    summary: str
    why: str
    decides: Decides = "values"
    category: Category = _WIRE


def _area(area: str, *rows: tuple[str, ...], decides: Decides = "values", category: Category = _WIRE) -> list[Rule]:
    return [Rule(row[0], area, row[1], row[2], decides, category) for row in rows]


_SCHEMA = _area(
    "schema",
    ("schema-type", "Type changed", "A value of a type that is not listed is refused."),
    ("schema-null", "Null accepted or refused", "A client that never met null fails on it; one that sends it is refused."),
    ("schema-never", "Nothing is valid here any more, or something is at last", "The schema `false` accepts no value."),
    ("schema-reference", "A reference leads nowhere on one side", "What the schema accepts cannot be known."),
    ("schema-too-dense", "Alternatives lead into each other too densely to be judged", "What they accept together is not "
     "known within the bounds of a comparison."),
    ("schema-enum", "A list of values came or went", "A list is a bound: there was none before, or there is none now."),
    ("schema-enum-value-removed", "Value removed from the list", "A caller that sends it is refused."),
    ("schema-enum-value-added", "Value added to the list", "A client may receive a value that it never heard of."),
    ("schema-minimum", "Lower bound of a number moved", "Numbers beyond the bound are refused."),
    ("schema-maximum", "Upper bound of a number moved", "Numbers beyond the bound are refused."),
    ("schema-multiple-of", "multipleOf changed", "Numbers off the grid are refused."),
    ("schema-min-length", "minLength moved", "Shorter text is refused."),
    ("schema-max-length", "maxLength moved", "Longer text is refused; what was stored in a field of that size overflows."),
    ("schema-pattern", "Pattern changed", "Text that does not match is refused."),
    ("schema-format", "Format changed", "A format narrows what a text or number may be, and how clients parse it."),
    ("schema-content", "Encoding, media type or schema of the text's content changed", "The text is decoded another way."),
    ("schema-property-removed", "Property removed", "A client that reads it finds nothing; a closed object refuses it."),
    ("schema-property-hidden", "Property is no longer sent in this direction", "readOnly leaves requests, writeOnly leaves responses."),
    ("schema-property-added", "Property added", "A closed object says that no such property comes."),
    ("schema-required-added", "Property became required", "A request without it is refused, whatever default is named."),
    ("schema-required-removed", "Property is no longer required", "A client that relies on it may not find it."),
    ("schema-min-properties", "minProperties moved", "Objects with fewer properties are refused."),
    ("schema-max-properties", "maxProperties moved", "Objects with more properties are refused."),
    ("schema-additional-properties", "Undeclared properties opened, bounded or closed", "A closed object refuses names it does not declare."),
    ("schema-unevaluated-properties", "unevaluatedProperties opened, bounded or closed", "A closed object refuses names that nothing evaluated."),
    ("schema-pattern-properties", "patternProperties came or went", "Properties whose name matches are held to a schema."),
    ("schema-property-names", "propertyNames came or went", "Names that do not fit are refused."),
    ("schema-dependent-required", "dependentRequired changed", "One property demands others."),
    ("schema-dependent-schemas", "dependentSchemas came or went", "One property demands a schema of the whole."),
    ("schema-min-items", "minItems moved", "Shorter arrays are refused."),
    ("schema-max-items", "maxItems moved", "Longer arrays are refused."),
    ("schema-unique-items", "uniqueItems changed", "Arrays with equal entries are refused."),
    ("schema-items", "items came or went", "Entries are held to a schema."),
    ("schema-prefix-items", "prefixItems came or went", "The entry at a position is held to a schema."),
    ("schema-unevaluated-items", "unevaluatedItems came or went", "Entries that nothing evaluated are refused."),
    ("schema-contains", "contains came or went", "An array without a matching entry is refused."),
    ("schema-min-contains", "minContains moved", "Arrays with fewer matching entries are refused."),
    ("schema-max-contains", "maxContains moved", "Arrays with more matching entries are refused."),
    ("schema-alternative-removed", "Alternative removed", "Values of that kind, which no other alternative takes, are refused."),
    ("schema-alternative-added", "Alternative added", "A client may receive a kind of value that it never heard of."),
    ("schema-one-of", "Alternatives became exclusive, or no longer", "oneOf refuses a value that two of its alternatives take."),
    ("schema-not", "not came or went", "What the negated schema takes is refused."),
    ("schema-if", "Condition changed", "Another condition holds other values to the branches."),
    ("schema-then", "then came or went", "Values that meet the condition are held to a schema."),
    ("schema-else", "else came or went", "Values that do not meet the condition are held to a schema."),
)  # fmt: skip

_NOTES = _area(
    "schema",
    ("schema-default", "Default changed", "What an absent value means is another; every value stays valid.", ),
    ("schema-deprecated", "Deprecation added or taken back", "It is going to be removed, or not any more."),
    decides="notice",
) + _area(
    "schema",
    ("schema-discriminator", "Discriminator changed", "A discriminator never changes what is valid; generated clients choose classes by it."),
    decides="notice",
    category=_SDK,
)  # fmt: skip

_OPERATIONS = _area(
    "operation",
    ("operation-removed", "Operation removed", "Its callers get 404 or 405."),
    ("operation-added", "Operation added", "Nobody calls it yet."),
    ("webhook-removed", "Webhook removed", "Its receivers wait in vain."),
    ("webhook-added", "Webhook added", "A receiver hears of it only after it subscribes."),
    ("callback-removed", "Callback removed", "Its receivers wait in vain."),
    ("callback-added", "Callback added", "A receiver hears of it only after it asks for it."),
    ("server-removed", "Server removed or moved", "Its callers reach nobody."),
    ("server-variable", "Values of a server variable changed", "A caller that fills in a removed value reaches nobody."),
) + _area(
    "operation",
    ("operation-id", "operationId changed", "Generated clients name methods by it."),
    ("operation-tags", "Tags changed", "Generated clients group methods by it."),
    ("link", "Link removed or changed", "Clients that follow links by the document go elsewhere."),
    ("path-parameter-name", "Path parameter renamed", "Generated clients name arguments by it; the wire does not."),
    decides="notice",
    category=_SDK,
) + _area(
    "operation",
    ("operation-deprecated", "Deprecation added or taken back", "It is going to be removed, or not any more."),
    decides="notice",
) + _area(
    "lifecycle",
    ("sunset-missing", "Deprecated without a date of removal", "The lifecycle demands a sunset from a deprecation on."),
    ("sunset-invalid", "The date of removal is no date", "Nobody can tell when it ends."),
    ("sunset-early", "The date of removal is too near or was moved forward", "Callers were promised more time."),
    ("sunset-removed", "The date of removal was taken away", "It is still deprecated, and nobody knows until when."),
    ("stability-decreased", "Stability decreased", "What was promised as stable may now change without notice."),
    ("stability-invalid", "Unknown level of stability", "Nobody can tell what is promised."),
    decides="contract",
)  # fmt: skip

_PARAMETERS = _area(
    "parameter",
    ("parameter-removed", "Parameter removed", "A call names the parameters of its contract, and no others."),
    ("parameter-added", "Optional parameter added", "Nobody sends it yet."),
    ("parameter-required-added", "Required parameter added", "A request without it is refused, whatever default is named."),
    ("parameter-required", "Parameter became required or optional", "A request without it is refused, or no longer."),
    ("parameter-style", "style changed", "The same value is written in another way."),
    ("parameter-explode", "explode changed", "The same list or object is written in another way."),
    ("parameter-reserved", "allowReserved changed", "Reserved characters are percent-encoded, or not."),
    ("parameter-empty", "allowEmptyValue changed", "A parameter without a value is refused, or no longer."),
    ("parameter-media", "Media type of the parameter changed", "The value is written in another way."),
)  # fmt: skip

_BODIES = _area(
    "body",
    ("body-added", "Request body added", "A request without the required body is refused."),
    ("body-removed", "Request body removed", "A caller that sends it is not understood."),
    ("body-required", "Request body became required or optional", "A request without it is refused, or no longer."),
    ("media-type-removed", "Media type removed", "What was sent or asked for in it is refused."),
    ("media-type-added", "Media type added", "Nobody sends it yet, and nobody gets it unasked."),
    ("media-type-wider", "Media type became more general", "Other kinds of content may arrive."),
    ("encoding", "Encoding of a form's field changed", "The same field is written in another way."),
    ("xml-name", "XML name, place or namespace changed", "The same value is written as another element."),
)  # fmt: skip

_RESPONSES = _area(
    "response",
    ("status-removed", "Success status removed", "A client waits for the success that it was promised."),
    ("header-removed", "Response header removed", "A client that reads it finds nothing."),
    ("header-added", "Response header added", "Clients ignore headers that they do not know."),
    ("header-required", "Response header became required or optional", "A client that relies on it may not find it."),
) + _area(
    "response",
    ("status-added", "Status added", "Which status comes is negotiated by the request; clients know classes of statuses."),
    ("status-error-removed", "Error status removed", "Fewer ways to fail."),
    decides="notice",
)  # fmt: skip

_SECURITY = _area(
    "security",
    ("security-added", "Security demanded of an open operation", "Callers without a credential are refused."),
    ("security-alternative-removed", "A way to authenticate removed or tightened", "Callers that use it are refused."),
    ("security-scope-added", "Scope added", "Credentials without the scope are refused."),
    ("security-scheme", "Security scheme changed", "The credential goes elsewhere, or is another."),
    ("security-relaxed", "A way to authenticate added, or none demanded any more", "Callers go on as before."),
)  # fmt: skip
_SECURITY += _area(
    "security",
    (
        "security-address",
        "Address where a credential is obtained changed",
        "Generated clients have it built in; what is accepted stays the same.",
    ),
    decides="notice",
    category=_SDK,
)

RULES: tuple[Rule, ...] = tuple(_SCHEMA + _NOTES + _OPERATIONS + _PARAMETERS + _BODIES + _RESPONSES + _SECURITY)
RULES_BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}
