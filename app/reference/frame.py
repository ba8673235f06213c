"""What every reference page has around it: the bar, the list of its parts, and the files it needs."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.reference.markup import Html, el

STYLE, SCRIPT = "/docs/reference.css", "/docs/reference.js"
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' "
    "rx='3' fill='%23b3541e'/%3E%3Cpath d='M3 3h10l-3 5 3 5H3l3-5z' fill='%23fff'/%3E%3C/svg%3E"
)
_PLACES = (("/docs", "Reference"), ("/docs/errors", "Errors"), ("/docs/changelog", "Changes"), ("/graphql", "Console"))


class Link(NamedTuple):
    """An entry of the list beside a page; `mark` is set before it, `find` is what the filter looks at."""

    href: str
    shown: str
    mark: str = ""
    find: str = ""


class Group(NamedTuple):
    title: str
    links: tuple[Link, ...]


class Page(NamedTuple):
    title: str
    body: Html
    groups: tuple[Group, ...] = ()


def frame(page: Page, here: str, files: Mapping[str, str]) -> bytes:
    """The whole page as bytes; `files` maps the style and the script to their addresses with a hash."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{page.title} · Dovetail"),
        el("link", rel="icon", href=_ICON),
        el("link", rel="stylesheet", href=files[STYLE]),
        el("script", src=files[SCRIPT], defer=True),
    )
    body = el(
        "body",
        el("a", "To the content", href="#content", class_="skip"),
        el("header", el("p", el("a", "Dovetail", href="/docs")), _places(here), class_="bar"),
        el("div", _beside(page.groups), el("main", page.body, id="content", tabindex="-1"), class_="columns"),
    )
    return f"<!doctype html>{el('html', head, body, lang='en')}\n".encode()


def _places(here: str) -> Html:
    links = [
        el("li", el("a", shown, href=href, aria_current="page" if href == here else None)) for href, shown in _PLACES
    ]
    return el("nav", el("ul", links), aria_label="Parts of the documentation")


def _beside(groups: Iterable[Group]) -> Html:
    groups = tuple(groups)
    if not groups:
        return Html("")
    field = el("input", id="filter", type="search", autocomplete="off", spellcheck="false", aria_controls="parts")
    filtering = el("p", el("label", "Filter", for_="filter"), field, class_="filter", hidden=True)
    told = el("p", "", id="found", role="status", class_="soft")
    lists = [_group(group) for group in groups]
    inside = [el("summary", "On this page"), filtering, told, el("div", lists, id="parts")]
    return el("nav", el("details", inside, open=True), class_="beside", aria_label="On this page")


def _group(group: Group) -> Html:
    links = [
        el("li", el("a", el("span", link.mark, class_=f"method {link.mark.lower()}") if link.mark else "",
                    " " if link.mark else "", link.shown, href=link.href), data_find=(link.find or link.shown).lower())
        for link in group.links
    ]  # fmt: skip
    return el("section", el("h2", group.title), el("ul", links))
