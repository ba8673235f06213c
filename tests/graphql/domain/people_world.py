"""People, publications and works for tests of the surface, and a short way to ask."""

import re
from typing import Any

from services.people.records import PersonRecord, PublicationRecord, WorkRecord, Works
from tests.world import World

#: What duties of the server send meanwhile (seals, jobs) is not the query's.
_DOMAIN = re.compile(r'FROM \(*(SELECT .* FROM )?"?(person|membership|publication|authorship|work|project)\b')

ADA = "0000-0002-1825-0097"
JOAO = "0000-0001-2345-6789"
CARL = "0000-0002-1642-628X"


def publication(number: int, **given: Any) -> PublicationRecord:
    doi = f"10.5555/p{number}"
    values: dict[str, Any] = {"doi": doi, "doi_url": f"https://doi.org/{doi}"}
    values["title"] = {"en": f"Paper {number}", "pt": f"Artigo {number}"}
    values |= {"publication_date": None, "publication_year": 2000 + number, "publication_type": "journal-article"}
    return PublicationRecord(**(values | {"put_code": number} | given))


def work(number: int, *, asserted: bool = True, **given: Any) -> WorkRecord:
    values: dict[str, Any] = {
        "put_code": number,
        "title": f"Data {number}",
        "work_type": "data-set",
        "publication_date": None,
    }
    values |= {"publication_year": 2000 + number, "url": None, "asserted_by_source": asserted, "visible": True}
    return WorkRecord(**(values | given))


def person(orcid_id: str = ADA, name: Any = "Ada Lovelace", biography: Any = None) -> PersonRecord:
    return PersonRecord(orcid_id, name, biography)


def made(publications: int = 0, works: int = 0) -> Works:
    return Works([publication(n) for n in range(1, publications + 1)], [work(n) for n in range(1, works + 1)])


async def ask(world: World, query: str, token: str | None = None, **variables: Any) -> Any:
    """The data of an answer without errors; by an operator unless a token is given."""
    answer = (await world.graphql(query, token or world.token("operator"), **variables)).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


async def refused(world: World, query: str, token: str | None = None, **variables: Any) -> tuple[Any, dict[str, Any]]:
    """The data of an answer and its first error's extensions."""
    answer = (await world.graphql(query, token or world.token("operator"), **variables)).json()
    return answer.get("data"), answer["errors"][0]["extensions"]


async def statements(world: World, query: str, **variables: Any) -> int:
    """How many statements a query sends; asked twice, because the first fills caches."""
    token = world.token("operator")
    await ask(world, query, token, **variables)
    with world.runtime.database.count_statements() as log:
        await ask(world, query, token, **variables)
    return sum(_DOMAIN.search(text) is not None for text in log.texts)
