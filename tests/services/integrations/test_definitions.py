"""The rules of a definition: each fault is found, told with its path, and nothing is fetched or run away with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import MalformedBody, ValidationFailed
from services.inputs import read_input
from services.integrations.definitions.addresses import covers
from services.integrations.definitions.checking import check_definition
from services.integrations.definitions.compiling import compile_definition
from services.integrations.definitions.expressions import MOST_AMPLIFICATION, compile_expression
from services.integrations.definitions.faults import Fault
from services.integrations.definitions.model import Definition
from services.integrations.definitions.publishing import check_publishable
from services.integrations.definitions.schemas import compile_schema, schema_faults
from services.integrations.definitions.templates import compile_path
from tests.services.integrations.samples import forge, with_method

HIDING = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "x-secret": True},
        "outer": {"type": "object", "properties": {"pin": {"type": "string", "format": "password"}}},
    },
}


def faults_of(source: dict[str, Any]) -> dict[str, Any]:
    """Path → rule; empty where the definition is sound."""
    try:
        check_definition(read_input(Definition, msgspec.json.encode(source)))
    except ValidationFailed as error:
        return dict(error.details or {})
    return {}


def test_a_sound_definition_comes_back_as_it_was_sent() -> None:
    """What was not given is not added, and what was given is kept, also where it equals a default."""
    source = forge()
    source["methods"][0] |= {"timeoutMs": 30_000, "maxResponseBytes": 5 * 1024 * 1024}
    definition = read_input(Definition, msgspec.json.encode(source))
    check_definition(definition)
    check_publishable(definition)
    compile_definition(definition)
    assert msgspec.json.decode(msgspec.json.encode(definition)) == source


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (forge(version="1.0"), "version"),
        (forge(version="01.0.0"), "version"),
        (forge(name="Forge\n"), "name"),
        (forge(name="For\x00ge"), "name"),
        (forge(baseUrl="ftp://api.forge.example"), "baseUrl"),
        (forge(baseUrl="https://user:pw@api.forge.example"), "baseUrl"),
        (forge(baseUrl="https://api.forge.example?x=1"), "baseUrl"),
        (forge(baseUrl="https://elsewhere.example"), "baseUrl"),
        (forge(defaultConfig={"baseUrl": 3}), "defaultConfig.baseUrl"),
        (forge(configSchema=HIDING, defaultConfig={"token": "t"}), "defaultConfig.token"),
        (forge(configSchema=HIDING, defaultConfig={"outer": {"pin": "1"}}), "defaultConfig.outer"),
        (forge(allowedHosts=["*"]), "allowedHosts.0"),
        (forge(allowedHosts=["api.forge.example", "http://x"]), "allowedHosts.1"),
        (forge(configSchema={"type": "objekt"}), "configSchema"),
        (forge(configSchema={"$ref": "http://127.0.0.1/x"}), "configSchema"),
        (forge(configSchema={"$ref": "file:///etc/passwd"}), "configSchema"),
        (forge(configSchema={"type": "array"}), "configSchema.type"),
        (
            forge(secretsSchema={"type": "object", "properties": {"a": {"type": "integer"}}}),
            "secretsSchema.properties.a",
        ),
        (forge(secretsSchema={"type": "object"}), "secretsSchema"),
        (forge(oauth2Config={"tokenUrl": "https://forge.example"}), "oauth2Config"),
        (forge(authType="oauth2", oauth2Config={"tokenUrl": "javascript:alert(1)"}), "oauth2Config.tokenUrl"),
        (forge(authConfig={"challenge": "registry-token"}), "authConfig.challenge"),
        (forge(authConfig={"realmHosts": ["a.example"]}), "authConfig.realmHosts"),
        (
            forge(authType="basic", authConfig={"challenge": "registry-token", "realmHosts": ["https://a.example"]}),
            "authConfig.realmHosts.0",
        ),
        (forge(verification={"method": "nothing"}), "verification.method"),
        (forge(verification={"method": "getRepository", "params": {"owner": 1}}), "verification.params.owner"),
        (forge(discover={"repositories": {"method": "nothing"}}), "discover.repositories.method"),
        (forge(discover={"tags": {"method": "getRepository", "resources": "a["}}), "discover.tags.resources"),
        (forge(errorRules=[{"code": "AUTH_ERROR"}]), "errorRules.0"),
        (forge(errorRules=[{"when": "a |"}]), "errorRules.0.when"),
        (forge(methods=[*forge()["methods"], *forge()["methods"]]), "methods.1.name"),
        (with_method(paramSchema={"type": "string"}), "methods.0.paramSchema.type"),
        (with_method(resultSchema={"pattern": "(?=a)b"}), "methods.0.resultSchema"),
        (with_method(resultPath="a["), "methods.0.resultPath"),
        (with_method(resultPath="not_there(@)"), "methods.0.resultPath"),
        (with_method(request={"path": "repos"}), "methods.0.request.path"),
        (with_method(request={"path": "/repos/{nobody}"}), "methods.0.request.path"),
        (with_method(request={"path": "/repos/{_config.nothing}"}), "methods.0.request.path"),
        (with_method(request={"path": "/repos{+owner}"}), "methods.0.request.path"),
        (with_method(request={"path": "/repos/{+owner}.git"}), "methods.0.request.path"),
        (with_method(request={"path": "/repos/{+nobody}"}), "methods.0.request.path"),
        (with_method(request={"method": "DELETE", "path": "/repos/{+perhaps}"}), "methods.0.request.path"),
        (with_method(request={"path": "/x", "query": {"q": "{+owner}"}}), "methods.0.request.query.q"),
        (with_method(request={"path": "/x", "query": {"q": "{nobody}"}}), "methods.0.request.query.q"),
        (with_method(resultFrom="answer"), "methods.0.resultFrom"),
        (with_method(request={"path": "/x", "headers": {"Host": "x"}}), "methods.0.request.headers.Host"),
        (with_method(request={"path": "/x", "headers": {"X-A": "a\r\nb"}}), "methods.0.request.headers.X-A"),
        (with_method(request={"method": "GET", "path": "/x", "body": {}}), "methods.0.request.body"),
        (with_method(request={"path": "/x", "body": {"template": "{"}}), "methods.0.request.body.template"),
        (with_method(request={"path": "/x", "body": {"encoding": "graphql"}}), "methods.0.request.body.document"),
        (with_method(pagination={"style": "cursor"}), "methods.0.pagination"),
        (with_method(idempotencyHeader="Authorization"), "methods.0.idempotencyHeader"),
        (
            with_method(examples=[{"params": {"owner": "a"}, "response": {"body": {"id": 1}}}]),
            "methods.0.examples.0.params",
        ),
        (
            with_method(examples=[{"params": {"owner": "a", "repo": "b"}, "response": {"body": {}}}]),
            "methods.0.examples.0.result",
        ),
        (with_method(unknown=1), "methods.0.unknown"),
        (with_method(name="has space"), "methods.0.name"),
        (with_method(timeoutMs=0), "methods.0.timeoutMs"),
        (forge(colour="red"), "colour"),
        (forge(name=None), "name"),
        (forge(type="ftp"), "type"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_a_fault_is_told_with_its_path(source: dict[str, Any], path: str) -> None:
    assert path in faults_of(source), faults_of(source)


def test_all_faults_are_told_at_once() -> None:
    found = faults_of(forge(version="x", baseUrl="nowhere", verification={"method": "nothing"}))
    assert {"version", "baseUrl", "verification.method"} <= set(found)


def test_a_flood_of_faults_is_bounded() -> None:
    methods = [{"name": f"m{number}", "resultPath": "["} for number in range(500)]
    assert len(faults_of(forge(methods=methods, verification=None))) == 100


def test_what_is_no_json_is_told_as_such() -> None:
    for source in (b"[", b'{"name":"\xff"}', b'{"name":"\\ud800"}', b"[" * 100_000):
        with pytest.raises((MalformedBody, ValidationFailed)):
            read_input(Definition, source)


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        (forge(baseUrl=None, methods=[{"name": "a"}], verification=None), {"baseUrl", "methods.0.request"}),
        (forge(methods=[], verification=None), {"methods"}),
        (with_method(request={"method": "GET"}), {"methods.0.request.path"}),
        (forge(authType="oauth2"), {"oauth2Config.tokenUrl", "oauth2Config.authorizationUrl"}),
        (forge(authType="api_key"), {"authConfig"}),
        (forge(type="graphql"), {"methods.0.request.body"}),
    ],
    ids=lambda v: ",".join(sorted(v)) if isinstance(v, set) else "",
)
def test_what_a_draft_may_lack_is_asked_for_when_it_is_published(source: dict[str, Any], paths: set[str]) -> None:
    definition = read_input(Definition, msgspec.json.encode(source))
    check_definition(definition)
    with pytest.raises(ValidationFailed) as refused:
        check_publishable(definition)
    assert set(refused.value.details or {}) == paths


# --- bounds -------------------------------------------------------------------------------------------


def test_a_pattern_matches_in_linear_time() -> None:
    """`^(a+)+$` doubles its work with each letter where the engine backtracks; this many would take for ever."""
    validator = compile_schema({"type": "string", "pattern": "^(a+)+$"})
    assert list(schema_faults(validator, "a" * 50_000 + "!"))


def test_a_message_does_not_repeat_the_value() -> None:
    validator = compile_schema({"properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}, "c": {"pattern": "y"}}})
    told = str(list(schema_faults(validator, {"a": "CANARY", "b": "CANARY", "c": "CANARY"})))
    assert told.count("a") and "CANARY" not in told


def test_a_deep_schema_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(200):
        schema = {"properties": {"a": schema}}
    with pytest.raises(Fault, match="nest"):
        compile_schema(schema)


def test_an_expression_cannot_blow_up() -> None:
    for bomb in ("|".join(["[@,@]"] * 20), "(" * 900 + "a" + ")" * 900, "join(@, @)", "'" + "x" * 2_000 + "'"):
        with pytest.raises(Fault):
            compile_expression(bomb)


@st.composite
def expressions(draw: Any) -> str:
    """JMESPath of a few steps, each of which may repeat its input."""
    step = st.sampled_from(["@", "a", "[@,@]", "{x:@,y:a}", "[*]", "[].a", "[*].[@,@,@]", "to_string(@)", "[@,[@,@]]"])
    return " | ".join(draw(st.lists(step, min_size=1, max_size=8)))


@given(expressions())
def test_an_accepted_expression_amplifies_within_its_bound(text: str) -> None:
    """The bound is no guess: no accepted expression makes more of a value than it says."""
    try:
        compiled = compile_expression(text)
    except Fault:
        return
    value = {"a": ["word"] * 20, "b": 'quote " and \\ backslash'}
    size = len(msgspec.json.encode(value))
    assert len(msgspec.json.encode(compiled.search(value))) <= (MOST_AMPLIFICATION + 1) * size


@given(st.text("{}+#./?&a1_,:*-% ", max_size=30))
def test_a_path_template_is_taken_or_refused(text: str) -> None:
    """Never anything but a Fault; and what is taken begins with one slash and has no dangling brace."""
    try:
        template = compile_path(text)
    except Fault:
        return
    expanded = template.expand(dict.fromkeys(template.variable_names, "../?#x"))
    assert expanded.startswith("/") and "?" not in expanded and "#" not in expanded and "{" not in expanded


def test_an_address_is_the_same_however_it_is_written() -> None:
    """RFC 5952: what is called is written shortest, whatever a definition writes."""
    for pattern in ("2001:4860:4860:0:0:0:0:8888", "[2001:4860:4860::8888]", "2001:4860:4860::8888"):
        assert covers([pattern], "2001:4860:4860::8888") and covers(["2001:4860:4860::8888"], pattern)
    assert covers(["::ffff:8.8.8.8"], "::ffff:808:808") and not covers(["8.8.8.8"], "::ffff:808:808")
    assert covers(["*.example.org", "a:b"], "A.Example.org.") and not covers(["a:b"], "a:c")
