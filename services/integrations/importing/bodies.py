"""The body of an operation into one property of its parameters, `body`, and its encoding."""

from typing import Any, NamedTuple

from services.integrations.importing.documents import Unresolved, listed, members
from services.integrations.importing.media_types import chosen, encoding, is_named, is_of_bytes, is_text
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
        tell = notes.untyped if any(_is_filled(each, parameters) for each in content.values()) else notes.note
        tell("requestBody", f"is left out: {verb.upper()} carries none")
        return None
    name = chosen(content, ("json", "form", "multipart"))
    made = None
    if name is not None and not _is_file(content[name], name, parameters):
        made = _encoded(name, members(content[name]), parameters, notes)
    made = made or _raw(content, parameters, notes)
    if made is None:
        reason = f"is of {', '.join(map(str, content)) or 'no media type'}"
        if described.get("required") is True:
            raise LeftOut("requestBody", f"{reason}: none can be written")
        notes.untyped("requestBody", f"{reason}; it is left out")
    elif described.get("required") is True:
        parameters.required.append(BODY)
    return made


def _encoded(name: str, media: dict[str, Any], parameters: Parameters, notes: Notes) -> TypedBody:
    kind, schema = encoding(name), media.get("schema", {})
    if is_named(name):
        parameters.headers["Content-Type"] = name.strip()
    found = parameters.translator.inline(schema, "request", "requestBody", notes)
    parameters.uses |= dict.fromkeys(found.uses)
    made = found.schema
    if kind != "json":
        made = _fields(made, schema, media, parameters)
    parameters.properties[BODY] = made
    return TypedBody({"encoding": kind, "template": BODY}, media)


def _is_filled(media: Any, parameters: Parameters) -> bool:
    """Whether a body could say anything; generated descriptions give an empty form to every GET."""
    schema = members(members(media).get("schema"))
    return any(schema.get(name) for name in ("$ref", "properties", "items", "allOf", "anyOf", "oneOf"))


def _is_file(media: Any, name: str, parameters: Parameters) -> bool:
    """Whether the body is bytes that only a media type of any kind stands for."""
    return "*" in name and is_of_bytes(parameters.resolved(members(media).get("schema")))


def _raw(content: dict[str, Any], parameters: Parameters, notes: Notes) -> TypedBody | None:
    """A body that is given as it is: a text, or bytes. None where none of the media types is such."""
    names = [name for name in content if isinstance(name, str) and (encoding(name) == "raw" or "*" in name)]
    if not names:
        return None
    texts = all(map(is_text, names)) and not any("*" in name for name in names)
    if texts or (len(names) == 1 and "*" not in names[0]):
        parameters.headers["Content-Type"] = names[0].strip()
        if len(names) > 1:
            notes.note("requestBody", f"is sent as {names[0]}")
        bytes_of = {"contentBase64": {"type": "string"}}
    else:
        bytes_of = {"contentBase64": {"type": "string"}, "contentType": {"type": "string"}}
    given: dict[str, Any] = {"type": "string"}
    if not texts:
        whole = {"type": "object", "properties": bytes_of, "required": ["contentBase64"], "additionalProperties": False}
        given = {"anyOf": [given, whole]}
    parameters.properties[BODY] = given
    media = members(content[names[0]])
    if not parameters.is_of(media.get("schema", {"type": "string"}), "string"):
        notes.untyped("requestBody", f"is of {names[0]}, which is given as it is: its parts are not typed")
    return TypedBody({"encoding": "raw", "template": BODY}, media)


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
