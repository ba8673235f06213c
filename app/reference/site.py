"""Which pages there are, each made when it is first asked for and kept as bytes."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from app.assets import CONTENT_TYPES, Asset, answer_asset, console_root
from app.clock import SYSTEM_CLOCK, Clock
from app.errors import REGISTRY
from app.reference.changes import changes_page
from app.reference.documents import openapi_page
from app.reference.error_pages import error_page, errors_page
from app.reference.frame import SCRIPT, STYLE, Page, frame
from app.reference.front import FRONT, front_page
from app.reference.markup import Html, el, joined
from app.reference.prose import sentence
from app.reference.sdl import SDL, graphql_page
from rest.contracts.documents import snapshot
from rest.contracts.registry import APIS

HOME = "/docs"
#: Nothing but this server, nothing inline.
CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src data:", "base-uri 'none'",
    "form-action 'none'", "frame-ancestors 'none'",
))  # fmt: skip


def _asset(body: bytes, content_type: str) -> Asset:
    return Asset(body, content_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


class Site:
    """`server` is this server's public address; `sdl` makes the control plane's schema."""

    def __init__(self, server: str, sdl: Callable[[], str], clock: Clock = SYSTEM_CLOCK) -> None:
        self._server = server
        self._made: dict[str, Asset] = {}
        root = console_root() / "reference"
        self._files = {path: self._file(root / path.rpartition("/")[2]) for path in (STYLE, SCRIPT)}
        self._pages: dict[str, Callable[[], Page]] = {
            FRONT: lambda: front_page(versions()),
            HOME: self._home,
            f"{HOME}/changelog": lambda: changes_page(clock),
            f"{HOME}/errors": errors_page,
            f"{HOME}/graphql": lambda: graphql_page(sdl(), server),
            **{f"{HOME}/errors/{code}": (lambda code=code: error_page(code)) for code in REGISTRY},  # type: ignore[misc]
        }
        for api, version, status in versions():
            self._pages[f"{HOME}/{api}/{version}"] = self._contract(api, version, status)
        self._sdl = sdl

    def find(self, path: str) -> Asset | None:
        """What is at `/`, or at a path below `/docs`; None where there is nothing."""
        known = self._files.get(path) or self._made.get(path)
        if known is None and path in self._pages:
            files = {name: f"{name}?v={asset.version}" for name, asset in self._files.items()}
            known = _asset(frame(self._pages[path](), path, files), CONTENT_TYPES[".html"])
            self._made[path] = known
        elif known is None and path == SDL:
            known = self._made[path] = _asset(self._sdl().encode(), CONTENT_TYPES[".txt"])
        return known

    def answer(
        self, path: str, *, version: str | None = None, if_none_match: str | None = None
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; `version` is the request's `v` parameter. None where there is nothing."""
        asset = self.find(path)
        if asset is None:
            return None
        forever = path in self._files and version == asset.version
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if forever else "no-cache",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            # One address, two kinds of answer: the page here, JSON for a program.
            **({"Vary": "Accept"} if path == FRONT else {}),
        }
        return answer_asset(asset, headers, if_none_match)

    def _file(self, file: Path) -> Asset:
        return _asset(file.read_bytes(), CONTENT_TYPES[file.suffix])

    def _contract(self, api: str, version: str, status: str) -> Callable[[], Page]:
        return lambda: openapi_page(json.loads(snapshot(api, version)), self._server, status)

    def _home(self) -> Page:
        cards = [
            _card(f"{HOME}/{api}/{version}", f"{api} {version}", *_told(api, version), status)
            for api, version, status in versions()
        ]
        about = "The schema of the dashboards: everything that this server does, behind one address."
        cards.append(_card(f"{HOME}/graphql", "control plane", "GraphQL", about, "active"))
        more = el("ul", [
            el("li", el("a", "Errors", href=f"{HOME}/errors"), ": a page for each code"),
            el("li", el("a", "Changes", href=f"{HOME}/changelog"), ": what differs between the versions"),
            el("li", el("a", "Console", href="/graphql"), ": GraphiQL, with saved operations"),
        ])  # fmt: skip
        return Page("Reference", joined([el("h1", "Reference"), *cards, el("h2", "Beside them"), more]))


def versions() -> list[tuple[str, str, str]]:
    """(API, version, status) of every version of a REST contract, the newest of each API first."""
    return [
        (name, version, "active" if version == api.active else "frozen")
        for name, api in APIS.items()
        for version in reversed(api.names)
    ]


def _told(api: str, version: str) -> tuple[str, str]:
    info = json.loads(snapshot(api, version)).get("info", {})
    return str(info.get("title", "")), str(info.get("description", ""))


def _card(href: str, name: str, title: str, about: str, status: str) -> Html:
    heading = el("h3", el("a", name, href=href), " ", el("span", status, class_="mark"))
    return el("section", heading, el("p", title, ". " if about else "", sentence(about)), class_="card")
