"""The reference pages: whole, escaped, with places that exist, and what they show is what the contracts say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import REGISTRY
from app.reference.documents import openapi_page
from app.reference.frame import SCRIPT, STYLE, Page, frame
from app.reference.markup import el, text
from app.reference.prose import markdown
from app.reference.site import CONTENT_SECURITY_POLICY, Site, versions
from graph.schema import sdl
from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS
from tests.reference.documents import EVIL, hostile, large
from tests.world import World

VOID = {"meta", "link", "input", "br", "hr", "img"}
FILES = {STYLE: STYLE, SCRIPT: SCRIPT}


class Read(HTMLParser):
    """What a page holds: elements with their attributes, ids, links; that every element is closed in its place."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(body.decode())
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def ids(self) -> list[str]:
        return [given["id"] or "" for _, given in self.elements if "id" in given]

    @property
    def links(self) -> list[str]:
        return [given["href"] or "" for tag, given in self.elements if tag == "a"]


@pytest.fixture(scope="module")
def site() -> Site:
    return Site("https://dovetail.example", sdl)


def read(page: Page) -> Read:
    return Read(frame(page, "/docs/x", FILES))


PATHS = [
    "/docs", "/docs/graphql", "/docs/errors", "/docs/changelog", "/docs/errors/not_found",
    *(f"/docs/{api}/{version}" for api, version, _ in versions()),
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_links_lead_somewhere(path: str, site: Site) -> None:
    """Ids are unique; a link on the page has its place, and one to another page has its page."""
    found = site.find(path)
    assert found is not None
    page = Read(found.body)
    assert len(page.ids) == len(set(page.ids))
    outside = {"/graphql", *(f"{APIS[api].prefix}/{version}/openapi.json" for api, version, _ in versions())}
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        else:
            assert site.find(link) is not None or link in outside, link


@pytest.mark.parametrize("path", PATHS)
def test_pages_need_nothing_inline_and_nothing_from_elsewhere(path: str, site: Site) -> None:
    """No inline script, style or handler; every file is this server's, by its hash."""
    found = site.find(path)
    assert found is not None
    for tag, attributes in Read(found.body).elements:
        assert tag not in ("style", "iframe", "object", "form")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "script":
            assert re.fullmatch(r"/docs/reference\.js\?v=[0-9a-f]{32}", attributes["src"] or "")
        if tag == "link" and attributes["rel"] == "stylesheet":
            assert re.fullmatch(r"/docs/reference\.css\?v=[0-9a-f]{32}", attributes["href"] or "")
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "default-src 'none'" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(("api", "version", "status"), versions())
def test_a_version_is_told_whole(api: str, version: str, status: str, site: Site) -> None:
    """Every operation with its path, parameters, scopes and statuses; every schema; every code with its page."""
    found = site.find(f"/docs/{api}/{version}")
    assert found is not None
    page, document = Read(found.body), json.loads(snapshot(api, version))
    words = " ".join(page.words)
    assert status in words and document["info"]["version"] in words
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f"op-{operation['operationId']}" in page.ids and path in page.words
            for parameter in operation.get("parameters", []):
                assert parameter.get("name", "page") in page.words
            assert {scope for way in operation.get("security", []) for names in way.values() for scope in names} <= set(
                page.words
            )
            assert set(operation["responses"]) <= set(page.words)
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= set(page.ids)
    errors = {link.rpartition("/")[2] for link in page.links if link.startswith("/docs/errors/")}
    assert errors <= {*REGISTRY, "errors"}
    assert {code for code in REGISTRY if f'"{code}"' in snapshot(api, version).decode()} <= errors


def test_the_control_plane_is_told_whole(site: Site) -> None:
    """Every query and mutation with its scope, and every type."""
    found = site.find("/docs/graphql")
    assert found is not None
    page = Read(found.body)
    assert {"field-Query.people", "field-Mutation.issueCredential", "type-Person", "type-DateTime"} <= set(page.ids)
    assert "credentials.write" in page.words
    assert site.find("/docs/graphql/schema.graphql").body.decode() == sdl()  # type: ignore[union-attr]


def test_a_large_contract_has_a_page_that_can_be_read() -> None:
    """120 operations: each is there with an example; what is inside of itself ends; the page has a bounded size."""
    page = read(openapi_page(large(120), "https://dovetail.example", "active"))
    assert len([name for name in page.ids if name.startswith("op-")]) == 120
    body = frame(openapi_page(large(120), "https://dovetail.example", "active"), "/docs/x", FILES)
    assert len(body) < 2_000_000
    words = " ".join(page.words)
    assert "deprecated, gone from 2027-06-30" in words and "deprecated, gone from 2027-01-01" in words
    assert (
        'curl "https://dovetail.example/api/v1/things1?sort=a" \\\n  -H "Authorization: Bearer $DOVETAIL_TOKEN"'
        in words
    )
    assert "> 0" in words and "≤ 9.5" in words and "no other members" in words
    shown = json.loads(next(word for word in page.words if word.startswith("{")))
    assert shown["size"] == 1 and shown["labels"] == {}


def test_nothing_of_a_document_becomes_markup() -> None:
    """Whatever a document says stays text: in elements, attributes, addresses and ids."""
    body = frame(openapi_page(hostile(), "https://dovetail.example", EVIL), "/docs/x", FILES)
    page = Read(body)
    assert {tag for tag, _ in page.elements} & {"script", "img"} == {"script"}
    assert [given for tag, given in page.elements if tag == "script"] == [{"src": SCRIPT, "defer": None}]
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    assert EVIL in "".join(page.words)


@given(st.text(), st.text())
def test_text_stays_text(words: str, name: str) -> None:
    """Whatever is put in is read out again, as text and as an attribute."""
    shown = str(el("p", words, title=name))
    inside = HTMLParser(convert_charrefs=True)
    found: list[str] = []
    given: list[Any] = []
    inside.handle_data = found.append  # type: ignore[method-assign]
    inside.handle_starttag = lambda tag, attrs: given.extend(attrs)  # type: ignore[method-assign]
    inside.feed(shown)
    inside.close()
    clean = str.maketrans({"\r": "\n", "\0": None})
    assert "".join(found).translate(clean) == words.translate(clean)
    assert given == [("title", name)]
    assert text(text(words)) == text(words)


@given(st.text(alphabet="ab`*[]()#-|\n <>&\"'\\", max_size=200))
def test_markdown_makes_only_its_own_elements(source: str) -> None:
    """No text of a page, however odd, opens another element or leaves one open."""
    page = Read(markdown(source, lambda target: None).encode())
    assert {tag for tag, _ in page.elements} <= {
        "p", "pre", "code", "ul", "li", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "div", "table", "thead", "tbody",
        "tr", "th", "td", "a",
    }  # fmt: skip


# --- served ------------------------------------------------------------------------------------------


async def test_a_page_is_served_and_not_sent_twice(world: World) -> None:
    """With its policy and an ETag; who has it is told so; the index leads there."""
    answer = await world.client.get("/docs/integrations/v1")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    again = await world.client.get("/docs/integrations/v1/", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await world.client.get("/")).json()["docs"] == "/docs"
    style = re.search(rb"/docs/reference\.css\?v=[0-9a-f]+", answer.content)
    assert style is not None
    kept = await world.client.get(style[0].decode())
    assert "immutable" in kept.headers["cache-control"] and kept.headers["content-type"].startswith("text/css")
    assert (await world.client.get("/docs/reference.css?v=0")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/docs/nothing", "/docs/integrations/v9", "/docs/errors/..%2f..", "/docs/errors/x.md"]
)
async def test_what_is_not_there_is_not_found(path: str, world: World) -> None:
    """In the platform's form."""
    answer = await world.client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_pages_are_read_only(world: World) -> None:
    """Another method is refused with those that there are."""
    answer = await world.client.post("/docs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await world.client.head("/docs")).status_code == 200


async def test_the_example_works(world: World) -> None:
    """The address and the header of the example for a list are those that answer."""
    page = Read((await world.client.get("/docs/integrations/v1")).content)
    line = next(word for word in page.words if "/integrations/v1/people" in word and word.startswith("curl"))
    found = re.search(r'curl "([^"]+)" \\\n  -H "([^:]+): \$DOVETAIL_API_KEY"', line)
    assert found is not None
    path = found[1].removeprefix(world.app.settings.url)
    answer = await world.client.get(path, headers={found[2]: await world.ready_key()})
    assert answer.status_code == 200
