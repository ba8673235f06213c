"""Hostile documents: what is refused, and that looking at them stays cheap."""

import time

import pytest
from graphql import get_introspection_query

from graph import limits
from graph.documents import DocumentRefused, Documents
from graph.limits import LIMITS
from graph.schema import core
from tests.graphql import toys
from tests.graphql.clients import ask, server
from tests.graphql.hostile import HOSTILE

FIT = {"repeated under the limit", "directives everywhere", "comments", "commas", "block text"}


def documents() -> Documents:
    return Documents(core(toys.toy_schema()))


def refusal(text: str) -> DocumentRefused:
    with pytest.raises(DocumentRefused) as caught:
        documents().prepare(text)
    return caught.value


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_dealt_with_quickly(name):
    """A kilobyte never takes long; the bound is generous, bench/ measures the real time."""
    fastest = 1.0
    for _ in range(3):
        fresh, began = documents(), time.thread_time()
        try:
            fresh.prepare(HOSTILE[name])
        except DocumentRefused:
            assert name not in {"comments", "commas", "block text"}
        fastest = min(fastest, time.thread_time() - began)
    assert fastest < 0.1


def test_the_work_on_a_bomb_is_bounded_by_the_limits(monkeypatch):
    """Selections are expanded up to the limit and no further, whatever they would have come to."""
    seen = []
    expand = limits._Expansion

    class Counting(expand):
        def walk(self, selection_set):
            seen.append(self)
            super().walk(selection_set)

    monkeypatch.setattr(limits, "_Expansion", Counting)
    for name in ("silent bomb", "fragment bomb", "fragment cycle", "wide cycle"):
        with pytest.raises(DocumentRefused):
            documents().prepare(HOSTILE[name])
    assert all(expansion.selections <= LIMITS.selections + 1 for expansion in seen)
    assert max(expansion.selections for expansion in seen) == LIMITS.selections + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{" + "a " * 2_001 + "}", "2000 tokens"),
        ("{ viewer { name } }" + " " * 70_000, "65536 characters"),
        ("{" + " ".join(f"a{n}: say" for n in range(16)) + "}", "15 aliases"),
        ("{" + "say " * 21 + "}", "20 times"),
        ("{ ...a ...a } fragment a on Query {" + "say " * 11 + "}", "20 times"),
        ("{a" * 11 + "}" * 11, "10 levels"),
        ("{ say @skip(if: false) @include(if: true) @a @b @c @d }", "directives stand in one place"),
        ("{ say(text: " + "[" * 11 + "]" * 11 + ") }", "nests more than 10"),
        ("{ echo(number: " + "9" * 41 + ") }", "40 digits"),
        ("{ __type(name: a) { fields { type { fields { name } } } } }", "at most once"),
        ("{ a: __schema { types { name } } }", "no aliases"),
        ("".join(f"query a{n} {{ say }} " for n in range(21)), "20 is the most"),
        ("{ say }" + "".join(f"fragment a{n} on Query {{ say }} " for n in range(51)), "50 fragments"),
    ],
)
def test_each_limit_says_what_it_is(text, said):
    """`query_too_complex` with the number in words."""
    refused = refusal(text)
    assert refused.error.code == "query_too_complex"
    assert said in refused.faults[0].message


def test_what_is_within_the_limits_is_fit():
    """Fifteen aliases, twenty repeats, ten levels of inline fragments."""
    for text in (
        "{" + " ".join(f"a{n}: say" for n in range(15)) + "}",
        "{" + "say " * 20 + "}",
        "{" + "... on Query {" * 10 + "say" + "}" * 11,
        "{ say: say }",
    ):
        assert documents().prepare(text).operations[0].kind == "query"


async def test_the_introspection_of_the_console_passes():
    """GraphiQL's own query, with everything that graphql-core can ask for; and it costs."""
    for query in (
        get_introspection_query(),
        get_introspection_query(
            descriptions=True, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
        ),
    ):
        response = await ask(server(), query)
        assert response.status_code == 200, response.text
        assert len(response.json()["data"]["__schema"]["types"]) > 20
        assert 10 < response.json()["extensions"]["cost"]["requested"] < 500


def test_documents_are_remembered_fit_or_not():
    """The second time nothing is parsed; the memory is bounded by number and by size."""
    known = documents()
    for _ in range(3):
        known.prepare("{ say }")
        with pytest.raises(DocumentRefused):
            known.prepare("{ nothing }")
    assert known.parsed == 2
    for number in range(1_500):
        known.prepare(f"{{ say }} # {number}")
    assert len(known) == 1_000
    big = "{" + "say " * 20 + "} "
    for number in range(1_000):
        known.prepare(f"query a{number} " + big + " ".join(["fragment b on Query { say }"] * 0))
    assert known._tokens <= 200_000
