"""Parameters of Swagger 2.0: those of the body become a request body, the others get a schema and a style."""

from typing import Any

from services.contracts.swagger.schemas import Schemas

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: What of a parameter or a header is no part of its schema.
_OUTSIDE = {
    "name", "in", "required", "description", "collectionFormat", "allowEmptyValue", "schema", "deprecated",
    "example", "examples", "x-example", "x-sunset", "x-stability-level",
}  # fmt: skip
_STYLES = {"ssv": "spaceDelimited", "pipes": "pipeDelimited", "tsv": "tabDelimited"}


def written(value: dict[str, Any], place: str) -> dict[str, Any]:
    """`collectionFormat` as `style` and `explode`; nothing for what is no list. Lists are `csv` unless they say."""
    if value.get("type") != "array":
        return {}
    kind = value.get("collectionFormat", "csv")
    if isinstance(kind, str) and kind in _STYLES:
        return {"style": _STYLES[kind], "explode": False}
    if place in ("query", "formData"):
        return {"style": "form", "explode": kind == "multi"}
    return {}


def plain(value: dict[str, Any], place: str, schemas: Schemas) -> dict[str, Any]:
    """A parameter or header that is no body."""
    inner = {key: each for key, each in value.items() if key not in _OUTSIDE}
    outer = {key: value[key] for key in _OUTSIDE - {"collectionFormat", "schema"} if key in value}
    return {**outer, **written(value, place), "schema": schemas.rewritten(inner)}


def request_body(listed: list[dict[str, Any]], consumes: list[str], schemas: Schemas) -> dict[str, Any] | None:
    """The body that `in: body` or `in: formData` describe; None where none does."""
    body = next((each for each in listed if each.get("in") == "body"), None)
    if body is not None:
        media = {"schema": schemas.converted(body.get("schema", {}))}
        return {"required": body.get("required") is True, "content": dict.fromkeys(consumes, media)}
    fields = [each for each in listed if each.get("in") == "formData" and isinstance(each.get("name"), str)]
    return _form(fields, consumes, schemas) if fields else None


def _form(fields: list[dict[str, Any]], consumes: list[str], schemas: Schemas) -> dict[str, Any]:
    required = [each["name"] for each in fields if each.get("required") is True]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each["name"]: plain(each, "formData", schemas)["schema"] for each in fields},
    }
    if required:
        schema["required"] = required
    kinds = [each for each in consumes if each.partition(";")[0].strip().lower() in (FORM, MULTIPART)]
    files = any(each.get("type") == "file" for each in fields)
    encoding = {each["name"]: kind for each in fields if (kind := written(each, "formData"))}
    content: dict[str, Any] = {}
    for media in kinds or [MULTIPART if files else FORM]:
        plainly = not encoding or not media.lower().startswith(FORM)
        content[media] = {"schema": schema} if plainly else {"schema": schema, "encoding": encoding}
    return {"required": bool(required), "content": content}
