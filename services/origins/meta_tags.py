"""`<meta name=… content=…>` tags of a page's head, as a browser would find them."""

from contextlib import suppress
from html.parser import HTMLParser

#: What may stand in a head (HTML, section 4.2); anything else, and any text, begins the body.
_HEAD = frozenset({"html", "head", "base", "link", "meta", "title", "style", "script", "noscript", "template"})
#: Elements whose content is text or inert, so that a tag in it is none.
_OPAQUE = frozenset({"title", "style", "script", "noscript", "template"})


class _Head(HTMLParser):
    """Collects `content` of the wanted meta tags until the head ends. The end tag of a head may be left out."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.name = name
        self.contents: list[str] = []
        self.over = False
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.over or (self.within and tag not in self.within):
            return
        if tag not in _HEAD:
            self.over = True
        elif tag in _OPAQUE:
            self.within.append(tag)
        elif tag == "meta":
            self._meta(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # In HTML the slash of `<title/>` means nothing: the element stays open.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.within:
            if tag == self.within[-1]:
                self.within.pop()
        elif tag in ("head", "body", "html"):
            self.over = True

    def handle_data(self, data: str) -> None:
        if not self.within and data.strip():
            self.over = True

    def _meta(self, attrs: list[tuple[str, str | None]]) -> None:
        # The first of two attributes of one name counts.
        given = {key: value or "" for key, value in reversed(attrs)}
        if given.get("name", "").strip().lower() == self.name:
            self.contents.append(given.get("content", "").strip())


def meta_contents(page: str, name: str) -> list[str]:
    """`content` of each meta tag called `name` (compared without case) in the head of `page`."""
    head = _Head(name.lower())
    # Never closed: what an unfinished comment or tag hides at the end stays hidden. The parser of Python
    # 3.11 asserts on a malformed `<![`; what was read before it stands.
    with suppress(AssertionError):
        head.feed(page.removeprefix("\ufeff"))
    return head.contents
