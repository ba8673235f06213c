"""One origin has one spelling, and what is no origin is refused with the rule that it breaks."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ValidationFailed
from services.origins.naming import normalise_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.org", "https://example.org"),
        ("  HTTPS://WWW.Example.ORG/ ", "https://www.example.org"),
        ("https://example.org.", "https://example.org"),
        ("https://example.org.:443/", "https://example.org"),
        ("https://example.org:0443", "https://example.org"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("https://example.org:80", "https://example.org:80"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://bu\u0308cher.example", "https://xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
        ("https://例え。テスト", "https://xn--r8jz45g.xn--zckzah"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://ｅｘａｍｐｌｅ.org", "https://example.org"),
        ("https://r4---sn-abc.example", "https://r4---sn-abc.example"),
        ("https://intranet", "https://intranet"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("https://1.example", "https://1.example"),
    ],
)
def test_spellings(text: str, origin: str) -> None:
    assert normalise_origin(text) == origin


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("null", "null"),
        ("example.org", "scheme://host"),
        ("//example.org", "scheme://host"),
        ("https:example.org", "scheme://host"),
        ("ftp://example.org", "https://"),
        ("javascript://example.org", "https://"),
        ("http://example.org", "https://"),
        ("http://localhost.example", "https://"),
        ("http://sub.localhost", "https://"),
        ("https://user@example.org", "user name"),
        ("https://user:word@example.org", "user name"),
        ("https://@example.org", "user name"),
        ("https://example.org/path", "path"),
        ("https://example.org//", "path"),
        ("https://example.org?x=1", "query"),
        ("https://example.org/?", "query"),
        ("https://example.org#x", "fragment"),
        ("https://*.example.org", "wildcard"),
        ("https://", "host"),
        ("https://:443", "host"),
        ("https://.", "empty part"),
        ("https://a..example", "empty part"),
        ("https://.example.org", "empty part"),
        ("https://example.org..", "empty part"),
        ("https://ü..example", "empty part"),
        ("https://example.org:", "port"),
        ("https://example.org:0", "port"),
        ("https://example.org:65536", "port"),
        ("https://example.org:+80", "port"),
        ("https://example.org:٤٤٣", "port"),
        ("https://a:b:c", "port|host"),
        ("https://93.184.216.34", "IP address"),
        ("https://127.0.0.1", "IP address"),
        ("http://127.1", "IP address"),
        ("http://0x7f000001", "IP address"),
        ("http://2130706433", "IP address"),
        ("https://１２７.0.0.１", "IP address"),
        ("https://example.0x1", "IP address"),
        ("https://[2001:db8::1]", "IP address"),
        ("https://[::1]", "IP address"),
        ("http://[::ffff:127.0.0.1]", "IP address"),
        ("https://[::1", "brackets|port"),
        ("https://[nonsense]", "brackets"),
        ("https://exa_mple.org", "letters"),
        ("https://-a.example", "letters"),
        ("https://a-.example", "letters"),
        ("https://a%2eexample", "letters"),
        ("https://a\\b.example", "letters"),
        ("https://xn--.example", "letters"),
        ("https://xn--zzzzzz99999.example", "letters"),
        (f"https://{'a' * 64}.example", "63"),
        ("https://" + ".".join(["a" * 60] * 5), "253"),
        ("https://example.org\n", "control"),
        ("https://exam\x00ple.org", "control"),
        ("https://exam ple.org", "spaces"),
        ("https://exam\u3000ple.org", "spaces"),
        ("https://☃︎\u200d.example", "characters"),
        ("https://a\u202e.example", "characters"),
        ("https://" + "a" * 3_000, "2048"),
    ],
)
def test_refusals_name_the_rule(text: str, rule: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        normalise_origin(text)
    assert re.search(rule, caught.value.details["origin"])


labels = st.from_regex(r"[a-z]([a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.one_of(st.none(), st.integers(1, 65_535))


@given(hosts, ports, st.randoms(use_true_random=False))
def test_other_spellings_of_one_origin_collapse(host: str, port: int | None, random: object) -> None:
    """Case, a trailing dot, a slash, surrounding spaces and the default port change nothing."""
    suffix = "" if port is None else f":{port}"
    plain = normalise_origin(f"https://{host}{suffix}")
    shouted = "".join(random.choice((char, char.upper())) for char in host)  # type: ignore[attr-defined]
    assert normalise_origin(f" HttpS://{shouted}.{suffix}/ ") == plain
    assert plain == (f"https://{host}" if port in (None, 443) else f"https://{host}:{port}")


@given(st.text(st.sampled_from("aAüßÅé中。．.-1①K\u0301 "), min_size=1, max_size=12), ports)
def test_normalising_twice_changes_nothing(host: str, port: int | None) -> None:
    """Whatever is accepted is ASCII, has no path, and is its own normal form."""
    try:
        origin = normalise_origin(f"https://{host}" + ("" if port is None else f":{port}"))
    except ValidationFailed:
        return
    assert normalise_origin(origin) == origin
    assert re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]+)?", origin)


@given(st.text())
def test_nothing_but_a_refusal_is_ever_raised(text: str) -> None:
    for candidate in (text, f"https://{text}", f"http://[{text}]", f"https://a:{text}"):
        try:
            normalise_origin(candidate)
        except ValidationFailed as error:
            assert set(error.details or {}) == {"origin"}
