"""`/integrations/definitions/import`: an OpenAPI document becomes a draft."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter

from rest.platform_v1 import PREFIX, shapes
from rest.platform_v1.definitions import BASE, whole
from rest.platform_v1.entry import Asked, body_of, context_of
from rest.platform_v1.routing import Words, route, sent
from services.integrations.importing.converting import Choice
from services.integrations.importing.reading import ImportRequest
from services.integrations.importing.registry import import_integration_definition
from services.integrations.importing.reports import Report

#: Where documents are sent to, below the prefix.
IMPORT = f"{BASE}/import"
_JSON = "application/json"
_MEDIA = (
    "application/yaml", "application/x-yaml", "text/yaml", "application/vnd.oai.openapi",
    "application/vnd.oai.openapi+json", "application/openapi+json", "application/openapi+yaml",
)  # fmt: skip
Tags = Annotated[
    list[str] | None, QueryParameter(name="tag", description="With a bare document: operations of this tag.")
]
Operations = Annotated[
    list[str] | None,
    QueryParameter(name="operation", description="With a bare document: an operationId, or `GET /path`."),
]
Text = Annotated[str | None, QueryParameter(description="With a bare document: in the place of its own.")]


@route(
    "POST",
    IMPORT,
    import_integration_definition,
    Words(
        "import_definition",
        "Import an OpenAPI document",
        "Makes a draft with a method for each operation that was chosen, and reports what could not be typed.",
    ),
    status=201,
    body=shapes.DefinitionImport,
    media=_MEDIA,
    upload=True,
)
async def import_definition(
    request: Asked,
    tags: Tags = None,
    operations: Operations = None,
    name: Text = None,
    version: Text = None,
) -> Response[shapes.ImportedAnswer]:
    bare = Choice(tags=tags or [], operations=operations or [], name=name, version=version)
    asked = import_request(request, await body_of(request), bare)
    found = await import_integration_definition(context_of(request), asked)
    return _sent(found.definition, found.report)


def import_request(request: Asked, body: bytes, bare: Choice) -> ImportRequest:
    """The document as it is, or within an object that says what is wanted of it."""
    kind = (request.headers.get("content-type") or _JSON).partition(";")[0].strip().lower()
    return ImportRequest(document=body, media_type=kind, wrapped=kind == _JSON, choice=bare)


def _sent(row: Mapping[str, Any], report: Report) -> Response[Any]:
    answer = {"definition": whole(row), "report": report}
    return sent(answer, 201, row["version"], f"{PREFIX}{BASE}/{row['id']}")


ROUTES = [import_definition]
