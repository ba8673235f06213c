"""The page of the control plane, from its SDL."""

from collections.abc import Sequence
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

from app.reference.frame import Group, Link, Page
from app.reference.markup import Html, anchor, el, joined, text
from app.reference.prose import paragraphs, sentence

SDL = "/docs/graphql/schema.graphql"
_ROOTS = {"Query": "Queries", "Mutation": "Mutations", "Subscription": "Subscriptions"}
_KINDS: tuple[tuple[type[TypeDefinitionNode], str], ...] = (
    (ObjectTypeDefinitionNode, "Types"), (InterfaceTypeDefinitionNode, "Interfaces"),
    (UnionTypeDefinitionNode, "Unions"), (InputObjectTypeDefinitionNode, "Inputs"),
    (EnumTypeDefinitionNode, "Enums"), (ScalarTypeDefinitionNode, "Scalars"),
)  # fmt: skip


def graphql_page(sdl: str, server: str) -> Page:
    """Queries, mutations and subscriptions first, then every type that they lead to."""
    definitions = parse(sdl).definitions
    types = [node for node in definitions if isinstance(node, TypeDefinitionNode)]
    roots = [node for node in types if node.name.value in _ROOTS and isinstance(node, ObjectTypeDefinitionNode)]
    directives = [node for node in definitions if isinstance(node, DirectiveDefinitionNode)]
    parts = [_top(server), *(_root(node) for node in sorted(roots, key=lambda n: list(_ROOTS).index(n.name.value)))]
    groups = [_links(node) for node in sorted(roots, key=lambda n: list(_ROOTS).index(n.name.value))]
    for kind, title in _KINDS:
        members = [node for node in types if isinstance(node, kind) and node not in roots]
        if members:
            parts.append(
                el("div", el("h2", title, id=anchor("group", title)), [_type(m) for m in members], class_="group")
            )
            names = [m.name.value for m in members]
            groups.append(Group(title, tuple(Link(f"#{anchor('type', name)}", name) for name in names)))
    parts.append(_directives(directives))
    return Page("Control plane /graphql", joined(parts), tuple(groups))


def _top(server: str) -> Html:
    line = (
        f'curl "{server}/graphql" \\\n  -H "Authorization: Bearer $DOVETAIL_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n  -d '{\"query\": \"{ viewer { subject scopes } }\"}'"
    )
    facts = [
        ("Status", "active"), ("Address", el("code", "/graphql")), ("Document", el("a", SDL, href=SDL)),
        ("Console", el("a", "GraphiQL", href="/graphql")),
    ]  # fmt: skip
    return joined([
        el("h1", "Control plane ", el("small", "/graphql")),
        el("p", "One schema without versions: it only grows, and what goes is deprecated first, with its last day."),
        el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in facts], class_="facts"),
        el("pre", el("code", line), tabindex="0", class_="request"),
    ])  # fmt: skip


def _root(node: ObjectTypeDefinitionNode) -> Html:
    name = node.name.value
    fields = [_operation(name, field) for field in node.fields or ()]
    return el("div", el("h2", _ROOTS[name], id=anchor("type", name)), paragraphs(_about(node)), fields, class_="group")


def _links(node: ObjectTypeDefinitionNode) -> Group:
    name = node.name.value
    fields = [field.name.value for field in node.fields or ()]
    return Group(_ROOTS[name], tuple(Link(f"#{anchor('field', f'{name}.{field}')}", field) for field in fields))


def _operation(root: str, field: FieldDefinitionNode) -> Html:
    name = field.name.value
    place = anchor("field", f"{root}.{name}")
    line = el("p", el("span", "→ ", _type_text(field.type), class_="type"), " ", _ending(field))
    parts = [el("h3", el("a", name, href=f"#{place}")), line, paragraphs(_about(field)), _needs(field.directives)]
    if field.arguments:
        parts += [el("h4", "Arguments"), _values(field.arguments)]
    return el("section", parts, id=place, class_="operation", data_find=name.lower())


def _needs(directives: Sequence[DirectiveNode] | None) -> Html:
    scopes = [
        scope.value
        for directive in directives or ()
        if directive.name.value == "requires"
        for argument in directive.arguments or ()
        for scope in getattr(argument.value, "values", ())
    ]
    if not scopes:
        return el("p", "Needs a bearer token of any scope.", class_="needs")
    return el("p", "Needs the scope ", joined((el("code", scope) for scope in scopes), ", "), ".", class_="needs")


def _type(node: Any) -> Html:
    name = node.name.value
    inside: list[Html] = [paragraphs(_about(node))]
    if getattr(node, "interfaces", None):
        links = joined((_type_text(kind) for kind in node.interfaces), ", ")
        inside.append(el("p", "Implements ", links, ".", class_="needs"))
    if isinstance(node, UnionTypeDefinitionNode):
        inside.append(el("p", "One of ", joined((_type_text(kind) for kind in node.types or ()), ", "), "."))
    elif isinstance(node, EnumTypeDefinitionNode):
        inside.append(el("ul", [_enum_value(value) for value in node.values or ()], class_="tree"))
    elif isinstance(node, InputObjectTypeDefinitionNode):
        inside.append(_values(node.fields or ()))
    elif isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        inside.append(el("ul", [_field(field) for field in node.fields or ()], class_="tree"))
    summary = el("summary", el("h3", name), " ", _ending(node))
    return el("details", summary, inside, id=anchor("type", name), class_="schema", data_find=name.lower())


def _enum_value(node: Any) -> Html:
    about = el("span", sentence(_about(node)), class_="about")
    return el("li", el("code", node.name.value, class_="name"), " ", _ending(node), about)


def _field(field: FieldDefinitionNode) -> Html:
    line = [
        el("code", field.name.value, class_="name"), " ", el("span", _type_text(field.type), class_="type"), " ",
        _ending(field), el("span", sentence(_about(field)), class_="about"),
    ]  # fmt: skip
    if not field.arguments:
        return el("li", line)
    return el("li", line, el("details", el("summary", "Arguments"), _values(field.arguments)))


def _values(nodes: Sequence[InputValueDefinitionNode]) -> Html:
    rows = []
    for node in nodes:
        rule = (
            [el("span", "default ", el("code", print_ast(node.default_value)), class_="rule")]
            if node.default_value
            else []
        )
        needed = isinstance(node.type, NonNullTypeNode) and node.default_value is None
        marks = [el("span", "required", class_="mark"), " "] if needed else []
        about = el("span", sentence(_about(node)), class_="about")
        kind = el("span", _type_text(node.type), class_="type")
        name = el("code", node.name.value, class_="name")
        rows.append(el("li", name, " ", kind, " ", *marks, *rule, _ending(node), about))
    return el("ul", rows, class_="tree")


def _directives(nodes: Sequence[DirectiveDefinitionNode]) -> Html:
    if not nodes:
        return Html("")
    rows = []
    for node in nodes:
        about = el("span", sentence(_about(node)), class_="about")
        rows.append(el("li", el("code", f"@{node.name.value}", class_="name"), about, _values(node.arguments or ())))
    return el("div", el("h2", "Directives", id="directives"), el("ul", rows, class_="tree"))


def _type_text(node: Any) -> Html:
    if isinstance(node, NonNullTypeNode):
        return joined([_type_text(node.type), "!"])
    if isinstance(node, ListTypeNode):
        return joined(["[", _type_text(node.type), "]"])
    name = node.name.value
    builtin = name in ("String", "Int", "Float", "Boolean", "ID")
    return text(name) if builtin else el("a", name, href=f"#{anchor('type', name)}")


def _about(node: Any) -> str:
    return node.description.value if getattr(node, "description", None) else ""


def _ending(node: Any) -> Html:
    """Deprecated, with the reason as it is written: it names the last day."""
    for directive in node.directives or ():
        if directive.name.value == "deprecated":
            reasons = [argument.value.value for argument in directive.arguments or ()]
            return joined([el("strong", "deprecated", class_="mark ending"), " ", *map(sentence, reasons)])
    return Html("")
