"""One pair of schemas for each rule of the GraphQL law: what stood before, what stands after, and where it is said."""

from typing import NamedTuple


class Case(NamedTuple):
    """`proven`: the finding must carry a document that was valid and is not, or an answer that is new."""

    rule: str
    base: str
    revision: str
    where: str
    proven: str = ""


def _query(fields: str, rest: str = "") -> str:
    return f"type Query {{ a: String {fields} }}\n{rest}"


_T = "type T { x: Int y: [T!] }"
_I = 'input I { x: Int y: String! = "z" }'

CASES = [
    Case("type-removed", _query("t: T", _T), _query("t: U", "type U { x: Int }"), "T", "document"),
    Case("type-removed", _query("e(v: E): Int", "enum E { A }"), _query("e(v: String): Int"), "E", "document"),
    Case("type-removed", _query("i(v: I): Int", _I), _query("i(v: String): Int"), "I", "document"),
    Case("standard-scalar-unused", _query("f: Float"), _query("f: Int"), "Float"),
    Case("type-added", _query(""), _query("", _T), "T"),
    Case("type-kind-changed", _query("t: T", _T), _query("t: T", "interface T { x: Int }"), "T"),
    Case("type-kind-changed", _query("t: T", _T), _query("t: T", "scalar T"), "T", "document"),
    Case(
        "root-type-removed",
        _query("", "type Mutation { m: Int }"),
        _query("", "schema { query: Query }\ntype Mutation { m: Int }"),
        "Mutation",
        "document",
    ),
    Case(
        "root-type-removed",
        _query("", "type Subscription { s: Int }"),
        _query("", "schema { query: Query }\ntype Subscription { s: Int }"),
        "Subscription",
        "document",
    ),
    Case(
        "root-type-changed",
        _query("", "type Mutation { m: Int }"),
        _query("", "schema { query: Query mutation: M }\ntype M { m: Int }"),
        "Mutation",
        "document",
    ),
    Case("root-type-added", _query(""), _query("", "type Mutation { m: Int }"), "Mutation"),
    Case("field-removed", _query("t: T", _T), _query("t: T", "type T { x: Int }"), "T.y", "document"),
    Case(
        "field-removed",
        _query("u: [U!]!", "union U = T\n" + _T),
        _query("u: [U!]!", "union U = T\ntype T { x: Int }"),
        "T.y",
        "document",
    ),
    Case(
        "field-removed",
        _query(
            "n(id: ID!, i: J!): N",
            "interface N { id: ID } type T implements N { id: ID x: Int }input J { r: E! s: [J!] } enum E { ONE }",
        ),
        _query(
            "n(id: ID!, i: J!): N",
            "interface N { id: ID } type T implements N { id: ID }input J { r: E! s: [J!] } enum E { ONE }",
        ),
        "T.x",
        "document",
    ),
    Case("field-added", _query("t: T", "type T { x: Int }"), _query("t: T", _T), "T.y"),
    Case("field-type-changed", _query("f: Int"), _query("f: String"), "Query.f", "answer"),
    Case("field-type-changed", _query("f: Int"), _query("f: [Int]"), "Query.f", "answer"),
    Case("field-type-changed", _query("f: T", _T), _query("f: U", _T + " type U { x: Int }"), "Query.f", "document"),
    Case("field-type-changed", _query("f: [Int]!"), _query("f: [Int!]"), "Query.f", "answer"),
    Case("field-became-nullable", _query("f: [[Int!]!]!"), _query("f: [[Int]!]!"), "Query.f", "answer"),
    Case("field-became-nullable", _query("f: Int!"), _query("f: Int"), "Query.f", "answer"),
    Case("field-became-non-null", _query("f: [Int]"), _query("f: [Int]!"), "Query.f"),
    Case(
        "argument-removed", _query("f(x: Int, y: I): Int", _I), _query("f(x: Int): Int", _I), "Query.f(y:)", "document"
    ),
    Case("required-argument-added", _query("f: Int"), _query("f(x: Int!): Int"), "Query.f(x:)", "document"),
    Case("optional-argument-added", _query("f: Int"), _query("f(x: Int! = 1): Int"), "Query.f(x:)"),
    Case(
        "argument-became-required", _query("f(x: Int! = 1): Int"), _query("f(x: Int!): Int"), "Query.f(x:)", "document"
    ),
    Case("argument-type-changed", _query("f(x: Int): Int"), _query("f(x: Int!): Int"), "Query.f(x:)", "document"),
    Case("argument-type-changed", _query("f(x: Int): Int"), _query("f(x: Int! = 3): Int"), "Query.f(x:)", "document"),
    Case("argument-type-changed", _query("f(x: Int): Int"), _query("f(x: [Int]): Int"), "Query.f(x:)", "document"),
    Case("argument-type-changed", _query("f(x: [Int]): Int"), _query("f(x: [Int!]): Int"), "Query.f(x:)", "document"),
    Case("argument-type-changed", _query("f(x: Int): Int"), _query("f(x: Float): Int"), "Query.f(x:)", "document"),
    Case("argument-type-widened", _query("f(x: [Int!]!): Int"), _query("f(x: [Int]): Int"), "Query.f(x:)"),
    Case("argument-default-changed", _query("f(x: Int = 1): Int"), _query("f(x: Int = 2): Int"), "Query.f(x:)"),
    Case("argument-default-added", _query("f(x: Int): Int"), _query("f(x: Int = 2): Int"), "Query.f(x:)"),
    Case(
        "input-field-removed",
        _query("f(i: I): Int", _I),
        _query("f(i: I): Int", "input I { x: Int }"),
        "I.y",
        "document",
    ),
    Case(
        "input-field-removed",
        _query("f(o: [O!]): Int", "input O { r: Int! i: I }" + _I),
        _query("f(o: [O!]): Int", "input O { r: Int! i: I } input I { x: Int }"),
        "I.y",
        "document",
    ),
    Case(
        "required-input-field-added",
        _query("f(i: I): Int", _I),
        _query("f(i: I): Int", 'input I { x: Int y: String! = "z" w: Int! }'),
        "I.w",
        "document",
    ),
    Case("optional-input-field-added", _query("f(i: I): Int", "input I { x: Int }"), _query("f(i: I): Int", _I), "I.y"),
    Case(
        "input-field-became-required",
        _query("f(i: I): Int", _I),
        _query("f(i: I): Int", "input I { x: Int y: String! }"),
        "I.y",
        "document",
    ),
    Case(
        "input-field-type-changed",
        _query("f(i: I): Int", _I),
        _query("f(i: I): Int", 'input I { x: Boolean y: String! = "z" }'),
        "I.x",
        "document",
    ),
    Case(
        "input-field-type-widened",
        _query("f(i: I): Int", "input I { x: Int! }"),
        _query("f(i: I): Int", "input I { x: Int }"),
        "I.x",
    ),
    Case(
        "input-field-default-changed",
        _query("f(i: I): Int", _I),
        _query("f(i: I): Int", 'input I { x: Int y: String! = "w" }'),
        "I.y",
    ),
    Case(
        "input-field-default-added",
        _query("f(i: I): Int", "input I { x: Int }"),
        _query("f(i: I): Int", "input I { x: Int = 4 }"),
        "I.x",
    ),
    Case(
        "enum-value-removed",
        _query("f(e: [E!]): E", "enum E { A B }"),
        _query("f(e: [E!]): E", "enum E { A }"),
        "E.B",
        "document",
    ),
    Case("enum-value-removed", _query("f: E", "enum E { A B }"), _query("f: E", "enum E { A }"), "E.B"),
    Case("enum-value-added", _query("f: [E!]!", "enum E { A }"), _query("f: [E!]!", "enum E { A B }"), "E.B", "answer"),
    Case(
        "union-member-removed",
        _query("u: U", "union U = T | V type V { x: Int }" + _T),
        _query("u: U t: T", "union U = V type V { x: Int }" + _T),
        "U",
        "document",
    ),
    Case(
        "union-member-added",
        _query("u: U", "union U = V type V { x: Int }" + _T),
        _query("u: U", "union U = T | V type V { x: Int }" + _T),
        "U",
        "answer",
    ),
    Case(
        "interface-removed",
        _query("n: N", "interface N { x: Int } type T implements N { x: Int } type W implements N { x: Int }"),
        _query("n: N", "interface N { x: Int } type T { x: Int } type W implements N { x: Int }"),
        "T",
        "document",
    ),
    Case(
        "interface-added",
        _query("n: N", "interface N { x: Int } type T { x: Int }"),
        _query("n: N", "interface N { x: Int } type T implements N { x: Int }"),
        "T",
        "answer",
    ),
    Case("directive-removed", _query("", "directive @d(x: Int!) on FIELD"), _query(""), "@d", "document"),
    Case("directive-added", _query(""), _query("", "directive @d on FIELD"), "@d"),
    Case(
        "directive-location-removed",
        _query("", "directive @d on FIELD | QUERY"),
        _query("", "directive @d on QUERY"),
        "@d",
        "document",
    ),
    Case(
        "directive-location-added",
        _query("", "directive @d on FIELD"),
        _query("", "directive @d on QUERY | FIELD"),
        "@d",
    ),
    Case(
        "directive-repeatable-removed",
        _query("", "directive @d repeatable on FIELD"),
        _query("", "directive @d on FIELD"),
        "@d",
        "document",
    ),
    Case(
        "directive-repeatable-added",
        _query("", "directive @d on FIELD"),
        _query("", "directive @d repeatable on FIELD"),
        "@d",
    ),
    Case(
        "directive-argument-removed",
        _query("", "directive @d(x: Int) on FIELD"),
        _query("", "directive @d on FIELD"),
        "@d(x:)",
        "document",
    ),
    Case(
        "required-directive-argument-added",
        _query("", "directive @d on QUERY"),
        _query("", "directive @d(x: Int!) on QUERY"),
        "@d(x:)",
        "document",
    ),
    Case(
        "optional-directive-argument-added",
        _query("", "directive @d on FIELD"),
        _query("", "directive @d(x: Int) on FIELD"),
        "@d(x:)",
    ),
    Case(
        "argument-became-required",
        _query("", "directive @d(x: Int! = 1) on FIELD"),
        _query("", "directive @d(x: Int!) on FIELD"),
        "@d(x:)",
        "document",
    ),
    Case(
        "argument-type-changed",
        _query("", "directive @d(x: Int) on FIELD"),
        _query("", "directive @d(x: Int!) on FIELD"),
        "@d(x:)",
        "document",
    ),
    Case("directive-usage-added", _query("f: Int"), _query("f: Int @key(of: 1)"), "Query.f"),
    Case("directive-usage-removed", _query("f: Int @key(of: 1)"), _query("f: Int"), "Query.f"),
    Case("directive-usage-added", _query(""), _query("", 'extend schema @link(url: "x")'), "schema"),
    Case(
        "scope-required",
        _query('f: Int @requires(scopes: ["a.read"])'),
        _query('f: Int @requires(scopes: ["b.read", "a.read"])'),
        "Query.f",
    ),
    Case("scope-required", _query("f: Int"), _query('f: Int @requires(scopes: ["a.read"])'), "Query.f"),
    Case("scope-not-required", _query('f: Int @requires(scopes: ["a.read"])'), _query("f: Int"), "Query.f"),
    Case(
        "one-of-added",
        _query("f(i: J): Int", "input J { x: Int y: Int }"),
        _query("f(i: J): Int", "input J @oneOf { x: Int y: Int }"),
        "J",
        "document",
    ),
    Case(
        "one-of-removed",
        _query("f(i: J): Int", "input J @oneOf { x: Int y: Int }"),
        _query("f(i: J): Int", "input J { x: Int y: Int }"),
        "J",
    ),
    Case("one-of-elsewhere", _query("f: Int"), _query("f: Int @oneOf"), "Query.f"),
    Case(
        "specified-by-changed",
        _query("f: S", 'scalar S @specifiedBy(url: "https://one.example")'),
        _query("f: S", 'scalar S @specifiedBy(url: "https://two.example")'),
        "S",
    ),
    Case(
        "specified-by-added",
        _query("f: S", "scalar S"),
        _query("f: S", 'scalar S @specifiedBy(url: "https://a.example")'),
        "S",
    ),
    Case(
        "specified-by-removed",
        _query("f: S", 'scalar S @specifiedBy(url: "https://a.example")'),
        _query("f: S", "scalar S"),
        "S",
    ),
    Case(
        "deprecation-added",
        _query("f: Int"),
        _query('f: Int @deprecated(reason: "Use a. (sunset 2099-01-01)")'),
        "Query.f",
    ),
    Case("deprecation-removed", _query("f(x: Int @deprecated): Int"), _query("f(x: Int): Int"), "Query.f(x:)"),
    Case(
        "deprecation-reason-changed",
        _query("f: E", 'enum E { A @deprecated(reason: "one") }'),
        _query("f: E", 'enum E { A @deprecated(reason: "two") }'),
        "E.A",
    ),
    Case(
        "sunset-brought-forward",
        _query('f: Int @deprecated(reason: "(sunset 2099-02-01)")'),
        _query('f: Int @deprecated(reason: "(sunset 2099-01-01)")'),
        "Query.f",
    ),
    Case(
        "sunset-brought-forward",
        _query("f: Int"),
        _query('f: Int @deprecated(reason: "(sunset 2020-01-01)")'),
        "Query.f",
    ),
    Case("description-changed", _query('"one" f: Int'), _query('"two" f: Int'), "Query.f"),
]
