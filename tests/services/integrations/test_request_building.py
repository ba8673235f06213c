"""Requests from templates: encodings, repeated parameters, and values that would be more than values."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ExecutionFailed, ValidationFailed
from services.integrations.definitions.compiling import compile_definition
from services.integrations.definitions.model import Definition
from services.integrations.execution.redaction import MASK, Redaction
from services.integrations.execution.requests import Prepared, build_request


def built(request: dict[str, Any], params: dict[str, Any], config: dict[str, Any] | None = None) -> Prepared:
    source = {
        "name": "X", "version": "1.0.0", "type": "http", "authType": "none", "baseUrl": "https://a.example/api",
        "methods": [{"name": "m", "request": request}],
    }  # fmt: skip
    method = compile_definition(msgspec.convert(source, Definition)).methods["m"]
    return build_request(method, "https://a.example/api", params, config or {}, ())


def test_a_form() -> None:
    body = {"encoding": "form"}
    made = built({"path": "/x", "body": body}, {"a": "1 &=2", "b": ["x", True], "c": None})
    assert parse_qsl((made.body or b"").decode()) == [("a", "1 &=2"), ("b", "x"), ("b", "true")]
    made = built({"path": "/x", "body": body}, {"card": {"number": 1, "items": [{"id": 2}]}})
    assert parse_qsl((made.body or b"").decode()) == [("card[number]", "1"), ("card[items][0][id]", "2")]
    with pytest.raises(ExecutionFailed):
        built({"path": "/x", "body": body | {"template": "a"}}, {"a": 1})


def test_a_graphql_document() -> None:
    body = {"encoding": "graphql", "document": "query Q($n: Int) { x(n: $n) }", "operationName": "Q"}
    made = built({"path": "/graphql", "body": body | {"template": "{n: count}"}}, {"count": 3})
    assert made.method == "POST" and made.headers["Content-Type"] == "application/json"
    assert msgspec.json.decode(made.body or b"") == {
        "query": body["document"], "variables": {"n": 3}, "operationName": "Q",
    }  # fmt: skip


def test_parts_of_a_multipart_body_stay_parts() -> None:
    """No name, file name or type can end its line."""
    evil = 'a"\r\nContent-Type: text/html\r\n\r\n'
    params = {evil: "v", "file": {"filename": evil, "contentType": "text/plain", "contentBase64": "aGk="}}
    made = built({"path": "/x", "body": {"encoding": "multipart"}}, params)
    boundary = made.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = (made.body or b"").split(b"--" + boundary)[1:-1]
    heads = [part.partition(b"\r\n\r\n")[0].strip().split(b"\r\n") for part in parts]
    assert [len(head) for head in heads] == [1, 2] and parts[1].endswith(b"\r\n\r\nhi\r\n")
    params["file"]["contentType"] = "text/plain\r\nX: y"  # type: ignore[index]
    with pytest.raises(ValidationFailed):
        built({"path": "/x", "body": {"encoding": "multipart"}}, params)


def test_queries_headers_and_configuration() -> None:
    request = {
        "path": "/v/{_config.org}/{on}",
        "query": {"tag": "{tags*}", "q": "is:{state} {word}", "gone": "{gone}", "fixed": "a&b=c#d"},
        "headers": {"X-Who": "by {who}"},
    }
    params = {"on": True, "tags": ["a b", "c&d"], "state": "open", "who": "ada"}
    made = built(request, params, {"org": "ä/b"})
    assert made.url == (
        "https://a.example/api/v/%C3%A4%2Fb/true?tag=a%20b&tag=c%26d&q=is:open%20&fixed=a%26b%3Dc%23d"
    ) and made.headers["X-Who"] == "by ada"  # fmt: skip
    for bad in ("a\r\nX: y", "ä", "\x00"):
        with pytest.raises(ValidationFailed):
            built(request, params | {"who": bad}, {"org": "x"})


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_value_stays_within_its_segment(owner: str, repo: str) -> None:
    """Whatever the values: host and number of segments stay, or the request is refused."""
    try:
        made = built({"path": "/repos/{owner}{repo}/x"}, {"owner": owner, "repo": repo})
    except (ValidationFailed, UnicodeEncodeError):
        return
    url = urlsplit(made.url)
    assert url.netloc == "a.example" and url.path.count("/") == 4 and not url.query and not url.fragment
    assert unquote(url.path.split("/")[3]) == owner + repo


@given(st.text(st.sampled_from("/.\\%?#@: aä2ef;\n"), max_size=12))
def test_several_segments_stay_below_their_place(rest: str) -> None:
    """Slashes stay slashes, and nothing else of the value means anything to who reads the path."""
    try:
        made = built({"path": "/v2/{+rest}/tags"}, {"rest": rest})
    except ValidationFailed:
        assert any(part in ("", ".", "..") for part in re.split(r"[/\\]", rest)), rest
        return
    url = urlsplit(made.url)
    assert url.netloc == "a.example" and not url.query and not url.fragment
    assert unquote(url.path) == f"/api/v2/{rest}/tags" and not {"", ".", ".."} & set(rest.split("/"))


def test_the_rest_of_a_path_may_be_absent_where_it_is_read() -> None:
    read, change = {"path": "/things/{+rest}"}, {"method": "DELETE", "path": "/things/{+rest}"}
    assert built(read, {}).url == "https://a.example/api/things/"
    for request, params in ((change, {}), (read, {"rest": ""}), (read, {"rest": ["a"]}), (read, {"rest": "a//b"})):
        with pytest.raises(ValidationFailed):
            built(request, params)


def test_a_header_without_a_value_is_not_sent() -> None:
    request = {"path": "/x", "headers": {"X-Team": "{_config.team}", "X-Fixed": "yes"}}
    assert built(request, {}, {}).headers == {"Accept": "application/json", "X-Fixed": "yes"}
    assert built(request, {}, {"team": "a"}).headers["X-Team"] == "a"


@given(st.text(min_size=6, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_secret_is_in_no_text(secret: str, before: str, behind: str) -> None:
    shown = Redaction([secret]).value({before + secret: [secret + behind, {"x": before + secret + behind}]})
    if secret not in before + MASK + behind:
        assert secret not in str(list(shown)) and all(secret not in each for each in (shown[next(iter(shown))][0],))
