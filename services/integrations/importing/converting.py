"""A whole OpenAPI document into a definition, with a report. Nothing in the document can make it fail."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from app.errors import ValidationFailed
from services.integrations.definitions.checking import SEMVER
from services.integrations.definitions.faults import Faults
from services.integrations.definitions.methods import check_method
from services.integrations.definitions.model import MOST_METHODS, Definition, Method
from services.integrations.importing.bundles import Bundler
from services.integrations.importing.documents import Source, encodable, members
from services.integrations.importing.operations import LONGEST_TEXT, Described, Names, method_of, printable
from services.integrations.importing.reports import LeftOut, Notes, Report, report_of
from services.integrations.importing.schemas import Translator
from services.integrations.importing.securities import security_of
from services.integrations.importing.servers import Base, base_of

_NUMBERS = re.compile(r"[0-9]{1,9}")


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which operations are imported: those with one of the tags, and those named; all where neither is given.

    An operation is named by its operationId or as `GET /path`. `security` names the scheme to use.
    """

    tags: list[str] = []
    operations: list[str] = []
    name: str | None = None
    version: str | None = None
    security: str | None = None


def convert_document(root: dict[str, Any], choice: Choice) -> tuple[Definition, Report]:
    """The definition and what is to be told of it. Raises ValidationFailed for a choice that names nothing."""
    try:
        return _Conversion(encodable(root), choice).run()
    except RecursionError:
        raise ValidationFailed({"document": "nests too deep"}) from None


class _Conversion:
    def __init__(self, root: dict[str, Any], choice: Choice) -> None:
        self.source, self.choice, self.notes = Source(root), choice, Notes()
        self.bundler = Bundler(Translator(self.source, self.notes))

    def run(self) -> tuple[Definition, Report]:
        chosen = self._chosen()
        base = base_of(self._servers(chosen), self.notes)
        default = self.source.root.get("security")
        required = [each.operation.get("security", default) for each in chosen]
        security = security_of(self.source, self.choice.security, required, self.notes)
        bare = self._definition(base, security.members)
        if number := len(members(self.source.root.get("webhooks"))):
            self.notes.note("webhooks", f"are what the other side would call, {number} of them; none is a method")
        names, told, methods = Names(), [], []
        for described, asked in zip(chosen, required, strict=True):
            name = names.name(described)
            notes = Notes(described.label, name)
            security.tell(asked, notes)
            method = self._method(bare, described, base, name, notes)
            told.append(notes)
            if method is not None:
                methods.append(method)
        return msgspec.structs.replace(bare, methods=methods), report_of(self.notes, told)

    def _chosen(self) -> list[Described]:
        found = [Described(*each) for each in self.source.operations()]
        wanted, tags = set(self.choice.operations), set(self.choice.tags)
        known = {name for each in found for name in (each.label, each.named) if name}
        faults = {
            f"operations.{name}": "names no operation of the document"
            for name in self.choice.operations if name not in known
        } | {
            f"tags.{tag}": "is no tag of an operation"
            for tag in self.choice.tags if not any(tag in each.tags for each in found)
        }  # fmt: skip
        if faults:
            raise ValidationFailed(faults)
        if wanted or tags:
            found = [each for each in found if {each.label, each.named} & wanted or tags.intersection(each.tags)]
        if len(found) > MOST_METHODS:
            raise ValidationFailed({"document": f"has more than {MOST_METHODS} operations; choose some by tag"})
        return found

    def _servers(self, chosen: list[Described]) -> Any:
        """The document's; those of the operations, where all that were chosen have the same ones of their own."""
        own = [each.servers for each in chosen]
        same = bool(own) and bool(own[0]) and all(each == own[0] for each in own)
        return own[0] if same else self.source.root.get("servers")

    def _definition(self, base: Base, security: dict[str, Any]) -> Definition:
        info = members(self.source.root.get("info"))
        made: dict[str, Any] = {
            "name": self.choice.name or _line(info.get("title")) or "Imported",
            "description": _text(info.get("description"))[:2_000],
            "version": self.choice.version or self._version(info.get("version")),
            "type": "http",
            "baseUrl": base.url,
            "allowedHosts": base.hosts or None,
            "configSchema": _config_schema(base),
            **security,
        }
        return msgspec.convert(made, Definition)

    def _version(self, given: Any) -> str:
        text = str(given or "").strip().removeprefix("v")
        if len(text) <= 64 and SEMVER.fullmatch(text):
            return text
        numbers = [str(int(number)) for number in _NUMBERS.findall(text)[:3]] if text.count("-") < 2 else []
        version = ".".join([*numbers, "0", "0", "0"][:3]) if any(number != "0" for number in numbers) else "1.0.0"
        self.notes.note(
            "info.version", f"is {text[:40] or 'missing'}, which is no semantic version; {version} is taken"
        )
        return version

    def _method(self, bare: Definition, described: Described, base: Base, name: str, notes: Notes) -> Method | None:
        try:
            self._same_server(described, base)
            return _sound(bare, method_of(described, base.prefix, name, self.bundler, notes), notes)
        except LeftOut as fault:
            notes.method = None
            notes.left_out(fault)
        except RecursionError:
            notes.method = None
            notes.left_out(LeftOut("", "nests too deep to be read"))
        return None

    def _same_server(self, described: Described, base: Base) -> None:
        """Raises LeftOut for an operation that is served elsewhere."""
        if described.servers:
            own = base_of(described.servers, Notes())
            if (own.url, own.prefix) != (base.url, base.prefix):
                raise LeftOut("servers", f"is served at {own.url or own.prefix}; import it as another definition")


def _sound(bare: Definition, method: Method, notes: Notes) -> Method:
    """The method, without an example that does not hold. Raises LeftOut where a rule of definitions refuses it."""
    faults = _faults(bare, method)
    if faults and all(path.startswith("examples.") for path in faults):
        path, rule = next(iter(faults.items()))
        notes.note(path, f"{rule}; the example is left out")
        return msgspec.structs.replace(method, examples=None)
    if faults:
        path, rule = next(iter(faults.items()))
        raise LeftOut(path, rule)
    return method


def _faults(bare: Definition, method: Method) -> dict[str, str]:
    faults = Faults()
    check_method(bare, method, "", faults)
    return {path.lstrip("."): rule for path, rule in faults.found.items()}


def _config_schema(base: Base) -> dict[str, Any] | None:
    """Where the document does not say where it is served, the instance does."""
    if not base.variable:
        return None
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"baseUrl": {"type": "string", "minLength": 1, "description": "Where the API is served."}},
        "additionalProperties": False,
    }
    return schema if base.url is not None else schema | {"required": ["baseUrl"]}


def _line(value: Any) -> str:
    return " ".join(_text(value).split())[:200].strip()


def _text(value: Any) -> str:
    return printable(value[:LONGEST_TEXT]).strip() if isinstance(value, str) else ""


def lines_of(report: Report) -> Iterator[str]:
    """The report for a person, a line for each finding."""
    yield (
        f"{report.operations} operations: {report.typed} typed, {report.partial} in part, {report.left_out} left out"
    )
    for finding in report.findings:
        place = " ".join(part for part in (finding.operation or "document", finding.where) if part)
        yield f"{finding.effect.replace('_', ' ')}: {place}: {finding.reason}"
