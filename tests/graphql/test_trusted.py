"""Saved operations: how they are read, and that nothing else runs where only they are trusted."""

import pytest

from graph.documents import Documents, document_id
from graph.manifest import ManifestError, load_manifest
from graph.schema import build_schema, core
from tests.graphql.clients import ask, http, server

WHO = '# Who am I?\n# domain: access\n# variables: {"x": 1}\nquery WhoAmI { viewer { subject } }\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "who-am-i.graphql").write_text(WHO)
    return tmp_path


async def test_the_manifest_is_listed_for_the_console(folder):
    """Name, title, domain, text, id and variables of each."""
    async with http(server(folder=folder), token=None) as client:
        response = await client.get("/graphql/operations.json")
    assert response.json() == [
        {
            "name": "WhoAmI",
            "title": "Who am I?",
            "domain": "access",
            "documentId": document_id(WHO),
            "query": WHO,
            "variables": {"x": 1},
        }
    ]


@pytest.mark.parametrize(
    "text",
    [
        "query A { nothing }",
        "{ viewer { subject } }",
        "query A {",
        "query A { say } query B { say }",
        "# variables: [\nquery A { say }",
    ],
)
def test_a_saved_operation_that_is_not_fit_is_told(folder, text):
    """The error names the file."""
    (folder / "broken.graphql").write_text(text)
    with pytest.raises(ManifestError, match=r"broken\.graphql"):
        server(folder=folder).manifest.check()


def test_what_is_shipped_is_fit_to_run():
    """A server prepares a saved operation when it is first asked for; that each can be is held here."""
    load_manifest(Documents(core(build_schema()))).check()


async def test_where_only_trusted_documents_run(folder):
    """By id or by full text; nothing else, not even introspection, but for an administrator."""
    app = server(folder=folder, graphql_documents="trusted")
    schema = "{ __schema { queryType { name } } }"
    mixed = "query A { __schema { queryType { name } } viewer { subject } }"

    async def status(token="reader", **body):
        async with http(app, token) as client:
            response = await client.post("/graphql", json=body)
        return response.status_code, response.json().get("errors", [{}])[0].get("extensions", {}).get("code")

    assert await status(documentId=document_id(WHO)) == (200, None)
    assert await status(query=WHO) == (200, None)
    assert await status(query=WHO + " ") == (400, "DOCUMENT_NOT_TRUSTED")
    assert await status(query="{ viewer { subject } }") == (400, "DOCUMENT_NOT_TRUSTED")
    assert await status(query="{ nothing }") == (400, "DOCUMENT_NOT_TRUSTED")
    assert await status(documentId="sha256:0") == (400, "DOCUMENT_NOT_TRUSTED")
    assert await status(query=schema) == (400, "DOCUMENT_NOT_TRUSTED")
    assert await status("admin", query=schema) == (200, None)
    assert await status("admin", query="{ ...a } fragment a on Query { __schema { queryType { name } } }") == (
        200,
        None,
    )
    assert await status("admin", query=mixed) == (400, "DOCUMENT_NOT_TRUSTED")
    assert await status("admin", query="{ viewer { subject } }") == (400, "DOCUMENT_NOT_TRUSTED")


async def test_saved_operations_run_by_their_id_in_any_mode(folder):
    """A console may send the id alone."""
    app = server(folder=folder)
    async with http(app) as client:
        response = await client.post("/graphql", json={"documentId": document_id(WHO)})
    assert response.json()["data"] == {"viewer": {"subject": "reader"}}
    assert (await ask(app, "{ viewer { subject } }")).status_code == 200
