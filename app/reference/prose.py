"""Sentences with `code` in them, and the Markdown that the pages of the errors are written in."""

import re
from collections.abc import Callable, Iterator

from app.errors import REGISTRY
from app.reference.markup import Html, el, joined, text

_CODE = re.compile(r"`([^`\n]+)`")
_INLINE = re.compile(r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^*\n]+)\*\*|\[(?P<shown>[^\]\n]+)\]\((?P<target>[^)\s]+)\)")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_FENCE = "```"
_RULE_ROW = re.compile(r"\|[\s|:-]+\|")

#: From a link as it stands in a page to the address that it has here; None where the page is not served.
Locate = Callable[[str], str | None]


def code(name: str) -> Html:
    """A word of the contract; the code of an error leads to its page."""
    known = name.lower()
    shown = el("code", name)
    return (
        el("a", shown, href=f"/docs/errors/{known}") if known in REGISTRY and name in (known, known.upper()) else shown
    )


def sentence(words: str) -> Html:
    """One paragraph without its element."""
    parts = _CODE.split(words)
    return joined(code(part) if number % 2 else text(part) for number, part in enumerate(parts))


def paragraphs(words: object) -> Html:
    if not isinstance(words, str) or not words.strip():
        return Html("")
    return joined(el("p", sentence(part)) for part in _PARAGRAPHS.split(words.strip()))


def _inline(line: str, locate: Locate) -> Html:
    parts: list[Html] = []
    end = 0
    for found in _INLINE.finditer(line):
        parts.append(text(line[end : found.start()]))
        end = found.end()
        if found["code"]:
            parts.append(code(found["code"]))
        elif found["bold"]:
            parts.append(el("strong", found["bold"]))
        else:
            where = locate(found["target"])
            shown = _inline(found["shown"], locate)
            parts.append(shown if where is None else el("a", shown, href=where))
    return joined([*parts, text(line[end:])])


def markdown(source: str, locate: Locate) -> Html:
    """Headings, paragraphs, lists, tables and fenced blocks; whatever else stands there is a paragraph."""
    return joined(_blocks(source.splitlines(), locate))


def _blocks(lines: list[str], locate: Locate) -> Iterator[Html]:
    at = 0
    while at < len(lines):
        line = lines[at]
        end = at + 1
        if line.startswith(_FENCE):
            while end < len(lines) and not lines[end].startswith(_FENCE):
                end += 1
            yield el("pre", el("code", "\n".join(lines[at + 1 : end])), tabindex="0")
            end += 1
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            yield el(f"h{min(level, 6)}", _heading(line.lstrip("# ")))
        elif line.strip():
            while end < len(lines) and lines[end].strip() and not lines[end].startswith(("#", _FENCE)):
                end += 1
            yield _paragraph(lines[at:end], locate)
        at = end


def _heading(words: str) -> Html:
    """Without links: a page does not lead to itself."""
    parts = _CODE.split(words)
    return joined(el("code", part) if number % 2 else text(part) for number, part in enumerate(parts))


def _paragraph(lines: list[str], locate: Locate) -> Html:
    if all(line.startswith("|") for line in lines):
        return _table(lines, locate)
    if lines[0].startswith("- "):
        items = re.split(r"\n- ", "\n".join(lines)[2:])
        return el("ul", [el("li", _inline(item.replace("\n", " "), locate)) for item in items])
    return el("p", _inline(" ".join(lines), locate))


def _table(lines: list[str], locate: Locate) -> Html:
    rows = [[_inline(cell.strip(), locate) for cell in line.strip("|").split("|")] for line in lines
            if not _RULE_ROW.fullmatch(line)]  # fmt: skip
    head = el("thead", el("tr", [el("th", cell, scope="col") for cell in rows[0]]))
    body = el("tbody", [el("tr", [el("td", cell) for cell in row]) for row in rows[1:]])
    return el("div", el("table", head, body), class_="wide", tabindex="0")
