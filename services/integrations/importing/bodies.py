"""The body of an operation into one property of its parameters, `body`, and its encoding."""

from typing import Any, NamedTuple

from services.integrations.importing.documents import Unresolved, listed, members
from services.integrations.importing.media_types import chosen, encoding, is_named
from services.integrations.importing.parameters import BODY, Parameters
from services.integrations.importing.reports import LeftOut, Notes

#: What a file is given as; the bytes are in base64.
_FILE = {
    "type": "object",
    "properties": {
        "filename": {"type": "string"},
        "contentType": {"type": "string"},
        "contentBase64": {"type": "string"},
    },
    "required": ["contentBase64"],
    "additionalProperties": False,
}


class TypedBody(NamedTuple):
    """The body as `request.body` has it, and the media type of the document with its example."""

    body: dict[str, Any]
    media: dict[str, Any]


def take_body(given: Any, verb: str, parameters: Parameters, notes: Notes) -> TypedBody | None:
    """Put the body's schema into the parameters. Raises LeftOut where a required one cannot be said."""
    if given is None:
        return None
    try:
        described = parameters.translator.source.resolved(given)
        return _taken(described, verb, parameters, notes)
    except (Unresolved, LeftOut) as error:
        reason = error.reason if isinstance(error, LeftOut) else str(error)
        if not isinstance(given, dict) or given.get("required", True) is not False:
            raise LeftOut("requestBody", reason) from None
        notes.untyped("requestBody", f"{reason}; it is left out")
        return None


def _taken(described: dict[str, Any], verb: str, parameters: Parameters, notes: Notes) -> TypedBody | None:
    content = members(described.get("content"))
    if verb in ("get", "head"):
        if described.get("required") is True:
            raise LeftOut("requestBody", f"is required, and {verb.upper()} carries none")
        notes.note("requestBody", f"is left out: {verb.upper()} carries none")
        return None
    name = chosen(content, ("json", "form", "multipart"))
    if name is None:
        if described.get("required") is True:
            raise LeftOut(
                "requestBody", f"is of {', '.join(map(str, content)) or 'no media type'}: none can be written"
            )
        notes.untyped("requestBody", f"is of {', '.join(map(str, content)) or 'no media type'}; it is left out")
        return None
    media, kind = members(content[name]), encoding(name)
    if is_named(name):
        parameters.headers["Content-Type"] = name.strip()
    schema = media.get("schema", {})
    found = parameters.translator.inline(schema, "request", "requestBody", notes)
    parameters.uses |= dict.fromkeys(found.uses)
    made = found.schema
    if kind != "json":
        made = _fields(made, schema, media, parameters)
    parameters.properties[BODY] = made
    if described.get("required") is True:
        parameters.required.append(BODY)
    return TypedBody({"encoding": kind, "template": BODY}, media)


def _fields(made: Any, schema: Any, media: dict[str, Any], parameters: Parameters) -> Any:
    """Of a form: files as objects, and lists of the style deepObject under `name[]`."""
    try:
        raw = parameters.translator.source.resolved(schema)
    except Unresolved:
        return made
    properties = members(raw.get("properties"))
    if not properties or not isinstance(made, dict):
        return made
    if "properties" not in made:
        # What is referred to is written out: its fields are sent one by one.
        made = parameters.translator.inline(raw, "request", "requestBody", Notes()).schema
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, inner in properties.items():
        encoded = members(members(media.get("encoding")).get(name))
        names[name] = f"{name}[]" if encoded.get("style") == "deepObject" and _is_list(inner) else name
        fields[names[name]] = _file(inner) or made["properties"].get(name, {})
    made = made | {"properties": fields}
    if "required" in made:
        made["required"] = [names.get(name, name) for name in made["required"]]
    return made


def _is_list(schema: Any) -> bool:
    branches = [schema, *listed(members(schema).get("anyOf"))]
    return any(members(each).get("type") == "array" for each in branches)


def _file(schema: Any) -> dict[str, Any] | None:
    given = members(schema)
    if given.get("type") == "array" and _file(given.get("items")) is not None:
        return {"type": "array", "items": _FILE}
    binary = given.get("format") in ("binary", "base64") and given.get("type") == "string"
    binary = binary or ("contentMediaType" in given and given.get("type", "string") == "string")
    return dict(_FILE) if binary else None
