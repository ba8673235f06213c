"""The GraphiQL page and its files; knows no web framework.

What is ours is small and kept in memory. The vendor's four megabytes are read when a browser asks, which it does once:
their addresses carry their hash.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = "/graphql"
PREFIX = "/console/"
NOT_FETCHED = "The console's browser files are not here yet: run `make assets`, then start the server again.\n"

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}

VENDOR = (
    "react.production.min.js",
    "react-dom.production.min.js",
    "graphiql.min.js",
    "graphiql.min.css",
    "explorer.js",
    "explorer.css",
    "licenses.txt",
)
#: A file may name only files before it: their addresses carry a hash, which goes into its own.
OWN = ("console.css", "client.js", "console.js")

#: GraphiQL's dialogs lock the page's scrolling with one <style> element (react-remove-scroll-bar); its
#: text is always this one as long as the page has no scroll bar of its own (console.css sees to that).
SCROLL_LOCK_STYLE = "'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='"

#: Nothing but this server, no inline script, no eval. Fonts lie in GraphiQL's stylesheet as data:.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {SCROLL_LOCK_STYLE}",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it goes out, or where it is read; `etag` is strong and quoted."""

    content: bytes | Path
    content_type: str
    etag: str

    @property
    def body(self) -> bytes:
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content

    @property
    def version(self) -> str:
        """The hash that `?v=` must carry for an answer that may be kept for ever."""
        return self.etag.strip('"')


def console_root() -> Path:
    """`app/console` in an installed wheel, `console` beside `app` in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "console"
    return inside if inside.is_dir() else package.parent / "console"


def load_assets(root: Path | None = None) -> dict[str, Asset]:
    """Every file by its path; the page alone, saying what to run, when the vendor files are missing."""
    root = root or console_root()
    own, vendor = root / "graphiql", root / "assets"
    if not all((vendor / name).is_file() for name in VENDOR):
        return {PAGE: _asset(NOT_FETCHED.encode(), ".txt")}
    found = {f"{PREFIX}assets/{name}": _stored(vendor / name) for name in VENDOR}
    for name in OWN:
        found[PREFIX + name] = _asset(_versioned(own / name, found), Path(name).suffix)
    found[PAGE] = _asset(_versioned(own / "index.html", found), ".html")
    return found


def answer(
    path: str, asset: Asset, *, version: str | None = None, if_none_match: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; `version` is the request's `v` parameter, `if_none_match` its header."""
    return answer_asset(asset, _headers(path, asset, version), if_none_match)


def answer_asset(asset: Asset, headers: dict[str, str], if_none_match: str | None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, or 304 without one where the browser has it (RFC 9110 section 13.1.2)."""
    headers = {"ETag": asset.etag, **headers}
    known = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    if asset.etag in known or known == ["*"]:
        return 304, headers, b""
    return 200, headers | {"Content-Type": asset.content_type}, asset.body


def _headers(path: str, asset: Asset, version: str | None) -> dict[str, str]:
    """A hash in the address makes the answer immutable; without it, the browser asks again."""
    forever = path != PAGE and version == asset.version
    return {
        "Cache-Control": "public, max-age=31536000, immutable" if forever else "no-cache",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        # One address, two kinds of answer: the page here, JSON for a GraphQL request.
        **({"Vary": "Accept"} if path == PAGE else {}),
    }


def _asset(body: bytes, suffix: str) -> Asset:
    return Asset(body, CONTENT_TYPES[suffix], _etag(hashlib.sha256(body).hexdigest()))


def _stored(file: Path) -> Asset:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return Asset(file, CONTENT_TYPES[file.suffix], _etag(digest))


def _etag(digest: str) -> str:
    return f'"{digest[:32]}"'


def _versioned(file: Path, known: Mapping[str, Asset]) -> bytes:
    """The file's bytes, with the hash put behind each quoted address of a known file."""
    text = file.read_text(encoding="utf-8")
    for path, asset in known.items():
        text = text.replace(f'"{path}"', f'"{path}?v={asset.version}"')
    return text.encode()
