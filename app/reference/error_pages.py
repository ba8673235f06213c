"""The pages of the error codes, from the files of the documentation; without the files, from the registry."""

from pathlib import Path

from app.errors import REGISTRY
from app.reference.documents import error_table
from app.reference.frame import Group, Link, Page
from app.reference.markup import Html, el, joined
from app.reference.prose import markdown


def errors_folder() -> Path:
    """`app/docs/errors` in an installed wheel, `docs/errors` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "docs" / "errors"
    return inside if inside.is_dir() else package.parent / "docs" / "errors"


def _groups() -> tuple[Group, ...]:
    by_status: dict[int, list[str]] = {}
    for code, kind in sorted(REGISTRY.items()):
        by_status.setdefault(kind.status, []).append(code)
    return tuple(
        Group(str(status), tuple(Link(f"/docs/errors/{code}", code) for code in codes))
        for status, codes in sorted(by_status.items())
    )


def errors_page() -> Page:
    """Every code with its status and its sentence."""
    codes = sorted(REGISTRY, key=lambda name: (REGISTRY[name].status, name))
    about = el("p", "A code is stable: it is the same on every surface and in every version.")
    return Page("Errors", joined([el("h1", "Errors"), about, error_table(codes)]), _groups())


def error_page(code: str) -> Page:
    """The page of one code. Raises KeyError for a code that there is not."""
    kind = REGISTRY[code]
    file = errors_folder() / f"{code}.md"
    body: Html
    if file.is_file():
        body = markdown(file.read_text(encoding="utf-8"), _locate)
    else:
        body = joined([el("h1", el("code", code)), el("p", kind.text), el("p", f"HTTP status: {kind.status}")])
    return Page(code, el("article", body, class_="card"), _groups())


def _locate(target: str) -> str | None:
    """Other codes are here; pages of other folders are not served."""
    name, _, _ = target.partition("#")
    code = name.removesuffix(".md")
    if code in REGISTRY:
        return f"/docs/errors/{code}"
    if name == "README.md":
        return "/docs/errors"
    return target if target.startswith("https://") else None
