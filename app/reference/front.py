"""The page at `/`, for whoever opens the server's address in a browser."""

from app.reference.frame import Page
from app.reference.markup import Html, el, joined
from rest.contracts.registry import APIS

FRONT = "/"
_ABOUT = (
    "This is a Dovetail server, a control plane for integrations. Programs call its REST contracts with a key or a "
    "token; dashboards and people use its GraphQL control plane. To read here takes neither."
)


def front_page(versions: list[tuple[str, str, str]]) -> Page:
    """`versions` are (API, version, status) of the contracts."""
    contracts = [
        _entry(f"/docs/{api}/{version}", f"{api} {version}", f"{status}; below {_prefix(api, version)}")
        for api, version, status in versions
    ]
    parts = (
        ("Use it", [
            _entry("/graphql", "Console", "GraphiQL with saved operations; it asks for a token"),
        ]),
        ("Read about it", [
            _entry("/docs", "Reference", "every contract in one place"),
            *contracts,
            _entry("/docs/graphql", "GraphQL", "the schema of the control plane; below /graphql"),
            _entry("/docs/errors", "Errors", "a page for each code"),
            _entry("/docs/changelog", "Changes", "what differs between the versions"),
        ]),
        ("Watch it", [
            _entry("/health/live", "Liveness", "whether the process answers"),
            _entry("/health/ready", "Readiness", "whether database, migrations, writes and duties are in order"),
            _entry("/metrics", "Metrics", "counters for Prometheus"),
        ]),
    )  # fmt: skip
    sections = [el("section", el("h2", title), el("ul", entries)) for title, entries in parts]
    return Page("This server", joined([el("h1", "Dovetail"), el("p", _ABOUT), *sections]))


def _prefix(api: str, version: str) -> str:
    return f"{APIS[api].prefix}/{version}"


def _entry(href: str, name: str, about: str) -> Html:
    return el("li", el("a", name, href=href), el("span", about, class_="about"))
