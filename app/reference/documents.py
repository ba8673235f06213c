"""The page of one version of a REST contract, from its snapshot."""

import re
from collections.abc import Mapping
from typing import Any

from app.errors import REGISTRY
from app.reference.frame import Group, Link, Page
from app.reference.markup import Html, anchor, el, joined
from app.reference.operations import Listed, OperationSection, operations_of
from app.reference.prose import code, paragraphs, sentence
from app.reference.schemas import SchemaTree, deprecation

_WORD = re.compile(r"[A-Za-z_]{5,}")


def openapi_page(document: Mapping[str, Any], server: str, status: str) -> Page:
    """`server` is the public address of this server, `status` says whether the version is active or frozen."""
    info = document.get("info", {})
    prefix = str((document.get("servers") or [{"url": ""}])[0].get("url", "")).rstrip("/")
    listed = operations_of(document)
    groups: dict[str, list[Listed]] = {}
    for operation in listed:
        groups.setdefault(operation.group, []).append(operation)
    section = OperationSection(document, server + prefix)
    parts = [
        _top(document, prefix, status),
        *(_group(name, members, section) for name, members in groups.items()),
        _schemas(document),
        _errors(document),
    ]
    return Page(f"{info.get('title', 'Contract')} {prefix}", joined(parts), _beside(groups, document))


def _top(document: Mapping[str, Any], prefix: str, status: str) -> Html:
    info = document.get("info", {})
    raw = f"{prefix}/openapi.json"
    facts = [
        ("Status", status), ("Revision", str(info.get("version", ""))), ("Prefix", el("code", prefix or "/")),
        ("Document", el("a", raw, href=raw)),
    ]  # fmt: skip
    return joined([
        el("h1", str(info.get("title", "Contract")), " ", el("small", prefix)),
        paragraphs(info.get("description")),
        el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in facts], class_="facts"),
        _ways_in(document),
    ])  # fmt: skip


def _ways_in(document: Mapping[str, Any]) -> Html:
    schemes = document.get("components", {}).get("securitySchemes", {})
    rows = []
    for name, scheme in schemes.items():
        is_key = scheme.get("type") == "apiKey"
        where = f"{scheme.get('in')} {scheme.get('name')}" if is_key else scheme.get("scheme")
        kind = ", ".join(str(part) for part in (scheme.get("type"), where) if part)
        about = sentence(str(scheme.get("description", "")))
        rows.append(el("li", el("code", name), f" ({kind}) ", el("span", about)))
    return joined([el("h2", "Credentials", id="credentials"), el("ul", rows)]) if rows else Html("")


def _group(name: str, members: list[Listed], section: OperationSection) -> Html:
    heading = el("h2", _title(name), id=anchor("group", name))
    return el("div", heading, [section.render(listed) for listed in members], class_="group")


def _schemas(document: Mapping[str, Any]) -> Html:
    tree = SchemaTree(document)
    found = document.get("components", {}).get("schemas", {})
    parts = [_schema(tree, name, schema) for name, schema in found.items()]
    return joined([el("h2", "Schemas", id="schemas"), *parts]) if parts else Html("")


def _schema(tree: SchemaTree, name: str, schema: Any) -> Html:
    shown = [
        el("span", tree.type_of(schema), class_="type"),
        " ",
        *(el("span", r, class_="rule") for r in tree.rules(schema)),
    ]
    mark = deprecation(schema) if isinstance(schema, dict) and schema.get("deprecated") else ""
    members = tree.tree(schema, (name,))
    about = paragraphs(schema.get("description")) if isinstance(schema, dict) else ""
    inside = [el("summary", el("h3", name), " ", *shown, " ", mark), about, members]
    return el("details", inside, id=anchor("schema", name), class_="schema", data_find=name.lower())


def codes_in(document: Any) -> list[str]:
    """The codes of errors that a document names anywhere, in the order of their status."""
    words: set[str] = set()
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            words |= {word.lower() for word in _WORD.findall(value)}
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return sorted(words & set(REGISTRY), key=lambda name: (REGISTRY[name].status, name))


def error_table(codes: list[str]) -> Html:
    head = el("tr", [el("th", word, scope="col") for word in ("Code", "Status", "Meaning")])
    rows = [
        el("tr", el("th", code(name), scope="row"), el("td", str(REGISTRY[name].status)), el("td", REGISTRY[name].text))
        for name in codes
    ]
    return el("div", el("table", el("thead", head), el("tbody", rows)), class_="wide", tabindex="0")


def _errors(document: Mapping[str, Any]) -> Html:
    codes = codes_in([document.get("paths"), document.get("components")])
    every = el("p", "Every code that there is, on any surface: ", el("a", "errors", href="/docs/errors"), ".")
    return joined([el("h2", "Errors", id="errors"), error_table(codes) if codes else "", every])


def _beside(groups: Mapping[str, list[Listed]], document: Mapping[str, Any]) -> tuple[Group, ...]:
    lists = [Group(_title(name), tuple(_link(listed) for listed in members)) for name, members in groups.items()]
    names = document.get("components", {}).get("schemas", {})
    if names:
        lists.append(Group("Schemas", tuple(Link(f"#{anchor('schema', name)}", name) for name in names)))
    return (*lists, Group("Errors", (Link("#errors", "Codes of the errors"),)))


def _title(tag: str) -> str:
    return tag.replace("_", " ").replace("-", " ").capitalize()


def _link(listed: Listed) -> Link:
    find = f"{listed.summary} {listed.method} {listed.path}"
    return Link(f"#{listed.id}", listed.summary, listed.method.upper(), find)
