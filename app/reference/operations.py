"""One operation of a REST contract as a section of its version's page."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.reference.markup import Html, anchor, el, joined, text
from app.reference.prose import paragraphs, sentence
from app.reference.samples import content_sample, curl
from app.reference.schemas import SchemaTree, deprecation

METHODS = ("get", "put", "post", "patch", "delete", "options", "head", "trace")


class Listed(NamedTuple):
    """An operation where it stands in its document."""

    path: str
    method: str
    body: Mapping[str, Any]
    shared: Sequence[Any]

    @property
    def id(self) -> str:
        return anchor("op", str(self.body.get("operationId") or f"{self.method}{self.path}"))

    @property
    def summary(self) -> str:
        return str(self.body.get("summary") or f"{self.method.upper()} {self.path}")

    @property
    def group(self) -> str:
        tags = self.body.get("tags") or ["other"]
        return str(tags[0])


def _presented(scheme: Mapping[str, Any]) -> Html:
    """How a credential is presented."""
    if scheme.get("type") == "mutualTLS":
        return text("a client certificate")
    return el("code", str(scheme["name"]) if scheme.get("type") == "apiKey" else "Authorization: Bearer")


def operations_of(document: Mapping[str, Any]) -> list[Listed]:
    """Every operation, in the order of the paths."""
    return [
        Listed(path, method, item[method], item.get("parameters", ()))
        for path, item in document.get("paths", {}).items()
        for method in METHODS
        if method in item
    ]


class OperationSection:
    """Renders operations of one document; `base` is the address that its paths stand behind."""

    def __init__(self, document: Mapping[str, Any], base: str) -> None:
        self._document, self._base = document, base
        self._schemas = SchemaTree(document)

    def render(self, listed: Listed) -> Html:
        operation = listed.body
        parameters = [self._schemas.resolve(given) for given in (*listed.shared, *operation.get("parameters", ()))]
        title = el("h3", el("a", listed.summary, href=f"#{listed.id}"))
        ending = deprecation(operation) if operation.get("deprecated") else ""
        method = el("span", listed.method.upper(), class_=f"method {listed.method}")
        parts = [
            title,
            el("p", method, " ", el("code", listed.path, class_="path"), " ", ending),
            paragraphs(operation.get("description")),
            self._needs(operation),
            self._parameters(parameters),
            self._body(operation),
            self._example(listed, parameters),
            self._answers(operation.get("responses", {})),
        ]  # fmt: skip
        found = " ".join((listed.summary, listed.method, listed.path, str(operation.get("operationId", ""))))
        return el("section", parts, id=listed.id, class_="operation", data_find=found.lower())

    def _needs(self, operation: Mapping[str, Any]) -> Html:
        """The credential and the scopes: any one of the ways is enough."""
        ways = operation.get("security", self._document.get("security", []))
        if not any(ways):
            return el("p", "Needs no credential.", class_="needs")
        told = [joined((self._way(*pair) for pair in way.items()), " and ") for way in ways if way]
        optional = " This is optional." if {} in ways else ""
        return el("p", "Needs ", joined(told, ", or "), ".", optional, class_="needs")

    def _way(self, name: str, scopes: Sequence[str]) -> Html:
        scheme = self._schemas.resolve(self._document.get("components", {}).get("securitySchemes", {}).get(name, {}))
        header = _presented(scheme)
        if not scopes:
            return joined([header, " (any scope)"])
        word = " with the scope " if len(scopes) == 1 else " with the scopes "
        return joined([header, word, joined((el("code", scope) for scope in scopes), ", ")])

    def _parameters(self, parameters: Sequence[Mapping[str, Any]]) -> Html:
        if not parameters:
            return Html("")
        head = el("tr", [el("th", word, scope="col") for word in ("Name", "In", "Type and rules", "Meaning")])
        rows = [self._parameter(parameter) for parameter in parameters]
        table = el("table", el("thead", head), el("tbody", rows))
        return joined([el("h4", "Parameters"), el("div", table, class_="wide", tabindex="0")])

    def _parameter(self, parameter: Mapping[str, Any]) -> Html:
        schema = parameter.get("schema", {})
        rules = [el("span", rule, class_="rule") for rule in self._schemas.rules(schema)]
        marks = [el("span", "required", class_="mark")] if parameter.get("required") else []
        if parameter.get("deprecated"):
            marks.append(deprecation(parameter))
        about = parameter.get("description") or self._schemas.resolve(schema).get("description") or ""
        return el(
            "tr",
            el("th", el("code", str(parameter.get("name", "")), class_="name"), " ", *marks, scope="row"),
            el("td", str(parameter.get("in", ""))),
            el("td", el("span", self._schemas.type_of(schema), class_="type"), " ", joined(rules, " ")),
            el("td", sentence(str(about))),
        )

    def _body(self, operation: Mapping[str, Any]) -> Html:
        body = self._schemas.resolve(operation.get("requestBody", {}))
        parts = [self._content(media, content) for media, content in body.get("content", {}).items()]
        if not parts:
            return Html("")
        need = el("p", "Required." if body.get("required") else "Optional.", class_="needs")
        return joined([el("h4", "Request body"), need, paragraphs(body.get("description")), *parts])

    def _content(self, media: str, content: Mapping[str, Any]) -> Html:
        schema = content.get("schema", {})
        shown = json.dumps(content_sample(self._document, content), indent=2, ensure_ascii=False)
        example = el("details", el("summary", "Example"), el("pre", el("code", shown), tabindex="0"))
        kind = el("p", el("code", media), " ", el("span", self._schemas.type_of(schema), class_="type"))
        return joined([kind, self._schemas.tree(schema), example])

    def _example(self, listed: Listed, parameters: Sequence[Mapping[str, Any]]) -> Html:
        line = curl(self._document, self._base + listed.path, listed.method, listed.body, parameters)
        return joined([el("h4", "Request"), el("pre", el("code", line), tabindex="0", class_="request")])

    def _answers(self, responses: Mapping[str, Any]) -> Html:
        """What succeeds is shown with its members, what is refused as a table of codes."""
        good = {status: given for status, given in responses.items() if status[:1] in "123"}
        bad = {status: given for status, given in responses.items() if status not in good}
        parts = [self._answer(status, self._schemas.resolve(given)) for status, given in good.items()]
        return joined([el("h4", "Answers"), *parts, self._refusals(bad)])

    def _answer(self, status: str, given: Mapping[str, Any]) -> Html:
        contents = [self._content(media, content) for media, content in (given.get("content") or {}).items()]
        about = str(given.get("description") or "")
        line = el("summary", el("span", status, class_="status good"), " ", sentence(about))
        headers = self._headers(given.get("headers") or {})
        if not contents and not headers:
            return el("p", el("span", status, class_="status good"), " ", sentence(about))
        return el("details", line, headers, *contents, open=True)

    def _headers(self, headers: Mapping[str, Any]) -> Html:
        if not headers:
            return Html("")
        rows = []
        for name, given in headers.items():
            found = self._schemas.resolve(given)
            about = text(" ") + sentence(str(found["description"])) if found.get("description") else ""
            kind = el("span", self._schemas.type_of(found.get("schema", {})), class_="type")
            rows.append(
                el("li", el("code", name, class_="name"), " ", kind, " ", el("span", Html(about), class_="about"))
            )
        return el("details", el("summary", "Headers"), el("ul", rows, class_="tree"))

    def _refusals(self, responses: Mapping[str, Any]) -> Html:
        if not responses:
            return Html("")
        rows = [
            el("tr", el("th", el("span", status, class_="status bad"), scope="row"),
               el("td", sentence(str(self._schemas.resolve(given).get("description") or ""))))
            for status, given in responses.items()
        ]  # fmt: skip
        head = el("tr", el("th", "Status", scope="col"), el("th", "Codes", scope="col"))
        return el("div", el("table", el("thead", head), el("tbody", rows)), class_="wide", tabindex="0")
