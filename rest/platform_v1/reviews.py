"""`/integrations/definitions/{id}/lint`, `/test` and `/diff`: what can be told of a definition with nobody called."""

from typing import Annotated

from litestar import Response
from litestar.params import FromPath, QueryParameter

from app.errors import InvalidQueryParameters
from rest.platform_v1 import queries, review_shapes
from rest.platform_v1.definitions import BASE, definition_id
from rest.platform_v1.entry import Asked, context_of
from rest.platform_v1.routing import Words, route, sent
from services.integrations.reviewing import registry

_ONE = f"{BASE}/{{id:str}}"
Against = Annotated[
    str, QueryParameter(name="against", description="The definition that its users have now, by its id.")
]


@route(
    "POST",
    f"{_ONE}/lint",
    registry.lint_integration_definition,
    Words(
        "lint_definition",
        "Lint",
        "Says what is wrong with a definition, and what a careful author adds.",
    ),
)
async def lint_definition(request: Asked, id: FromPath[str]) -> Response[review_shapes.LintAnswer]:
    return sent(await registry.lint_integration_definition(context_of(request), definition_id(id)))


@route(
    "POST",
    f"{_ONE}/test",
    registry.rehearse_integration_definition,
    Words("test_definition", "Play the examples", "Plays every example as a call would go, with nobody called."),
)
async def test_definition(request: Asked, id: FromPath[str]) -> Response[review_shapes.ExamplesAnswer]:
    return sent(await registry.rehearse_integration_definition(context_of(request), definition_id(id)))


@route(
    "GET",
    f"{_ONE}/diff",
    registry.diff_integration_definitions,
    Words("diff_definition", "Compare", "Says what a definition takes from those who use another version of it."),
)
async def diff_definition(request: Asked, id: FromPath[str], against: Against) -> Response[review_shapes.DiffAnswer]:
    base = queries.uuid_or_none(against)
    if base is None:
        raise InvalidQueryParameters({"against": "must be the id of a definition"})
    return sent(await registry.diff_integration_definitions(context_of(request), definition_id(id), base))


ROUTES = [lint_definition, test_definition, diff_definition]
